"""Patience with an anchor that does not answer at once: it is asked again, and asked what it has.

A write whose answer was lost may have happened, or may happen yet. So before it is tried again the
anchor is read, and a refusal after a lost answer is looked into: the head that refuses us may be
the one that we wrote.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

from adyton.ledger.errors import AnchorMovedError, AnchorUnavailableError
from adyton.ledger.ports import Anchor, Anchored, Head

__all__ = ["PatientAnchor"]

_T = TypeVar("_T")

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0


class PatientAnchor:
    """An anchor that is asked again for ``patience``."""

    def __init__(
        self,
        anchor: Anchor,
        *,
        patience: timedelta = timedelta(seconds=10),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._anchor, self._patience = anchor, patience.total_seconds()
        self._monotonic, self._sleep = monotonic, sleep

    @property
    def kind(self) -> str:
        """What it is."""
        return self._anchor.kind

    @property
    def carries(self) -> bool:
        """Whether it keeps frames."""
        return self._anchor.carries

    def read(self) -> Anchored:
        """Return what is anchored."""
        return self._again(self._anchor.read)

    def advance(self, before: Head, after: Head, *, frame: bytes, settled: int) -> None:
        """Move the head, or raise once patience is at its end."""
        is_unsure = False

        def move() -> None:
            nonlocal is_unsure
            if is_unsure and self._anchor.read().head == after:
                return
            try:
                self._anchor.advance(before, after, frame=frame, settled=settled)
            except AnchorUnavailableError:
                is_unsure = True
                raise
            except AnchorMovedError:
                # Nobody else has this hash: if the head is ours, it was our own write, arriving
                # late.
                if not is_unsure or self._anchor.read().head != after:
                    raise

        self._again(move)

    def _again(self, work: Callable[[], _T]) -> _T:
        deadline, pause = self._monotonic() + self._patience, _FIRST_PAUSE
        while True:
            try:
                return work()
            except AnchorUnavailableError:
                if self._monotonic() + pause > deadline:
                    raise
            self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
