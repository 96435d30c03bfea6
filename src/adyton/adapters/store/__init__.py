"""The gateway's store: API keys, what they used today, the audit, and jobs. SQLite or PostgreSQL.

Of a question it holds what the retention rule of RFC-0023 allows, and has no place for anything
else: no sealed or plain credential, no request body, no proof, nothing a provider answered. Of a
delegated proof that is a job it holds the sealed request until the job ends, then the receipt.
"""

from adyton.adapters.store.administration import (
    create_key,
    list_audit,
    list_keys,
    purge_audit,
    revoke_key,
)
from adyton.adapters.store.database import (
    DatabaseUrlMalformedError,
    Store,
    StoreUnavailableError,
    open_store,
)
from adyton.adapters.store.records import ApiKey, AuditEntry, KeyLimits, NewKey, Scope
from adyton.adapters.store.writer import AuditWriter

__all__ = [
    "ApiKey",
    "AuditEntry",
    "AuditWriter",
    "DatabaseUrlMalformedError",
    "KeyLimits",
    "NewKey",
    "Scope",
    "Store",
    "StoreUnavailableError",
    "create_key",
    "list_audit",
    "list_keys",
    "open_store",
    "purge_audit",
    "revoke_key",
]
