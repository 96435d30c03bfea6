"""A detached EAT bundle in JSON (RFC 9711, section 5), as NVIDIA's service answers with.

One token is over all, and has the digests of the others, which come beside it by the names of the
devices. Nothing here is verified: ``check_digests`` is for what a signature was checked over.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adyton.codec.jose import MAX_TOKEN_BYTES
from adyton.codec.json import Json, as_list, as_object, as_string, loads
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError, RejectedError
from adyton.evidence.token.members import Members

__all__ = ["DetachedBundle", "SubmoduleRejectedError"]

_MAX_BUNDLE_BYTES: Final = 1024 * 1024
# As many as there are in the largest machines, several times over.
_MAX_DEVICES: Final = 64
_PAIR: Final = 2
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class SubmoduleRejectedError(RejectedError):
    """A device's token is not the one that the token over all is about."""

    code = "token-submodule-rejected"

    def __init__(self, *, name: str, reason: str) -> None:
        super().__init__(f"the token of {name!r} {reason}")
        self.name, self.reason = name, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class DetachedBundle:
    """The token over all, and the devices' tokens by name."""

    overall: str
    devices: Mapping[str, str]

    @classmethod
    def from_bytes(cls, data: bytes) -> "DetachedBundle":
        """Return the bundle in ``data``, or raise ``MalformedError``."""
        parts = _items(loads(data, limit_bytes=_MAX_BUNDLE_BYTES), "a bundle")
        kind, overall = _items(parts[0], "a bundle's token")
        if kind != "JWT":
            raise MalformedError("a bundle's token is of another kind than JWT")
        devices = as_object(parts[1], "a bundle's devices")
        if not 1 <= len(devices) <= _MAX_DEVICES:
            raise MalformedError(f"a bundle has {len(devices)} devices, not 1 to {_MAX_DEVICES}")
        return cls(
            overall=as_string(overall, "a bundle's token", limit=MAX_TOKEN_BYTES),
            devices=MappingProxyType(
                {
                    name: as_string(token, "a device's token", limit=MAX_TOKEN_BYTES)
                    for name, token in devices.items()
                }
            ),
        )

    def check_digests(self, claims: Members) -> None:
        """Raise unless ``claims``, of the token over all, are about these devices' tokens.

        1. They name the same devices: a token more, or one less, is about another machine.
        2. Each token's SHA-256 is the one in the claims.
        """
        named = claims.inner("submods")
        # Step 1
        if strangers := sorted(named.record.keys() ^ self.devices.keys()):
            raise SubmoduleRejectedError(
                name=strangers[0][:64], reason="is missing, or is one too many"
            )
        # Step 2
        for name, token in self.devices.items():
            if sha256(token.encode()) != _digest(named.record[name]):
                raise SubmoduleRejectedError(
                    name=name[:64], reason="is not the one that the token over all is about"
                )


def _items(value: Json, where: str) -> list[Json]:
    found = as_list(value, where, limit=_PAIR)
    if len(found) != _PAIR:
        raise MalformedError(f"{where} has {len(found)} parts, not {_PAIR}")
    return found


def _digest(value: Json) -> bytes:
    """Return the digest in ``["DIGEST", ["SHA-256", hexadecimal]]`` (section 4.2.18.1.2)."""
    kind, content = _items(value, "a submodule")
    algorithm, digest = _items(content, "a submodule's digest")
    text = as_string(digest, "a submodule's digest", limit=64)
    if kind != "DIGEST" or algorithm != "SHA-256" or _DIGEST.fullmatch(text) is None:
        raise MalformedError("a submodule is no digest by SHA-256")
    return bytes.fromhex(text)
