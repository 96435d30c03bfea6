"""A database that goes away for a moment: errors of ours meanwhile, and then it works again."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from adyton.adapters.store import Scope, Store, StoreUnavailableError, open_store
from adyton.adapters.store.administration import new_key

NOW = datetime(2026, 2, 3, tzinfo=UTC)
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


async def test_connections_that_were_cut_are_replaced(server: str) -> None:
    url = server.format(name="postgres")
    async with open_store(url) as store, open_store(url) as other:
        await store.check()
        async with other.engine.begin() as connection:
            await connection.execute(text(CUT))
        # The first one after the cut may be unlucky; nobody after that.
        with suppress(StoreUnavailableError):
            await store.check()
        await store.check()


async def fill(store: Store) -> None:
    for _ in range(200):
        await store.keys.add(new_key(name="n" * 128, scopes=[Scope.ASK], now=NOW).key)


async def test_a_disk_that_is_full_is_unavailable(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/adyton.db") as store:
        async with store.engine.connect() as connection:
            # On the pool's one connection: the file may not grow any more.
            await connection.execute(text("PRAGMA max_page_count=1"))
        with pytest.raises(StoreUnavailableError):
            await fill(store)
        assert await store.keys.all(), "what is there can still be read"
