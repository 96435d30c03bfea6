"""Verifying in processes of their own: beside a loop, on all cores, and apart from what is here.

What verifies is in those processes alone (``evidence_process``): the one that asks passes on what
it was sent. Bytes that could end a process, or keep it for ever, cost one of them and the one
answer; there is none then. A pool has no processes before it is asked something, and none after
nobody asked for a while.

Not established: that bytes which take a process over stay in it. It runs as we do, and what it
answers is read as our own.
"""

import asyncio
import copyreg
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Self, cast

from adyton.adapters.frames import (
    HEADER_SIZE,
    Fields,
    FrameMalformedError,
    frame_size,
    pack_frame,
    unpack_frame,
)
from adyton.adapters.linked_errors import linked_error
from adyton.appraisal.ear import Ear
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.codec.json import JsonObject
from adyton.errors import UnavailableError
from adyton.evidence.collateral import Collateral
from adyton.model.claims import Judged
from adyton.model.manifest import Manifest

__all__ = [
    "EVIDENCE",
    "MAX_JOB_BYTES",
    "RECEIPT",
    "REQUEST",
    "WORKER",
    "EvidencePool",
    "EvidenceProcessLostError",
    "EvidenceTimeoutError",
]

# What a job is, in its ``name``.
EVIDENCE: Final = "evidence"
WORKER: Final = "worker"
REQUEST: Final = "request"
RECEIPT: Final = "receipt"
# Far more than any body that is taken, and than any verdict.
MAX_JOB_BYTES: Final = 32 * 1024 * 1024

_COMMAND: Final = (sys.executable, "-m", "adyton.adapters.evidence_process")
# What reads strangers' bytes is told where programs and caches are, and no database, no key.
_ENVIRON: Final = frozenset(
    {
        *("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "XDG_CACHE_HOME"),
        *("ADYTON_BB", "ADYTON_ACVM", "ADYTON_CACHE"),
    }
)
_DEADLINE: Final = timedelta(seconds=20)
# A process that nobody asks anything has some 50 MB for nothing, and starts within a second.
_IDLE: Final = timedelta(minutes=1)
# How long after the deadline a process ends itself whose pool has gone.
_GRACE_SECONDS: Final = 1.0


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


class _Process(asyncio.Protocol):
    """One process, with all that it starts, and our end of its socket.

    ``freed`` is called when it has done what it was asked, or has ended.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], freed: Callable[["_Process"], None]
    ) -> None:
        self._process, self._freed = process, freed
        self._read = bytearray()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Fields] | None = None
        self._overdue: asyncio.TimerHandle
        self.has_ended = False

    @classmethod
    async def start(cls, freed: Callable[["_Process"], None]) -> Self:
        """Return a new one, which loads meanwhile."""
        process, ours = _started()
        made = cls(process, freed)
        try:
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: made, sock=ours)
        except BaseException:
            # Whoever asked may leave just now.
            made.end()
            if made._transport is None:
                ours.close()
            raise
        return made

    def ask(self, frame: bytes, *, seconds: float) -> "asyncio.Future[Fields]":
        """Return its answer, when it comes; it is ended if that takes longer than ``seconds``.

        Whoever gives up waiting does not end it: starting a process costs far more than what it is
        at, and callers can leave as often as they like.
        """
        if self._transport is None:
            raise RuntimeError("the process has not been connected to")
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        self._overdue = loop.call_later(seconds, self.end)
        self._transport.write(frame)
        return self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to it."""
        self._transport = cast("asyncio.Transport", transport)  # of a socket, it is one

    def data_received(self, data: bytes) -> None:
        """Take a part of its answer."""
        self._read += data
        if len(self._read) < HEADER_SIZE:
            return
        try:
            size = frame_size(bytes(self._read[:HEADER_SIZE]), limit_bytes=MAX_JOB_BYTES)
            if len(self._read) < HEADER_SIZE + size:
                return
            fields = unpack_frame(bytes(self._read[HEADER_SIZE:]))
        except FrameMalformedError:
            self.end()
            return
        self._read.clear()
        self._finish(fields)

    def connection_lost(self, _exception: Exception | None) -> None:
        """Say that there is no answer."""
        self.end()
        self._finish(None)

    def end(self) -> None:
        """End it now, whatever it is at."""
        if self.has_ended:
            return
        self.has_ended = True
        # Its number, and its group's, are nobody else's until it is waited for.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._transport is not None:
            self._transport.abort()

    def _finish(self, fields: Fields | None) -> None:
        answer, self._answer = self._answer, None
        if answer is None:
            return
        self._overdue.cancel()
        self._freed(self)
        if answer.cancelled():
            return
        if fields is None:
            answer.set_exception(EvidenceProcessLostError())
        else:
            answer.set_result(fields)


def _started() -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        # Started by exec, in a group of its own: nothing of this process's memory is in it, and one
        # signal ends it together with the prover that it may have started.
        process = subprocess.Popen(  # noqa: S603  # our own module, no shell
            (*_COMMAND, str(theirs.fileno())),
            pass_fds=(theirs.fileno(),),
            env={name: value for name, value in os.environ.items() if name in _ENVIRON},
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
    return process, ours


class EvidencePool:
    """Processes that verify, started when they are needed, for one loop. ``close`` it.

    After ``idle`` without a question they are ended; the next one starts them again.
    """

    def __init__(
        self,
        *,
        processes: int | None = None,
        deadline: timedelta = _DEADLINE,
        idle: timedelta = _IDLE,
    ) -> None:
        self._turns = asyncio.Semaphore(processes or os.cpu_count() or 1)
        self._deadline, self._idle = deadline.total_seconds(), idle.total_seconds()
        self._spare: list[_Process] = []
        self._busy: set[_Process] = set()
        self._used = 0.0
        self._retirement: asyncio.TimerHandle | None = None

    async def request(self, body: bytes, *, now: datetime) -> tuple[bytes, Ear | None]:
        """Return the verdict that ``body`` asks for, which came at ``now``, as a JSON text.

        With it comes the attestation result, for whoever has a key to sign it, where one is wanted.
        Raises ``MalformedError`` where it is no request, and ``UnavailableError`` where there is no
        verdict.
        """
        answer: tuple[bytes, Ear | None] = await self._answer(REQUEST, body, now=now)
        return answer

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
        judged: Judged = await self._answer(
            EVIDENCE, evidence, collateral=collateral, policy=policy, expected=expected, at=at
        )
        return judged

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
        judged: Judged = await self._answer(
            WORKER,
            manifest,
            evidence,
            challenge=challenge,
            collateral=collateral,
            policy=policy,
            at=at,
        )
        return judged

    async def verify(self, receipt: JsonObject, policy: JsonObject, *, at: datetime) -> JsonObject:
        """Return the verdict on a receipt, as ``adyton verify`` gives it.

        Raises ``MalformedError`` where there is nothing to judge, and ``UnavailableError`` where a
        proof could not be checked.
        """
        verdict: JsonObject = await self._answer(RECEIPT, receipt, policy, at=at)
        return verdict

    def close(self) -> None:
        """End the processes; what they are at has no answer."""
        if self._retirement is not None:
            self._retirement.cancel()
        for process in (*self._spare, *self._busy):
            process.end()
        self._spare.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    async def _answer(self, name: str, *given: Any, **named: Any) -> Any:
        job = {
            "name": name,
            "seconds": self._deadline + _GRACE_SECONDS,
            "given": pickle.dumps((given, named)),
        }
        frame = pack_frame(job, limit_bytes=MAX_JOB_BYTES)
        try:
            async with asyncio.timeout(self._deadline):
                process = await self._process()
                fields = await process.ask(frame, seconds=self._deadline)
        except TimeoutError as error:
            raise EvidenceTimeoutError from error
        if "error" in fields:
            raise linked_error(fields["error"])
        if "unforeseen" in fields:
            raise RuntimeError(f"verifying ended with {fields['unforeseen']}")
        return pickle.loads(fields["answer"])  # noqa: S301  # our own, from our process

    async def _process(self) -> _Process:
        """Return a process that is nobody else's until it is freed."""
        await self._turns.acquire()
        # The latest: what it remembers is the nearest.
        process = self._spare.pop() if self._spare else None
        if process is None or process.has_ended:
            try:
                process = await _Process.start(self._free)
            except BaseException as error:
                self._turns.release()
                if isinstance(error, OSError):
                    raise EvidenceProcessLostError from error
                raise
        self._busy.add(process)
        return process

    def _free(self, process: _Process) -> None:
        self._busy.discard(process)
        if not process.has_ended:
            self._spare.append(process)
        self._turns.release()
        self._used = asyncio.get_running_loop().time()
        if self._retirement is None:
            self._retire_in(self._idle)

    def _retire_in(self, seconds: float) -> None:
        self._retirement = asyncio.get_running_loop().call_later(seconds, self._retire)

    def _retire(self) -> None:
        self._retirement = None
        rest = self._used + self._idle - asyncio.get_running_loop().time()
        if rest > 0:
            self._retire_in(rest)
            return
        while self._spare:
            self._spare.pop().end()


def _proxy(content: dict[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(content)


def _reduced(proxy: MappingProxyType[Any, Any]) -> tuple[Callable[..., Any], tuple[dict[Any, Any]]]:
    return _proxy, (dict(proxy),)


# Our values have read-only maps, which are not passed on by themselves.
copyreg.pickle(MappingProxyType, _reduced)
