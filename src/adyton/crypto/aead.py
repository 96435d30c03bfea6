"""AES-256-GCM for values that come back to the one who sealed them."""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adyton.errors import MalformedError, RejectedError

__all__ = ["AEAD_KEY_SIZE", "SealBrokenError", "open_value", "seal_value"]

AEAD_KEY_SIZE: Final = 32
_NONCE_SIZE: Final = 12
_TAG_SIZE: Final = 16


class SealBrokenError(RejectedError):
    """A sealed value was changed, or sealed under another key or for another use."""

    code = "seal-broken"

    def __init__(self, *, use: str) -> None:
        super().__init__(f"what was sealed for {use} was changed, or sealed under another key")
        self.use = use


def seal_value(value: bytes, *, key: bytes, nonce: bytes, use: str) -> bytes:
    """Return ``value`` sealed for ``use``; ``nonce`` is 12 random bytes, never used before."""
    if len(nonce) != _NONCE_SIZE:
        raise ValueError(f"a nonce has {_NONCE_SIZE} bytes")
    return nonce + AESGCM(key).encrypt(nonce, value, use.encode())


def open_value(sealed: bytes, *, key: bytes, use: str) -> bytes:
    """Return what was sealed for ``use``, or raise ``SealBrokenError``."""
    if len(sealed) < _NONCE_SIZE + _TAG_SIZE:
        raise MalformedError("a sealed value is cut short")
    nonce, rest = sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:]
    try:
        return AESGCM(key).decrypt(nonce, rest, use.encode())
    except InvalidTag as error:
        raise SealBrokenError(use=use) from error
