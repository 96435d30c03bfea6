"""The table of API keys."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from adyton.adapters.store import schema
from adyton.adapters.store.failure import translated
from adyton.adapters.store.records import ApiKey, KeyLimits, Scope

__all__ = ["KeyTable"]


class KeyTable:
    """Keys by identifier. A key is never deleted: the audit refers to it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, key: ApiKey) -> None:
        """Store ``key``."""
        values = {
            "id": key.id,
            "name": key.name,
            "scopes": ",".join(sorted(key.scopes)),
            "digest": key.digest,
            "created": key.created,
            "expires": key.expires,
            "revoked": key.revoked,
            "per_minute": key.limits.per_minute,
            "in_flight": key.limits.in_flight,
            "per_day": key.limits.per_day,
        }
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(insert(schema.keys).values(values))

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key with this identifier, revoked or not."""
        query = select(schema.keys).where(schema.keys.c.id == key_id)
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _key(row)

    async def all(self) -> tuple[ApiKey, ...]:
        """Return every key, the oldest first."""
        query = select(schema.keys).order_by(schema.keys.c.created, schema.keys.c.id)
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).mappings().all()
        return tuple(_key(row) for row in rows)

    async def revoke(self, key_id: str, *, now: datetime) -> bool:
        """Revoke a key; return whether there was one that had not been revoked yet."""
        statement = (
            update(schema.keys)
            .where(schema.keys.c.id == key_id, schema.keys.c.revoked.is_(None))
            .values(revoked=now)
        )
        with translated():
            async with self._engine.begin() as connection:
                return (await connection.execute(statement)).rowcount == 1


def _key(row: Mapping[Any, Any]) -> ApiKey:
    return ApiKey(
        id=row["id"],
        name=row["name"],
        # A scope that a later version knows gives nothing here.
        scopes=frozenset(Scope(name) for name in row["scopes"].split(",") if name in set(Scope)),
        digest=bytes(row["digest"]),
        created=row["created"],
        expires=row["expires"],
        revoked=row["revoked"],
        limits=KeyLimits(
            per_minute=row["per_minute"], in_flight=row["in_flight"], per_day=row["per_day"]
        ),
    )
