"""Ed25519 (RFC 8032) over plain bytes, for formats of others, whose messages name no domain.

Our own formats use ``signing``. A key that signs here signs nothing there, and the reverse: without
a domain, a message of one format might be one of another.
"""

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from adyton.crypto.signing import SIGNATURE_SIZE, SignatureRejectedError
from adyton.errors import MalformedError

__all__ = ["PUBLIC_KEY_SIZE", "SEED_SIZE", "SIGNATURE_SIZE", "Ed25519Key", "check_ed25519"]

PUBLIC_KEY_SIZE: Final = 32
SEED_SIZE: Final = 32


class Ed25519Key:
    """A private key, made from a seed that its owner drew and forgets."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()
        """The public key, 32 bytes."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature of ``message``, 64 bytes: the same one each time."""
        return self._key.sign(message)


def check_ed25519(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Raise ``SignatureRejectedError`` unless ``signature`` is ``public_key``'s over ``message``.

    Raises ``MalformedError`` where ``public_key`` is none.
    """
    try:
        _public_key(public_key).verify(signature, message)
    except InvalidSignature as error:
        raise SignatureRejectedError(domain="plain bytes") from error


@lru_cache(maxsize=64)
def _public_key(public_key: bytes) -> Ed25519PublicKey:
    # A log has thousands of proofs under one key: reading it each time costs as much as hashing.
    try:
        return Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError as error:
        raise MalformedError("not an ed25519 public key") from error
