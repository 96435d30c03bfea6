"""Public keys as JSON (RFC 7517, 7518 and 8037), and the few algorithms that we check with them.

A key is made for the one algorithm that its reader names, never for the one that a token asks for:
an RSA key is then no secret for HMAC, and a key for PSS checks no other padding. A set is what an
issuer publishes; whether it is the issuer's is for whoever trusts it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from adyton.codec.der import DerReader, Tag
from adyton.codec.json import JsonObject, as_base64, as_list, as_object, as_string, loads
from adyton.codec.text import from_base64url
from adyton.crypto.ecdsa import Es256PublicKey, Es384PublicKey
from adyton.crypto.ed25519 import check_ed25519
from adyton.crypto.rsa import RsaPssPublicKey, RsaPublicKey
from adyton.crypto.signing import SignatureRejectedError
from adyton.crypto.suites import PublicKey
from adyton.errors import MalformedError

__all__ = [
    "MAX_CHAIN",
    "MAX_SET_BYTES",
    "Algorithm",
    "Ed25519PublicKey",
    "Jwk",
    "JwkSet",
    "read_x5c",
]

MAX_SET_BYTES: Final = 256 * 1024
MAX_CHAIN: Final = 8
_MAX_KEYS: Final = 64
_KEY_TYPES: Final = ("RSA", "EC", "OKP")
_MAX_CERTIFICATE_BYTES: Final = 8 * 1024
_MAX_NUMBER_BYTES: Final = 512
# What a private or a symmetric key has: RFC 7518, section 6, tables of its parameters.
_SECRETS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class Algorithm(StrEnum):
    """How a token may be signed. ``none`` and everything with a shared secret are not here."""

    RS256 = "RS256"
    PS384 = "PS384"
    ES256 = "ES256"
    ES384 = "ES384"
    EDDSA = "EdDSA"


# Key type and curve of each (RFC 7518, section 6.1; RFC 8037, section 2).
_KINDS: Final[Mapping[Algorithm, tuple[str, str | None]]] = MappingProxyType(
    {
        Algorithm.RS256: ("RSA", None),
        Algorithm.PS384: ("RSA", None),
        Algorithm.ES256: ("EC", "P-256"),
        Algorithm.ES384: ("EC", "P-384"),
        Algorithm.EDDSA: ("OKP", "Ed25519"),
    }
)
_COORDINATES: Final[Mapping[Algorithm, int]] = MappingProxyType(
    {Algorithm.ES256: 32, Algorithm.ES384: 48}
)


class Ed25519PublicKey:
    """An Ed25519 public key that checks signatures over plain bytes, as RFC 8037 has them."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def check(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature`` is this key's over ``message``, which ``domain`` names."""
        try:
            check_ed25519(self._key, message, signature)
        except SignatureRejectedError as error:
            raise SignatureRejectedError(domain=domain) from error

    def check_der(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature`` is this key's: certificates have it as it is."""
        self.check(message, signature, domain=domain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jwk:
    """One key of a set. ``chain`` has the certificates that came with it, its own first."""

    record: JsonObject
    key_id: str
    chain: tuple[bytes, ...]

    @classmethod
    def from_json(cls, value: object) -> "Jwk":
        """Return the key in ``value``, or raise ``MalformedError``.

        1. It has a name, and nothing of a secret.
        2. It is for signatures, where it says what it is for.
        3. Its certificates are base64, and not too many.
        """
        record = as_object(value, "a key")  # type: ignore[arg-type]  # as_object asks
        # Step 1: a published secret is nobody's any more.
        if secrets := sorted(_SECRETS & record.keys()):
            raise MalformedError(f"a key has the secret part {secrets[0]!r}")
        key_id = as_string(record.get("kid"), "a key's name", limit=512)
        # Step 2
        if record.get("use", "sig") != "sig":
            raise MalformedError("a key is not for signatures")
        operations = as_list(record.get("key_ops", ["verify"]), "a key's operations", limit=8)
        if "verify" not in operations:
            raise MalformedError("a key is not for checking signatures")
        # Step 3
        chain = read_x5c(record["x5c"]) if "x5c" in record else ()
        return cls(record=record, key_id=key_id, chain=chain)

    def public_key(self, algorithm: Algorithm) -> PublicKey:
        """Return the key for checking signatures of ``algorithm``, or raise ``MalformedError``.

        1. It is not said to be for another algorithm, and is of the right type and curve.
        2. It is the key of the certificate that came with it (RFC 7517, section 4.7); Azure gives
           only the certificate.
        """
        record, where = self.record, "a key"
        kind, curve = _KINDS[algorithm]
        # Step 1
        if record.get("alg", algorithm.value) != algorithm.value:
            raise MalformedError(f"the key is not for {algorithm.value}")
        if record.get("kty") != kind or record.get("crv", curve) != curve:
            raise MalformedError(f"the key is of a type that {algorithm.value} does not have")
        numbers = {"RSA": ("n", "e"), "EC": ("x", "y"), "OKP": ("x",)}[kind]
        given = [_number(record, name) for name in numbers if name in record]
        # Step 2
        if self.chain:
            found = _certified(self.chain[0])
            if given and given != found:
                raise MalformedError("a key is not the one of its certificate")
            given = found
        if len(given) != len(numbers):
            raise MalformedError("a key lacks a number")
        return _made(algorithm, given, where)


@dataclass(frozen=True, slots=True, kw_only=True)
class JwkSet:
    """The keys that an issuer publishes, by their names."""

    keys: Mapping[str, Jwk]

    @classmethod
    def from_bytes(cls, data: bytes) -> "JwkSet":
        """Return the set in ``data``, or raise ``MalformedError``.

        Keys for encryption and of unknown types are left out (RFC 7517, section 5). A name that
        two keys have is an error: the sender would choose between them.
        """
        record = as_object(loads(data, limit_bytes=MAX_SET_BYTES), "a key set")
        keys: dict[str, Jwk] = {}
        for item in as_list(record.get("keys"), "a key set's keys", limit=_MAX_KEYS):
            entry = as_object(item, "a key")
            # Compared, not looked up: a member may be anything, and a list has no hash.
            if entry.get("kty") not in _KEY_TYPES or entry.get("use", "sig") != "sig":
                continue
            key = Jwk.from_json(entry)
            if key.key_id in keys:
                raise MalformedError("a key set has two keys of one name")
            keys[key.key_id] = key
        return cls(keys=MappingProxyType(keys))


def read_x5c(value: object) -> tuple[bytes, ...]:
    """Return the certificates in an ``x5c`` (RFC 7515, section 4.1.6), the signer's own first."""
    items = as_list(value, "x5c", limit=MAX_CHAIN)  # type: ignore[arg-type]  # as_list asks
    if not items:
        raise MalformedError("x5c is empty")
    return tuple(
        as_base64(item, "a certificate of x5c", limit_bytes=_MAX_CERTIFICATE_BYTES)
        for item in items
    )


def _number(record: JsonObject, name: str) -> bytes:
    text = as_string(record[name], f"a key's {name}", limit=2 * _MAX_NUMBER_BYTES)
    return from_base64url(text, f"a key's {name}", limit_bytes=_MAX_NUMBER_BYTES)


def _certified(der: bytes) -> list[bytes]:
    """Return the numbers of the key in a certificate, which nothing else is read of."""
    try:
        key = load_der_public_key(_public_key_info(der))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError("a key's certificate has no key that can be read") from error
    if isinstance(key, RSAPublicKey):
        rsa = key.public_numbers()
        return [_shortest(rsa.n), _shortest(rsa.e)]
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1 | SECP384R1):
        size, point = key.curve.key_size // 8, key.public_numbers()
        return [point.x.to_bytes(size, "big"), point.y.to_bytes(size, "big")]
    raise MalformedError("a key's certificate has a key of another type")


def _public_key_info(der: bytes) -> bytes:
    where = "a key's certificate"
    outer = DerReader(der, where=where).enter(Tag.SEQUENCE, "the certificate")
    body = outer.enter(Tag.SEQUENCE, "the part that is signed")
    body.element(Tag.VERSION, "version")
    body.integer("serial number")
    for name in ("the algorithm", "the issuer", "the validity", "the subject"):
        body.element(Tag.SEQUENCE, name)
    return body.element(Tag.SEQUENCE, "the public key")


def _shortest(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _made(algorithm: Algorithm, numbers: list[bytes], where: str) -> PublicKey:
    first, *rest = numbers
    match algorithm:
        case Algorithm.RS256:
            return RsaPublicKey(_integer(first), _integer(rest[0]), where=where)
        case Algorithm.PS384:
            return RsaPssPublicKey.from_numbers(_integer(first), _integer(rest[0]), where=where)
        case Algorithm.ES256:
            return Es256PublicKey.from_point(_point(algorithm, first, rest[0]), where=where)
        case Algorithm.ES384:
            return Es384PublicKey.from_point(_point(algorithm, first, rest[0]), where=where)
        case Algorithm.EDDSA:
            return Ed25519PublicKey(first)


def _integer(data: bytes) -> int:
    # RFC 7518, section 6.3.1.1: no zeros in front, so that a key has one text.
    if data[:1] == b"\0":
        raise MalformedError("a key has a number with zeros in front")
    return int.from_bytes(data, "big")


def _point(algorithm: Algorithm, x: bytes, y: bytes) -> bytes:
    # Section 6.2.1.2: all of a coordinate's bytes, zeros in front included.
    size = _COORDINATES[algorithm]
    if len(x) != size or len(y) != size:
        raise MalformedError(f"a key has coordinates of another size than {size} bytes")
    return x + y
