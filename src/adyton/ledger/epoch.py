"""Epochs: a key's time in the chain. What names one, what binds evidence to it, what links two.

An epoch begins with a new key and ends with it. Its first proof has no predecessor of its own; the
``epochLink`` in its signed part names the last proof of the epoch before.
"""

from dataclasses import dataclass
from typing import Final

from adyton.codec.javascript import Value, ValueObject
from adyton.codec.text import exact_base64, to_base64
from adyton.crypto.hashing import prefixed, sha256
from adyton.errors import MalformedError

__all__ = ["LINK_FIELD", "EpochLink", "epoch_binding", "epoch_id"]

LINK_FIELD: Final = "epochLink"
_BINDING_DOMAIN: Final = b"adyton/notary/epoch/v1"
_HASH_SIZE: Final = 32
_MAX_ID: Final = 256
_MAX_COUNTER_DIGITS: Final = 20


def epoch_id(public_key: bytes, boot_nonce: bytes) -> str:
    """Return the name of the epoch that ``public_key`` opens, in hexadecimal.

    ``boot_nonce`` keeps two lives of one key apart.
    """
    return sha256(f"{to_base64(public_key)}:{to_base64(boot_nonce)}".encode()).hex()


def epoch_binding(public_key: bytes, epoch: str) -> bytes:
    """Return what evidence for a whole epoch is over, 32 bytes, in the place of a body's hash.

    It binds the key and its epoch, and nothing of a single commit: that the key made a proof is
    then what the proof's signature says.
    """
    # A stranger's text may have half a character in it, which has no UTF-8 of its own.
    return sha256(prefixed(_BINDING_DOMAIN, public_key, epoch.encode("utf-8", "surrogatepass")))


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochLink:
    """What the first proof of an epoch says about the last one of the epoch before."""

    previous_epoch: str
    previous_key: bytes
    previous_counter: int
    previous_hash: bytes
    epoch: str
    public_key: bytes

    def to_json(self) -> ValueObject:
        """Return the member ``epochLink`` of a proof's ``commit``."""
        return {
            "prevEpochId": self.previous_epoch,
            "prevPublicKeyB64": to_base64(self.previous_key),
            "prevCounter": str(self.previous_counter),
            "prevProofHashB64": to_base64(self.previous_hash),
            "toEpochId": self.epoch,
            "toPublicKeyB64": to_base64(self.public_key),
        }

    @classmethod
    def from_json(cls, value: Value) -> "EpochLink":
        """Return the link in ``value``, or raise ``MalformedError``."""
        if not isinstance(value, dict) or value.keys() != _KEYS:
            raise MalformedError(f"an epoch link has the fields {', '.join(sorted(_KEYS))}")
        counter = _text(value, "prevCounter", _MAX_COUNTER_DIGITS)
        # ``isdigit`` alone takes digits of other scripts, which print differently.
        if not (counter.isascii() and counter.isdigit()) or str(int(counter)) != counter:
            raise MalformedError("prevCounter is not a decimal number")
        return cls(
            previous_epoch=_text(value, "prevEpochId", _MAX_ID),
            previous_key=_bytes(value, "prevPublicKeyB64"),
            previous_counter=int(counter),
            previous_hash=_bytes(value, "prevProofHashB64"),
            epoch=_text(value, "toEpochId", _MAX_ID),
            public_key=_bytes(value, "toPublicKeyB64"),
        )


_KEYS: Final = frozenset(
    {
        "prevEpochId",
        "prevPublicKeyB64",
        "prevCounter",
        "prevProofHashB64",
        "toEpochId",
        "toPublicKeyB64",
    }
)


def _text(value: ValueObject, key: str, limit: int) -> str:
    text = value[key]
    if not isinstance(text, str) or not 0 < len(text) <= limit:
        raise MalformedError(f"{key} is not a string of 1 to {limit} characters")
    return text


def _bytes(value: ValueObject, key: str) -> bytes:
    return exact_base64(_text(value, key, 2 * _HASH_SIZE), key, size=_HASH_SIZE)
