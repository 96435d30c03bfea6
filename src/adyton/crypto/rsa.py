"""RSA signatures (RFC 8017): PKCS #1 v1.5 as TPMs sign, PSS as AMD's authorities do."""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import MalformedError

__all__ = ["RSA_PSS_WITH_SHA384", "SHA256_WITH_RSA", "RsaPssPublicKey", "RsaPublicKey"]

# AlgorithmIdentifier, with the parameters that it has to have, NULL: RFC 4055, section 5.
SHA256_WITH_RSA: Final = bytes.fromhex("300d06092a864886f70d01010b0500")

# AlgorithmIdentifier (RFC 4055, section 3.1): SHA-384, MGF1 with it, a salt as long as the hash.
# The trailer field is the default; AMD writes it in older certificates, against DER.
_PSS_PARAMETERS: Final = (
    "a00f300d06096086480165030402020500a11c301a06092a864886f70d010108"
    "300d06096086480165030402020500a203020130"
)
RSA_PSS_WITH_SHA384: Final = frozenset(
    {
        bytes.fromhex("304106092a864886f70d01010a3034" + _PSS_PARAMETERS),
        bytes.fromhex("304606092a864886f70d01010a3039" + _PSS_PARAMETERS + "a303020101"),
    }
)

_EXPONENT: Final = 65537
_MIN_BITS: Final = 2048
_MAX_BITS: Final = 4096
_SHA384_SIZE: Final = 48
_PS384: Final = PSS(mgf=MGF1(SHA384()), salt_length=_SHA384_SIZE)


class RsaPublicKey:
    """An RSA public key that checks signatures with SHA-256 and PKCS #1 v1.5 (section 8.2)."""

    __slots__ = ("_key",)

    def __init__(self, modulus: int, exponent: int, *, where: str) -> None:
        _check_numbers(modulus, exponent, where)
        self._key = RSAPublicNumbers(exponent, modulus).public_key()

    @classmethod
    def from_key(cls, key: object, *, where: str) -> "RsaPublicKey":
        """Return the library's ``key`` for these signatures, or raise ``MalformedError``."""
        if not isinstance(key, RSAPublicKey):
            raise MalformedError(f"{where} is not an rsa key")
        numbers = key.public_numbers()
        return cls(numbers.n, numbers.e, where=where)

    def check(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature`` is this key's over ``message``, which ``domain`` names."""
        try:
            self._key.verify(signature, message, PKCS1v15(), SHA256())
        except InvalidSignature as error:
            raise SignatureRejectedError(domain=domain) from error

    def check_der(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature`` is this key's: certificates have it as it is."""
        self.check(message, signature, domain=domain)


class RsaPssPublicKey:
    """An RSA public key that checks signatures with SHA-384 and PSS (section 8.1)."""

    __slots__ = ("_key",)

    def __init__(self, key: object, *, where: str) -> None:
        if not isinstance(key, RSAPublicKey):
            raise MalformedError(f"{where} is not an rsa key")
        numbers = key.public_numbers()
        _check_numbers(numbers.n, numbers.e, where)
        self._key = key

    @classmethod
    def from_numbers(cls, modulus: int, exponent: int, *, where: str) -> "RsaPssPublicKey":
        """Return the key with these numbers, or raise ``MalformedError``."""
        # Before the library sees them: it is slow about large ones.
        _check_numbers(modulus, exponent, where)
        return cls(RSAPublicNumbers(exponent, modulus).public_key(), where=where)

    def check(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature`` is this key's over ``message``, which ``domain`` names."""
        try:
            self._key.verify(signature, message, _PS384, SHA384())
        except InvalidSignature as error:
            raise SignatureRejectedError(domain=domain) from error

    def check_der(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature`` is this key's: certificates have it as it is."""
        self.check(message, signature, domain=domain)


def _check_numbers(modulus: int, exponent: int, where: str) -> None:
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
