"""What the gateway needs from outside, as small protocols: adapters and tests provide it."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from adyton.adapters.frames import Fields
from adyton.adapters.store.records import ApiKey, AuditEntry
from adyton.appraisal.ear import Ear
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.codec.json import JsonObject
from adyton.evidence.collateral import Collateral
from adyton.model.claims import Judged
from adyton.model.manifest import Manifest

__all__ = ["Appraiser", "Audit", "Caller", "Health", "Keys", "Usage", "Verifier"]


class Caller(Protocol):
    """The way to the worker: ``adapters.link.Link``."""

    @property
    def epoch(self) -> int:
        """Which connection this is: another number may be another worker."""
        ...

    @property
    def is_up(self) -> bool:
        """Whether there is a connection."""
        ...

    async def call(
        self,
        name: str,
        /,
        *,
        within: timedelta,
        on_event: Callable[[Mapping[str, Any]], None] | None = None,
        **fields: Any,
    ) -> Fields:
        """Return the worker's answer, or raise its error; ``UnavailableError`` if there is none.

        ``on_event`` is given what the worker says before its answer.
        """
        ...

    async def wait_until_up(self, *, within: timedelta) -> None:
        """Return when there is a connection, or raise ``UnavailableError``."""
        ...


class Verifier(Protocol):
    """What verifies receipts beside the loop: ``adapters.evidence_pool.EvidencePool``."""

    async def verify(self, receipt: JsonObject, policy: JsonObject, *, at: datetime) -> JsonObject:
        """Return the verdict on ``receipt``; ``MalformedError`` where there is nothing to judge."""
        ...


class Appraiser(Protocol):
    """What verifies evidence beside the loop: ``adapters.evidence_pool.EvidencePool``.

    Nothing is fetched: what is not given is not there. It raises ``UnavailableError`` where there
    is no verdict.
    """

    async def request(self, body: bytes, *, now: datetime) -> tuple[bytes, Ear | None]:
        """Return the verdict that ``body`` asks for, in JSON, and the result that it wants, if any.

        Raises ``MalformedError`` where it is no request.
        """
        ...

    async def evidence(
        self,
        evidence: bytes,
        *,
        collateral: Collateral,
        policy: Policy,
        expected: Expected,
        at: datetime,
    ) -> Judged:
        """Return the verdict on evidence that is nobody's in particular."""
        ...

    async def worker(
        self,
        manifest: Manifest,
        evidence: bytes,
        *,
        challenge: bytes,
        collateral: Collateral,
        policy: Policy,
        at: datetime,
    ) -> Judged:
        """Return the verdict on a worker's evidence, which is over its manifest and a challenge."""
        ...


class Keys(Protocol):
    """The API keys."""

    async def find(self, key_id: str) -> ApiKey | None:
        """Return a key, revoked or not."""
        ...


class Usage(Protocol):
    """The counters of a day."""

    async def take(self, key_id: str, *, day: date, limit: int) -> bool:
        """Count one use, unless ``limit`` are used already."""
        ...


class Audit(Protocol):
    """The audit."""

    async def write(self, entry: AuditEntry) -> None:
        """Return when ``entry`` is stored for good; raise ``UnavailableError`` if it can't be."""
        ...


class Health(Protocol):
    """The store's health."""

    async def check(self) -> None:
        """Raise ``UnavailableError`` unless the store answers."""
        ...
