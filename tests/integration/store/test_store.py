"""The store on both databases: what is kept, what is counted once, what is forgotten."""

import asyncio
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import JSON, LargeBinary, String

from adyton.adapters.store import (
    AuditEntry,
    AuditWriter,
    KeyLimits,
    NewKey,
    Scope,
    Store,
    StoreUnavailableError,
    create_key,
    list_audit,
    list_keys,
    open_store,
    purge_audit,
    revoke_key,
    schema,
)
from adyton.adapters.store.administration import new_key

NOW = datetime(2026, 2, 3, 10, 30, 1, 234_567, tzinfo=UTC)
DAY = date(2026, 2, 3)
ENTRY = AuditEntry(
    id="0" * 32,
    time=NOW,
    key_id="",
    endpoint="balance",
    status=200,
    provider="plaid-balance",
    provider_digest="ab" * 32,
    circuit="balance_threshold",
    answer=False,
    public_inputs={"predicate_satisfied": False, "threshold": 10000, "data_source": "plaid"},
    proof="01" * 32,
    public_inputs_digest="02" * 32,
    statement="03" * 32,
    transcript="04" * 32,
    manifest="05" * 32,
    timings={"fetch": 12.5, "prove": 80.25},
)


async def added(store: Store, **changes: object) -> NewKey:
    made = new_key(name="a lender", scopes=[Scope.ASK, Scope.VERIFY], now=NOW)
    made = NewKey(key=replace(made.key, **changes), text=made.text)  # type: ignore[arg-type]  # fields by name
    await store.keys.add(made.key)
    return made


async def test_a_key_comes_back_as_it_went(store: Store) -> None:
    plain = await added(store)
    full = await added(
        store,
        name="größer",
        scopes=frozenset({Scope.VERIFY}),
        expires=NOW + timedelta(days=1),
        limits=KeyLimits(per_minute=1, in_flight=2, per_day=3),
    )
    assert await store.keys.find(plain.key.id) == plain.key
    assert await store.keys.find(full.key.id) == full.key
    assert set(await store.keys.all()) == {plain.key, full.key}


async def test_a_key_that_is_not_there_is_none(store: Store) -> None:
    assert await store.keys.find("0" * 16) is None


async def test_two_keys_do_not_share_an_identifier(store: Store) -> None:
    made = await added(store)
    with pytest.raises(StoreUnavailableError):
        await store.keys.add(made.key)


async def test_a_key_is_revoked_once(store: Store) -> None:
    made = await added(store)
    assert await store.keys.revoke(made.key.id, now=NOW)
    assert not await store.keys.revoke(made.key.id, now=NOW + timedelta(days=1))
    assert not await store.keys.revoke("0" * 16, now=NOW)
    found = await store.keys.find(made.key.id)
    assert found is not None
    assert found.revoked == NOW


async def test_a_time_in_another_zone_is_the_same_instant(store: Store) -> None:
    zone = timezone(timedelta(hours=-7))
    made = await added(store, created=NOW.astimezone(zone))
    found = await store.keys.find(made.key.id)
    assert found is not None
    assert found.created == NOW
    assert found.created.utcoffset() == timedelta(0)


async def test_a_day_has_as_many_uses_as_its_limit(store: Store) -> None:
    key = (await added(store)).key.id
    taken = [await store.usage.take(key, day=DAY, limit=3) for _ in range(5)]
    assert taken == [True, True, True, False, False]
    assert await store.usage.take(key, day=DAY + timedelta(days=1), limit=3)
    assert await store.usage.take(key, day=DAY, limit=4), "a limit may be raised during the day"


async def test_each_key_has_a_day_of_its_own(store: Store) -> None:
    first, second = await added(store), await added(store)
    assert await store.usage.take(first.key.id, day=DAY, limit=1)
    assert await store.usage.take(second.key.id, day=DAY, limit=1)


async def test_two_gateways_at_once_do_not_count_one_use_twice(url: str) -> None:
    async with open_store(url) as one, open_store(url) as two:
        key = (await added(one)).key.id
        taken = await asyncio.gather(
            *(store.usage.take(key, day=DAY, limit=25) for store in (one, two) for _ in range(30))
        )
    assert sum(taken) == 25


async def test_old_days_are_forgotten(store: Store) -> None:
    key = (await added(store)).key.id
    for days in range(3):
        await store.usage.take(key, day=DAY - timedelta(days=days), limit=1)
    assert await store.usage.purge(DAY) == 2
    assert not await store.usage.take(key, day=DAY, limit=1)


async def test_an_entry_comes_back_as_it_went(store: Store) -> None:
    key = (await added(store)).key.id
    answered = replace(ENTRY, key_id=key)
    failed = AuditEntry(
        id="1" * 32,
        time=NOW - timedelta(seconds=1),
        key_id=key,
        endpoint="custom",
        status=403,
        code="unknown-provider",
    )
    await store.audit.add([answered, failed])
    assert await store.audit.newest(limit=10) == (answered, failed)
    assert await store.audit.newest(limit=1) == (answered,)
    assert await store.audit.newest(limit=10, before=NOW) == (failed,)
    assert await store.audit.newest(limit=10, key_id="0" * 16) == ()


async def test_an_entry_of_no_key_is_not_stored(store: Store) -> None:
    with pytest.raises(StoreUnavailableError):
        await store.audit.add([replace(ENTRY, key_id="0" * 16)])


async def test_entries_are_stored_all_or_none(store: Store) -> None:
    key = (await added(store)).key.id
    good, bad = replace(ENTRY, key_id=key), replace(ENTRY, id="2" * 32, key_id="0" * 16)
    with pytest.raises(StoreUnavailableError):
        await store.audit.add([good, bad])
    assert await store.audit.newest(limit=10) == ()


async def test_a_failure_quotes_nothing_of_the_entry(store: Store) -> None:
    marker = "marker-77aa"
    with pytest.raises(StoreUnavailableError) as caught:
        await store.audit.add([replace(ENTRY, key_id="0" * 16, provider=marker)])
    assert marker not in str(caught.value)
    assert marker not in str(caught.value.__cause__).partition("DETAIL")[0]


async def test_what_is_older_than_the_retention_period_goes(store: Store) -> None:
    key = (await added(store)).key.id
    entries = [
        replace(ENTRY, id=f"{number:032x}", key_id=key, time=NOW - timedelta(hours=number))
        for number in range(2500)
    ]
    await store.audit.add(entries)
    assert await store.audit.purge(NOW - timedelta(hours=100)) == 2399
    assert len(await store.audit.newest(limit=5000)) == 101


async def test_writers_that_wait_together_are_all_stored(store: Store) -> None:
    key = (await added(store)).key.id
    writer = AuditWriter(store.audit)
    await asyncio.gather(
        *(writer.write(replace(ENTRY, id=f"{number:032x}", key_id=key)) for number in range(200))
    )
    await writer.close()
    assert len(await store.audit.newest(limit=500)) == 200


async def test_the_operators_functions_open_and_close_the_store(url: str) -> None:
    made = await create_key(url, name="a lender", scopes=[Scope.ASK], now=NOW)
    assert await list_keys(url) == (made.key,)
    async with open_store(url) as store:
        await store.audit.add([replace(ENTRY, key_id=made.key.id)])
    assert [entry.endpoint for entry in await list_audit(url)] == ["balance"]
    assert await purge_audit(url, before=NOW + timedelta(seconds=1)) == 1
    assert await revoke_key(url, made.key.id, now=NOW)
    assert not await revoke_key(url, made.key.id, now=NOW)


async def test_a_store_that_answers_is_healthy(store: Store) -> None:
    await store.check()


def test_the_audit_has_a_column_for_each_field_and_no_other() -> None:
    assert [column.name for column in schema.audit.columns] == [
        field.name for field in fields(AuditEntry)
    ]


def test_only_these_columns_have_no_width() -> None:
    # What may be in the audit's two, the gateway's tests say; a job's are sealed, or a receipt;
    # the registry's are public: what a worker showed so that everybody can verify it.
    assert {
        f"{table.name}.{column.name}"
        for table in schema.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, JSON)
        or (isinstance(column.type, String | LargeBinary) and column.type.length is None)
    } == {
        "audit.public_inputs",
        "audit.timings",
        "proving_jobs.answer",
        "proving_jobs.sealed",
        "registry_workers.collateral",
        "registry_workers.evidence",
        "registry_workers.manifest",
    }
