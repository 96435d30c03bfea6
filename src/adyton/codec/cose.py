"""COSE_Sign1 (RFC 9052, section 4.2): one payload, one signature, and the bytes that are signed.

The protected header and the payload are kept as they came: the signature is over those bytes, and
what is encoded again may differ from what was signed. Which algorithm is acceptable, and whether
the signature is right, is for the caller to decide.
"""

from dataclasses import dataclass
from typing import Final

from adyton.codec.cbor import Cbor, CborMap, Tagged, as_bytes, as_list, as_map, dumps, loads
from adyton.errors import MalformedError

__all__ = ["ALGORITHM", "ES384", "SIGN1_TAG", "Sign1"]

SIGN1_TAG: Final = 18
# The header parameter "alg" and one of its values: RFC 9052, table 2; RFC 9053, table 1.
ALGORITHM: Final = 1
ES384: Final = -35

_PARTS: Final = 4
_MAX_HEADER_BYTES: Final = 1024
_MAX_SIGNATURE_BYTES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign1:
    """A signed message, nothing about it verified.

    ``protected`` is the header as it was signed, ``header`` the same, read. ``unprotected`` is what
    anybody may have added. ``tagged`` says whether the message stood under tag 18.
    """

    protected: bytes
    header: CborMap
    unprotected: CborMap
    payload: bytes
    signature: bytes
    tagged: bool

    @classmethod
    def from_bytes(cls, data: bytes, *, limit_bytes: int) -> "Sign1":
        """Return the message in ``data``, tagged or not, or raise ``MalformedError``."""
        value = loads(data, limit_bytes=limit_bytes)
        tagged = isinstance(value, Tagged)
        parts = as_list(_untagged(value), "cose_sign1", low=_PARTS, high=_PARTS)
        protected = as_bytes(parts[0], "the protected header", high=_MAX_HEADER_BYTES)
        return cls(
            protected=protected,
            header=_header(protected),
            unprotected=as_map(parts[1], "the unprotected header"),
            payload=as_bytes(parts[2], "the payload", low=1, high=limit_bytes),
            signature=as_bytes(parts[3], "the signature", low=1, high=_MAX_SIGNATURE_BYTES),
            tagged=tagged,
        )

    def to_bytes(self) -> bytes:
        """Return the message, under its tag where it had one."""
        parts: Cbor = [self.protected, self.unprotected, self.payload, self.signature]
        return dumps(Tagged(SIGN1_TAG, parts) if self.tagged else parts)

    def signed_bytes(self) -> bytes:
        """Return the Sig_structure (section 4.4), without external data: what is signed."""
        return dumps(["Signature1", self.protected, b"", self.payload])


def _untagged(value: Cbor) -> Cbor:
    if not isinstance(value, Tagged):
        return value
    if value.tag != SIGN1_TAG:
        raise MalformedError(f"the message has the tag {value.tag}, not {SIGN1_TAG}")
    return value.value


def _header(protected: bytes) -> CborMap:
    # Section 3: an empty header is a byte string of length zero.
    if not protected:
        return {}
    return as_map(loads(protected, limit_bytes=_MAX_HEADER_BYTES), "the protected header")
