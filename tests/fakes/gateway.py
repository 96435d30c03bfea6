"""A whole gateway in memory: a store, a clock, a verifier, and a worker behind no socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
from starlette.types import ASGIApp
from tests.fakes.worker import Direct, FakeWorker

from adyton.adapters.egress import Destination, EgressPolicy
from adyton.adapters.store.administration import new_key
from adyton.adapters.store.failure import StoreUnavailableError
from adyton.adapters.store.records import ApiKey, AuditEntry, KeyLimits, NewKey, Scope
from adyton.codec.json import JsonObject
from adyton.gateway.app import VERSION, create_app
from adyton.gateway.authentication import Authentication
from adyton.gateway.door import Door
from adyton.gateway.health import Health
from adyton.gateway.limits import Limiter
from adyton.gateway.metrics import Metrics
from adyton.gateway.questions import Questions
from adyton.gateway.reach import Reach
from adyton.gateway.readings import Readings
from adyton.gateway.routes import Capability
from adyton.gateway.settings import GatewayLimits
from adyton.gateway.verifications import Verifications
from adyton.gateway.worker import Worker

NOW = datetime(2026, 2, 3, 10, 30, tzinfo=UTC)
BOX = "AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
QUESTION: dict[str, Any] = {
    "encrypted_access_token": BOX,
    "predicate": {"type": "gte", "threshold": 10000},
    "nonce": "unique-client-nonce-123",
}


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def clock(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return (self.now - NOW).total_seconds()

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class MemoryKeys:
    def __init__(self) -> None:
        self.keys: dict[str, ApiKey] = {}
        self.looked_up = 0
        self.is_down = False

    async def find(self, key_id: str) -> ApiKey | None:
        self.looked_up += 1
        if self.is_down:
            raise StoreUnavailableError(reason="OperationalError")
        return self.keys.get(key_id)


class MemoryUsage:
    def __init__(self) -> None:
        self.used: dict[tuple[str, date], int] = {}

    async def take(self, key_id: str, *, day: date, limit: int) -> bool:
        used = self.used.get((key_id, day), 0)
        if used >= limit:
            return False
        self.used[key_id, day] = used + 1
        return True


class MemoryAudit:
    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.is_down = False

    async def write(self, entry: AuditEntry) -> None:
        if self.is_down:
            raise StoreUnavailableError(reason="OperationalError")
        self.entries.append(entry)

    async def check(self) -> None:
        if self.is_down:
            raise StoreUnavailableError(reason="OperationalError")


@dataclass
class FakeVerifier:
    """Accepts nothing, and remembers what it was shown."""

    verdict: JsonObject = field(default_factory=lambda: {"accepted": False})
    error: Exception | None = None
    seen: list[tuple[JsonObject, JsonObject, datetime]] = field(default_factory=list)

    async def verify(self, receipt: JsonObject, policy: JsonObject, *, at: datetime) -> JsonObject:
        self.seen.append((receipt, policy, at))
        if self.error is not None:
            raise self.error
        return self.verdict


@dataclass
class Gate:
    policy: EgressPolicy = field(default_factory=EgressPolicy)


class FakeGateway:
    """The application, and everything behind it in reach of a test."""

    def __init__(self, **limits: Any) -> None:
        self.time = Time()
        self.keys, self.usage, self.audit = MemoryKeys(), MemoryUsage(), MemoryAudit()
        self.worker, self.verifier, self.gate = FakeWorker(), FakeVerifier(), Gate()
        self.link = Direct(self.worker)
        bounds = GatewayLimits(**limits)
        self.limiter = Limiter(bounds, self.usage, monotonic=self.time.monotonic)
        self.metrics = Metrics(gauges={("adyton_fake", "A reading"): lambda: 7.0}, counters={})
        authentication = Authentication(
            self.keys, clock=self.time.clock, monotonic=self.time.monotonic
        )
        self.known = Worker(self.link, monotonic=self.time.monotonic)
        self.reach = Reach(self.known, self.link, self.gate, _policy)
        self.door = Door(authentication=authentication, limiter=self.limiter)
        self.health = Health(self.known, self.reach, self.audit, monotonic=self.time.monotonic)
        self.deadline = bounds.deadline
        self.app: ASGIApp = create_app(
            self.capabilities(), metrics=self.metrics, monotonic=self.time.monotonic
        )

    def capabilities(self) -> tuple[Capability, ...]:
        """What the gateway does; a subclass adds what its tests are about."""
        return (
            Questions(
                door=self.door,
                worker=self.known,
                reach=self.reach,
                audit=self.audit,
                metrics=self.metrics,
                clock=self.time.clock,
                deadline=self.deadline,
            ),
            Verifications(
                door=self.door,
                verifier=self.verifier,
                clock=self.time.clock,
                deadline=self.deadline,
            ),
            Readings(
                worker=self.known,
                health=self.health,
                limiter=self.limiter,
                metrics=self.metrics,
                version=VERSION,
            ),
        )

    def key(
        self,
        *scopes: Scope,
        lifetime: timedelta | None = None,
        limits: KeyLimits | None = None,
    ) -> NewKey:
        made = new_key(
            name="test", scopes=scopes or Scope, now=self.time.now, lifetime=lifetime, limits=limits
        )
        self.keys.keys[made.key.id] = made.key
        return made

    def client(self, key: NewKey | None = None) -> httpx.AsyncClient:
        headers = {} if key is None else {"authorization": f"Bearer {key.text}"}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://gateway", headers=headers
        )


@asynccontextmanager
async def connected(**limits: Any) -> AsyncIterator[FakeGateway]:
    """A gateway whose worker is connected and can reach its providers."""
    gateway = FakeGateway(**limits)
    following = asyncio.create_task(gateway.reach.follow())
    while not gateway.reach.is_current:  # noqa: ASYNC110  # steps of the loop, no clock
        await asyncio.sleep(0)
    gateway.worker.calls.clear()
    try:
        yield gateway
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


def _policy(destinations: frozenset[Destination]) -> EgressPolicy:
    return EgressPolicy(destinations=destinations)
