"""The audit: one row for each question that a key asked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adyton.adapters.store import schema
from adyton.adapters.store.failure import translated
from adyton.adapters.store.records import AuditEntry

__all__ = ["AuditTable"]

_PURGE_BATCH: Final = 1000


class AuditTable:
    """Rows are added and, at the end of the retention period, deleted; never changed."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._insert = insert(schema.audit)

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        """Store ``entries`` in one transaction; when this returns they are on the disk."""
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(self._insert, [_row(entry) for entry in entries])

    async def newest(
        self, *, limit: int, key_id: str | None = None, before: datetime | None = None
    ) -> tuple[AuditEntry, ...]:
        """Return up to ``limit`` entries, the newest first."""
        query = select(schema.audit).order_by(schema.audit.c.time.desc(), schema.audit.c.id)
        if key_id is not None:
            query = query.where(schema.audit.c.key_id == key_id)
        if before is not None:
            query = query.where(schema.audit.c.time < before)
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query.limit(limit))).mappings().all()
        return tuple(_entry(row) for row in rows)

    async def purge(self, before: datetime) -> int:
        """Delete the entries from before ``before``; return how many there were.

        In batches, so that the questions of the meantime wait for one batch at most.
        """
        table, purged = schema.audit, 0
        old = select(table.c.id).where(table.c.time < before).limit(_PURGE_BATCH)
        statement = delete(table).where(table.c.id.in_(old.scalar_subquery()))
        while True:
            with translated():
                async with self._engine.begin() as connection:
                    count = (await connection.execute(statement)).rowcount
            purged += count
            if count < _PURGE_BATCH:
                return purged


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in _COLUMNS} | {"timings": dict(entry.timings)}


def _entry(row: Mapping[Any, Any]) -> AuditEntry:
    return AuditEntry(**{name: row[name] for name in _COLUMNS})


_COLUMNS: Final = tuple(column.name for column in schema.audit.columns)
