"""Group commit for the audit: entries that wait at the same time share one transaction.

An answer is given only when its entry is on the disk: else a crash would leave an answer that the
audit doesn't know. A commit costs a flush of the disk, whether it holds one entry or a hundred, so
while one is under way the next entries gather, and all of them pay for one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Protocol, TypeAlias

from adyton.adapters.store.failure import StoreUnavailableError
from adyton.adapters.store.records import AuditEntry
from adyton.errors import AdytonError

__all__ = ["AuditWriter", "Sink"]

_Waiting: TypeAlias = tuple[AuditEntry, asyncio.Future[None]]

_WAITING: Final = 1024
_BATCH: Final = 128
_PATIENCE_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where entries go, several at a time."""

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        """Store ``entries``, all or none; raise ``StoreUnavailableError`` if that can't be."""
        ...


class AuditWriter:
    """Writes entries until ``close``; ``written`` counts them."""

    def __init__(self, sink: Sink, *, waiting: int = _WAITING) -> None:
        self._sink, self._limit = sink, waiting
        self._waiting: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="audit")
        self._is_closing = False
        self.written = 0
        self.failed = 0

    async def write(self, entry: AuditEntry) -> None:
        """Return when ``entry`` is stored, or raise ``StoreUnavailableError``.

        A caller that is cancelled while it waits does not take its entry back.
        """
        if self._is_closing or len(self._waiting) >= self._limit:
            raise StoreUnavailableError(reason="the audit has too much to write")
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, stored))
        self._wake.set()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await asyncio.shield(stored)
        except TimeoutError as error:
            raise StoreUnavailableError(reason="the audit is not written in time") from error

    async def close(self) -> None:
        """Write what waits, then stop."""
        self._is_closing = True
        self._wake.set()
        await self._task

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._write_some()
            if self._is_closing:
                return

    async def _write_some(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
        try:
            await self._sink.add([entry for entry, _ in batch])
        except Exception as error:  # noqa: BLE001  # this loop must outlive whatever ends one batch
            self._fail(batch, error)
            return
        self.written += len(batch)
        for _, stored in batch:
            with suppress(asyncio.InvalidStateError):
                stored.set_result(None)

    def _fail(self, batch: Sequence[_Waiting], error: Exception) -> None:
        self.failed += len(batch)
        if not isinstance(error, AdytonError):
            _log.error("audit-failed", extra={"error_type": type(error).__name__})
            error = StoreUnavailableError(reason="the audit cannot be written")
        for _, stored in batch:
            if not stored.done():
                stored.set_exception(error)
                # Who waited may be gone; the failure is counted.
                stored.exception()
