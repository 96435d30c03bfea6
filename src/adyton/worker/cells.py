"""Cells: processes that see plaintext, each with one request at a time.

Under isolation ``request`` a cell serves one request and ends; spares are started ahead, so that
nobody waits for one. Under ``pooled`` a cell is used again. What waits is bounded: beyond that, a
caller is told to come back. Fetching waits for others and proving takes a core, so a cell asks for
its turn before it proves.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

from adyton.adapters.frames import Fields
from adyton.errors import UnavailableError
from adyton.model.isolation import Isolation
from adyton.worker.channel import CellLostError, receive, send
from adyton.worker.nursery import Cell, Nursery

__all__ = ["CellLimits", "CellTimeoutError", "Cells", "OverloadedError"]

_END_SECONDS: Final = 2.0
_CHUNK: Final = 64 * 1024


class OverloadedError(UnavailableError):
    """More questions wait than this worker lets wait."""

    code = "overloaded"
    retry_after: Final = timedelta(seconds=2)

    def __init__(self) -> None:
        super().__init__("the worker has too many questions waiting; ask again in a moment")


class CellTimeoutError(UnavailableError):
    """A request took longer than it may; its process was ended."""

    code = "cell-timeout"

    def __init__(self, *, seconds: float) -> None:
        super().__init__(f"the question was not answered within {seconds:g} seconds")
        self.seconds = seconds


class CellUnusedError(CellLostError):
    """A spare had died unnoticed, or died before it said anything: another one is tried, once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLimits:
    """``turns``: proofs at a time; ``in_flight``: requests in cells; ``waiting``: beyond those.

    ``spares`` is how many cells of a width are ready. The one in use is replaced after its proof,
    not during it: with two, the next one is there meanwhile.
    """

    isolation: Isolation
    turns: int
    in_flight: int
    waiting: int
    spares: int
    seconds: float


class Cells:
    """Runs jobs in cells; ``start`` it first."""

    def __init__(self, nursery: Nursery, limits: CellLimits) -> None:
        self._nursery, self._limits = nursery, limits
        self._places = asyncio.Semaphore(limits.in_flight)
        self._turns = asyncio.Semaphore(limits.turns)
        self._waiting = self._active = 0
        # A lone request gets all cores for its proof; requests side by side get one each.
        self._idle: dict[int, deque[Cell]] = {threads: deque() for threads in {1, limits.turns}}
        # One task a width: several that each see too few would together start too many.
        self._filling: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> Self:
        """Return these cells with their spares ready."""
        await asyncio.gather(*(self._fill(threads) for threads in self._idle))
        return self

    async def run(self, job: Fields, reply: Callable[[Fields], Awaitable[Fields]]) -> Fields:
        """Return the last message of a cell that does ``job``; ``reply`` answers its others.

        Raises ``OverloadedError``, ``CellTimeoutError``, ``CellLostError`` or ``CellStartError``.
        Under isolation ``request`` the cell's memory is gone when this returns.
        """
        async with self._place():
            cell = await self._take()
            try:
                return await self._work(cell, job, reply)
            except CellUnusedError:
                return await self._work(await self._nursery.cell(cell.threads), job, reply)

    async def close(self) -> None:
        """End every cell and the template."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for idle in self._idle.values():
            while idle:
                await _close(idle.pop())
        await self._nursery.close()

    @property
    def counts(self) -> dict[str, int]:
        """How many requests are active and waiting, and how many cells are idle."""
        idle = sum(len(cells) for cells in self._idle.values())
        return {"active": self._active, "waiting": self._waiting, "idle": idle}

    @contextlib.asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if self._places.locked() and self._waiting >= self._limits.waiting:
            raise OverloadedError
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        self._active += 1
        try:
            yield
        finally:
            self._active -= 1
            self._places.release()

    async def _take(self) -> Cell:
        threads = self._limits.turns if self._active == 1 else 1
        idle = self._idle[threads]
        while idle:
            cell = idle.popleft()
            # A spare whose process has died in the meantime is seen by the end of its stream.
            if not cell.reader.at_eof():
                return cell
            cell.writer.close()
        return await self._nursery.cell(threads)

    async def _work(
        self, cell: Cell, job: Fields, reply: Callable[[Fields], Awaitable[Fields]]
    ) -> Fields:
        kept = False
        try:
            async with asyncio.timeout(self._limits.seconds):
                result = await self._converse(cell, job, reply)
            kept = self._limits.isolation is Isolation.POOLED
        except TimeoutError as error:
            self._nursery.kill(cell.pid)
            raise CellTimeoutError(seconds=self._limits.seconds) from error
        except BaseException:
            self._nursery.kill(cell.pid)
            raise
        finally:
            # Also for a caller that gave up: what saw plaintext is gone before its place is free,
            # and a caller that is answered is answered after that.
            await asyncio.shield(self._release(cell, kept=kept))
        return result

    async def _converse(
        self, cell: Cell, job: Fields, reply: Callable[[Fields], Awaitable[Fields]]
    ) -> Fields:
        turn = False
        try:
            message = await self._begin(cell, job)
            while True:
                if "done" in message:
                    return message
                if "turn" in message:
                    turn = turn or await self._turns.acquire()
                    await send(cell.writer, {})
                else:
                    await send(cell.writer, await reply(message))
                message = await receive(cell.reader)
        finally:
            if turn:
                self._turns.release()

    async def _begin(self, cell: Cell, job: Fields) -> Fields:
        try:
            await send(cell.writer, job)
            return await receive(cell.reader)
        except CellLostError as error:
            raise CellUnusedError from error

    async def _release(self, cell: Cell, *, kept: bool) -> None:
        if kept:
            self._idle[cell.threads].append(cell)
            return
        await self._gone(cell)
        if (
            len(self._idle[cell.threads]) < self._limits.spares
            and cell.threads not in self._filling
        ):
            self._filling.add(cell.threads)
            task = asyncio.create_task(self._fill(cell.threads))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _gone(self, cell: Cell) -> None:
        """Return when the cell's memory is gone: a process's sockets are closed after that."""
        for _attempt in range(2):
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_END_SECONDS):
                    while await cell.reader.read(_CHUNK):
                        # Whatever it says after its last word is not listened to.
                        continue
                    break
            self._nursery.kill(cell.pid)
        await _close(cell)

    async def _fill(self, threads: int) -> None:
        idle = self._idle[threads]
        try:
            while len(idle) < self._limits.spares:
                idle.append(await self._nursery.cell(threads))
        except UnavailableError:
            # Seen again by the request that finds no spare and starts its own.
            return
        finally:
            self._filling.discard(threads)


async def _close(cell: Cell) -> None:
    cell.writer.close()
    with contextlib.suppress(OSError):
        await cell.writer.wait_closed()
