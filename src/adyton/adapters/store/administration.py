"""What an operator does with the store: each function opens it, does one thing, and closes it."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from adyton.adapters.store.database import open_store
from adyton.adapters.store.records import (
    KEY_ID_LENGTH,
    SECRET_SIZE,
    ApiKey,
    AuditEntry,
    KeyLimits,
    NewKey,
    Presented,
    Scope,
    key_digest,
)

__all__ = ["create_key", "list_audit", "list_keys", "new_key", "purge_audit", "revoke_key"]


def new_key(
    *,
    name: str,
    scopes: Iterable[Scope],
    now: datetime,
    lifetime: timedelta | None = None,
    limits: KeyLimits | None = None,
) -> NewKey:
    """Return a fresh key that is not stored yet."""
    presented = Presented(
        id=secrets.token_hex(KEY_ID_LENGTH // 2), secret=secrets.token_bytes(SECRET_SIZE)
    )
    key = ApiKey(
        id=presented.id,
        name=name,
        scopes=frozenset(scopes),
        digest=key_digest(presented.secret),
        created=now,
        expires=None if lifetime is None else now + lifetime,
        revoked=None,
        limits=limits or KeyLimits(),
    )
    return NewKey(key=key, text=presented.to_text())


async def create_key(
    url: str,
    *,
    name: str,
    scopes: Iterable[Scope],
    now: datetime,
    lifetime: timedelta | None = None,
    limits: KeyLimits | None = None,
) -> NewKey:
    """Store a fresh key and return it with its text, which cannot be had again."""
    made = new_key(name=name, scopes=scopes, now=now, lifetime=lifetime, limits=limits)
    async with open_store(url) as store:
        await store.keys.add(made.key)
    return made


async def list_keys(url: str) -> tuple[ApiKey, ...]:
    """Return every key, the oldest first."""
    async with open_store(url) as store:
        return await store.keys.all()


async def revoke_key(url: str, key_id: str, *, now: datetime) -> bool:
    """Revoke a key; return whether there was one to revoke.

    A running gateway remembers a key for a few seconds, and refuses it after that.
    """
    async with open_store(url) as store:
        return await store.keys.revoke(key_id, now=now)


async def list_audit(
    url: str, *, limit: int = 100, key_id: str | None = None, before: datetime | None = None
) -> tuple[AuditEntry, ...]:
    """Return up to ``limit`` audit entries, the newest first."""
    async with open_store(url) as store:
        return await store.audit.newest(limit=limit, key_id=key_id, before=before)


async def purge_audit(url: str, *, before: datetime) -> int:
    """Delete the audit entries from before ``before``; return how many there were."""
    async with open_store(url) as store:
        return await store.audit.purge(before)
