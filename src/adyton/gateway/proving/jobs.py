"""Jobs: delegated proofs that nobody has to wait for with an open connection.

What was accepted is stored before anybody is told, and is made even if this gateway ends: another
one, or its next life, takes over what it no longer holds. A worker that ends takes its keys along:
what it was working on fails, and says so.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from adyton.adapters.link import WorkerUnavailableError
from adyton.adapters.linked_errors import error_fields, linked_error, retry_after
from adyton.adapters.store.failure import StoreUnavailableError
from adyton.adapters.store.jobs import Job, JobFailure, JobLimits, JobState, JobTable
from adyton.errors import AdytonError, UnavailableError
from adyton.gateway.logs import place_of
from adyton.gateway.problems import INTERNAL, NotFoundError, TooManyRequestsError
from adyton.gateway.proving.books import Books
from adyton.gateway.proving.line import Line, Turn
from adyton.gateway.worker import Answer, Worker
from adyton.model.ports import Clock
from adyton.model.proving import ProvingHeader

__all__ = [
    "JobCancelledError",
    "JobLostError",
    "JobUnfinishedError",
    "JobUnknownError",
    "Jobs",
    "JobsFullError",
    "Progress",
    "TooManyJobsError",
]

# How long after a gateway's death another one, or its next life, takes its jobs over.
_HOLD_SECONDS: Final = 6.0
_RENEW_SECONDS: Final = 1.5
_WORKER_PATIENCE: Final = timedelta(seconds=30)
# The worker's own words for "not now": what was accepted is asked again.
_LATER: Final = frozenset({"overloaded", "worker-busy"})
_PAUSE: Final = timedelta(seconds=1)
# What was made is written down, also where a gateway ends: below what its server waits for.
_SETTLE_SECONDS: Final = 5.0
_ID: Final = re.compile(r"[0-9a-f]{32}")
_INTERNAL: Final = {
    "family": "unavailable",
    "code": INTERNAL,
    "message": "the gateway failed; its log names the kind of error",
}

_log = logging.getLogger(__name__)


class JobUnknownError(NotFoundError):
    """There is no such job, or not for this key: nobody learns which."""

    code = "job-unknown"

    def __init__(self) -> None:
        super().__init__("this key has no such job; its result may have been forgotten")


class TooManyJobsError(TooManyRequestsError):
    """The key has as many jobs as it may have that have not ended."""

    code = "too-many-jobs"

    def __init__(self, *, limit: int) -> None:
        pause = timedelta(seconds=10)
        super().__init__(limit=f"{limit} jobs that have not ended", retry_after=pause)


class JobsFullError(UnavailableError):
    """Requests and receipts of all jobs take as much of the disk as they may."""

    code = "jobs-full"
    retry_after: Final = timedelta(seconds=60)

    def __init__(self) -> None:
        super().__init__("the gateway keeps as many jobs as it has room for")


class JobUnfinishedError(UnavailableError):
    """The job has no receipt yet."""

    code = "job-unfinished"
    retry_after: Final = timedelta(seconds=1)

    def __init__(self) -> None:
        super().__init__("the job has not ended yet")


class JobCancelledError(UnavailableError):
    """The job was cancelled by whoever made it: it has no receipt, and never will."""

    code = "job-cancelled"

    def __init__(self) -> None:
        super().__init__("the job was cancelled")


class JobLostError(UnavailableError):
    """The worker ended while it worked on the job; the next one has other keys."""

    code = "job-lost"

    def __init__(self) -> None:
        super().__init__("the worker ended during this job; seal the request for the new worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job of this gateway is: its place in the line, then what the worker does."""

    place: int | None
    phase: str | None


class _Work:
    """One job that this gateway holds."""

    def __init__(self, job: Job, turn: Turn) -> None:
        self.job, self.turn = job, turn
        self.phase: str | None = None
        self.is_settling = False
        self.task: asyncio.Task[None] | None = None


class Jobs:
    """Accepts jobs, has them made one after the other, and keeps their ends for a while."""

    def __init__(
        self,
        *,
        store: JobTable,
        line: Line,
        worker: Worker,
        books: Books,
        clock: Clock,
        limits: JobLimits,
        deadline: timedelta,
        kept: timedelta,
    ) -> None:
        self._store, self._line, self._worker = store, line, worker
        self._books, self._clock, self._limits = books, clock, limits
        self._deadline, self._kept = deadline, kept
        self._holder = secrets.token_hex(16)
        self._work: dict[str, _Work] = {}
        self._held_until = clock()
        self._changed = asyncio.Event()

    async def accept(
        self, key_id: str, header: ProvingHeader, sealed: bytes, challenge: bytes
    ) -> Job:
        """Return the job for a sealed request, which is on the disk now.

        Raises ``TooManyJobsError`` or ``JobsFullError``.
        """
        now = self._clock()
        job = Job(
            id=secrets.token_hex(16),
            key_id=key_id,
            scheme=header.scheme.value,
            target=header.target.value,
            created=now,
            challenge=challenge,
        )
        until = now + timedelta(seconds=_HOLD_SECONDS)
        stored = await self._store.add(
            job, sealed, holder=self._holder, until=until, limits=self._limits
        )
        if not stored:
            if await self._store.unfinished(key_id) >= self._limits.key_jobs:
                raise TooManyJobsError(limit=self._limits.key_jobs)
            raise JobsFullError
        self._begin(job)
        return job

    async def find(self, job_id: str, *, key_id: str) -> Job:
        """Return a job of this key, or raise ``JobUnknownError``."""
        # What cannot be one does not get near a database, which may choke on it.
        job = await self._store.find(job_id) if _ID.fullmatch(job_id) else None
        if job is None or job.key_id != key_id:
            raise JobUnknownError
        return job

    def progress(self, job: Job) -> Progress:
        """Return how far a job is, as far as this gateway knows: another one may hold it."""
        work = self._work.get(job.id)
        if work is None or job.state.is_end:
            return Progress(place=None, phase=None)
        return Progress(place=work.turn.place or None, phase=work.phase)

    async def receipt(self, job: Job) -> bytes:
        """Return a job's receipt; raises its failure, or why there is none yet."""
        match job.state:
            case JobState.DONE:
                if (answer := await self._store.answer(job.id)) is None:
                    raise JobUnknownError
                return answer
            case JobState.FAILED if job.failure is not None:
                failure = job.failure
                raise linked_error(
                    {"family": failure.family, "code": failure.code, "message": failure.message}
                )
            case JobState.CANCELLED:
                raise JobCancelledError
            case _:
                raise JobUnfinishedError

    async def cancel(self, job: Job) -> None:
        """End a job if it has not ended, its prover too; else forget it."""
        if job.state.is_end:
            await self._store.delete(job.id)
            return
        if await self._store.finish(job.id, state=JobState.CANCELLED, now=self._clock()):
            self._drop(job.id)
            try:
                await self._note(job, JobCancelledError())
            except AdytonError as error:
                # It is cancelled all the same.
                _log.error("audit-lost", extra={"code": error.code, "job": job.id})

    async def changed(self, *, within: float) -> None:
        """Return when any job has got further, or after ``within`` seconds."""
        changed = self._changed
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await changed.wait()

    async def keep(self) -> None:
        """Hold what is ours, take over what is nobody's, forget what is old: for ever.

        At the end of this, what has not ended is left to the next gateway.
        """
        try:
            while True:
                await self._keep_or_let_go()
                await asyncio.sleep(_RENEW_SECONDS)
        finally:
            await self._leave()

    async def _keep_or_let_go(self) -> None:
        try:
            await self._keep_once()
        except AdytonError as error:
            _log.warning("jobs-not-kept", extra={"code": error.code})
            if self._clock() >= self._held_until:
                # Somebody else may have them by now: two must not work on one.
                self._drop(*self._work)

    async def _leave(self) -> None:
        self._drop(*self._work)
        tasks = [work.task for work in self._work.values() if work.task is not None]
        if tasks:
            # The worker has answered them, and answers nobody again.
            await asyncio.wait(tasks, timeout=_SETTLE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(AdytonError):
            await self._store.release(holder=self._holder, now=self._clock())

    async def _keep_once(self) -> None:
        now = self._clock()
        until = now + timedelta(seconds=_HOLD_SECONDS)
        known = set(self._work)
        held = await self._store.hold(holder=self._holder, until=until)
        self._held_until = until
        # Cancelled through another gateway, or taken over.
        self._drop(*(known - held))
        for job_id in held - set(self._work):
            # Let go while the store was away, and nobody took it meanwhile.
            job = await self._store.find(job_id)
            if job is not None and not job.state.is_end:
                self._begin(job)
        for job in await self._store.adopt(holder=self._holder, now=now, until=until):
            self._begin(job)
        await self._store.purge(now - self._kept)

    def _begin(self, job: Job) -> None:
        if job.id in self._work:
            return
        # It was accepted: the line's bounds are for those who are not yet.
        work = _Work(job, self._line.join(job.key_id, bounded=False))
        self._work[job.id] = work
        work.task = asyncio.create_task(self._run(work), name=f"job {job.id}")
        # A callback, because a task that is cancelled before its first step runs no ``finally``.
        work.task.add_done_callback(lambda _task: self._forget(work))

    def _drop(self, *job_ids: str) -> None:
        for job_id in job_ids:
            work = self._work.get(job_id)
            if work is not None and work.task is not None and not work.is_settling:
                work.task.cancel()

    def _forget(self, work: _Work) -> None:
        work.turn.end()
        del self._work[work.job.id]
        self._tell(work, None)

    async def _run(self, work: _Work) -> None:
        async with work.turn:
            self._tell(work, None)
            outcome = await self._outcome(work)
        if outcome is not None:
            await self._settle(work, outcome)

    async def _outcome(self, work: _Work) -> Answer | AdytonError | None:
        """Return how the job ended; ``None`` where it is not this gateway's any more."""
        while True:
            try:
                return await self._prove(work)
            except StoreUnavailableError:
                # Nothing was begun: the worker is asked after the store.
                pause = _PAUSE
            except AdytonError as error:
                if error.code not in _LATER:
                    return error
                pause = retry_after(error) or _PAUSE
            except Exception as error:  # noqa: BLE001  # what nobody foresaw is not tried for ever
                _log.error(
                    "job-failed",
                    extra={"error_type": type(error).__name__, "place": place_of(error)},
                )
                return linked_error(_INTERNAL)
            await asyncio.sleep(pause.total_seconds())

    async def _settle(self, work: _Work, outcome: Answer | AdytonError) -> None:
        """Store how the job ended, however long the store is away: a worker answers but once."""
        work.is_settling = True
        # In the audit first: a receipt that can be fetched is one that the audit knows.
        while not await self._is_stored(self._note(work.job, outcome)):
            continue
        while not await self._is_stored(self._finish(work.job, outcome)):
            continue

    async def _note(self, job: Job, outcome: Answer | AdytonError) -> None:
        # Not the job's identifier: a gateway may have died between its entry and the job's end, and
        # an entry that is there already would take down all that are written with it.
        entry_id = secrets.token_hex(16)
        code = outcome.code if isinstance(outcome, AdytonError) else ""
        await self._books.note(entry_id, job.key_id, outcome)
        _log.info("job-ended", extra={"job": job.id, "audit": entry_id, "code": code})

    async def _is_stored(self, storing: Coroutine[Any, Any, None]) -> bool:
        try:
            await storing
        except AdytonError as error:
            _log.warning("job-not-settled", extra={"code": error.code})
            await asyncio.sleep(_PAUSE.total_seconds())
            return False
        return True

    async def _finish(self, job: Job, outcome: Answer | AdytonError) -> None:
        now = self._clock()
        if isinstance(outcome, Answer):
            done, answer = JobState.DONE, outcome.receipt
            await self._store.finish(job.id, state=done, now=now, answer=answer)
            return
        fields = error_fields(outcome)
        # Whatever a worker's words may hold, no database refuses them: it would be asked for ever.
        message = "".join(one if one.isprintable() else "?" for one in fields["message"])
        failure = JobFailure(family=fields["family"], code=fields["code"], message=message)
        # A receipt is one whoever has it. That there is none, only the holder can say.
        await self._store.finish(
            job.id, state=JobState.FAILED, now=now, failure=failure, holder=self._holder
        )

    async def _prove(self, work: _Work) -> Answer | None:
        job = work.job
        await self._wait_for_worker()
        sealed = await self._store.sealed(job.id)
        mine = await self._store.start(job.id, holder=self._holder, now=self._clock())
        if sealed is None or not mine:
            return None
        try:
            return await self._worker.prove(
                sealed,
                challenge=job.challenge,
                within=self._deadline,
                on_phase=lambda phase: self._tell(work, phase),
            )
        except WorkerUnavailableError as error:
            raise JobLostError from error

    async def _wait_for_worker(self) -> None:
        while not self._worker.is_up:
            with suppress(WorkerUnavailableError):
                await self._worker.wait_until_up(within=_WORKER_PATIENCE)

    def _tell(self, work: _Work, phase: str | None) -> None:
        work.phase = phase
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
