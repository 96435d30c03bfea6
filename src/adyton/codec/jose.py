"""A JSON Web Signature in its compact form (RFC 7515, section 7.1): three parts, nothing believed.

Stricter than the format: one text for each value of base64url, no duplicate members, bounded size
and depth, and no extension (``crit``), since a parameter that changes what a signature means and is
not understood is the sender's choice of what we check. Which algorithm is acceptable, which key is
right and whether it signed is for the caller to decide; the payload stays bytes until then.
"""

from dataclasses import dataclass
from typing import Final

from adyton.codec.json import JsonObject, as_object, as_string, loads
from adyton.codec.text import from_base64url, to_base64url
from adyton.errors import MalformedError

__all__ = ["MAX_TOKEN_BYTES", "Jws", "encode"]

# The longest that we know are Google's, with three certificates: 12 KB.
MAX_TOKEN_BYTES: Final = 64 * 1024
# RSA with 4096 bits. An empty one is read: whose algorithm is "none" is refused for that.
_MAX_SIGNATURE_BYTES: Final = 512
_PARTS: Final = 3
# RFC 7515, section 4.1.11, and RFC 7797: they change how the rest is to be read.
_REFUSED: Final = ("crit", "b64", "zip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jws:
    """A signed token, nothing about it verified.

    ``signing_input`` is what the signature is over, as it came. ``untrusted_header`` is read before
    the signature is checked, to find the key, and is as good as whoever sent it.
    """

    untrusted_header: JsonObject
    algorithm: str
    payload: bytes
    signing_input: bytes
    signature: bytes

    @classmethod
    def from_text(cls, text: str) -> "Jws":
        """Return the token in ``text``, or raise ``MalformedError``."""
        if len(text) > MAX_TOKEN_BYTES:
            raise MalformedError(f"a token has {len(text)} bytes, the limit is {MAX_TOKEN_BYTES}")
        parts = text.split(".")
        if len(parts) != _PARTS:
            raise MalformedError(f"a token has {len(parts)} parts, not {_PARTS}")
        head, payload, signature = parts
        header = as_object(
            loads(_part(head, "a token's header"), limit_bytes=MAX_TOKEN_BYTES), "a token's header"
        )
        for name in _REFUSED:
            if name in header:
                raise MalformedError(f"a token's header has {name!r}, which is not understood here")
        return cls(
            untrusted_header=header,
            algorithm=as_string(header.get("alg"), "a token's algorithm", limit=32),
            payload=_part(payload, "a token's payload"),
            signing_input=f"{head}.{payload}".encode(),
            signature=from_base64url(
                signature, "a token's signature", limit_bytes=_MAX_SIGNATURE_BYTES
            ),
        )


def encode(header: bytes, payload: bytes) -> bytes:
    """Return what is signed of a token with this header and payload (section 5.1, step 5)."""
    return f"{to_base64url(header)}.{to_base64url(payload)}".encode()


def _part(text: str, where: str) -> bytes:
    return from_base64url(text, where, limit_bytes=MAX_TOKEN_BYTES)
