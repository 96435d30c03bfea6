"""Jobs in the store, on both databases: who holds one, what ends it, and what is left."""

import asyncio
from datetime import UTC, datetime, timedelta

from adyton.adapters.store import Scope, Store
from adyton.adapters.store.administration import new_key
from adyton.adapters.store.jobs import Job, JobFailure, JobLimits, JobState

NOW = datetime(2026, 2, 3, 10, 30, tzinfo=UTC)
SOON, LATER = NOW + timedelta(seconds=15), NOW + timedelta(seconds=16)
HERE, THERE = "a" * 32, "b" * 32
LIMITS = JobLimits(key_jobs=3, stored_bytes=1000)
SEALED = b"sealed" * 10
FAILURE = JobFailure(family="unavailable", code="prover-crashed", message="it crashed")


async def owner(store: Store) -> str:
    made = new_key(name="a prover", scopes=[Scope.PROVE], now=NOW)
    await store.keys.add(made.key)
    return made.key.id


def job(key_id: str, number: int = 0, *, created: datetime = NOW) -> Job:
    return Job(
        id=f"{number:032x}",
        key_id=key_id,
        scheme="ultra_honk",
        target="evm",
        created=created,
        challenge=b"\x07" * 8,
    )


async def added(store: Store, made: Job, sealed: bytes = SEALED) -> bool:
    return await store.jobs.add(made, sealed, holder=HERE, until=SOON, limits=LIMITS)


async def test_a_job_comes_back_as_it_went(store: Store) -> None:
    made = job(await owner(store))

    assert await added(store, made)

    assert await store.jobs.find(made.id) == made
    assert await store.jobs.sealed(made.id) == SEALED
    assert await store.jobs.answer(made.id) is None
    assert await store.jobs.find("f" * 32) is None


async def test_a_key_has_so_many_unfinished_jobs_and_no_more(store: Store) -> None:
    key_id, other = await owner(store), await owner(store)
    for number in range(3):
        assert await added(store, job(key_id, number))

    assert not await added(store, job(key_id, 3))
    assert await added(store, job(other, 4))
    assert await store.jobs.unfinished(key_id) == 3

    assert await store.jobs.finish(job(key_id).id, state=JobState.DONE, now=NOW, answer=b"")
    assert await added(store, job(key_id, 5))


async def test_requests_and_answers_take_so_much_and_no_more(store: Store) -> None:
    key_id = await owner(store)
    assert await added(store, job(key_id, 0), b"x" * 600)

    assert not await added(store, job(key_id, 1), b"x" * 401)
    assert await added(store, job(key_id, 1), b"x" * 400)

    # What was sealed makes room for what was answered.
    await store.jobs.finish(job(key_id).id, state=JobState.DONE, now=NOW, answer=b"y" * 100)
    assert await added(store, job(key_id, 2), b"x" * 500)


async def test_an_end_drops_the_request_and_keeps_the_answer(store: Store) -> None:
    made = job(await owner(store))
    await added(store, made)
    assert await store.jobs.start(made.id, holder=HERE, now=NOW)

    assert await store.jobs.finish(made.id, state=JobState.DONE, now=LATER, answer=b"receipt")

    found = await store.jobs.find(made.id)
    assert found is not None
    assert (found.state, found.started, found.finished) == (JobState.DONE, NOW, LATER)
    assert await store.jobs.sealed(made.id) is None
    assert await store.jobs.answer(made.id) == b"receipt"


async def test_a_failure_is_kept_with_its_code(store: Store) -> None:
    made = job(await owner(store))
    await added(store, made)

    await store.jobs.finish(made.id, state=JobState.FAILED, now=NOW, failure=FAILURE)

    found = await store.jobs.find(made.id)
    assert found is not None
    assert found.failure == FAILURE


async def test_a_job_ends_once(store: Store) -> None:
    made = job(await owner(store))
    await added(store, made)

    ends = await asyncio.gather(
        *(store.jobs.finish(made.id, state=state, now=NOW) for state in JobState if state.is_end)
    )

    assert sorted(ends) == [False, False, True]
    assert not await store.jobs.start(made.id, holder=HERE, now=NOW)


async def test_nobody_takes_over_what_is_held(store: Store) -> None:
    await added(store, job(await owner(store)))

    assert await store.jobs.adopt(holder=THERE, now=SOON, until=LATER) == ()
    assert await store.jobs.hold(holder=HERE, until=LATER) == {job("").id}
    assert await store.jobs.adopt(holder=THERE, now=LATER, until=LATER) == ()


async def test_what_nobody_holds_is_taken_over_once_the_oldest_first(store: Store) -> None:
    key_id = await owner(store)
    await added(store, job(key_id, 1, created=NOW + timedelta(seconds=1)))
    await added(store, job(key_id, 2))
    assert await store.jobs.start(job(key_id, 2).id, holder=HERE, now=NOW)

    first, second = await asyncio.gather(
        store.jobs.adopt(holder=THERE, now=LATER, until=LATER + timedelta(seconds=15)),
        store.jobs.adopt(holder="c" * 32, now=LATER, until=LATER + timedelta(seconds=15)),
    )

    taken = first or second
    assert not (first and second)
    assert [each.id for each in taken] == [job("", 2).id, job("", 1).id]
    assert {each.state for each in taken} == {JobState.QUEUED}
    # The first holder has lost them.
    assert await store.jobs.hold(holder=HERE, until=LATER) == frozenset()
    assert not await store.jobs.start(taken[0].id, holder=HERE, now=LATER)


async def test_what_is_released_is_taken_over_at_once(store: Store) -> None:
    await added(store, job(await owner(store)))

    await store.jobs.release(holder=HERE, now=NOW)

    assert len(await store.jobs.adopt(holder=THERE, now=LATER, until=LATER)) == 1


async def test_ends_are_forgotten_after_their_time_and_nothing_else(store: Store) -> None:
    key_id = await owner(store)
    for number in range(2):
        await added(store, job(key_id, number))
    await store.jobs.finish(job(key_id, 0).id, state=JobState.CANCELLED, now=NOW)

    assert await store.jobs.purge(NOW) == 0
    assert await store.jobs.purge(LATER) == 1

    assert await store.jobs.find(job(key_id, 0).id) is None
    assert await store.jobs.find(job(key_id, 1).id) is not None
    await store.jobs.delete(job(key_id, 1).id)
    assert await store.jobs.find(job(key_id, 1).id) is None
