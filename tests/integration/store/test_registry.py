"""The registry on both databases: what happens once, what time does, and who comes first."""

import asyncio
import itertools
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adyton.adapters.store import Scope, Store, open_store
from adyton.adapters.store.administration import new_key
from adyton.adapters.store.registry import (
    EvidenceReplayedError,
    EvidenceRequiredError,
    HeartbeatReplayedError,
    RegistryFullError,
)
from adyton.adapters.store.registry_reader import Wanted, WorkerUnknownError
from adyton.model.registry import (
    TRANSITIONS,
    Attestation,
    Beat,
    Event,
    Exhibit,
    RegisteredWorker,
    State,
    TransitionRejectedError,
    UsedCollateral,
    after,
)

NOW = datetime(2026, 2, 3, 10, 30, tzinfo=UTC)
DAY = timedelta(hours=24)
SILENCE = timedelta(seconds=90)
USED = UsedCollateral(file=b"", fetched=None)
EXHIBIT = Exhibit(manifest=b"{}", challenge=bytes(32), evidence=b"evidence", collateral=b"")


def worker(owner: str, number: int = 0, *, signed: int | None = None) -> RegisteredWorker:
    attestation = Attestation(
        technology="nitro",
        platform="nitro",
        is_genuine=True,
        measurements={"pcr0": bytes([number]) * 48, "pcr1": bytes(48)},
        signed_sha256=bytes([number if signed is None else signed]) * 32,
        verified=NOW,
        until=NOW + DAY,
    )
    return RegisteredWorker(
        id=f"{number:064x}",
        owner=owner,
        endpoint=f"https://worker-{number}.example",
        manifest_sha256=bytes([number]) * 32,
        attestation=attestation,
        state=State.ACTIVE,
        reason="",
        registered=NOW,
        heartbeat=NOW,
    )


def plain(owner: str, number: int = 0) -> RegisteredWorker:
    return replace(worker(owner, number), attestation=None)


async def key(store: Store) -> str:
    made = new_key(name="a fleet", scopes=[Scope.REGISTER], now=NOW)
    await store.keys.add(made.key)
    return made.key.id


@pytest.fixture
async def owner(store: Store) -> str:
    return await key(store)


async def put(
    store: Store, made: RegisteredWorker, *, limit: int = 99, owner_limit: int = 99
) -> State:
    return await store.registry.register(made, EXHIBIT, limit=limit, owner_limit=owner_limit)


async def found(store: Store, made: RegisteredWorker, now: datetime = NOW) -> RegisteredWorker:
    return (await store.registry.find(made.id, now=now))[0]


async def test_a_worker_comes_back_as_it_went(store: Store, owner: str) -> None:
    for made in (worker(owner, 1), plain(owner, 2)):
        assert await put(store, made) is State.ACTIVE
        assert await store.registry.find(made.id, now=NOW) == (made, EXHIBIT)


async def test_the_registry_survives_a_restart(url: str) -> None:
    async with open_store(url) as store:
        made = worker(await key(store), 1)
        await put(store, made)
        await store.registry.hear(made.id, Beat.DRAINING, time=5, now=NOW)
    async with open_store(url) as store:
        assert (await found(store, made)).state is State.DRAINING
        with pytest.raises(HeartbeatReplayedError):
            await store.registry.hear(made.id, Beat.ACTIVE, time=5, now=NOW)
        with pytest.raises(EvidenceReplayedError):
            await put(store, made)


async def test_a_worker_that_is_not_there_is_unknown(store: Store, owner: str) -> None:
    for asked in (
        store.registry.find("0", now=NOW),
        store.registry.hear("0", Beat.ACTIVE, time=1, now=NOW),
        store.registry.change("0", Event.SUSPEND, reason="", now=NOW),
    ):
        with pytest.raises(WorkerUnknownError):
            await asked


async def test_a_challenge_is_used_once_by_its_owner_in_time(store: Store, owner: str) -> None:
    other = await key(store)
    await store.registry.issue(b"c" * 32, owner=owner, expires=NOW)
    assert not await store.registry.take(b"c" * 32, owner=owner, now=NOW)
    await store.registry.issue(b"d" * 32, owner=owner, expires=NOW + SILENCE)
    assert not await store.registry.take(b"d" * 32, owner=other, now=NOW)
    assert await store.registry.take(b"d" * 32, owner=owner, now=NOW)
    assert not await store.registry.take(b"d" * 32, owner=owner, now=NOW)


async def test_two_gateways_at_once_use_a_challenge_once(url: str) -> None:
    async with open_store(url) as one, open_store(url) as two:
        owner = await key(one)
        await one.registry.issue(b"c" * 32, owner=owner, expires=NOW + SILENCE)
        taken = await asyncio.gather(
            *(
                store.registry.take(b"c" * 32, owner=owner, now=NOW)
                for store in (one, two)
                for _ in range(5)
            )
        )
    assert sum(taken) == 1


async def test_who_asks_for_many_challenges_loses_the_oldest(store: Store, owner: str) -> None:
    for n in range(66):
        expires = NOW + timedelta(seconds=n + 1)
        await store.registry.issue(bytes([n]) * 32, owner=owner, expires=expires)
    taken = [await store.registry.take(bytes([n]) * 32, owner=owner, now=NOW) for n in range(66)]
    assert taken == [False] * 2 + [True] * 64


async def test_evidence_registers_once_whoever_brings_it(store: Store, owner: str) -> None:
    await put(store, worker(owner, 1))
    await put(store, worker(owner, 1, signed=2))
    for again in (worker(owner, 1), worker(owner, 3, signed=1), worker(await key(store), 1)):
        with pytest.raises(EvidenceReplayedError):
            await put(store, again)


async def test_of_two_registrations_with_one_evidence_one_is_stored(url: str) -> None:
    async with open_store(url) as one, open_store(url) as two:
        owner = await key(one)
        done = await outcomes(
            [put(store, worker(owner, n, signed=7)) for n, store in enumerate((one, two, one, two))]
        )
        assert sorted(map(str, done)) == ["EvidenceReplayedError"] * 3 + ["active"]
        assert len(await one.registry.query(Wanted(), now=NOW, limit=9)) == 1


async def test_a_double_registration_leaves_one_worker(url: str) -> None:
    async with open_store(url) as one, open_store(url) as two:
        owner = await key(one)
        done = await outcomes(
            [put(store, worker(owner, 1, signed=n)) for n, store in enumerate((one, two) * 3)]
        )
        assert done == [State.ACTIVE] * 6
        (left,) = await one.registry.query(Wanted(), now=NOW, limit=9)
        assert left.attestation is not None
        assert len(left.attestation.measurements) == 2


async def test_a_failed_registration_uses_no_evidence_up(store: Store, owner: str) -> None:
    made = worker(owner, 1)
    await put(store, made)
    await store.registry.change(made.id, Event.SUSPEND, reason="lost", now=NOW)
    for _ in range(2):
        with pytest.raises(TransitionRejectedError):
            await put(store, worker(owner, 1, signed=2))
    await store.registry.change(made.id, Event.REINSTATE, reason="", now=NOW)
    assert (await found(store, made)).state is State.ATTESTATION_EXPIRED
    assert await put(store, worker(owner, 1, signed=2)) is State.ACTIVE


async def test_a_worker_that_had_evidence_does_not_come_back_without(
    store: Store, owner: str
) -> None:
    # Else refused evidence would only have to be left out the next time.
    await put(store, worker(owner, 1))
    with pytest.raises(EvidenceRequiredError):
        await put(store, plain(owner, 1))
    await put(store, plain(owner, 2))
    assert await put(store, plain(owner, 2)) is State.ACTIVE
    assert await put(store, worker(owner, 2)) is State.ACTIVE


async def test_there_is_room_for_so_many(store: Store, owner: str) -> None:
    other = await key(store)
    for number in range(2):
        await put(store, plain(owner, number), limit=3, owner_limit=2)
    with pytest.raises(RegistryFullError, match="the api key has 2"):
        await put(store, plain(owner, 2), limit=3, owner_limit=2)
    await put(store, plain(other, 3), limit=3, owner_limit=2)
    with pytest.raises(RegistryFullError, match="the registry has 3"):
        await put(store, plain(other, 4), limit=3, owner_limit=2)
    await put(store, worker(owner, 1), limit=3, owner_limit=2)
    assert len(await store.registry.query(Wanted(), now=NOW, limit=9)) == 3


async def test_two_at_once_do_not_both_take_the_last_place(url: str) -> None:
    async with open_store(url) as one, open_store(url) as two:
        owner = await key(one)
        done = await outcomes(
            [put(store, plain(owner, n), owner_limit=3) for n, store in enumerate((one, two) * 4)]
        )
        assert len(await one.registry.query(Wanted(), now=NOW, limit=9)) == 3
    assert sorted(map(str, done)) == ["RegistryFullError"] * 5 + ["active"] * 3


async def test_a_heartbeat_counts_once(store: Store, owner: str) -> None:
    made = worker(owner, 1)
    await put(store, made)
    later = NOW + timedelta(seconds=60)
    assert await store.registry.hear(made.id, Beat.ACTIVE, time=10, now=later) is State.ACTIVE
    assert (await found(store, made, later)).heartbeat == later
    for time in (10, 9):
        with pytest.raises(HeartbeatReplayedError):
            await store.registry.hear(made.id, Beat.ACTIVE, time=time, now=later)
    await put(store, worker(owner, 1, signed=9))
    with pytest.raises(HeartbeatReplayedError):
        await store.registry.hear(made.id, Beat.ACTIVE, time=10, now=later)


async def test_of_one_heartbeat_that_comes_often_one_counts(url: str) -> None:
    async with open_store(url) as one, open_store(url) as two:
        made = worker(await key(one), 1)
        await put(one, made)
        done = await outcomes(
            [store.registry.hear(made.id, Beat.ACTIVE, time=7, now=NOW) for store in (one, two) * 4]
        )
    assert sorted(map(str, done)) == ["HeartbeatReplayedError"] * 7 + ["active"]


async def test_time_is_seen_before_it_is_written_down(store: Store, owner: str) -> None:
    made = worker(owner, 1)
    await put(store, made)
    silent, over = NOW + SILENCE + timedelta(seconds=1), NOW + DAY
    assert (await found(store, made, NOW + SILENCE)).state is State.ACTIVE
    assert (await found(store, made, silent)).state is State.OFFLINE
    assert (await found(store, made, over)).state is State.ATTESTATION_EXPIRED
    for now, state in ((silent, State.OFFLINE), (over, State.ATTESTATION_EXPIRED)):
        assert await store.registry.settle(now) == 1
        assert await store.registry.settle(now) == 0
        assert (await found(store, made)).state is state


async def test_a_heartbeat_does_not_revive_what_has_expired(store: Store, owner: str) -> None:
    # Nobody has settled anything yet: the heartbeat comes first.
    made = worker(owner, 1)
    await put(store, made)
    heard = await store.registry.hear(made.id, Beat.ACTIVE, time=1, now=NOW + DAY)
    assert heard is State.ATTESTATION_EXPIRED


async def test_a_heartbeat_and_the_end_at_once_leave_it_expired(url: str) -> None:
    async with open_store(url) as one, open_store(url) as two:
        made = worker(await key(one), 1)
        await put(one, made)
        over = NOW + DAY
        for time in range(1, 6):
            await asyncio.gather(
                one.registry.settle(over),
                two.registry.hear(made.id, Beat.ACTIVE, time=time, now=over),
            )
        assert (await found(one, made, over)).state is State.ATTESTATION_EXPIRED


async def test_a_heartbeat_brings_an_offline_worker_back(store: Store, owner: str) -> None:
    made = worker(owner, 1)
    await put(store, made)
    later = NOW + timedelta(hours=1)
    await store.registry.settle(later)
    assert await store.registry.hear(made.id, Beat.ACTIVE, time=1, now=later) is State.ACTIVE


async def test_refused_evidence_takes_trust_unless_newer_came(store: Store, owner: str) -> None:
    old, new = worker(owner, 1), worker(owner, 1, signed=2)
    assert old.attestation is not None
    assert new.attestation is not None
    await put(store, old)
    await put(store, new)
    assert not await store.registry.refuse(
        old.id, old.attestation.signed_sha256, used=USED, reason="root-rejected"
    )
    assert (await found(store, old)).state is State.ACTIVE
    assert await store.registry.refuse(
        new.id, new.attestation.signed_sha256, used=USED, reason="root-rejected"
    )
    assert (await found(store, new)).state is State.UNTRUSTED
    assert (await found(store, new)).reason == "root-rejected"
    assert await put(store, worker(owner, 1, signed=3)) is State.ACTIVE
    assert (await found(store, new)).reason == ""


async def test_what_was_not_verified_lately_is_due(store: Store, owner: str) -> None:
    for made in (worker(owner, 1), worker(owner, 2), plain(owner, 3)):
        await put(store, made)
    later = NOW + timedelta(hours=1)

    async def due() -> list[str]:
        rows = await store.registry.due(verified_before=later, now=later, limit=9)
        assert all(exhibit == EXHIBIT for _, exhibit in rows)
        return [row.id[-1] for row, _ in rows]

    assert await due() == ["1", "2"]
    await store.registry.confirm(worker(owner, 1).id, bytes([1]) * 32, used=USED, now=later)
    assert await due() == ["2"]
    await store.registry.change(worker(owner, 2).id, Event.SUSPEND, reason="", now=later)
    assert await due() == []


async def test_workers_are_found_by_what_they_are(store: Store, owner: str) -> None:
    await put(store, worker(owner, 1))
    await put(store, worker(owner, 2))
    await put(store, plain(owner, 3))
    await store.registry.hear(worker(owner, 2).id, Beat.DRAINING, time=1, now=NOW)

    async def names(wanted: Wanted, limit: int = 9, after: str = "") -> str:
        rows = await store.registry.query(wanted, now=NOW, limit=limit, after=after)
        return "".join(row.id[-1] for row in rows)

    assert await names(Wanted()) == "123"
    assert await names(Wanted(state=State.DRAINING)) == "2"
    assert await names(Wanted(state=State.ACTIVE)) == "13"
    assert await names(Wanted(technology="nitro")) == "12"
    assert await names(Wanted(technology="tdx")) == ""
    assert await names(Wanted(measurement=("pcr0", bytes([2]) * 48))) == "2"
    assert await names(Wanted(measurement=("pcr1", bytes(48)))) == "12"
    assert await names(Wanted(measurement=("pcr1", bytes([2]) * 48))) == ""
    assert await names(Wanted(genuine=True)) == "12"
    assert await names(Wanted(), limit=2) == "12"
    assert await names(Wanted(), after=f"{2:064x}") == "3"


async def test_what_was_long_silent_is_forgotten_unless_it_is_suspended(
    store: Store, owner: str
) -> None:
    for number in (1, 2):
        await put(store, worker(owner, number))
    await store.registry.change(worker(owner, 2).id, Event.SUSPEND, reason="", now=NOW)
    later = NOW + timedelta(days=40)
    assert await store.registry.purge(NOW, now=later) == 0
    assert await store.registry.purge(later, now=later) == 1
    (left,) = await store.registry.query(Wanted(), now=NOW, limit=9)
    assert left.state is State.SUSPENDED


class Twin:
    """A worker in the database, and beside it the state that the table says it is in."""

    def __init__(self, store: Store, made: RegisteredWorker) -> None:
        self.store, self.made, self.state = store, made, State.ACTIVE
        self.now, self.heard, self.until, self.beat = NOW, NOW, NOW + DAY, 0

    def pass_by(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        for event, is_due in (
            (Event.LAPSE, self.now >= self.until),
            (Event.FALL_SILENT, self.now - self.heard > SILENCE),
        ):
            if is_due and self.state in TRANSITIONS[event]:
                self.state = after(self.state, event)

    async def do(self, what: Beat | Event | None) -> None:
        if what is None:
            await self.store.registry.settle(self.now)
            return
        event = what.event if isinstance(what, Beat) else what
        if self.state not in TRANSITIONS[event]:
            assert await self.outcome(what) in {"TransitionRejectedError", False}
            return
        self.state = after(self.state, event)
        assert await self.outcome(what) in {self.state, True}
        if what is Event.REGISTER:
            self.until = self.now + DAY
        if what is Event.REGISTER or isinstance(what, Beat):
            self.heard = self.now

    async def outcome(self, what: Beat | Event) -> State | str | bool:
        registry = self.store.registry
        match what:
            case Beat():
                self.beat += 1
                done = registry.hear(self.made.id, what, time=self.beat, now=self.now)
            case Event.REGISTER:
                done = self.register()
            case Event.REFUSE:
                await registry.settle(self.now)
                assert self.made.attestation is not None
                signed = self.made.attestation.signed_sha256
                return await registry.refuse(self.made.id, signed, used=USED, reason="no")
            case _:
                done = registry.change(self.made.id, what, reason="", now=self.now)
        return (await outcomes([done]))[0]

    async def register(self) -> State:
        assert self.made.attestation is not None
        signed = next(numbers).to_bytes(32, "big")
        attestation = replace(
            self.made.attestation, signed_sha256=signed, verified=self.now, until=self.now + DAY
        )
        made = replace(self.made, attestation=attestation, registered=self.now, heartbeat=self.now)
        state = await put(self.store, made, limit=9999, owner_limit=9999)
        self.made = made
        return state


numbers = itertools.count(1000)
DONE: list[Beat | Event | None] = [
    *Beat,
    Event.REGISTER,
    Event.REFUSE,
    Event.SUSPEND,
    Event.REINSTATE,
    None,
]


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(DONE), st.sampled_from([0, 1, 2, 60, 24 * 60])),
        min_size=4,
        max_size=10,
    )
)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_the_statements_do_what_the_table_says(
    store: Store, owner: str, steps: Sequence[tuple[Beat | Event | None, int]]
) -> None:
    twin = Twin(store, replace(worker(owner), id=f"{next(numbers):064x}"))
    await twin.register()
    for what, minutes in steps:
        twin.pass_by(minutes)
        await twin.do(what)
        assert (await found(store, twin.made, twin.now)).state is twin.state


async def outcomes(work: Sequence[Awaitable[State]]) -> list[State | str]:
    """The state that each came to, or the name of the error that it ended with."""
    done = await asyncio.gather(*work, return_exceptions=True)
    return [item if isinstance(item, State) else type(item).__name__ for item in done]
