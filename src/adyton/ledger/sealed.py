"""The sealed state: how far this ledger had come for certain, in a value that only we can write.

It is what a restored anchor is recognized by, what spares a start from reading the whole journal,
and what names the key whose last step may be completed after a crash.
"""

from dataclasses import dataclass

from adyton.codec.reader import Reader
from adyton.crypto.ed25519 import PUBLIC_KEY_SIZE
from adyton.ledger.replay import Position

__all__ = ["SealedState"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedState:
    """A position that was anchored, and the public key that signs after it."""

    position: Position
    running: bytes

    def to_bytes(self) -> bytes:
        """Return what is sealed."""
        return self.running + self.position.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "SealedState":
        """Return the state, or raise ``MalformedError``."""
        reader = Reader(data, where="the sealed state")
        running = reader.take(PUBLIC_KEY_SIZE, "key")
        position = Position.from_bytes(reader.take(reader.remaining, "position"))
        return cls(position=position, running=running)
