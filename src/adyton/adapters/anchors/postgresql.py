"""An anchor in PostgreSQL: as good as whoever runs it.

It carries frames: head and frames are one transaction, synchronously committed whatever the
server's default is. A connection lives in a thread of its own, since its library wants a loop.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import asyncpg  # type: ignore[import-untyped]  # it has no types

from adyton.ledger.errors import AnchorMovedError, AnchorUnavailableError
from adyton.ledger.ports import GENESIS, Anchored, Head

__all__ = ["PostgresqlAnchor"]

T = TypeVar("T")

_SECONDS: Final = 5.0
_HEADS: Final = (
    "CREATE TABLE IF NOT EXISTS adyton_heads (ledger text PRIMARY KEY, counter bigint NOT NULL,"
    " proof_hash bytea NOT NULL)"
)
_PENDING: Final = (
    "CREATE TABLE IF NOT EXISTS adyton_pending (ledger text NOT NULL, counter bigint NOT NULL,"
    " frames bytea NOT NULL, PRIMARY KEY (ledger, counter))"
)
# One statement, so that one round trip is the whole transaction: the frames are kept and the old
# ones forgotten only where the head has moved.
_FIRST: Final = """
WITH moved AS (
    INSERT INTO adyton_heads VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING counter
), kept AS (
    INSERT INTO adyton_pending SELECT $1::text, counter, $4::bytea FROM moved
)
SELECT count(*) FROM moved
"""
_NEXT: Final = """
WITH moved AS (
    UPDATE adyton_heads SET counter = $2, proof_hash = $3
    WHERE ledger = $1 AND counter = $6 AND proof_hash = $7 RETURNING counter
), kept AS (
    INSERT INTO adyton_pending SELECT $1::text, counter, $4::bytea FROM moved
), forgotten AS (
    DELETE FROM adyton_pending
    WHERE ledger = $1 AND counter <= $5 AND EXISTS (SELECT 1 FROM moved)
)
SELECT count(*) FROM moved
"""
_READ_HEAD: Final = "SELECT counter, proof_hash FROM adyton_heads WHERE ledger = $1"
_READ_PENDING: Final = "SELECT frames FROM adyton_pending WHERE ledger = $1 ORDER BY counter"
# Two notaries that start at once on a new database meet in CREATE TABLE IF NOT EXISTS.
_LOCK: Final = 0x61_6479_616E


# The last one is what the library says of a connection that broke at the wrong moment.
_FAILURES: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class PostgresqlAnchor:
    """A row that is updated only where it is what it was before."""

    kind: Final = "postgresql"
    carries: Final = True

    def __init__(self, url: str, *, ledger: str) -> None:
        self._url, self._ledger = url, ledger
        self._connection: Any = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="anchor", daemon=True)
        self._thread.start()

    def read(self) -> Anchored:
        """Return the head and the frames that are carried, in order."""
        return self._run(self._read())

    def advance(self, before: Head, after: Head, *, frame: bytes, settled: int) -> None:
        """Move the head, in one statement with the frames."""
        if not self._run(self._advance(before, after, frame, settled)):
            raise AnchorMovedError(kind=self.kind)

    def close(self) -> None:
        """Close the connection."""
        try:
            self._run(self._drop())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _read(self) -> Anchored:
        connection = await self._connected()
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            head = await connection.fetchrow(_READ_HEAD, self._ledger)
            pending = await connection.fetch(_READ_PENDING, self._ledger)
        if head is None:
            return Anchored(head=GENESIS)
        return Anchored(
            head=Head(counter=head[0], proof_hash=head[1]), pending=tuple(row[0] for row in pending)
        )

    async def _advance(self, before: Head, after: Head, frame: bytes, settled: int) -> bool:
        connection = await self._connected()
        new = (self._ledger, after.counter, after.proof_hash, frame)
        if before == GENESIS:
            moved = await connection.fetchval(_FIRST, *new)
        else:
            old = (settled, before.counter, before.proof_hash)
            moved = await connection.fetchval(_NEXT, *new, *old)
        return bool(moved)

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = connection = await asyncpg.connect(
                self._url,
                timeout=_SECONDS,
                command_timeout=_SECONDS,
                server_settings={"synchronous_commit": "on"},
            )
            async with connection.transaction():
                await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
                await connection.execute(_HEADS)
                await connection.execute(_PENDING)
        return self._connection

    async def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except (*_FAILURES, OSError, TimeoutError) as error:
            # Whatever it was, the next try has a connection of its own. Its text may hold the
            # address, and so a password.
            asyncio.run_coroutine_threadsafe(self._drop(), self._loop).result()
            raise AnchorUnavailableError(kind=self.kind, reason=type(error).__name__) from error
