"""Group commit: submissions that wait together share a step, and keep their own proofs.

While one step is made durable, in a thread, the next one is signed; nothing of a step is answered
before it is settled. When a step fails, all who wait are told why, and the process is to end.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Final, TypeAlias

from adyton.adapters.ledger.archive import Archive
from adyton.errors import AdytonError, RejectedError, UnavailableError
from adyton.flow.ports import Platform
from adyton.ledger.chain import Step
from adyton.ledger.errors import LedgerEndedError
from adyton.ledger.ledger import Ledger
from adyton.ledger.records import ENTRY_SIZE, Share, Submission

__all__ = ["Committer", "KeyReusedError", "NotaryBusyError"]

# A step this large is signed in some ten milliseconds; what comes meanwhile is in the next one.
_STEP_DIGESTS: Final = 512
_WAITING_DIGESTS: Final = 65_536
_MOST_KEYS: Final = 65_536

_log = logging.getLogger(__name__)


class NotaryBusyError(UnavailableError):
    """As many digests wait as the notary takes."""

    code = "notary-busy"
    retry_after: Final = timedelta(seconds=1)

    def __init__(self) -> None:
        super().__init__("too many digests wait to be committed")


class KeyReusedError(RejectedError):
    """An idempotency key came again with something else."""

    code = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__("the idempotency key was used for other digests or metadata")


_Answer: TypeAlias = asyncio.Future[Share]
_Group: TypeAlias = list[tuple[Submission, _Answer]]


class Committer:
    """Takes submissions until ``close``, or until the ledger ends: then ``ended`` is set."""

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        platform: Platform,
        *,
        waiting: int = _WAITING_DIGESTS,
    ) -> None:
        self._limit = waiting
        self._ledger, self._archive, self._platform = ledger, archive, platform
        self._waiting: deque[tuple[Submission, _Answer]] = deque()
        self._fresh: deque[tuple[Submission, _Answer]] = deque()
        self._is_fresh_next = False
        self._waiting_digests = 0
        # What the archive does not know yet, by idempotency key.
        self._keyed: dict[bytes, tuple[Submission, _Answer]] = {}
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="settle")
        self._is_closing = False
        self.ended = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="commit")
        # However it ends: who waits for it would wait for ever.
        self._task.add_done_callback(lambda _: self.ended.set())

    @property
    def waiting(self) -> int:
        """How many digests wait to be signed."""
        return self._waiting_digests

    @property
    def failure(self) -> LedgerEndedError | None:
        """Why the ledger ended, if it did."""
        return self._ledger.ended

    def submit(self, submission: Submission) -> _Answer:
        """Return the share of ``submission`` to come; a repetition gets the one it had.

        Raises ``KeyReusedError``, ``NotaryBusyError`` or ``LedgerEndedError``.
        """
        if (end := self._ledger.ended) is not None:
            raise end
        if submission.key and (known := self._repeated(submission)) is not None:
            return known
        if self._is_closing or self._waiting_digests >= self._limit:
            raise NotaryBusyError
        answer: _Answer = asyncio.get_running_loop().create_future()
        if submission.key:
            if len(self._keyed) >= _MOST_KEYS:
                raise NotaryBusyError
            self._keyed[submission.key] = (submission, answer)
        (self._fresh if submission.fresh else self._waiting).append((submission, answer))
        self._waiting_digests += len(submission.digests)
        self._wake.set()
        return answer

    def forget(self, counter: int) -> None:
        """Drop the keys of what the archive has: everything up to ``counter``."""
        done = [
            key
            for key, (_, answer) in self._keyed.items()
            if _is_answered(answer) and answer.result().batch.head.counter <= counter
        ]
        for key in done:
            del self._keyed[key]

    async def close(self) -> None:
        """Settle what waits, then stop."""
        self._is_closing = True
        self._wake.set()
        await self._task
        self._thread.shutdown()

    def _repeated(self, submission: Submission) -> _Answer | None:
        if (known := self._keyed.get(submission.key)) is not None:
            if known[0] != submission:
                raise KeyReusedError
            return known[1]
        found = self._archive.submitted(submission.key)
        if found is None:
            return None
        part = found.batch.parts[0]
        entries = found.batch.entries
        digests = tuple(entries[at : at + 32] for at in range(0, len(entries), ENTRY_SIZE))
        same = (digests, part.metadata, bool(part.reports))
        if same != (submission.digests, submission.metadata, submission.fresh):
            raise KeyReusedError
        answer: _Answer = asyncio.get_running_loop().create_future()
        answer.set_result(found)
        return answer

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        settling: asyncio.Future[None] | None = None
        while group := await self._next():
            try:
                step = await self._signed([submission for submission, _ in group])
            except AdytonError as error:
                # Nothing has happened: who repeats it is to be served, not told the same again.
                for submission, _ in group:
                    self._keyed.pop(submission.key, None)
                _fail(group, error)
                continue
            # One step at a time goes to the disk: the next has its turn when this one is there.
            await _ended(settling)
            settling = loop.run_in_executor(self._thread, self._ledger.settle, step)
            settling.add_done_callback(partial(self._answer, step, group))
            # What has just arrived joins those who wait, before the next step is signed.
            await asyncio.sleep(0)
        await _ended(settling)

    async def _next(self) -> _Group:
        """Return who is in the next step; nobody when it is all over."""
        while not (self._waiting or self._fresh):
            if self._is_closing:
                return []
            self._wake.clear()
            await self._wake.wait()
        # Fresh evidence takes its time, for each proof, and each proof names the one before it. So
        # who wants it is a step of his own, behind those who wait with him.
        if self._fresh and (self._is_fresh_next or not self._waiting):
            self._is_fresh_next = False
            return self._taken(self._fresh, 1)
        self._is_fresh_next = bool(self._fresh)
        return self._taken(self._waiting, _STEP_DIGESTS)

    def _taken(self, waiting: deque[tuple[Submission, _Answer]], room: int) -> _Group:
        group: _Group = []
        while waiting and (not group or len(waiting[0][0].digests) <= room):
            group.append(waiting.popleft())
            room -= len(group[-1][0].digests)
            self._waiting_digests -= len(group[-1][0].digests)
        return group

    async def _signed(self, submissions: Sequence[Submission]) -> Step:
        if not submissions[0].fresh:
            return self._ledger.step(submissions)
        loop = asyncio.get_running_loop()
        key = self._ledger.epoch.public_key

        def attest(body: bytes) -> bytes:
            made = self._platform.evidence(body, None, key)
            return asyncio.run_coroutine_threadsafe(made, loop).result()

        return await asyncio.to_thread(self._ledger.step, submissions, attest=attest)

    def _answer(self, step: Step, group: _Group, settled: asyncio.Future[None]) -> None:
        if (error := settled.exception()) is not None:
            end = self._ledger.end(error)
            _log.error("ledger-ended", extra={"reason": end.reason})
            _fail([*group, *self._waiting, *self._fresh], end)
            self._waiting.clear()
            self._fresh.clear()
            self.ended.set()
            return
        epoch = self._ledger.epoch
        for part, (_, answer) in zip(step.batch.parts, group, strict=True):
            # Who waited may be gone; the log has it.
            if not answer.done():
                answer.set_result(Share(epoch=epoch, batch=step.batch.share(part)))


async def _ended(settling: asyncio.Future[None] | None) -> None:
    if settling is not None:
        # Whoever waited for it has been told; what comes next is told as well.
        await asyncio.wait((settling,))


def _is_answered(answer: _Answer) -> bool:
    return answer.done() and not answer.cancelled() and answer.exception() is None


def _fail(group: Sequence[tuple[Submission, _Answer]], error: AdytonError) -> None:
    for _, answer in group:
        if not answer.done():
            answer.set_exception(error)
            # Who waited may be gone; the log has it.
            answer.exception()
