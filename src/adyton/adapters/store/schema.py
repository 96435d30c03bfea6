"""The tables. Each column is something that the retention rule of RFC-0023 allows."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

__all__ = [
    "HEAD",
    "Instant",
    "audit",
    "jobs",
    "keys",
    "metadata",
    "registry_challenges",
    "registry_evidence",
    "registry_measurements",
    "registry_workers",
    "usage",
]

# The newest migration; a test compares it with what is in ``migrations``.
HEAD: Final = "0004"


class Instant(TypeDecorator[datetime]):
    """A point in time, in UTC. SQLite drops the zone: it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Return ``value`` in UTC; a time without a zone is our own mistake."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time has no zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Return ``value`` with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("scopes", String(64), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant),
    Column("revoked", Instant),
    Column("per_minute", Integer),
    Column("in_flight", Integer),
    Column("per_day", Integer),
)

usage = Table(
    "key_usage",
    metadata,
    Column("key_id", String(16), ForeignKey(keys.c.id), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("used", Integer, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("time", Instant, nullable=False),
    Column("key_id", String(16), ForeignKey(keys.c.id), nullable=False),
    Column("endpoint", String(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("code", String(64), nullable=False),
    Column("provider", String(128), nullable=False),
    Column("provider_digest", String(64), nullable=False),
    Column("circuit", String(64), nullable=False),
    Column("answer", Boolean),
    Column("public_inputs", JSON(none_as_null=True)),
    Column("proof", String(64), nullable=False),
    Column("public_inputs_digest", String(64), nullable=False),
    Column("statement", String(64), nullable=False),
    Column("transcript", String(64), nullable=False),
    Column("manifest", String(64), nullable=False),
    Column("timings", JSON, nullable=False),
    Index(None, "time"),
    Index(None, "key_id"),
)

jobs = Table(
    "proving_jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("key_id", String(16), ForeignKey(keys.c.id), nullable=False),
    Column("scheme", String(32), nullable=False),
    Column("target", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created", Instant, nullable=False),
    Column("started", Instant),
    Column("finished", Instant),
    Column("family", String(16)),
    Column("code", String(64)),
    Column("message", String(512)),
    Column("challenge", LargeBinary(64), nullable=False),
    # Opens with the worker's key alone, and is dropped when the job ends.
    Column("sealed", LargeBinary),
    Column("answer", LargeBinary),
    Column("size", Integer, nullable=False),
    Column("holder", String(32), nullable=False),
    Column("held_until", Instant, nullable=False),
    Index(None, "key_id"),
    Index(None, "state"),
)

registry_workers = Table(
    "registry_workers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", String(16), ForeignKey(keys.c.id), nullable=False),
    Column("endpoint", String(256), nullable=False),
    Column("manifest_sha256", LargeBinary(32), nullable=False),
    Column("state", String(24), nullable=False),
    Column("reason", String(256), nullable=False),
    Column("registered", Instant, nullable=False),
    Column("heartbeat", Instant, nullable=False),
    # The worker's own clock at its last heartbeat, in milliseconds.
    Column("beat", BigInteger, nullable=False),
    Column("manifest", LargeBinary, nullable=False),
    Column("challenge", LargeBinary(64), nullable=False),
    Column("evidence", LargeBinary, nullable=False),
    Column("collateral", LargeBinary, nullable=False),
    # All of these, or none: a worker without evidence.
    Column("technology", String(32)),
    Column("platform", String(32)),
    Column("is_genuine", Boolean),
    Column("signed_sha256", LargeBinary(32)),
    Column("verified", Instant),
    Column("until", Instant),
    # None where the worker brought its collateral itself.
    Column("collateral_fetched", Instant),
    Index(None, "owner"),
)

registry_measurements = Table(
    "registry_measurements",
    metadata,
    Column("worker", String(64), ForeignKey(registry_workers.c.id), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary(64), nullable=False),
    Index(None, "value"),
)

registry_challenges = Table(
    "registry_challenges",
    metadata,
    Column("challenge", LargeBinary(64), primary_key=True),
    Column("owner", String(16), ForeignKey(keys.c.id), nullable=False),
    Column("expires", Instant, nullable=False),
    Index(None, "owner"),
)

registry_evidence = Table(
    "registry_evidence",
    metadata,
    Column("signed_sha256", LargeBinary(32), primary_key=True),
    Column("seen", Instant, nullable=False),
)
