"""Migrations: from nothing to now, once, whoever comes first."""

import asyncio
import stat
from datetime import date
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from adyton.adapters.store import (
    Store,
    StoreUnavailableError,
    list_keys,
    migration,
    open_store,
    schema,
)
from adyton.adapters.store.database import check_url


async def test_the_migrations_make_the_schema(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), schema.metadata))

    async with store.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def test_the_newest_migration_is_the_one_the_schema_names() -> None:
    config = Config()
    folder = Path(migration.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


async def test_opening_again_changes_nothing(url: str) -> None:
    for _ in range(3):
        assert await list_keys(url) == ()


async def test_two_gateways_that_start_at_once_both_start(url: str) -> None:
    assert await asyncio.gather(*(list_keys(url) for _ in range(4))) == [()] * 4


async def test_a_database_of_a_later_version_is_left_alone(url: str) -> None:
    async with open_store(url) as store, store.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailableError, match="schema"):
        await list_keys(url)


async def test_a_migration_that_fails_leaves_nothing_behind(url: str) -> None:
    engine = create_async_engine(check_url(url))
    async with engine.begin() as connection:
        # The last table of the migration is in its way: the first two have been made by then.
        await connection.execute(text("CREATE TABLE audit (id INTEGER)"))
    with pytest.raises(StoreUnavailableError):
        await list_keys(url)
    async with engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    assert tables == {"audit"}
    await engine.dispose()


async def test_sqlite_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "adyton.db"
    async with open_store(f"sqlite:///{path}") as store:
        await store.usage.purge(date(2026, 2, 3))
        found = sorted(tmp_path.iterdir())  # noqa: ASYNC240  # a test
        assert [item.name for item in found] == ["adyton.db", "adyton.db-shm", "adyton.db-wal"]
        assert {stat.S_IMODE(item.stat().st_mode) for item in found} == {0o600}


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////nowhere/adyton.db",
        "postgresql://adyton:secret@127.0.0.1:1/adyton",
        "postgresql://adyton@/adyton?host=/nowhere",
    ],
)
async def test_a_database_that_is_not_there_is_unavailable(url: str) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        await list_keys(url)
    assert "secret" not in str(caught.value)


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "adyton.db"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnavailableError):
        await list_keys(f"sqlite:///{path}")
    assert path.read_bytes() == b"not a database" * 1000


async def test_a_database_without_us_is_unavailable(server: str) -> None:
    with pytest.raises(StoreUnavailableError):
        await list_keys(server.format(name="nobody_made_this"))
