"""Reading the journal again: each proof is made anew from what the disk says, and hashed.

Nothing is believed: that a head comes out which is known from elsewhere (sealed, anchored, or in
the memory of who wrote it) shows that everything up to it is what was signed, because each proof
holds the hash of the one before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from adyton.codec.reader import Reader
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError
from adyton.ledger.errors import FrameDamagedError
from adyton.ledger.frame import Frame, FrameKind, read_frames
from adyton.ledger.ports import GENESIS, Frames, Head
from adyton.ledger.records import ENTRY_SIZE, Batch, Epoch
from adyton.ledger.tree import Frontier, Hash, Node, leaf_hash

__all__ = ["Position", "Replayed", "replay"]

_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place between two steps of the journal, and what comes out of everything before it."""

    offset: int = 0
    head: Head = GENESIS
    epoch: Epoch | None = None
    tree: bytes = field(default_factory=lambda: Frontier().to_bytes(), repr=False)

    def root(self) -> Hash:
        """Return the root of the log up to here."""
        return Frontier.from_bytes(self.tree).root()

    def to_bytes(self) -> bytes:
        """Return what ``from_bytes`` reads."""
        return b"".join(
            (
                bytes((_VERSION,)),
                self.offset.to_bytes(8, "big"),
                self.head.counter.to_bytes(8, "big"),
                self.head.proof_hash,
                len(self.tree).to_bytes(4, "big"),
                self.tree,
                b"" if self.epoch is None else self.epoch.to_bytes(),
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "Position":
        """Return the position, or raise ``MalformedError``."""
        reader = Reader(data, where="a position")
        if reader.u8("version") != _VERSION:
            raise MalformedError("a position has another version")
        offset = reader.big_endian(8, "offset")
        head = Head(counter=reader.big_endian(8, "counter"), proof_hash=reader.take(32, "hash"))
        tree = reader.take(reader.big_endian(4, "tree size"), "tree")
        Frontier.from_bytes(tree)
        epoch = reader.take(reader.remaining, "epoch")
        return cls(
            offset=offset,
            head=head,
            epoch=Epoch.from_bytes(epoch) if epoch else None,
            tree=tree,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One step as it is in the journal, the nodes that it completed, and where it leads."""

    epoch: Epoch
    epoch_offset: int | None
    batch: Batch
    batch_offset: int
    nodes: tuple[Node, ...] = field(repr=False)
    after: Position


def replay(journal: Frames, start: Position, *, until: int | None = None) -> Iterator[Replayed]:
    """Yield the steps from ``start`` on, up to the one with counter ``until`` if told.

    Raises ``FrameDamagedError`` where the journal is not whole, or does not fit together.
    """
    epoch, epoch_offset, head = start.epoch, None, start.head
    tree = Frontier.from_bytes(start.tree)
    if until is not None and head.counter >= until:
        return
    for frame in read_frames(journal, start.offset):
        if frame.kind is FrameKind.EPOCH:
            epoch, epoch_offset = _epoch(frame, head, epoch), frame.offset
            continue
        batch = _batch(frame, head, epoch)
        if epoch is None:
            raise FrameDamagedError(offset=frame.offset, reason="a batch is in no epoch")
        nodes = _nodes(frame, batch, epoch, tree)
        head = batch.head
        yield Replayed(
            epoch=epoch,
            epoch_offset=epoch_offset,
            batch=batch,
            batch_offset=frame.offset,
            nodes=nodes,
            after=Position(offset=frame.end, head=head, epoch=epoch, tree=tree.to_bytes()),
        )
        epoch_offset = None
        if until is not None and head.counter >= until:
            return


def _epoch(frame: Frame, head: Head, before: Epoch | None) -> Epoch:
    try:
        epoch = Epoch.from_bytes(frame.payload)
    except MalformedError as error:
        raise FrameDamagedError(offset=frame.offset, reason=str(error)) from error
    known = ("", b"") if before is None else (before.id, before.public_key)
    if epoch.previous != head or (epoch.previous_id, epoch.previous_key) != known:
        raise FrameDamagedError(
            offset=frame.offset, reason="an epoch does not follow the one before"
        )
    return epoch


def _batch(frame: Frame, head: Head, epoch: Epoch | None) -> Batch:
    try:
        batch = Batch.from_bytes(frame.payload)
    except MalformedError as error:
        raise FrameDamagedError(offset=frame.offset, reason=str(error)) from error
    if batch.previous != head or epoch is None:
        raise FrameDamagedError(
            offset=frame.offset, reason="a batch does not follow the one before"
        )
    return batch


def _nodes(frame: Frame, batch: Batch, epoch: Epoch, tree: Frontier) -> tuple[Node, ...]:
    nodes: list[Node] = []
    entries, end = batch.entries, ENTRY_SIZE
    for proof in batch.proofs(epoch):
        proof_hash = sha256(proof)
        if entries[end - 32 : end] != proof_hash:
            raise FrameDamagedError(offset=frame.offset, reason="a proof has another hash")
        nodes += tree.append(leaf_hash(proof_hash))
        end += ENTRY_SIZE
    return tuple(nodes)
