"""What a ledger does at its start: it finds out where it stands, or says why it cannot go on.

Three witnesses are heard: the sealed state (how far we had come), the journal (what is on the disk)
and the anchor (how far anybody may have come). A step goes into the journal before the anchor, or
is carried by the anchor; so, after any crash, journal and anchor together have everything up to the
anchor's head, and the journal at most one step beyond it.

What may not be durable is written again, not only synced: after a failed sync, a file can show what
the disk does not have, and the next sync says nothing about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from adyton.crypto.ed25519 import check_ed25519
from adyton.errors import MalformedError, RejectedError
from adyton.ledger.errors import (
    AnchorBehindError,
    FrameDamagedError,
    LogBehindError,
    LogForkedError,
    SealedStateError,
)
from adyton.ledger.frame import FrameKind, read_frames
from adyton.ledger.ports import Anchor, Head, Journal, Vault
from adyton.ledger.records import Batch
from adyton.ledger.replay import Position, Replayed, replay
from adyton.ledger.sealed import SealedState

__all__ = ["recover"]


def recover(journal: Journal, anchor: Anchor, vault: Vault) -> Position:
    """Return where the ledger ends: journal and anchor agree on it, and nothing lies beyond.

    1. The sealed state is ours, and the journal reaches it.
    2. The anchor is not older than the sealed state.
    3. What the anchor carries is in the journal, written again from there.
    4. The journal has the anchor's head, by number and by hash.
    5. One step beyond it is completed if the key that ran last has signed it; a torn or foreign one
       is cut off; more than one means that the anchor is an old copy.
    6. Of several anchors, none is ahead of the journal.

    Raises ``AnchorBehindError``, ``LogBehindError``, ``LogForkedError``, ``SealedStateError`` or
    ``FrameDamagedError``, and whatever the ports raise.
    """
    # Step 1
    value = vault.load()
    sealed = None if value is None else SealedState.from_bytes(value)
    start = Position() if sealed is None else sealed.position
    if journal.size() < start.offset:
        raise SealedStateError(reason="knows more of the journal than there is")
    # Step 2
    anchored = anchor.read()
    head, kind = anchored.head, anchor.kind
    if head.counter < start.head.counter:
        raise AnchorBehindError(kind=kind, found=head.counter, known=start.head.counter)
    # Step 3
    carried = _carried(anchored.pending, start.head, head, kind=kind)
    walk = _walk(journal, start, head, base=carried.previous if carried else head)
    at = walk.base if carried and walk.base is not None else walk.at
    ahead = walk.ahead
    if carried and walk.base is not None:
        at = _put_back(journal, walk.base, carried.frames)
    # Step 4
    if at.head.counter < head.counter:
        raise walk.damage or _missing(walk, at, head, kind=kind)
    if at.head != head:
        raise LogForkedError(kind=kind, counter=head.counter)
    # Step 5
    if walk.steps_ahead > 1:
        raise AnchorBehindError(kind=kind, found=head.counter, known=walk.last_counter)
    is_ours = ahead and sealed and _is_ours(ahead.step, sealed.running)
    # Step 6: before anything is cut off that could still be looked at.
    if anchored.highest is not None:
        end = ahead.step.after.head if ahead and is_ours else at.head
        _check_reached(end, anchored.highest, kind=anchored.source)
    if ahead and is_ours:
        return _complete(journal, anchor, at, ahead)
    if journal.size() > at.offset:
        journal.truncate(at.offset)
    return at


def _check_reached(head: Head, highest: Head, *, kind: str) -> None:
    if head.counter < highest.counter:
        raise LogBehindError(kind=kind, anchored=highest.counter, found=head.counter)
    if head.counter == highest.counter and head != highest:
        raise LogForkedError(kind=kind, counter=head.counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Carried:
    """What the anchor carries: the head before it, and the frames."""

    previous: Head
    frames: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ahead:
    """A step beyond the anchor's head, and the frames that hold it."""

    step: Replayed
    frames: bytes


@dataclass(slots=True)
class _Walk:
    """What was found in the journal."""

    at: Position
    base: Position | None = None
    ahead: _Ahead | None = None
    steps_ahead: int = 0
    last_counter: int = 0
    damage: FrameDamagedError | None = None


def _walk(journal: Journal, start: Position, head: Head, *, base: Head) -> _Walk:
    """Go through the journal from ``start``: note where it has ``base``, and what ``head``."""
    walk = _Walk(at=start, base=start if start.head == base else None)
    try:
        for step in replay(journal, start):
            walk.last_counter = step.after.head.counter
            if walk.last_counter <= head.counter:
                walk.at = step.after
                walk.base = step.after if step.after.head == base else walk.base
                continue
            walk.steps_ahead += 1
            if walk.steps_ahead == 1:
                frames = journal.read(walk.at.offset, step.after.offset - walk.at.offset)
                walk.ahead = _Ahead(step=step, frames=frames)
    except FrameDamagedError as error:
        walk.damage = error
    return walk


def _carried(pending: Sequence[bytes], start: Head, head: Head, *, kind: str) -> _Carried | None:
    """Return what is carried beyond ``start``; it must lead to ``head`` without a gap."""
    previous: Head | None = None
    frames: list[bytes] = []
    at = start
    for piece in pending:
        batch = _batch(piece)
        if batch.head.counter <= start.counter:
            continue
        previous = previous or batch.previous
        if frames and batch.previous != at:
            raise LogForkedError(kind=kind, counter=batch.previous.counter)
        frames.append(piece)
        at = batch.head
    if previous is None:
        return None
    if at != head:
        raise LogForkedError(kind=kind, counter=head.counter)
    return _Carried(previous=previous, frames=b"".join(frames))


def _batch(piece: bytes) -> Batch:
    for frame in read_frames(_InMemory(piece), 0):
        if frame.kind is FrameKind.BATCH:
            return Batch.from_bytes(frame.payload)
    raise FrameDamagedError(offset=0, reason="the anchor carries a frame that holds no batch")


def _put_back(journal: Journal, base: Position, frames: bytes) -> Position:
    last = base
    start = Position(head=base.head, epoch=base.epoch, tree=base.tree)
    for step in replay(_InMemory(frames), start):
        last = step.after
    journal.truncate(base.offset)
    journal.append(frames)
    journal.sync()
    end = base.offset + len(frames)
    return Position(offset=end, head=last.head, epoch=last.epoch, tree=last.tree)


def _missing(
    walk: _Walk, at: Position, head: Head, *, kind: str
) -> LogBehindError | LogForkedError:
    if walk.steps_ahead:
        # A step of ours goes from below the anchor's head to beyond it: it is no head of ours.
        return LogForkedError(kind=kind, counter=head.counter)
    return LogBehindError(kind=kind, anchored=head.counter, found=at.head.counter)


def _is_ours(step: Replayed, running: bytes) -> bool:
    """Whether ``running`` signed every entry: else the host could have us anchor its own."""
    if step.epoch.public_key != running:
        return False
    first, last = step.batch.previous.counter + 1, step.batch.head.counter
    try:
        for counter in range(first, last + 1):
            signature = step.batch.entry(counter).signature
            check_ed25519(running, step.batch.body(step.epoch, counter), signature)
    except (RejectedError, MalformedError):
        return False
    return True


def _complete(journal: Journal, anchor: Anchor, at: Position, ahead: _Ahead) -> Position:
    journal.truncate(at.offset)
    journal.append(ahead.frames)
    journal.sync()
    after = ahead.step.after
    anchor.advance(at.head, after.head, frame=ahead.frames, settled=at.head.counter)
    return Position(
        offset=at.offset + len(ahead.frames),
        head=after.head,
        epoch=after.epoch,
        tree=after.tree,
    )


@dataclass(frozen=True, slots=True)
class _InMemory:
    """Frames that the anchor carries."""

    data: bytes

    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, size: int) -> bytes:
        return self.data[offset : offset + size]
