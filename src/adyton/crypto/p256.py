"""ECDSA with P-256 and SHA-256 over raw signatures: ES256, as Intel's evidence has it.

Two numbers of 32 bytes each, big-endian. Of a valid signature (r, s) anybody can make a second one,
(r, n - s): nothing may be identified by its signature, only by what is signed.
"""

from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import MalformedError

__all__ = [
    "ECDSA_WITH_SHA256",
    "ES256_SIGNATURE_SIZE",
    "P256_POINT_SIZE",
    "Es256Key",
    "Es256PublicKey",
]

# AlgorithmIdentifier, without parameters: RFC 5758, section 3.2.
ECDSA_WITH_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")

_COORDINATE_SIZE: Final = 32
ES256_SIGNATURE_SIZE: Final = 2 * _COORDINATE_SIZE
P256_POINT_SIZE: Final = 2 * _COORDINATE_SIZE
_CURVE: Final = SECP256R1()
_ES256: Final = ECDSA(SHA256())
# SEC 1, section 2.3.3: both coordinates follow.
_UNCOMPRESSED: Final = b"\x04"


class Es256PublicKey:
    """A P-256 public key that checks ES256 signatures."""

    __slots__ = ("_key",)

    def __init__(self, key: object, *, where: str) -> None:
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise MalformedError(f"{where} is not a p-256 key")
        self._key = key

    @classmethod
    def from_point(cls, point: bytes, *, where: str) -> "Es256PublicKey":
        """Return the key with these coordinates, x and y, or raise ``MalformedError``."""
        if len(point) != P256_POINT_SIZE:
            raise MalformedError(f"{where} has {len(point)} bytes, not {P256_POINT_SIZE}")
        try:
            key = EllipticCurvePublicKey.from_encoded_point(_CURVE, _UNCOMPRESSED + point)
        except ValueError as error:
            raise MalformedError(f"{where} is not a point of p-256") from error
        return cls(key, where=where)

    def check(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature`` is this key's over ``message``, which ``domain`` names."""
        if len(signature) != ES256_SIGNATURE_SIZE:
            raise MalformedError(
                f"the signature has {len(signature)} bytes, not {ES256_SIGNATURE_SIZE}"
            )
        r = int.from_bytes(signature[:_COORDINATE_SIZE], "big")
        s = int.from_bytes(signature[_COORDINATE_SIZE:], "big")
        self.check_der(message, encode_dss_signature(r, s), domain=domain)

    def check_der(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature``, in DER as certificates have it, is this key's."""
        try:
            self._key.verify(signature, message, _ES256)
        except InvalidSignature as error:
            raise SignatureRejectedError(domain=domain) from error


class Es256Key:
    """A P-256 private key."""

    __slots__ = ("_key",)

    def __init__(self, key: EllipticCurvePrivateKey | None = None) -> None:
        self._key = generate_private_key(_CURVE) if key is None else key

    @classmethod
    def from_pem(cls, pem: bytes) -> "Es256Key":
        """Return the key in an unencrypted PEM, or raise ``MalformedError``."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise MalformedError("not a private key in pem") from error
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise MalformedError("not a p-256 private key")
        return cls(key)

    @property
    def point(self) -> bytes:
        """The public key's coordinates, x and y."""
        numbers = self._key.public_key().public_numbers()
        x, y = (value.to_bytes(_COORDINATE_SIZE, "big") for value in (numbers.x, numbers.y))
        return x + y

    def to_pem(self) -> bytes:
        """Return the key for a file that nobody else can read: it is not encrypted."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, message: bytes) -> bytes:
        """Return the ES256 signature of ``message``, 64 bytes."""
        r, s = decode_dss_signature(self._key.sign(message, _ES256))
        return r.to_bytes(_COORDINATE_SIZE, "big") + s.to_bytes(_COORDINATE_SIZE, "big")
