"""Ed25519 signatures (RFC 8032) under a domain: a signature for one use is none for another."""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from adyton.errors import MalformedError, RejectedError

__all__ = [
    "SIGNATURE_SIZE",
    "SignatureRejectedError",
    "SigningKey",
    "check_signature",
]

SIGNATURE_SIZE: Final = 64


class SignatureRejectedError(RejectedError):
    """A signature was not made by this key over these bytes for this use."""

    code = "signature-rejected"

    def __init__(self, *, domain: str) -> None:
        super().__init__(f"the signature is not this key's over these bytes for {domain}")
        self.domain = domain


class SigningKey:
    """A private key that was made here and never leaves the process."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, domain: str, message: bytes) -> bytes:
        """Return the signature of ``message`` for the use ``domain``, 64 bytes."""
        return self._key.sign(_framed(domain, message))


def check_signature(public_key: bytes, domain: str, message: bytes, signature: bytes) -> None:
    """Raise unless ``signature`` is ``public_key``'s over ``message`` for the use ``domain``."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError as error:
        raise MalformedError("not an ed25519 public key") from error
    try:
        key.verify(signature, _framed(domain, message))
    except InvalidSignature as error:
        raise SignatureRejectedError(domain=domain) from error


def _framed(domain: str, message: bytes) -> bytes:
    # A domain has no newline, so that where it ends is never in doubt.
    return domain.encode() + b"\n" + message
