"""How much a key has used of its day."""

from datetime import date

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from adyton.adapters.store import schema
from adyton.adapters.store.failure import translated

__all__ = ["UsageTable"]


class UsageTable:
    """A counter for each key and day, which several gateways may share."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        self._insert = insert(schema.usage)

    async def take(self, key_id: str, *, day: date, limit: int) -> bool:
        """Count one use and return ``True``, or return ``False`` where ``limit`` are used already.

        One statement: two requests at once can't both take the last one.
        """
        table = schema.usage
        statement = (
            self._insert.values(key_id=key_id, day=day, used=1)
            .on_conflict_do_update(
                index_elements=[table.c.key_id, table.c.day],
                set_={"used": table.c.used + 1},
                where=table.c.used < limit,
            )
            .returning(table.c.used)
        )
        with translated():
            async with self._engine.begin() as connection:
                return (await connection.execute(statement)).scalar_one_or_none() is not None

    async def purge(self, before: date) -> int:
        """Forget the counters of days before ``before``; return how many there were."""
        statement = delete(schema.usage).where(schema.usage.c.day < before)
        with translated():
            async with self._engine.begin() as connection:
                return (await connection.execute(statement)).rowcount
