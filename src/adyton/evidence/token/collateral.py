"""What is needed to verify a token beside it: its issuer's keys.

Nothing here is trusted for being here: a set, or a root above it, has to be one of the roots that
the verifier was told of.
"""

from dataclasses import dataclass
from typing import Final

from adyton.crypto.jwk import MAX_SET_BYTES
from adyton.errors import MalformedError

__all__ = ["TokenCollateral"]

_MAX_ROOT_BYTES: Final = 8 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCollateral:
    """An issuer's key set (RFC 7517) as it was published, and the root of the chains in it.

    ``root`` is a certificate in DER, for chains that leave it out, as NVIDIA's do. A token that
    brings its own chain needs neither.
    """

    jwks: bytes | None
    root: bytes | None

    def __post_init__(self) -> None:
        """Raise ``MalformedError`` for what is longer than any issuer's."""
        for name, part, limit in (
            ("the key set", self.jwks, MAX_SET_BYTES),
            ("the root", self.root, _MAX_ROOT_BYTES),
        ):
            if part is not None and len(part) > limit:
                raise MalformedError(f"{name} has {len(part)} bytes, limit {limit}")
