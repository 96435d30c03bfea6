"""The database: which one a URL names, how it is opened, and its failures in our words."""

import os
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adyton.adapters.store.audit import AuditTable
from adyton.adapters.store.failure import StoreUnavailableError, translated
from adyton.adapters.store.jobs import JobTable
from adyton.adapters.store.keys import KeyTable
from adyton.adapters.store.migration import migrate
from adyton.adapters.store.registry import RegistryTable
from adyton.adapters.store.usage import UsageTable
from adyton.errors import MalformedError

__all__ = [
    "DatabaseUrlMalformedError",
    "Store",
    "StoreUnavailableError",
    "check_url",
    "open_store",
]

_SQLITE: Final = "sqlite+aiosqlite"
_POSTGRESQL: Final = "postgresql+asyncpg"
_DRIVERS: Final[Mapping[str, str]] = {
    "sqlite": _SQLITE,
    _SQLITE: _SQLITE,
    "postgres": _POSTGRESQL,
    "postgresql": _POSTGRESQL,
    _POSTGRESQL: _POSTGRESQL,
}
_BUSY: Final = timedelta(seconds=5)
_CONNECTIONS: Final = 4


class DatabaseUrlMalformedError(MalformedError):
    """``DATABASE_URL`` names no database that can be used. Never quoted: it may hold a password."""

    code = "database-url-malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An open database."""

    engine: AsyncEngine
    keys: KeyTable
    usage: UsageTable
    audit: AuditTable
    jobs: JobTable
    registry: RegistryTable

    async def check(self) -> None:
        """Raise ``StoreUnavailableError`` unless the database answers."""
        with translated():
            async with self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """Yield the store at ``url``, brought to this version's schema first.

    Raises ``DatabaseUrlMalformedError`` or ``StoreUnavailableError``.
    """
    engine = _engine(check_url(url))
    try:
        with translated():
            await migrate(engine)
        yield Store(
            engine=engine,
            keys=KeyTable(engine),
            usage=UsageTable(engine),
            audit=AuditTable(engine),
            jobs=JobTable(engine),
            registry=RegistryTable(engine),
        )
    finally:
        await engine.dispose()


def check_url(text: str) -> URL:
    """Return the URL with the driver we use, or raise ``DatabaseUrlMalformedError``."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise DatabaseUrlMalformedError("the database url is not a url") from error
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise DatabaseUrlMalformedError("the database url is not sqlite:// or postgresql://")
    if driver == _SQLITE and url.host:
        raise DatabaseUrlMalformedError("a sqlite url has three slashes before its path")
    query = dict(url.query)
    # What libpq calls sslmode, asyncpg calls ssl; the values are the same.
    if driver == _POSTGRESQL and "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return url.set(drivername=driver, query=query)


def _engine(url: URL) -> AsyncEngine:
    # An error of the database would otherwise quote the parameters of its statement.
    options: dict[str, Any] = {"hide_parameters": True}
    if url.drivername == _POSTGRESQL:
        arguments = {"timeout": _BUSY.total_seconds(), "command_timeout": _BUSY.total_seconds()}
        return create_async_engine(
            url,
            **options,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=_BUSY.total_seconds(),
            pool_pre_ping=True,
            connect_args=arguments,
        )
    if url.database and url.database != ":memory:":
        _make_private(Path(url.database))
    engine = create_async_engine(url, **options, connect_args={"timeout": _BUSY.total_seconds()})
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    return engine


def _make_private(path: Path) -> None:
    # SQLite gives its -wal and -shm files the mode of the database.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StoreUnavailableError(reason=f"{path.name}: {error.strerror}") from error


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    _use_wal(cursor)
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """Switch to the write-ahead log, once in a database's life.

    Two processes that start on a new database meet here, and SQLite does not wait for the lock that
    the switch takes, whatever the timeout: it says "locked" at once.
    """
    for _attempt in range(_WAL_ATTEMPTS):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            # A start: nothing else runs yet that would wait for this.
            time.sleep(_WAL_PAUSE_SECONDS)
        else:
            return
    cursor.execute("PRAGMA journal_mode=WAL")


_WAL_ATTEMPTS: Final = 100
_WAL_PAUSE_SECONDS: Final = 0.02
_PRAGMAS: Final = (
    # An answer is given after its audit entry is written: written means on the disk.
    "synchronous=FULL",
    "foreign_keys=ON",
    # What the retention period ends is overwritten, not only unlinked.
    "secure_delete=ON",
    "temp_store=MEMORY",
)
