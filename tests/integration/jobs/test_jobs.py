"""Jobs on real databases, in front of a fake prover: none is lost, none is made twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.gateway import FakeGateway, MemoryAudit
from tests.fakes.prover import FakeProver, sealed
from tests.fakes.worker import Direct, UnknownProviderError

from adyton.adapters.link import WorkerUnavailableError
from adyton.adapters.store import Scope, Store
from adyton.adapters.store.administration import new_key
from adyton.adapters.store.jobs import Job, JobLimits, JobState
from adyton.errors import UnavailableError
from adyton.gateway.proving.books import Books
from adyton.gateway.proving.jobs import (
    JobCancelledError,
    Jobs,
    JobsFullError,
    JobUnfinishedError,
    JobUnknownError,
    TooManyJobsError,
)
from adyton.gateway.proving.line import Line
from adyton.gateway.worker import Worker
from adyton.model.proving import SealedProving
from adyton.model.proving_receipt import ProvingReceipt

SOON = 10.0


class BusyError(UnavailableError):
    code = "overloaded"
    retry_after = timedelta(seconds=0.01)


class Instant:
    """The time, and how far a test has moved it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class House:
    """One gateway's jobs, in front of a prover that others may share."""

    def __init__(self, store: Store, prover: FakeProver, clock: Instant, **limits: int) -> None:
        self.store, self.prover, self.clock = store, prover, clock
        self.link, self.audit = Direct(prover), MemoryAudit()
        bounds = {"key_jobs": 100, "stored_bytes": 10_000_000, **limits}
        self.jobs = Jobs(
            store=store.jobs,
            line=Line(at_once=1, waiting=5, caller_waiting=5),
            worker=Worker(self.link, monotonic=lambda: 0.0),
            books=Books(audit=self.audit, metrics=FakeGateway().metrics, clock=clock),
            clock=clock,
            limits=JobLimits(**bounds),
            deadline=timedelta(seconds=60),
            kept=timedelta(hours=1),
        )
        self.keys: dict[str, str] = {}

    async def accept(self, nonce: str = "n", *, by: str = "a", size: int = 100) -> Job:
        if by not in self.keys:
            key = new_key(name=by, scopes=[Scope.PROVE], now=self.clock()).key
            await self.store.keys.add(key)
            self.keys[by] = key.id
        request = sealed(nonce, size=size)
        header = SealedProving.from_bytes(request).header
        return await self.jobs.accept(self.keys[by], header, request, b"\x05" * 8)

    async def ended(self, job: Job) -> Job:
        """Return the job once it has ended."""
        return await self.until(job, lambda found: found.state.is_end)

    async def until(self, job: Job, is_it: Callable[[Job], bool]) -> Job:
        async with asyncio.timeout(SOON):
            while True:
                found = await self.jobs.find(job.id, key_id=job.key_id)
                if is_it(found):
                    return found
                await self.jobs.changed(within=0.02)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        keeping = asyncio.create_task(self.jobs.keep())
        try:
            yield
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping


@pytest.fixture
def prover() -> FakeProver:
    return FakeProver()


@pytest.fixture
def clock() -> Instant:
    return Instant()


@pytest.fixture
async def house(store: Store, prover: FakeProver, clock: Instant) -> AsyncIterator[House]:
    made = House(store, prover, clock)
    async with made.kept():
        yield made


async def test_a_job_becomes_a_receipt_for_its_request(house: House) -> None:
    job = await house.accept("one")

    done = await house.ended(job)

    assert done.state is JobState.DONE
    receipt = ProvingReceipt.from_bytes(await house.jobs.receipt(done))
    assert receipt.statement.header.nonce == "one"
    assert receipt.challenge == b"\x05" * 8
    (entry,) = house.audit.entries
    assert (entry.endpoint, entry.status, entry.key_id) == ("prove", 200, job.key_id)
    assert entry.statement


async def test_a_job_says_its_place_and_then_its_phase(house: House, prover: FakeProver) -> None:
    prover.hold()
    first, second, third = [await house.accept(str(number)) for number in range(3)]

    await house.until(first, lambda job: job.state is JobState.RUNNING)
    await asyncio.sleep(0)

    assert house.jobs.progress(first).place is None
    # A phase that is none of ours is not passed on.
    assert house.jobs.progress(first).phase == "proving"
    assert [house.jobs.progress(job).place for job in (second, third)] == [1, 2]
    prover.release()
    await house.ended(third)
    assert prover.most == 1


async def test_one_caller_does_not_wait_for_all_of_another(
    house: House, prover: FakeProver
) -> None:
    prover.hold()
    many = [await house.accept(f"many {number}", by="a") for number in range(5)]
    one = await house.accept("one", by="b")

    prover.release()
    await asyncio.gather(*(house.ended(job) for job in [*many, one]))

    assert prover.nonces.index("one") <= 2


async def test_a_job_is_of_its_key_only(house: House) -> None:
    job = await house.accept()

    with pytest.raises(JobUnknownError):
        await house.jobs.find(job.id, key_id="f" * 16)
    with pytest.raises(JobUnknownError):
        await house.jobs.find("f" * 32, key_id=job.key_id)
    await house.ended(job)


async def test_a_job_that_is_cancelled_ends_its_prover(house: House, prover: FakeProver) -> None:
    prover.hold()
    running, waiting = await house.accept("running"), await house.accept("waiting")
    await house.until(running, lambda job: job.state is JobState.RUNNING)
    while not prover.working:  # noqa: ASYNC110  # steps of the loop
        await asyncio.sleep(0)

    for job in (waiting, running):
        await house.jobs.cancel(await house.jobs.find(job.id, key_id=job.key_id))
        cancelled = await house.ended(job)
        assert cancelled.state is JobState.CANCELLED
        assert await house.store.jobs.sealed(job.id) is None
        with pytest.raises(JobCancelledError):
            await house.jobs.receipt(cancelled)

    async with asyncio.timeout(SOON):
        while prover.working:  # noqa: ASYNC110  # steps of the loop
            await asyncio.sleep(0)
    assert prover.cancelled == 1
    assert {entry.code for entry in house.audit.entries} == {"job-cancelled"}
    prover.release()
    assert (await house.ended(await house.accept("next"))).state is JobState.DONE


async def test_a_job_that_is_dropped_before_its_first_step_keeps_no_place(
    house: House, prover: FakeProver
) -> None:
    job = await house.accept()
    await house.ended(job)
    house.jobs._begin(job)
    house.jobs._drop(job.id)
    async with asyncio.timeout(SOON):
        while house.jobs._work:  # noqa: ASYNC110  # steps of the loop
            await asyncio.sleep(0)

    assert (await house.ended(await house.accept("next"))).state is JobState.DONE
    assert prover.nonces == ["n", "next"]


async def test_an_end_that_was_read_can_be_forgotten(house: House) -> None:
    job = await house.ended(await house.accept())

    await house.jobs.cancel(job)

    with pytest.raises(JobUnknownError):
        await house.jobs.find(job.id, key_id=job.key_id)


async def test_an_error_of_the_worker_ends_the_job_with_its_code(
    house: House, prover: FakeProver
) -> None:
    prover.error = UnknownProviderError("nobody knows it")
    failed = await house.ended(await house.accept())

    assert failed.state is JobState.FAILED
    with pytest.raises(Exception, match="nobody knows it") as caught:
        await house.jobs.receipt(failed)
    assert getattr(caught.value, "code", "") == UnknownProviderError.code
    assert [entry.code for entry in house.audit.entries] == [UnknownProviderError.code]


async def test_a_fault_that_nobody_foresaw_ends_the_job_and_tells_nothing(
    house: House, prover: FakeProver
) -> None:
    prover.error = ZeroDivisionError("a secret of somebody's")
    failed = await house.ended(await house.accept())

    assert failed.failure is not None
    assert failed.failure.code == "internal"
    assert "secret" not in failed.failure.message
    assert prover.nonces == ["n"]


async def test_a_worker_that_ends_loses_the_job_and_says_so(
    house: House, prover: FakeProver
) -> None:
    prover.error = WorkerUnavailableError()
    failed = await house.ended(await house.accept())

    assert failed.failure is not None
    assert failed.failure.code == "job-lost"
    prover.error = None
    assert (await house.ended(await house.accept())).state is JobState.DONE


async def test_a_job_waits_for_a_worker_that_is_not_there_yet(
    house: House, prover: FakeProver
) -> None:
    house.link.is_up = False
    job = await house.accept()
    await asyncio.sleep(0.05)
    with pytest.raises(JobUnfinishedError):
        await house.jobs.receipt(await house.jobs.find(job.id, key_id=job.key_id))
    assert not prover.nonces

    house.link.is_up = True

    assert (await house.ended(job)).state is JobState.DONE


async def test_no_accepted_job_is_lost_when_the_gateway_ends(
    store: Store, prover: FakeProver, clock: Instant
) -> None:
    first = House(store, prover, clock)
    prover.hold()
    async with first.kept():
        running, waiting = await first.accept("running"), await first.accept("waiting")
        await first.until(running, lambda job: job.state is JobState.RUNNING)
    prover.release()

    second = House(store, prover, clock)
    async with second.kept():
        ends = [await second.ended(job) for job in (running, waiting)]

    assert [job.state for job in ends] == [JobState.DONE, JobState.DONE]
    assert prover.nonces == ["running", "running", "waiting"]


async def test_a_gateway_that_dies_is_succeeded_after_a_while(
    store: Store, prover: FakeProver, clock: Instant
) -> None:
    first = House(store, prover, clock)
    first.link.is_up = False
    job = await first.accept()

    second = House(store, prover, clock)
    async with second.kept():
        await asyncio.sleep(0.05)
        assert not prover.nonces
        clock.ahead = timedelta(minutes=1)
        await second.jobs._keep_once()
        assert (await second.ended(job)).state is JobState.DONE

    first.link.is_up = True
    await asyncio.sleep(0.05)
    assert prover.nonces == ["n"]


async def test_jobs_that_were_let_go_are_made_once_the_store_is_back(
    house: House, prover: FakeProver, clock: Instant
) -> None:
    prover.hold()
    job = await house.accept()
    await house.until(job, lambda found: found.state is JobState.RUNNING)

    # As after a time without a store that was longer than the hold on a job.
    house.jobs._drop(job.id)
    async with asyncio.timeout(SOON):
        while house.jobs._work:  # noqa: ASYNC110  # steps of the loop
            await asyncio.sleep(0)
    prover.release()
    await house.jobs._keep_once()

    assert (await house.ended(job)).state is JobState.DONE
    assert prover.nonces == ["n", "n"]


@pytest.mark.parametrize(
    "job_id",
    ["", "\0", "../audit", "F" * 32, "f" * 33],
    ids=["nothing", "a zero byte", "a path", "capitals", "too long"],
)
async def test_what_cannot_be_a_job_is_none(house: House, job_id: str) -> None:
    with pytest.raises(JobUnknownError):
        await house.jobs.find(job_id, key_id="f" * 16)


async def test_limits_are_told_apart(store: Store, prover: FakeProver, clock: Instant) -> None:
    house = House(store, prover, clock, key_jobs=2, stored_bytes=1000)
    prover.hold()
    async with house.kept():
        await house.accept("1")
        await house.accept("2")

        with pytest.raises(TooManyJobsError):
            await house.accept("3")
        with pytest.raises(JobsFullError):
            await house.accept("4", by="b", size=900)
        prover.release()


async def test_results_are_forgotten_after_their_time(house: House, clock: Instant) -> None:
    job = await house.ended(await house.accept())

    clock.ahead = timedelta(minutes=61)
    await house.jobs._keep_once()

    with pytest.raises(JobUnknownError):
        await house.jobs.find(job.id, key_id=job.key_id)


async def test_a_receipt_waits_for_an_audit_that_is_away(house: House, prover: FakeProver) -> None:
    house.audit.is_down = True
    job = await house.accept()
    async with asyncio.timeout(SOON):
        while not prover.nonces or prover.working:  # noqa: ASYNC110  # steps of the loop
            await asyncio.sleep(0)
    assert not (await house.jobs.find(job.id, key_id=job.key_id)).state.is_end

    house.audit.is_down = False

    assert (await house.ended(job)).state is JobState.DONE
    assert prover.nonces == ["n"]


async def test_a_busy_worker_is_asked_again(house: House, prover: FakeProver) -> None:
    answers: list[Any] = [BusyError(), None]

    async def call(name: str, fields: Any, emit: Any) -> dict[str, Any]:
        error = answers.pop(0)
        if error is not None:
            raise error
        return await prover(name, fields, emit)

    house.link.worker = call  # type: ignore[assignment]  # it is called like one

    assert (await house.ended(await house.accept())).state is JobState.DONE
    assert answers == []


async def test_words_that_no_database_takes_do_not_keep_a_job_from_its_end(
    house: House, prover: FakeProver
) -> None:
    prover.error = UnknownProviderError("a name with a zero byte: \0\n")
    failed = await house.ended(await house.accept())

    assert failed.failure is not None
    assert failed.failure.message == "a name with a zero byte: ??"


async def test_what_was_made_is_written_down_by_a_gateway_that_ends(
    store: Store, prover: FakeProver, clock: Instant
) -> None:
    house = House(store, prover, clock)
    house.audit.is_down = True
    async with house.kept():
        job = await house.accept()
        async with asyncio.timeout(SOON):
            while not any(work.is_settling for work in house.jobs._work.values()):  # noqa: ASYNC110
                await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.05, setattr, house.audit, "is_down", False)

    # A worker answers a request once: made again, it would end with "replayed".
    assert (await house.ended(job)).state is JobState.DONE
    assert prover.nonces == ["n"]


async def test_a_gateway_that_lost_a_job_does_not_end_it_for_its_next_holder(
    store: Store, prover: FakeProver, clock: Instant
) -> None:
    first, second = House(store, prover, clock), House(store, FakeProver(), clock)
    prover.hold()
    job = await first.accept()
    await first.until(job, lambda found: found.state is JobState.RUNNING)

    # The first one stood still for longer than its hold, and so did its worker.
    clock.ahead = timedelta(minutes=1)
    second.prover.hold()
    async with second.kept():
        await second.until(job, lambda found: bool(second.prover.working))
        prover.error = WorkerUnavailableError()
        prover.release()
        async with asyncio.timeout(SOON):
            while first.jobs._work:  # noqa: ASYNC110  # steps of the loop
                await asyncio.sleep(0)
        assert (await second.jobs.find(job.id, key_id=job.key_id)).state is JobState.RUNNING

        second.prover.release()
        assert (await second.ended(job)).state is JobState.DONE


async def test_a_job_that_is_cancelled_while_it_is_written_down_has_one_end(
    house: House, prover: FakeProver
) -> None:
    house.audit.is_down = True
    job = await house.accept()
    async with asyncio.timeout(SOON):
        while not any(work.is_settling for work in house.jobs._work.values()):  # noqa: ASYNC110
            await asyncio.sleep(0)
    await house.jobs.cancel(await house.jobs.find(job.id, key_id=job.key_id))
    house.audit.is_down = False
    async with asyncio.timeout(SOON):
        while house.jobs._work:  # noqa: ASYNC110  # steps of the loop
            await asyncio.sleep(0.01)

    cancelled = await house.ended(job)
    assert cancelled.state is JobState.CANCELLED
    with pytest.raises(JobCancelledError):
        await house.jobs.receipt(cancelled)
    assert await house.store.jobs.answer(job.id) is None
    assert (await house.ended(await house.accept("next"))).state is JobState.DONE
    assert prover.nonces == ["n", "next"]
