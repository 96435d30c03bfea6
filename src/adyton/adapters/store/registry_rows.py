"""The registry's rows as values, and values as rows."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adyton.adapters.store import schema
from adyton.model.registry import Attestation, Exhibit, RegisteredWorker, State

__all__ = [
    "EXHIBIT",
    "PLAIN",
    "exhibit_of",
    "read_measurements",
    "row_of",
    "worker_of",
    "write_measurements",
]

_WORKERS: Final = schema.registry_workers
# Long, and needed by few: read only where somebody verifies.
EXHIBIT: Final = (
    _WORKERS.c.manifest,
    _WORKERS.c.challenge,
    _WORKERS.c.evidence,
    _WORKERS.c.collateral,
)
PLAIN: Final = tuple(
    column for column in _WORKERS.c if column not in {*EXHIBIT, _WORKERS.c.state, _WORKERS.c.beat}
)


async def write_measurements(connection: AsyncConnection, worker: RegisteredWorker) -> None:
    """Store what a worker's evidence has measured, in place of what was there."""
    table = schema.registry_measurements
    await connection.execute(delete(table).where(table.c.worker == worker.id))
    if worker.attestation is not None and worker.attestation.measurements:
        await connection.execute(
            insert(table),
            [
                {"worker": worker.id, "name": name, "value": value}
                for name, value in worker.attestation.measurements.items()
            ],
        )


async def read_measurements(
    connection: AsyncConnection, names: Iterable[str]
) -> dict[str, dict[str, bytes]]:
    """Return the measurements of these workers, by their names."""
    table = schema.registry_measurements
    query = select(table).where(table.c.worker.in_(list(names))).order_by(table.c.name)
    found: dict[str, dict[str, bytes]] = {}
    for row in (await connection.execute(query)).all():
        found.setdefault(row.worker, {})[row.name] = bytes(row.value)
    return found


def row_of(worker: RegisteredWorker, exhibit: Exhibit) -> dict[str, Any]:
    """Return the row of a worker."""
    attestation = worker.attestation
    return {
        "id": worker.id,
        "owner": worker.owner,
        "endpoint": worker.endpoint,
        "manifest_sha256": worker.manifest_sha256,
        "state": worker.state.value,
        "reason": worker.reason,
        "registered": worker.registered,
        "heartbeat": worker.heartbeat,
        "manifest": exhibit.manifest,
        "challenge": exhibit.challenge,
        "evidence": exhibit.evidence,
        "collateral": exhibit.collateral,
        **{name: getattr(attestation, name, None) for name in _ATTESTED},
    }


_ATTESTED: Final = (
    "technology",
    "platform",
    "is_genuine",
    "signed_sha256",
    "verified",
    "until",
    "collateral_fetched",
)


def worker_of(row: Any, measurements: Mapping[str, bytes]) -> RegisteredWorker:
    """Return the worker of a row that has ``PLAIN``, and its state."""
    attestation = None
    if row.technology is not None:
        attestation = Attestation(
            technology=row.technology,
            platform=row.platform,
            is_genuine=row.is_genuine,
            measurements=measurements,
            signed_sha256=bytes(row.signed_sha256),
            verified=row.verified,
            until=row.until,
            collateral_fetched=row.collateral_fetched,
        )
    return RegisteredWorker(
        id=row.id,
        owner=row.owner,
        endpoint=row.endpoint,
        manifest_sha256=bytes(row.manifest_sha256),
        attestation=attestation,
        state=State(row.state),
        reason=row.reason,
        registered=row.registered,
        heartbeat=row.heartbeat,
    )


def exhibit_of(row: Any) -> Exhibit:
    """Return what the worker of a row showed."""
    return Exhibit(**{column.name: bytes(getattr(row, column.name)) for column in EXHIBIT})
