"""The ledger's past, to read: proofs by number and digest, and proofs about the log.

Everything comes from the disk, and nothing is taken from it unseen: a frame has its digest, an
entry is the one that was looked for, and a path leads to the root that was asked about.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final, Self

from adyton.adapters.ledger.failure import StorageFailedError
from adyton.adapters.ledger.index import LedgerIndex
from adyton.adapters.ledger.nodes import NodeFiles, kept
from adyton.crypto.hashing import sha256
from adyton.errors import RejectedError
from adyton.ledger.errors import FrameDamagedError
from adyton.ledger.frame import Frame, FrameKind, read_frames
from adyton.ledger.ports import Frames, Head
from adyton.ledger.records import ENTRY_SIZE, Batch, Epoch, Share
from adyton.ledger.replay import Position, Replayed, replay
from adyton.ledger.tree import Frontier, Hash, consistency, inclusion, leaf_hash, root_of

__all__ = ["Archive", "ProofUnknownError"]

_CHUNK: Final = 64
_EPOCHS: Final = 64


class ProofUnknownError(RejectedError):
    """The ledger has no such proof."""

    code = "proof-unknown"

    def __init__(self) -> None:
        super().__init__("the ledger has no such proof")


class Archive:
    """Index, nodes and journal together. One thread adds, others may read."""

    def __init__(self, journal: Frames, *, index: LedgerIndex, nodes: NodeFiles) -> None:
        self._journal, self._index, self._nodes = journal, index, nodes
        self._epoch = lru_cache(maxsize=_EPOCHS)(self._read_epoch)

    @classmethod
    def open(cls, journal: Frames, folder: Path) -> Self:
        """Return the archive in ``folder``."""
        index = LedgerIndex(folder / "index.db")
        return cls(journal, index=index, nodes=NodeFiles(folder / "nodes"))

    def catch_up(self, position: Position) -> None:
        """Bring index and nodes to ``position``, from where they are, or from the beginning."""
        start = self._index.unverified_position()
        if start is not None and start.head.counter <= position.head.counter:
            try:
                if self._make(start, position) == position:
                    return
            except FrameDamagedError:
                pass
        self._index.clear()
        self._make(Position(), position)

    def add(self, steps: Iterator[Replayed]) -> None:
        """Add ``steps``, durably, a bounded number at a time."""
        while chunk := list(islice(steps, _CHUNK)):
            # The nodes first: the index says how far both were made.
            self._nodes.write(node for step in chunk for node in step.nodes)
            self._nodes.sync()
            self._index.add(chunk)

    def find(self, counter: int) -> Share:
        """Return the batch with this proof, or raise ``ProofUnknownError``."""
        place = self._index.place(counter)
        if place is None:
            raise ProofUnknownError
        batch = Batch.from_bytes(self._frame(place.batch, FrameKind.BATCH).payload)
        if not batch.previous.counter < counter <= batch.head.counter:
            raise ProofUnknownError
        return Share(epoch=self._epoch(place.epoch), batch=batch)

    def proof(self, counter: int) -> bytes:
        """Return the proof with this number, or raise ``ProofUnknownError``."""
        return _proof(self.find(counter), counter)

    def shares(self, first: int, *, last: int) -> Iterator[Share]:
        """Yield what there is of the numbers ``first..last``, submission by submission, in order.

        Raises ``ProofUnknownError`` at the first that is not there.
        """
        while first <= last:
            found = self.find(first)
            # Whose epoch it is, one of its proofs shows for all of a batch.
            _proof(found, first)
            for part in found.batch.parts:
                if part.first <= last and first < part.first + part.count:
                    share = _cut(found.batch.share(part), first, last)
                    yield Share(epoch=found.epoch, batch=share)
                    first = share.head.counter + 1

    def proofs(self, digest: bytes, *, limit: int) -> list[bytes]:
        """Return the first proofs of ``digest``, up to ``limit``."""
        made = []
        for counter in self._index.counters(digest, limit=limit):
            found = self.find(counter)
            if found.batch.entry(counter).digest == digest:
                made.append(_proof(found, counter))
        return made

    def submitted(self, key: bytes) -> Share | None:
        """Return what the submission with this idempotency key became."""
        known = self._index.submitted(key)
        if known is None:
            return None
        found = self.find(known.first)
        part = found.batch.part_of(known.first)
        if part.key != key:
            return None
        return Share(epoch=found.epoch, batch=found.batch.share(part))

    def epochs(self, *, after: int, limit: int) -> list[Epoch]:
        """Return the epochs that begin behind counter ``after``, in order."""
        return [self._epoch(offset) for offset in self._index.epochs(after=after, limit=limit)]

    def epoch_of(self, counter: int) -> Epoch:
        """Return the epoch of the proof with this number, or raise ``ProofUnknownError``."""
        place = self._index.place(counter)
        if place is None:
            raise ProofUnknownError
        return self._epoch(place.epoch)

    def inclusion(self, counter: int, size: int) -> list[Hash]:
        """Return the path from a proof's leaf to the root of the first ``size``."""
        return inclusion(counter - 1, size, self._nodes.read)

    def consistency(self, old: int, new: int) -> list[Hash]:
        """Return the proof that the first ``new`` begin with the first ``old``."""
        return consistency(old, new, self._nodes.read)

    def root(self, size: int) -> Hash:
        """Return the root of the first ``size``."""
        return root_of(size, self._nodes.read)

    def check(self, end: Position) -> str:
        """Return what is wrong with index and nodes, as far as they were made; empty if nothing.

        ``end`` is the end of the journal, every proof of which was verified.
        """
        made = self._index.unverified_position()
        if made is None:
            return "it does not say how far it was made" if end.head.counter else ""
        size = min(made.head.counter, end.head.counter)
        leaves = Frontier()
        for step in replay(self._journal, Position(), until=size):
            place = self._index.place(step.after.head.counter)
            if place is None or place.batch != step.batch_offset:
                return f"it does not lead to the batch at byte {step.batch_offset}"
            for counter in range(step.batch.previous.counter + 1, step.after.head.counter + 1):
                entry = step.batch.entry(counter)
                if not self._index.has(entry.digest, counter):
                    return f"it does not know the digest of proof {counter}"
                completed = leaves.append(leaf_hash(entry.proof_hash))
                if any(self._nodes.read(level, at) != node for level, at, node in kept(completed)):
                    return f"the nodes are others from proof {counter} on"
        return ""

    def close(self) -> None:
        """Close the files."""
        self._index.close()
        self._nodes.close()

    def _make(self, start: Position, until: Position) -> Position:
        reached = start

        def noted() -> Iterator[Replayed]:
            nonlocal reached
            for step in replay(self._journal, start, until=until.head.counter):
                reached = step.after
                yield step

        self.add(noted())
        return reached

    def _frame(self, offset: int, kind: FrameKind) -> Frame:
        frame = next(read_frames(self._journal, offset), None)
        if frame is None or frame.kind is not kind:
            raise FrameDamagedError(offset=offset, reason="it is not what the index says")
        return frame

    def _read_epoch(self, offset: int) -> Epoch:
        return Epoch.from_bytes(self._frame(offset, FrameKind.EPOCH).payload)


def _cut(share: Batch, first: int, last: int) -> Batch:
    """Return the entries of one submission from ``first`` on, none behind ``last``."""
    (part,) = share.parts
    start, end = first - part.first, min(last - part.first + 1, part.count)
    cut = replace(part, first=first, count=end - start, reports=part.reports[start:end])
    return Batch(
        previous=Head(counter=first - 1, proof_hash=share.hash_before(first)),
        time_ms=share.time_ms,
        parts=(cut,),
        entries=share.entries[start * ENTRY_SIZE : end * ENTRY_SIZE],
    )


def _proof(found: Share, counter: int) -> bytes:
    proof = found.proof(counter)
    # An index that leads to another epoch would have us hand out what nobody signed.
    if sha256(proof) != found.batch.entry(counter).proof_hash:
        raise StorageFailedError(what="index", reason="it leads to another proof")
    return proof
