"""RSA with SHA-256 and PKCS #1 v1.5 padding (RFC 8017, section 8.2), as TPMs sign."""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import MalformedError

__all__ = ["RsaPublicKey"]

_EXPONENT: Final = 65537
_MIN_BITS: Final = 2048
_MAX_BITS: Final = 4096


class RsaPublicKey:
    """An RSA public key that checks signatures."""

    __slots__ = ("_key",)

    def __init__(self, modulus: int, exponent: int, *, where: str) -> None:
        # The exponent that everybody uses: small ones have a history of forgeries.
        if exponent != _EXPONENT:
            raise MalformedError(f"{where} has an exponent that is not {_EXPONENT}")
        if not _MIN_BITS <= modulus.bit_length() <= _MAX_BITS:
            raise MalformedError(
                f"{where} has {modulus.bit_length()} bits, not {_MIN_BITS} to {_MAX_BITS}"
            )
        # The library does not ask, and there is no arithmetic of theirs for even ones.
        if modulus % 2 == 0:
            raise MalformedError(f"{where} has an even modulus")
        self._key = RSAPublicNumbers(exponent, modulus).public_key()

    def check(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature`` is this key's over ``message``, which ``domain`` names."""
        try:
            self._key.verify(signature, message, PKCS1v15(), SHA256())
        except InvalidSignature as error:
            raise SignatureRejectedError(domain=domain) from error
