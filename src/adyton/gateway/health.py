"""Whether questions can be answered now: the worker, its way out, and the store."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from adyton.adapters.link import WorkerUnavailableError
from adyton.errors import UnavailableError
from adyton.gateway.ports import Health as Store
from adyton.gateway.reach import Reach
from adyton.gateway.worker import Worker

__all__ = ["Health", "HealthReport"]

_REMEMBERED_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """``code`` says what is missing, and is empty where nothing is."""

    code: str
    details: dict[str, Any]


class Health:
    """Looks; and remembers for half a second that the store answered: anybody may ask, often."""

    def __init__(
        self, worker: Worker, reach: Reach, store: Store, *, monotonic: Callable[[], float]
    ) -> None:
        self._worker, self._reach, self._store = worker, reach, store
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._store_answered_until = 0.0

    async def report(self) -> HealthReport:
        """Return how things are."""
        details: dict[str, Any] = {}
        try:
            found = await self._worker.health()
            details["worker"] = {
                "ready": found.ready,
                "cells": dict(found.cells),
                "queue": found.queue,
            }
            if not found.ready or not self._reach.is_current:
                raise WorkerUnavailableError
            await self._check_store()
        except UnavailableError as error:
            return HealthReport(code=error.code, details=details)
        return HealthReport(code="", details=details)

    async def _check_store(self) -> None:
        async with self._lock:
            if self._monotonic() >= self._store_answered_until:
                await self._store.check()
                self._store_answered_until = self._monotonic() + _REMEMBERED_SECONDS
