"""The notary as the gateway sees it: submissions in groups, and readings of the log.

Submissions that arrive together cross the link in one call, but for those that want evidence of
their own: nobody waits for another's. The notary answers with entries; the proofs are put together
here, from them and from what their epoch has in common: the bytes are the ones that the notary
signed and hashed, or no signature and no hash fits.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeAlias

from adyton.adapters.frames import Fields
from adyton.adapters.ledger.archive import ProofUnknownError
from adyton.adapters.link import WorkerTimeoutError, WorkerUnavailableError
from adyton.adapters.linked_errors import LinkedRejectedError, linked_error
from adyton.errors import AdytonError, MalformedError, UnavailableError
from adyton.gateway.ports import Caller
from adyton.ledger.records import ENTRY_SIZE, MAX_DIGESTS, Batch, Epoch, Share, Submission
from adyton.ledger.tree import HASH_SIZE

__all__ = [
    "LogPath",
    "Notary",
    "NotaryAnswerError",
    "NotaryHealth",
    "NotaryTimeoutError",
    "NotaryUnavailableError",
]

_Answer: TypeAlias = asyncio.Future[Iterable[bytes]]
_Group: TypeAlias = Sequence[tuple[Submission, _Answer]]

_WITHIN: Final = timedelta(seconds=30)
_SHORT: Final = timedelta(seconds=5)
_CALLS: Final = 2
_MOST_TOGETHER: Final = 512
# What the longest submission is answered with; far less than a frame of the link holds.
_ANSWER_BYTES: Final = MAX_DIGESTS * ENTRY_SIZE
_MOST_AT_ONCE: Final = 16
_EPOCHS: Final = 64
_MOST_PATH: Final = 64


class NotaryUnavailableError(UnavailableError):
    """The notary cannot be reached, or ended before it answered."""

    code = "notary-unavailable"
    retry_after: Final = timedelta(seconds=1)

    def __init__(self) -> None:
        super().__init__(
            "the notary cannot be reached; whether something was committed is not known: ask again"
            " with the same Idempotency-Key"
        )


class NotaryTimeoutError(UnavailableError):
    """The notary did not answer in time; it may still commit."""

    code = "notary-timeout"
    retry_after: Final = timedelta(seconds=2)

    def __init__(self) -> None:
        super().__init__(
            "the notary did not answer in time, and may still commit: ask again with the same"
            " Idempotency-Key"
        )


class NotaryAnswerError(UnavailableError):
    """The notary answered something that this gateway cannot read: their versions may differ."""

    code = "notary-answer-unreadable"

    def __init__(self) -> None:
        super().__init__("the notary's answer has another form than this gateway reads")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPath:
    """Hashes from the log's tree, and the checkpoint or the size that they lead to."""

    path: tuple[bytes, ...]
    note: bytes = b""
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotaryHealth:
    """How the notary says it is."""

    counter: int
    checkpoint: int
    waiting: int
    anchor: str


@dataclass(slots=True, kw_only=True)
class _Lane:
    """Submissions of one kind on their way: ``together`` in one call, and a few calls at a time."""

    together: int
    waiting: deque[tuple[Submission, _Answer]] = field(default_factory=deque)
    calls: int = 0
    is_scheduled: bool = False

    def take(self) -> _Group:
        """Return who goes with the next call."""
        group: list[tuple[Submission, _Answer]] = []
        room = _ANSWER_BYTES
        while self.waiting and len(group) < self.together:
            submission, _ = self.waiting[0]
            # Metadata come back, once for each submission.
            room -= len(submission.digests) * ENTRY_SIZE + len(submission.metadata)
            if group and room < 0:
                break
            group.append(self.waiting.popleft())
        return group


class Notary:
    """The notary behind ``caller``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._plain, self._fresh = _Lane(together=_MOST_TOGETHER), _Lane(together=1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._epochs: dict[int, Epoch] = {}
        self._connection = caller.epoch

    @property
    def is_up(self) -> bool:
        """Whether there is a connection to the notary."""
        return self._caller.is_up

    async def commit(self, submission: Submission) -> Iterable[bytes]:
        """Return the proofs of ``submission``, whole and canonical, or raise the notary's error.

        Where they are many, each is put together when it is asked for: they can be asked for once.
        Who is cancelled takes nothing back.
        """
        answer: _Answer = asyncio.get_running_loop().create_future()
        lane = self._fresh if submission.fresh else self._plain
        lane.waiting.append((submission, answer))
        self._schedule(lane)
        return await answer

    async def epoch(self) -> Epoch:
        """Return the epoch that signs now."""
        return _epoch((await self._call("epoch", counter=0)).get("epoch"))

    async def first_epoch(self) -> Epoch:
        """Return the epoch that the log began with: no two logs have the same."""
        return await self._known_epoch(1)

    async def epochs(self, *, after: int) -> list[Epoch]:
        """Return the epochs that begin behind counter ``after``, some at a time."""
        found = (await self._call("epochs", after=after)).get("epochs")
        if not isinstance(found, list):
            raise NotaryAnswerError
        return [_epoch(item) for item in found]

    async def checkpoint(self) -> bytes:
        """Return the newest checkpoint, a signed note."""
        return _bytes(await self._call("checkpoint"), "note")

    async def proof(self, counter: int) -> bytes:
        """Return the proof with this number."""
        return _bytes(await self._call("proof", counter=counter), "proof")

    async def proofs(self, digest: bytes) -> list[bytes]:
        """Return the proofs of ``digest``, the oldest first."""
        found = (await self._call("proofs", digest=digest)).get("proofs")
        if not isinstance(found, list) or not all(isinstance(item, bytes) for item in found):
            raise NotaryAnswerError
        return found

    async def proofs_from(self, first: int, *, last: int) -> list[bytes]:
        """Return the proofs from number ``first`` on, some at a time, and none behind ``last``."""
        shares = (await self._call("range", first=first, last=last)).get("shares")
        if not isinstance(shares, list) or not shares:
            raise NotaryAnswerError
        return [proof for share in shares for proof in (await self._share(share)).proofs()]

    async def inclusion(self, counter: int, *, size: int = 0) -> LogPath:
        """Return the path from the proof with this number to the root of the first ``size``.

        With 0, to the newest checkpoint's, which covers it.
        """
        fields = await self._call("inclusion", counter=counter, size=size)
        return LogPath(path=_path(fields), note=_bytes(fields, "note"))

    async def consistency(self, *, old: int, new: int) -> LogPath:
        """Return the proof that the log of ``new`` (0: the newest checkpoint's) extends ``old``."""
        fields = await self._call("consistency", old=old, new=new)
        return LogPath(path=_path(fields), size=_integer(fields, "new"))

    async def health(self) -> NotaryHealth:
        """Return how the notary is."""
        fields = await self._call("health")
        anchor = fields.get("anchor")
        if not isinstance(anchor, str):
            raise NotaryAnswerError
        return NotaryHealth(
            counter=_integer(fields, "counter"),
            checkpoint=_integer(fields, "checkpoint"),
            waiting=_integer(fields, "waiting"),
            anchor=anchor,
        )

    def _schedule(self, lane: _Lane) -> None:
        if lane.waiting and lane.calls < _CALLS and not lane.is_scheduled:
            # It begins at the end of this turn of the loop: what arrives in it goes together.
            lane.is_scheduled = True
            task = asyncio.create_task(self._send(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, lane: _Lane) -> None:
        lane.is_scheduled = False
        group = lane.take()
        lane.calls += 1
        # A call that is full leaves the others to the next one.
        self._schedule(lane)
        try:
            await self._commit(group)
        except AdytonError as error:
            for _, answer in group:
                _fail(answer, error)
        finally:
            # Whatever went wrong: nobody waits for an answer that does not come.
            for _, answer in group:
                if not answer.done():
                    _fail(answer, NotaryUnavailableError())
            lane.calls -= 1
            self._schedule(lane)

    async def _commit(self, group: _Group) -> None:
        fields = await self._call(
            "commit",
            within=_WITHIN,
            submissions=[_submitted(submission) for submission, _ in group],
        )
        shares = fields.get("shares")
        if not isinstance(shares, list) or len(shares) != len(group):
            raise NotaryAnswerError
        for told, (submission, answer) in zip(shares, group, strict=True):
            try:
                share = await self._share(told)
            except AdytonError as error:
                _fail(answer, error)
                continue
            if share.batch.count != len(submission.digests):
                _fail(answer, NotaryAnswerError())
            elif not answer.done():
                few = share.batch.count <= _MOST_AT_ONCE
                answer.set_result(list(share.proofs()) if few else share.proofs())

    async def _share(self, told: Any) -> Share:
        if not isinstance(told, dict):
            raise NotaryAnswerError
        if isinstance(error := told.get("error"), dict):
            raise linked_error(error)
        epoch = await self._known_epoch(_integer(told, "first"))
        try:
            return Share(epoch=epoch, batch=Batch.from_bytes(_bytes(told, "batch")))
        except MalformedError as error:
            raise NotaryAnswerError from error

    async def _known_epoch(self, first: int) -> Epoch:
        # Another connection may be another notary, with another epoch that begins at this number.
        if self._connection != self._caller.epoch:
            self._connection = self._caller.epoch
            self._epochs.clear()
        if (epoch := self._epochs.get(first)) is None:
            epoch = _epoch((await self._call("epoch", counter=first)).get("epoch"))
            if epoch.first != first:
                raise NotaryAnswerError
            if len(self._epochs) >= _EPOCHS:
                self._epochs.clear()
            self._epochs[first] = epoch
        return epoch

    async def _call(self, name: str, *, within: timedelta = _SHORT, **fields: Any) -> Fields:
        try:
            return await self._caller.call(name, within=within, **fields)
        except WorkerUnavailableError as error:
            raise NotaryUnavailableError from error
        except WorkerTimeoutError as error:
            raise NotaryTimeoutError from error
        except LinkedRejectedError as error:
            if error.code == ProofUnknownError.code:
                raise ProofUnknownError from error
            raise


def _submitted(submission: Submission) -> dict[str, Any]:
    return {
        "digests": b"".join(submission.digests),
        "metadata": submission.metadata,
        "key": submission.key,
        "fresh": submission.fresh,
    }


def _fail(answer: _Answer, error: AdytonError) -> None:
    if not answer.done():
        answer.set_exception(error)
        # Who waited may be gone.
        answer.exception()


def _epoch(value: Any) -> Epoch:
    if not isinstance(value, bytes):
        raise NotaryAnswerError
    try:
        return Epoch.from_bytes(value)
    except MalformedError as error:
        raise NotaryAnswerError from error


def _bytes(fields: Mapping[str, Any], name: str) -> bytes:
    value = fields.get(name)
    if not isinstance(value, bytes):
        raise NotaryAnswerError
    return value


def _integer(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise NotaryAnswerError
    return value


def _path(fields: Mapping[str, Any]) -> tuple[bytes, ...]:
    path = fields.get("path")
    if not isinstance(path, list) or len(path) > _MOST_PATH:
        raise NotaryAnswerError
    if not all(isinstance(item, bytes) and len(item) == HASH_SIZE for item in path):
        raise NotaryAnswerError
    return tuple(path)
