"""A delegated proof: what a client has proven for it by a worker that it sealed the witness to.

A request crosses the host as ``u32le(len header) ‖ header ‖ box``. The header is in the clear, and
is all that the host needs: for limits, for its books. It is in the HPKE ``info`` of the box, so
that nobody can change it under a witness, and a statement repeats it. Circuit, witness and inputs
are in the box (``proving_job``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adyton.codec.json import (
    Json,
    JsonObject,
    as_integer,
    as_object,
    as_string,
    canonical,
    check_keys,
    loads,
)
from adyton.codec.reader import Reader
from adyton.errors import MalformedError

__all__ = [
    "MAX_SEALED_BYTES",
    "MEDIA_TYPE",
    "ProvingHeader",
    "Scheme",
    "SchemeUnavailableError",
    "SealedProving",
    "Target",
    "proving_info",
]

VERSION: Final = "adyton/proving/v1"
MEDIA_TYPE: Final = "application/vnd.adyton.prove+hpke"
MAX_SEALED_BYTES: Final = 50 * 1024 * 1024
_SEAL_DOMAIN: Final = b"adyton/prove/v1"
_MAX_HEADER_BYTES: Final = 4096
_TEXT_LIMIT: Final = 256
_LENGTH_SIZE: Final = 4


class SchemeUnavailableError(MalformedError):
    """The request asks for a way of proving that is not here."""

    code = "proving-scheme-unavailable"

    def __init__(self) -> None:
        known = "; ".join(
            f"{scheme} for {', '.join(targets)}" for scheme, targets in _TARGETS.items()
        )
        super().__init__(f"the scheme or its target is not available; available is {known}")


class Scheme(StrEnum):
    """How it is proven: one circuit with UltraHonk, or Aztec's chain of circuits with Chonk."""

    ULTRA_HONK = "ultra_honk"
    CHONK = "chonk"


class Target(StrEnum):
    """Whoever is to verify the proof: it decides the hash, and whether there is zero knowledge."""

    EVM = "evm"
    EVM_NO_ZK = "evm-no-zk"
    NOIR_RECURSIVE = "noir-recursive"
    NOIR_RECURSIVE_NO_ZK = "noir-recursive-no-zk"
    NOIR_ROLLUP = "noir-rollup"
    AZTEC = "aztec"


_TARGETS: Final[Mapping[Scheme, tuple[Target, ...]]] = MappingProxyType(
    {
        Scheme.ULTRA_HONK: tuple(target for target in Target if target is not Target.AZTEC),
        Scheme.CHONK: (Target.AZTEC,),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvingHeader:
    """What the host may see of a request, and a statement repeats.

    ``nonce`` and ``audience`` are the asker's, ``issued_at`` is when he sealed, in Unix time.
    """

    scheme: Scheme
    target: Target
    nonce: str
    audience: str
    issued_at: int

    def __post_init__(self) -> None:
        if self.target not in _TARGETS[self.scheme]:
            raise SchemeUnavailableError

    def to_json(self) -> JsonObject:
        """Return the form that is bound, and that a statement repeats."""
        return {
            "version": VERSION,
            "scheme": self.scheme.value,
            "target": self.target.value,
            "nonce": self.nonce,
            "audience": self.audience,
            "issued_at": self.issued_at,
        }

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are bound."""
        return canonical(self.to_json())

    @classmethod
    def from_json(cls, value: Json) -> "ProvingHeader":
        """Return the header in ``value``, or raise ``MalformedError``."""
        record = as_object(value, "the header")
        check_keys(record, "the header", required=_HEADER_KEYS, optional=frozenset())
        # An unknown version is never read as the one that is known.
        if record["version"] != VERSION:
            raise MalformedError(f'the request\'s version is not "{VERSION}"')
        nonce = as_string(record["nonce"], "nonce", limit=_TEXT_LIMIT)
        if not nonce:
            raise MalformedError("nonce is empty")
        try:
            scheme = Scheme(as_string(record["scheme"], "scheme"))
            target = Target(as_string(record["target"], "target"))
        except ValueError as error:
            raise SchemeUnavailableError from error
        return cls(
            scheme=scheme,
            target=target,
            nonce=nonce,
            audience=as_string(record["audience"], "audience", limit=_TEXT_LIMIT),
            issued_at=as_integer(record["issued_at"], "issued_at"),
        )


_HEADER_KEYS: Final = frozenset({"version", "scheme", "target", "nonce", "audience", "issued_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedProving:
    """A request as it crosses the host: the header, and the box that only one worker opens."""

    header: ProvingHeader
    box: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        """Return the bytes that are sent, and whose digest a statement has."""
        header = self.header.to_bytes()
        return len(header).to_bytes(_LENGTH_SIZE, "little") + header + self.box

    @classmethod
    def from_bytes(cls, data: bytes) -> "SealedProving":
        """Return the request in ``data``, or raise ``MalformedError``."""
        if len(data) > MAX_SEALED_BYTES:
            raise MalformedError(f"the request has more than {MAX_SEALED_BYTES} bytes")
        reader = Reader(data, where="the request")
        size = reader.little_endian(_LENGTH_SIZE, "the header's length")
        if size > _MAX_HEADER_BYTES:
            raise MalformedError(f"the header has {size} bytes, the limit is {_MAX_HEADER_BYTES}")
        bound = reader.take(size, "the header")
        header = ProvingHeader.from_json(loads(bound, limit_bytes=_MAX_HEADER_BYTES))
        # One header has one form: what is bound and what a statement repeats are the same bytes.
        if header.to_bytes() != bound:
            raise MalformedError("the header is not canonical JSON")
        box = reader.take(reader.remaining, "the box")
        if not box:
            raise MalformedError("the request has no sealed part")
        return cls(header=header, box=box)


def proving_info(header: ProvingHeader) -> bytes:
    """Return the HPKE ``info`` for the box that goes with ``header``."""
    parts = (_SEAL_DOMAIN, header.to_bytes())
    return b"".join(len(part).to_bytes(8, "little") + part for part in parts)
