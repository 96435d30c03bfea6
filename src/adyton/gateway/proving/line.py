"""A line that is fair between callers: whoever has a hundred in it delays nobody who has one.

Each caller has a line of its own; turns go round the callers, one each. So many are in work at a
time; what waits is bounded, for each caller and for all.
"""

import asyncio
from collections import OrderedDict, deque
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

from adyton.gateway.problems import OverloadedError, TooManyRequestsError

__all__ = ["Line", "TooManyWaitingError", "Turn"]

_IN_WORK: Final = 0
_PAUSE: Final = timedelta(seconds=5)


class TooManyWaitingError(TooManyRequestsError):
    """The key has as many requests in the line as it may."""

    code = "too-many-waiting"

    def __init__(self, *, limit: int) -> None:
        super().__init__(limit=f"{limit} requests that wait", retry_after=_PAUSE)


class Turn:
    """One place in a line, for ``async with``: inside the block it is this one's turn."""

    def __init__(self, line: "Line", caller: str) -> None:
        self._line = line
        self.caller = caller
        self._begun = asyncio.Event()
        self._is_over = False

    @property
    def place(self) -> int:
        """How many turns until this one's, itself included; 0 once it has come, or was given up."""
        if self._begun.is_set() or self._is_over:
            return _IN_WORK
        return self._line.place_of(self)

    def begin(self) -> None:
        """Let it be this one's turn."""
        self._begun.set()

    async def __aenter__(self) -> Self:
        try:
            await self._begun.wait()
        except BaseException:
            self.end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """Give the turn up, before it has come or after; once is enough."""
        if not self._is_over:
            self._is_over = True
            self._line.leave(self, has_begun=self._begun.is_set())


class Line:
    """``at_once`` have their turn; ``waiting`` wait beyond them, ``caller_waiting`` of a caller."""

    def __init__(self, *, at_once: int, waiting: int, caller_waiting: int) -> None:
        self._free, self._limit, self._caller_limit = at_once, waiting, caller_waiting
        # The caller whose turn is next comes first.
        self._lines: OrderedDict[str, deque[Turn]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(len(turns) for turns in self._lines.values())

    def join(self, caller: str, *, bounded: bool = True) -> Turn:
        """Return a turn at the end of the caller's line.

        Raises ``OverloadedError`` or ``TooManyWaitingError`` at a bound, unless the turn is for
        something that was accepted before. Whoever joins enters the turn, or ends it.
        """
        turn = Turn(self, caller)
        if self._free:
            self._free -= 1
            turn.begin()
            return turn
        if bounded:
            if len(self._lines.get(caller, ())) >= self._caller_limit:
                raise TooManyWaitingError(limit=self._caller_limit)
            if self.waiting >= self._limit:
                raise OverloadedError
        self._lines.setdefault(caller, deque()).append(turn)
        return turn

    def place_of(self, turn: Turn) -> int:
        """Return how many turns until ``turn``, itself included."""
        before = list(self._lines[turn.caller]).index(turn)
        place, is_ahead = before + 1, True
        for caller, turns in self._lines.items():
            if caller == turn.caller:
                is_ahead = False
            else:
                # Whoever is ahead in this round has one more turn before it.
                place += min(len(turns), before + is_ahead)
        return place

    def leave(self, turn: Turn, *, has_begun: bool) -> None:
        """Give up ``turn``, before it has come or after."""
        if not has_begun:
            turns = self._lines[turn.caller]
            turns.remove(turn)
            if not turns:
                del self._lines[turn.caller]
            return
        if not self._lines:
            self._free += 1
            return
        caller, turns = self._lines.popitem(last=False)
        following = turns.popleft()
        if turns:
            self._lines[caller] = turns
        following.begin()
