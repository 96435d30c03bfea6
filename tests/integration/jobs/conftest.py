"""A gateway in memory with a real table of jobs, in front of a fake prover."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from tests.fakes.gateway import FakeGateway
from tests.fakes.prover import FakeProver
from tests.fakes.worker import Direct

from adyton.adapters.store import Store, open_store
from adyton.adapters.store.jobs import JobLimits
from adyton.adapters.store.records import NewKey, Scope
from adyton.gateway.app import create_app
from adyton.gateway.ports import Caller
from adyton.gateway.proving.assembly import delegated
from adyton.gateway.proving.settings import ProvingSettings
from adyton.gateway.worker import Worker

SETTINGS = ProvingSettings(
    at_once=1,
    waiting=3,
    key_waiting=2,
    deadline=timedelta(seconds=30),
    memory_bytes=60_000_000,
    jobs=JobLimits(key_jobs=3, stored_bytes=1_000_000),
    tee_rex_per_hour=3,
)


class ProvingGateway(FakeGateway):
    """The application with delegated proofs, as ``settings`` say; ``worker`` may be a real one."""

    def __init__(
        self, store: Store, *, settings: ProvingSettings = SETTINGS, worker: Caller | None = None
    ) -> None:
        super().__init__()
        self.store, self.prover = store, FakeProver()
        self.hanging = asyncio.Event()
        self.link = Direct(self.prover)
        self.delegated = delegated(
            settings,
            door=self.door,
            worker=Worker(worker or self.link, monotonic=self.time.monotonic),
            jobs=store.jobs,
            audit=self.audit,
            metrics=self.metrics,
            clock=self.time.clock,
            monotonic=self.time.monotonic,
        )
        self.app = create_app(
            (*self.capabilities(), *self.delegated.capabilities),
            metrics=self.metrics,
            monotonic=self.time.monotonic,
        )

    async def caller(self, *scopes: Scope) -> httpx.AsyncClient:
        """A client with a key that gateway and store know."""
        key: NewKey = self.key(*scopes)
        await self.store.keys.add(key.key)
        return self.client(key)


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[ProvingGateway]:
    async with open_store(f"sqlite:///{tmp_path}/adyton.db") as store:
        made = ProvingGateway(store)
        keeping = asyncio.create_task(made.delegated.keep())
        try:
            yield made
        finally:
            made.prover.release()
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping


@pytest.fixture
async def client(gateway: ProvingGateway) -> AsyncIterator[httpx.AsyncClient]:
    async with await gateway.caller(Scope.PROVE) as client:
        yield client
