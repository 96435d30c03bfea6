"""Several anchors as one: a head counts when most of them have it.

Whoever sets the ledger back has to set back most of them. One that missed steps is brought forward
with the next one. The head that is read is the one that a majority has reached; if one anchor is
further, the journal must have that step as well (``recover``), because it was there first.
"""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from adyton.ledger.errors import AnchorMovedError, AnchorsDisagreeError, AnchorUnavailableError
from adyton.ledger.ports import Anchor, Anchored, Head

__all__ = ["QuorumAnchor"]

_LEAST: Final = 2


@dataclass(slots=True)
class _Member:
    """One of the anchors, the thread that talks to it, and what it had when it last answered."""

    anchor: Anchor
    name: str
    thread: ThreadPoolExecutor
    head: Head | None = None
    work: "Future[None] | None" = field(default=None, repr=False)

    @property
    def is_busy(self) -> bool:
        return self.work is not None and not self.work.done()

    def move(self, before: Head, after: Head, *, frame: bytes) -> None:
        """Move this anchor's head to ``after``: from ``before``, or from where it was left behind.

        A head that is neither is somebody else's.
        """
        if self.head is None:
            self.head = self.anchor.read().head
        if self.head == after:
            return
        if self.head != before and self.head.counter >= before.counter:
            raise AnchorMovedError(kind=self.name)
        known, self.head = self.head, None
        try:
            self.anchor.advance(known, after, frame=frame, settled=after.counter)
        except AnchorMovedError:
            # It may be our own step, whose answer was lost.
            if self.anchor.read().head != after:
                raise
        self.head = after


class QuorumAnchor:
    """A majority of anchors."""

    carries: Final = False

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        if len(anchors) < _LEAST:
            raise ValueError("a quorum has several anchors")
        self._members = [
            _Member(anchor, f"{anchor.kind} (no. {number})", ThreadPoolExecutor(1))
            for number, anchor in enumerate(anchors, start=1)
        ]
        self._majority = len(anchors) // 2 + 1
        self._head: Head | None = None
        self.kind = f"quorum({','.join(anchor.kind for anchor in anchors)})"
        """What it is."""

    def read(self) -> Anchored:
        """Return the head that a majority has reached, and the highest one.

        Raises ``AnchorUnavailableError`` where fewer than a majority answer, and
        ``AnchorsDisagreeError`` where two have different proofs under one number.
        """
        reading = {member.thread.submit(member.anchor.read): member for member in self._members}
        wait(reading)
        found: list[tuple[Head, _Member]] = []
        for answer, member in reading.items():
            try:
                member.head = answer.result().head
            except AnchorUnavailableError:
                member.head = None
                continue
            found.append((member.head, member))
        if len(found) < self._majority:
            reason = f"only {len(found)} of {len(self._members)} anchors answer"
            raise AnchorUnavailableError(kind=self.kind, reason=reason)
        found.sort(key=lambda item: item[0].counter, reverse=True)
        _check_agreement(found)
        highest, first = found[0]
        self._head, _ = found[self._majority - 1]
        return Anchored(head=self._head, highest=highest, source=first.name)

    def advance(self, before: Head, after: Head, *, frame: bytes, settled: int) -> None:  # noqa: ARG002  # each member knows its own
        """Move the heads; return when a majority has moved.

        One that is slow goes on by itself, and is not waited for. One that refuses ends it:
        somebody else moves the same heads.
        """
        if (self._head or self.read().head) != before:
            raise AnchorMovedError(kind=self.kind)
        moving = []
        for member in self._members:
            if not member.is_busy:
                # What one did after it was no longer waited for counts as well.
                _check_refused(member.work)
                member.work = member.thread.submit(member.move, before, after, frame=frame)
                moving.append(member.work)
        moved, running = 0, set(moving)
        while moved < self._majority and running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for work in done:
                _check_refused(work)
                moved += work.exception() is None
        if moved < self._majority:
            reason = f"only {moved} of {len(self._members)} anchors moved"
            raise AnchorUnavailableError(kind=self.kind, reason=reason)
        self._head = after

    def close(self) -> None:
        """End the threads, once they have finished what they do."""
        for member in self._members:
            member.thread.shutdown()


def _check_refused(work: "Future[None] | None") -> None:
    error = None if work is None else work.exception()
    if error is not None and not isinstance(error, AnchorUnavailableError):
        raise error


def _check_agreement(found: Sequence[tuple[Head, _Member]]) -> None:
    for (one, first), (other, second) in pairwise(found):
        if one.counter == other.counter and one != other:
            raise AnchorsDisagreeError(first=first.name, second=second.name, counter=one.counter)
