"""ECDSA with P-384 and SHA-384 over raw signatures: ES384, as COSE and JOSE write it.

Two numbers of 48 bytes each, big-endian (RFC 9053, section 2.1). Of a valid signature (r, s)
anybody can make a second one, (r, n - s): nothing may be identified by its signature, only by what
is signed.
"""

from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP384R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import MalformedError

__all__ = [
    "ECDSA_WITH_SHA384",
    "ES384_SIGNATURE_SIZE",
    "P384_POINT_SIZE",
    "Es384Key",
    "Es384PublicKey",
]

# AlgorithmIdentifier, without parameters: RFC 5758, section 3.2.
ECDSA_WITH_SHA384: Final = bytes.fromhex("300a06082a8648ce3d040303")

_COORDINATE_SIZE: Final = 48
ES384_SIGNATURE_SIZE: Final = 2 * _COORDINATE_SIZE
P384_POINT_SIZE: Final = 2 * _COORDINATE_SIZE
# SEC 1, section 2.3.3: both coordinates follow.
_UNCOMPRESSED: Final = b"\x04"
_ES384: Final = ECDSA(SHA384())


class Es384PublicKey:
    """A P-384 public key that checks ES384 signatures."""

    __slots__ = ("_key",)

    def __init__(self, key: object, *, where: str) -> None:
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP384R1):
            raise MalformedError(f"{where} is not a p-384 key")
        self._key = key

    @classmethod
    def from_point(cls, point: bytes, *, where: str) -> "Es384PublicKey":
        """Return the key with these coordinates, x and y, or raise ``MalformedError``."""
        if len(point) != P384_POINT_SIZE:
            raise MalformedError(f"{where} has {len(point)} bytes, not {P384_POINT_SIZE}")
        try:
            key = EllipticCurvePublicKey.from_encoded_point(SECP384R1(), _UNCOMPRESSED + point)
        except ValueError as error:
            raise MalformedError(f"{where} is not a point of p-384") from error
        return cls(key, where=where)

    def check_der(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature``, in DER as certificates have it, is this key's."""
        try:
            self._key.verify(signature, message, _ES384)
        except InvalidSignature as error:
            raise SignatureRejectedError(domain=domain) from error

    def check(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature`` is this key's over ``message``, which ``domain`` names."""
        if len(signature) != ES384_SIGNATURE_SIZE:
            raise MalformedError(
                f"the signature has {len(signature)} bytes, not {ES384_SIGNATURE_SIZE}"
            )
        r = int.from_bytes(signature[:_COORDINATE_SIZE], "big")
        s = int.from_bytes(signature[_COORDINATE_SIZE:], "big")
        self.check_der(message, encode_dss_signature(r, s), domain=domain)


class Es384Key:
    """A P-384 private key."""

    __slots__ = ("_key",)

    def __init__(self, key: EllipticCurvePrivateKey | None = None) -> None:
        self._key = generate_private_key(SECP384R1()) if key is None else key

    @classmethod
    def from_pem(cls, pem: bytes) -> "Es384Key":
        """Return the key in an unencrypted PEM, or raise ``MalformedError``."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise MalformedError("not a private key in pem") from error
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP384R1):
            raise MalformedError("not a p-384 private key")
        return cls(key)

    @property
    def private(self) -> EllipticCurvePrivateKey:
        """The library's key, for the other modules of this package."""
        return self._key

    def to_pem(self) -> bytes:
        """Return the key as an unencrypted PEM: whoever stores it answers for who can read it."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, message: bytes) -> bytes:
        """Return the ES384 signature of ``message``, 96 bytes."""
        r, s = decode_dss_signature(self._key.sign(message, _ES384))
        return r.to_bytes(_COORDINATE_SIZE, "big") + s.to_bytes(_COORDINATE_SIZE, "big")
