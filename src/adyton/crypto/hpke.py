"""Sealing to a worker: HPKE (RFC 9180, base mode, one message a key) with the question bound in.

A box is ``version (1) ‖ suite (1) ‖ enc ‖ ciphertext``. ``info`` holds what the sender saw when he
sealed: whoever changes that on the way gets an error from the worker, not an answer. Base mode does
not say who sealed; a caller is known by its API key.
"""

from enum import IntEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from adyton.errors import MalformedError, RejectedError

__all__ = ["OpeningKey", "SealRejectedError", "SealSuite", "seal"]

VERSION: Final = 1
MINIMUM_SIZE: Final = 2 + 32 + 16


class SealSuite(IntEnum):
    """The suites on offer, by the byte that names them in a box."""

    X25519 = 1
    # For whoever records traffic today to open it with a quantum computer later.
    MLKEM768_X25519 = 2

    @property
    def label(self) -> str:
        """The suite's name in a manifest."""
        return self.name.lower().replace("_", "-")


class SealRejectedError(RejectedError):
    """A box does not open: other key, other question, or changed bytes. Which, nobody is told."""

    code = "seal-rejected"

    def __init__(self) -> None:
        super().__init__("a sealed value does not open with this worker's key for this question")


# Domain separation makes one X25519 key safe in both suites: HPKE binds the suite into its schedule
# (RFC 9180, section 5.1), and the hybrid's combiner hashes all it is given.
_SUITES: Final = {
    SealSuite.X25519: Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305),
    SealSuite.MLKEM768_X25519: Suite(KEM.MLKEM768_X25519, KDF.SHAKE256, AEAD.CHACHA20_POLY1305),
}

_MLKEM_SEED_SIZE: Final = 64
_MLKEM_PUBLIC_SIZE: Final = 1184


class OpeningKey:
    """The worker's private keys, one a suite."""

    def __init__(self, mlkem: MLKEM768PrivateKey, x25519: X25519PrivateKey) -> None:
        self._mlkem, self._x25519 = mlkem, x25519
        self._keys: dict[SealSuite, X25519PrivateKey | MLKEM768X25519PrivateKey] = {
            SealSuite.X25519: x25519,
            SealSuite.MLKEM768_X25519: MLKEM768X25519PrivateKey(mlkem, x25519),
        }

    @classmethod
    def generate(cls) -> "OpeningKey":
        """Return fresh keys."""
        return cls(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate())

    @classmethod
    def from_bytes(cls, data: bytes) -> "OpeningKey":
        """Return the keys that ``to_bytes`` wrote."""
        return cls(
            MLKEM768PrivateKey.from_seed_bytes(data[:_MLKEM_SEED_SIZE]),
            X25519PrivateKey.from_private_bytes(data[_MLKEM_SEED_SIZE:]),
        )

    def to_bytes(self) -> bytes:
        """Return the secret, 96 bytes: for a process of this worker, never for a file."""
        return self._mlkem.private_bytes_raw() + self._x25519.private_bytes_raw()

    @property
    def public(self) -> dict[SealSuite, bytes]:
        """The public keys, as HPKE serialises them (32 and 1,216 bytes)."""
        x25519 = self._x25519.public_key().public_bytes_raw()
        mlkem = self._mlkem.public_key().public_bytes_raw()
        return {SealSuite.X25519: x25519, SealSuite.MLKEM768_X25519: mlkem + x25519}

    def open(self, box: bytes, *, info: bytes) -> bytes:
        """Return what was sealed under ``info``, or raise ``SealRejectedError``."""
        if len(box) < MINIMUM_SIZE:
            raise MalformedError(f"a sealed value has {len(box)} bytes, fewer than a box has")
        if box[0] != VERSION:
            raise MalformedError(f"a sealed value has the version {box[0]}, not {VERSION}")
        try:
            suite = SealSuite(box[1])
        except ValueError as error:
            raise MalformedError(f"a sealed value has the unknown suite {box[1]}") from error
        try:
            return _SUITES[suite].decrypt(box[2:], self._keys[suite], info=info)
        except (InvalidTag, ValueError) as error:
            raise SealRejectedError from error


def seal(public_key: bytes, plaintext: bytes, *, suite: SealSuite, info: bytes) -> bytes:
    """Return a box that only the private key of ``public_key`` opens, and only under ``info``."""
    try:
        key = _public_key(public_key, suite)
        sealed = _SUITES[suite].encrypt(plaintext, key, info=info)
    except ValueError as error:
        raise MalformedError(f"not a public key for sealing with {suite.name}") from error
    return bytes([VERSION, suite]) + sealed


def _public_key(data: bytes, suite: SealSuite) -> X25519PublicKey | MLKEM768X25519PublicKey:
    match suite:
        case SealSuite.X25519:
            return X25519PublicKey.from_public_bytes(data)
        case SealSuite.MLKEM768_X25519:
            return MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(data[:_MLKEM_PUBLIC_SIZE]),
                X25519PublicKey.from_public_bytes(data[_MLKEM_PUBLIC_SIZE:]),
            )
