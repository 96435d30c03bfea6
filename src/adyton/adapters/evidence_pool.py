"""Verifying evidence in processes of their own: beside a loop, and on all cores.

Each process remembers what it verified; what it answers is what ``verification`` answers. Bytes
that could end a process, or keep it for ever, cost one of these, and the answer is then that there
is none. A pool has no processes before it is asked something, and none after nobody asked for a
while.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.reduction import ForkingPickler
from types import MappingProxyType
from typing import Any, Final, Self, TypeVar

from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.errors import UnavailableError
from adyton.evidence.collateral import Collateral
from adyton.model.manifest import Manifest
from adyton.model.verdict import Verdict
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.machine import Device, MachineVerdict, verify_machine
from adyton.verification.pipeline import Judged, verify_evidence, verify_worker

__all__ = ["EvidencePool", "EvidenceProcessLostError", "EvidenceTimeoutError"]

_Answer = TypeVar("_Answer")

_DEADLINE: Final = timedelta(seconds=20)
# A process that nobody asks anything has some 60 MB for nothing, and starts within a second.
_IDLE: Final = timedelta(minutes=1)
# How much of a long list a process takes at a time: enough that passing it on costs little.
_SHARE: Final = 32
# How long after the deadline a process that is still at it is ended.
_GRACE_SECONDS: Final = 1.0
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
    """Processes that verify evidence, started when they are needed. ``close`` it.

    After ``idle`` without a question from a loop, they are ended; the next one starts them again.
    """

    def __init__(
        self,
        *,
        processes: int | None = None,
        deadline: timedelta = _DEADLINE,
        idle: timedelta = _IDLE,
    ) -> None:
        self._size = processes or os.cpu_count() or 1
        self._deadline, self._idle = deadline.total_seconds(), idle.total_seconds()
        self._limit = self._deadline + _GRACE_SECONDS
        self._places = asyncio.Semaphore(self._size * _WAITING)
        self._lock = threading.Lock()
        self._executor: ProcessPoolExecutor | None = None
        self._users = 0
        self._retirement: asyncio.TimerHandle | None = None

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

    async def machine(
        self,
        processor: bytes,
        *,
        devices: Sequence[Device],
        collateral: Collateral,
        policy: Policy,
        expected: Expected,
        at: datetime,
    ) -> MachineVerdict:
        """Return the verdict on a processor's evidence and on that of devices bound to it."""
        return await self._soon(
            partial(
                _machine,
                processor,
                devices=devices,
                collateral=collateral,
                policy=policy,
                expected=expected,
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
        with self._started() as executor:
            futures = [
                executor.submit(_within, self._limit, partial(judge, share)) for share in shares
            ]
            return [verdict for future in futures for verdict in future.result(self._deadline)]

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

    async def _soon(self, judge: Callable[[], _Answer]) -> _Answer:
        try:
            async with asyncio.timeout(self._deadline), self._places:
                with self._started() as executor:
                    return await asyncio.wrap_future(executor.submit(_within, self._limit, judge))
        except TimeoutError as error:
            raise EvidenceTimeoutError from error
        finally:
            self._retire_later()

    @contextmanager
    def _started(self) -> Iterator[ProcessPoolExecutor]:
        """Yield the processes, which are not ended for idleness before this block is left."""
        with self._lock:
            if self._executor is None:
                # Not forked: a fork of a process with threads may find a lock that nobody opens.
                self._executor = ProcessPoolExecutor(
                    self._size, mp_context=get_context("spawn"), initializer=_begin
                )
            executor = self._executor
            self._users += 1
        try:
            yield executor
        except TimeoutError as error:
            raise EvidenceTimeoutError from error
        except BrokenProcessPool as error:
            # One that lost a process is of no use; whoever asks next starts another.
            self._give_up(executor)
            raise EvidenceProcessLostError from error
        finally:
            with self._lock:
                self._users -= 1

    def _retire_later(self) -> None:
        if self._retirement is not None:
            self._retirement.cancel()
        loop = asyncio.get_running_loop()
        self._retirement = loop.call_later(self._idle, self._retire)

    def _retire(self) -> None:
        with self._lock:
            idle = None if self._users else self._executor
            self._executor = self._executor if self._users else None
        if idle is not None:
            idle.shutdown(wait=False)

    def _give_up(self, executor: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._executor is executor:
                self._executor = None
        executor.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    """Make this process one of a pool: it ends with the one that started it, and only then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
    os._exit(1)


def _within(seconds: float, judge: Callable[[], _Answer]) -> _Answer:
    """Return what ``judge`` does within ``seconds``; else end this process."""
    # Whoever asked has gone by then: without it, bytes that keep a process would keep it for ever.
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return judge()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _evidence(evidence: bytes, **given: Any) -> Judged:
    return verify_evidence(evidence, **given, cache=_CACHE)


def _worker(manifest: Manifest, evidence: bytes, **given: Any) -> Judged:
    return verify_worker(manifest, evidence, **given, cache=_CACHE)


def _machine(processor: bytes, **given: Any) -> MachineVerdict:
    return verify_machine(processor, **given, cache=_CACHE)


def _verdicts(pieces: Sequence[bytes], **given: Any) -> list[Verdict]:
    return [_evidence(piece, **given)[0] for piece in pieces]


def _proxy(content: dict[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(content)


def _reduced(proxy: MappingProxyType[Any, Any]) -> tuple[Callable[..., Any], tuple[dict[Any, Any]]]:
    return _proxy, (dict(proxy),)


# Our values have read-only maps, which processes do not pass on by themselves.
ForkingPickler.register(MappingProxyType, _reduced)
