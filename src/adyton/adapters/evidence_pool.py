"""Verifying evidence in processes of their own: beside a loop, and on all cores.

Each process remembers what it verified; what it answers is what ``verification`` answers. Bytes
that could end a process end one of these, and the answer is then that there is none.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.reduction import ForkingPickler
from types import MappingProxyType
from typing import Any, Final, Self, TypeAlias

from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.errors import UnavailableError
from adyton.evidence.collateral import Collateral
from adyton.model.claims import Claims
from adyton.model.manifest import Manifest
from adyton.model.verdict import Verdict
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.pipeline import verify_evidence, verify_worker

__all__ = ["EvidencePool", "EvidenceProcessLostError", "EvidenceTimeoutError"]

Judged: TypeAlias = tuple[Verdict, Claims | None]

_DEADLINE: Final = timedelta(seconds=20)
# How much of a long list a process takes at a time: enough that passing it on costs little.
_SHARE: Final = 32
# How much may wait for each process.
_WAITING: Final = 32

# What this process remembers, where it is one of a pool.
_CACHE: Final = EvidenceCache()


class EvidenceTimeoutError(UnavailableError):
    """There was no verdict in time: that is none, not a bad one."""

    code = "evidence-timeout"

    def __init__(self) -> None:
        super().__init__("there was no verdict in time")


class EvidenceProcessLostError(UnavailableError):
    """The process that was verifying has ended: there is no verdict."""

    code = "evidence-process-lost"

    def __init__(self) -> None:
        super().__init__("the process that was verifying has ended")


class EvidencePool:
    """Processes that verify evidence, started when they are needed. ``close`` it."""

    def __init__(self, *, processes: int | None = None, deadline: timedelta = _DEADLINE) -> None:
        self._size = processes or os.cpu_count() or 1
        self._deadline = deadline.total_seconds()
        self._places = asyncio.Semaphore(self._size * _WAITING)
        self._lock = threading.Lock()
        self._executor: ProcessPoolExecutor | None = None

    async def evidence(
        self,
        evidence: bytes,
        *,
        collateral: Collateral,
        policy: Policy,
        expected: Expected,
        at: datetime,
    ) -> Judged:
        """Return the verdict on evidence that is nobody's in particular, and what it says.

        Raises ``UnavailableError`` where there is none.
        """
        return await self._soon(
            partial(
                _evidence,
                evidence,
                collateral=collateral,
                policy=policy,
                expected=expected,
                at=at,
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
        return await self._soon(
            partial(
                _worker,
                manifest,
                evidence,
                challenge=challenge,
                collateral=collateral,
                policy=policy,
                at=at,
            )
        )

    def verify_all(
        self,
        pieces: Sequence[bytes],
        *,
        collateral: Collateral,
        policy: Policy,
        expected: Expected,
        at: datetime,
    ) -> list[Verdict]:
        """Return the verdicts on many pieces of evidence, in their order; this thread waits."""
        judge = partial(_verdicts, collateral=collateral, policy=policy, expected=expected, at=at)
        shares = [pieces[start : start + _SHARE] for start in range(0, len(pieces), _SHARE)]
        executor = self._started()
        try:
            futures = [executor.submit(judge, share) for share in shares]
            return [verdict for future in futures for verdict in future.result(self._deadline)]
        except TimeoutError as error:
            raise EvidenceTimeoutError from error
        except BrokenProcessPool as error:
            raise self._lost(executor) from error

    def close(self) -> None:
        """End the processes, each after what it is at."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    async def _soon(self, judge: Callable[[], Judged]) -> Judged:
        executor = self._started()
        try:
            async with asyncio.timeout(self._deadline), self._places:
                return await asyncio.wrap_future(executor.submit(judge))
        except TimeoutError as error:
            raise EvidenceTimeoutError from error
        except BrokenProcessPool as error:
            raise self._lost(executor) from error

    def _started(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._executor is None:
                # Not forked: a fork of a process with threads may find a lock that nobody opens.
                self._executor = ProcessPoolExecutor(
                    self._size, mp_context=get_context("spawn"), initializer=_begin
                )
            return self._executor

    def _lost(self, executor: ProcessPoolExecutor) -> EvidenceProcessLostError:
        # One that lost a process is of no use; whoever asks next starts another.
        with self._lock:
            if self._executor is executor:
                self._executor = None
        executor.shutdown(wait=False, cancel_futures=True)
        return EvidenceProcessLostError()


def _begin() -> None:
    """Make this process one of a pool: it ends with the one that started it, and only then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
    os._exit(1)


def _evidence(evidence: bytes, **given: Any) -> Judged:
    return verify_evidence(evidence, **given, cache=_CACHE)


def _worker(manifest: Manifest, evidence: bytes, **given: Any) -> Judged:
    return verify_worker(manifest, evidence, **given, cache=_CACHE)


def _verdicts(pieces: Sequence[bytes], **given: Any) -> list[Verdict]:
    return [_evidence(piece, **given)[0] for piece in pieces]


def _proxy(content: dict[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(content)


def _reduced(proxy: MappingProxyType[Any, Any]) -> tuple[Callable[..., Any], tuple[dict[Any, Any]]]:
    return _proxy, (dict(proxy),)


# Our values have read-only maps, which processes do not pass on by themselves.
ForkingPickler.register(MappingProxyType, _reduced)
