"""The sealed state: how far this ledger had come for certain, in a value that only we can write.

It is what a restored anchor is recognized by, what spares a start from reading the whole journal,
and what names the key whose last step may be completed after a crash.
"""

from dataclasses import dataclass

from adyton.codec.reader import Reader
from adyton.errors import MalformedError
from adyton.ledger.ports import Head
from adyton.ledger.records import Epoch
from adyton.ledger.replay import Position

__all__ = ["SealedState"]

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedState:
    """A position that was anchored, and the public key that signs after it."""

    position: Position
    running: bytes

    def to_bytes(self) -> bytes:
        """Return what is sealed."""
        position = self.position
        epoch = b"" if position.epoch is None else position.epoch.to_bytes()
        return b"".join(
            (
                bytes((_VERSION,)),
                position.offset.to_bytes(8, "big"),
                position.head.counter.to_bytes(8, "big"),
                position.head.proof_hash,
                self.running,
                len(position.tree).to_bytes(4, "big"),
                position.tree,
                epoch,
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "SealedState":
        """Return the state, or raise ``MalformedError``."""
        reader = Reader(data, where="the sealed state")
        if reader.u8("version") != _VERSION:
            raise MalformedError("the sealed state has another version")
        offset = reader.big_endian(8, "offset")
        head = Head(counter=reader.big_endian(8, "counter"), proof_hash=reader.take(32, "hash"))
        running = reader.take(32, "key")
        tree = reader.take(reader.big_endian(4, "tree size"), "tree")
        epoch = reader.take(reader.remaining, "epoch")
        return cls(
            position=Position(
                offset=offset,
                head=head,
                epoch=Epoch.from_bytes(epoch) if epoch else None,
                tree=tree,
            ),
            running=running,
        )
