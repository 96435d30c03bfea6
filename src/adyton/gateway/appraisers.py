"""Verifying evidence beside the loop: the verification path, in a few threads at a time."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeAlias

from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.errors import UnavailableError
from adyton.evidence.collateral import Collateral
from adyton.model.claims import Claims
from adyton.model.manifest import Manifest
from adyton.model.verdict import Verdict
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.pipeline import verify_evidence, verify_worker

__all__ = ["AppraisalTimeoutError", "Appraiser", "Judged", "ThreadedAppraiser"]

Judged: TypeAlias = tuple[Verdict, Claims | None]
"""The verdict, and what the evidence says: ``None`` where it is not authentic."""

# Two at a time: more would only wait for the same interpreter.
_THREADS: Final = 2
_DEADLINE: Final = timedelta(seconds=20)


class AppraisalTimeoutError(UnavailableError):
    """There was no verdict on the evidence in time: that is none, not a bad one."""

    code = "appraisal-timeout"

    def __init__(self) -> None:
        super().__init__("there was no verdict on the evidence in time")


class Appraiser(Protocol):
    """What verifies evidence. Nothing is fetched: what is not given is not there."""

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


class ThreadedAppraiser:
    """The ``Appraiser`` of a gateway: it remembers certificates that it has verified."""

    def __init__(self) -> None:
        self._cache = EvidenceCache()
        self._places = asyncio.Semaphore(_THREADS)

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
        return await self._run(
            lambda: verify_evidence(
                evidence,
                policy=policy,
                expected=expected,
                at=at,
                collateral=collateral,
                cache=self._cache,
            )
        )

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
        return await self._run(
            lambda: verify_worker(
                manifest,
                evidence,
                challenge=challenge,
                policy=policy,
                at=at,
                collateral=collateral,
                cache=self._cache,
            )
        )

    async def _run(self, judge: Callable[[], Judged]) -> Judged:
        try:
            async with asyncio.timeout(_DEADLINE.total_seconds()), self._places:
                return await asyncio.to_thread(judge)
        except TimeoutError as error:
            raise AppraisalTimeoutError from error
