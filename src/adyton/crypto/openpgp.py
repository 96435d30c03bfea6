"""OpenPGP key pairs for clients that seal with OpenPGP (RFC 9580), as small as they can be.

A key has a primary key that certifies and one subkey that others encrypt to; its self-signatures
advertise SEIPD version 2 with AES-GCM: a client that sees no such thing falls back to CFB, whose
integrity check is SHA-1. The packets are version 4, which every client reads. Written here, because
hardware evidence has room for a public key of 1,024 bytes and what libraries make is longer.

Messages to these keys are opened in ``adapters.openpgp``.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adyton.codec.text import to_base64
from adyton.crypto.hashing import sha256

__all__ = ["OpenPgpCurve", "OpenPgpKey"]

_VERSION: Final = 4
_USER_ID: Final = b"adyton"
_LINE: Final = 64


class OpenPgpCurve(StrEnum):
    """The curves on offer."""

    X25519 = "x25519"
    # For platforms whose libraries lack the other: Gramine's.
    P256 = "p256"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OpenPgpKey:
    """A key pair: ``public`` is armored text, ``secret`` the whole pair in binary.

    ``secret`` is for a process of this worker, never for a file: nothing encrypts it.
    """

    public: str
    secret: bytes

    @classmethod
    def generate(cls, curve: OpenPgpCurve, *, created: datetime) -> "OpenPgpKey":
        """Return a fresh pair that says it is from ``created``."""
        match curve:
            case OpenPgpCurve.X25519:
                primary, subkey = _ed25519(), _x25519()
            case OpenPgpCurve.P256:
                primary, subkey = _ecdsa(), _ecdh()
        time = int(created.timestamp()).to_bytes(4, "big")
        signed = _hashed(primary.body(time))
        certification = _signature(
            primary,
            _POSITIVE_CERTIFICATION,
            signed + b"\xb4" + len(_USER_ID).to_bytes(4, "big") + _USER_ID,
            (_subpacket(_CREATED, time), *_PREFERENCES, _subpacket(_KEY_FLAGS, b"\x01")),
            fingerprint=_fingerprint(signed),
        )
        binding = _signature(
            primary,
            _SUBKEY_BINDING,
            signed + _hashed(subkey.body(time)),
            (_subpacket(_CREATED, time), _subpacket(_KEY_FLAGS, b"\x0c")),
            fingerprint=_fingerprint(signed),
        )
        between = (_packet(_TAG_USER_ID, _USER_ID), _packet(_TAG_SIGNATURE, certification))
        public = (
            _packet(_TAG_PUBLIC_KEY, primary.body(time)),
            *between,
            _packet(_TAG_PUBLIC_SUBKEY, subkey.body(time)),
            _packet(_TAG_SIGNATURE, binding),
        )
        secret = (
            _packet(_TAG_SECRET_KEY, primary.secret_body(time)),
            *between,
            _packet(_TAG_SECRET_SUBKEY, subkey.secret_body(time)),
            _packet(_TAG_SIGNATURE, binding),
        )
        return cls(public=_armored(b"".join(public)), secret=b"".join(secret))


# RFC 9580, sections 5 and 5.2.3: packet types, signature types and subpacket types.
_TAG_SIGNATURE: Final = 2
_TAG_SECRET_KEY: Final = 5
_TAG_PUBLIC_KEY: Final = 6
_TAG_SECRET_SUBKEY: Final = 7
_TAG_USER_ID: Final = 13
_TAG_PUBLIC_SUBKEY: Final = 14
_POSITIVE_CERTIFICATION: Final = 0x13
_SUBKEY_BINDING: Final = 0x18
_CREATED: Final = 2
_PREFERRED_CIPHERS: Final = 11
_ISSUER: Final = 16
_PREFERRED_HASHES: Final = 21
_PREFERRED_COMPRESSION: Final = 22
_KEY_FLAGS: Final = 27
_FEATURES: Final = 30
_ISSUER_FINGERPRINT: Final = 33
_PREFERRED_AEAD: Final = 39

# Sections 9.1, 9.3, 9.5 and 9.6: algorithms.
_ECDH: Final = 18
_ECDSA: Final = 19
_X25519: Final = 25
_ED25519: Final = 27
_AES128: Final = 7
_AES256: Final = 9
_SHA256: Final = 8
_GCM: Final = 3

_P256_OID: Final = bytes.fromhex("082a8648ce3d030107")
# Section 11.5: three octets follow; reserved; the KDF's hash; the key wrap's cipher.
_P256_KDF: Final = bytes([3, 1, _SHA256, _AES128])


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Pair:
    """Algorithm-specific fields (section 5.5.5); ``sign`` takes a SHA-256 digest."""

    algorithm: int
    public: bytes
    secret: bytes
    sign: Callable[[bytes], bytes] | None = None

    def body(self, time: bytes) -> bytes:
        """Return the public packet's body: section 5.5.2."""
        return bytes([_VERSION]) + time + bytes([self.algorithm]) + self.public

    def secret_body(self, time: bytes) -> bytes:
        """Return the secret packet's body, unprotected: section 5.5.3."""
        checksum = (sum(self.secret) % 0x10000).to_bytes(2, "big")
        return self.body(time) + b"\x00" + self.secret + checksum


def _ed25519() -> _Pair:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    return _Pair(algorithm=_ED25519, public=public, secret=key.private_bytes_raw(), sign=key.sign)


def _x25519() -> _Pair:
    key = X25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    return _Pair(algorithm=_X25519, public=public, secret=key.private_bytes_raw())


def _ecdsa() -> _Pair:
    key = generate_private_key(SECP256R1())

    def sign(digest: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(digest, ECDSA(Prehashed(SHA256()))))
        return _number(r) + _number(s)

    return _Pair(algorithm=_ECDSA, public=_point(key), secret=_scalar(key), sign=sign)


def _ecdh() -> _Pair:
    key = generate_private_key(SECP256R1())
    return _Pair(algorithm=_ECDH, public=_point(key) + _P256_KDF, secret=_scalar(key))


def _point(key: EllipticCurvePrivateKey) -> bytes:
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return _P256_OID + _number(int.from_bytes(point, "big"))


def _scalar(key: EllipticCurvePrivateKey) -> bytes:
    return _number(key.private_numbers().private_value)


def _number(value: int) -> bytes:
    """Return a multiprecision integer: section 3.2."""
    bits = value.bit_length()
    return bits.to_bytes(2, "big") + value.to_bytes((bits + 7) // 8, "big")


def _length(size: int) -> bytes:
    """Return a length in one or two octets: section 4.2.1."""
    one, two = 192, 8384
    if size < one:
        return bytes([size])
    if size < two:
        return (size - one + (one << 8)).to_bytes(2, "big")
    raise ValueError(f"a part of a key has {size} bytes")


def _packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag]) + _length(len(body)) + body


def _subpacket(kind: int, body: bytes) -> bytes:
    return _length(len(body) + 1) + bytes([kind]) + body


def _hashed(body: bytes) -> bytes:
    """Return a key as signatures and fingerprints hash it: sections 5.2.4 and 5.5.4.2."""
    return b"\x99" + len(body).to_bytes(2, "big") + body


def _fingerprint(hashed: bytes) -> bytes:
    # Version 4 knows no other hash; nothing here relies on it being hard to collide.
    return hashlib.sha1(hashed, usedforsecurity=False).digest()


def _signature(
    primary: _Pair,
    kind: int,
    signed: bytes,
    subpackets: tuple[bytes, ...],
    *,
    fingerprint: bytes,
) -> bytes:
    """Return the body of a version 4 signature over ``signed``: sections 5.2.3 and 5.2.4."""
    if primary.sign is None:
        raise ValueError("this key does not sign")
    issuer = _subpacket(_ISSUER_FINGERPRINT, bytes([_VERSION]) + fingerprint)
    subpacket_area = b"".join((*subpackets, issuer))
    head = bytes([_VERSION, kind, primary.algorithm, _SHA256])
    head += len(subpacket_area).to_bytes(2, "big") + subpacket_area
    digest = sha256(signed + head + bytes([_VERSION, 0xFF]) + len(head).to_bytes(4, "big"))
    unhashed = _subpacket(_ISSUER, fingerprint[-8:])
    tail = len(unhashed).to_bytes(2, "big") + unhashed + digest[:2]
    return head + tail + primary.sign(digest)


# AES-256 in GCM first; both versions of the integrity-protected packet; nothing compressed.
_PREFERENCES: Final = (
    _subpacket(_PREFERRED_CIPHERS, bytes([_AES256, _AES128])),
    _subpacket(_PREFERRED_AEAD, bytes([_AES256, _GCM, _AES128, _GCM])),
    _subpacket(_PREFERRED_HASHES, bytes([_SHA256])),
    _subpacket(_PREFERRED_COMPRESSION, b"\x00"),
    _subpacket(_FEATURES, b"\x09"),
)


def _armored(data: bytes) -> str:
    # Section 6.1: the checksum is left out, as it is no longer wanted.
    text = to_base64(data)
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    begin, end = (f"-----{word} PGP PUBLIC KEY BLOCK-----" for word in ("BEGIN", "END"))
    return "\n".join((begin, "", *lines, end, ""))
