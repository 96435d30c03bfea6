"""ECDSA over raw signatures: ES256 and ES384, as COSE, JOSE and Intel's quotes write them.

Two numbers, big-endian, each as long as a coordinate of the curve (RFC 9053, section 2.1). Of a
valid signature (r, s) anybody can make a second one, (r, n - s): nothing may be identified by its
signature, only by what is signed.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    EllipticCurve,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
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
    "ECDSA_WITH_SHA384",
    "ES384_SIGNATURE_SIZE",
    "P256_POINT_SIZE",
    "Es256Key",
    "Es256PublicKey",
    "Es384Key",
    "Es384PublicKey",
]

# AlgorithmIdentifiers, without parameters: RFC 5758, section 3.2.
ECDSA_WITH_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")
ECDSA_WITH_SHA384: Final = bytes.fromhex("300a06082a8648ce3d040303")

# SEC 1, section 2.3.3: both coordinates follow.
_UNCOMPRESSED: Final = b"\x04"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """A curve, the hash that goes with it, and how many bytes a coordinate has."""

    name: str
    curve: EllipticCurve
    scheme: ECDSA
    size: int

    def is_of(self, key: EllipticCurvePublicKey | EllipticCurvePrivateKey) -> bool:
        """Return whether ``key`` is on this curve."""
        return key.curve.name == self.curve.name


_P256: Final = _Curve(name="p-256", curve=SECP256R1(), scheme=ECDSA(SHA256()), size=32)
_P384: Final = _Curve(name="p-384", curve=SECP384R1(), scheme=ECDSA(SHA384()), size=48)
P256_POINT_SIZE: Final = 2 * _P256.size
ES384_SIGNATURE_SIZE: Final = 2 * _P384.size


class _PublicKey:
    """A public key that checks signatures."""

    __slots__ = ("_key",)
    _curve: ClassVar[_Curve]

    def __init__(self, key: object, *, where: str) -> None:
        if not isinstance(key, EllipticCurvePublicKey) or not self._curve.is_of(key):
            raise MalformedError(f"{where} is not a {self._curve.name} key")
        self._key = key

    @classmethod
    def from_point(cls, point: bytes, *, where: str) -> Self:
        """Return the key with these coordinates, x and y, or raise ``MalformedError``."""
        curve = cls._curve
        if len(point) != 2 * curve.size:
            raise MalformedError(f"{where} has {len(point)} bytes, not {2 * curve.size}")
        try:
            key = EllipticCurvePublicKey.from_encoded_point(curve.curve, _UNCOMPRESSED + point)
        except ValueError as error:
            raise MalformedError(f"{where} is not a point of {curve.name}") from error
        return cls(key, where=where)

    def check(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature`` is this key's over ``message``, which ``domain`` names."""
        size = self._curve.size
        if len(signature) != 2 * size:
            raise MalformedError(f"the signature has {len(signature)} bytes, not {2 * size}")
        r, s = (int.from_bytes(part, "big") for part in (signature[:size], signature[size:]))
        self.check_der(message, encode_dss_signature(r, s), domain=domain)

    def check_der(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature``, in DER as certificates have it, is this key's."""
        try:
            self._key.verify(signature, message, self._curve.scheme)
        except InvalidSignature as error:
            raise SignatureRejectedError(domain=domain) from error


class Es256PublicKey(_PublicKey):
    """A P-256 public key that checks ES256 signatures."""

    __slots__ = ()
    _curve = _P256


class Es384PublicKey(_PublicKey):
    """A P-384 public key that checks ES384 signatures."""

    __slots__ = ()
    _curve = _P384


class _PrivateKey:
    """A private key, fresh where none is given."""

    __slots__ = ("_key",)
    _curve: ClassVar[_Curve]

    def __init__(self, key: EllipticCurvePrivateKey | None = None) -> None:
        self._key = generate_private_key(self._curve.curve) if key is None else key

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Return the key in an unencrypted PEM, or raise ``MalformedError``."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise MalformedError("not a private key in pem") from error
        if not isinstance(key, EllipticCurvePrivateKey) or not cls._curve.is_of(key):
            raise MalformedError(f"not a {cls._curve.name} private key")
        return cls(key)

    @property
    def private(self) -> EllipticCurvePrivateKey:
        """The library's key, for the other modules of this package."""
        return self._key

    @property
    def point(self) -> bytes:
        """The public key's coordinates, x and y."""
        numbers = self._key.public_key().public_numbers()
        return self._pair(numbers.x, numbers.y)

    def to_pem(self) -> bytes:
        """Return the key as an unencrypted PEM: whoever stores it answers for who can read it."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, message: bytes) -> bytes:
        """Return the signature of ``message``, as long as two coordinates."""
        return self._pair(*decode_dss_signature(self._key.sign(message, self._curve.scheme)))

    def _pair(self, first: int, second: int) -> bytes:
        return b"".join(number.to_bytes(self._curve.size, "big") for number in (first, second))


class Es256Key(_PrivateKey):
    """A P-256 private key."""

    __slots__ = ()
    _curve = _P256


class Es384Key(_PrivateKey):
    """A P-384 private key."""

    __slots__ = ()
    _curve = _P384
