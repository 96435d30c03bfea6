"""Delegated proofs that wait, are made, or were made lately: the table, and its rows as values.

A job that was accepted outlives the gateway: its sealed request is here, which only the worker can
open, and is dropped with its end. Each job that has not ended is held by one gateway, for a while;
what nobody holds any longer, another one takes over. All changes are single statements, so that
two gateways never both work on one job, nor end it twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from adyton.adapters.store import schema
from adyton.adapters.store.failure import translated

__all__ = ["Job", "JobFailure", "JobLimits", "JobState", "JobTable"]


class JobState(StrEnum):
    """Where a job is in its life: the first two may change, the others are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        """Whether nothing will happen to the job any more."""
        return self not in _UNFINISHED


_UNFINISHED: Final = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailure:
    """Why there is no proof, in the words of worker or gateway; ``family`` is as on the link."""

    family: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is known of a job without reading its request or its answer."""

    id: str
    key_id: str
    scheme: str
    target: str
    created: datetime
    state: JobState = JobState.QUEUED
    started: datetime | None = None
    finished: datetime | None = None
    failure: JobFailure | None = None
    challenge: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLimits:
    """``key_jobs``: unfinished ones of one key; ``stored_bytes``: requests and answers of all."""

    key_jobs: int
    stored_bytes: int


class JobTable:
    """The table of jobs."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(
        self, job: Job, sealed: bytes, *, holder: str, until: datetime, limits: JobLimits
    ) -> bool:
        """Store ``job``, held by ``holder``; return whether the limits left room for it.

        Two gateways that add at the same moment may together be over a limit, by one job.
        """
        table = schema.jobs
        mine = select(func.count()).where(table.c.key_id == job.key_id, _is_unfinished())
        stored = select(func.coalesce(func.sum(table.c.size), 0))
        values = {
            "id": job.id,
            "key_id": job.key_id,
            "scheme": job.scheme,
            "target": job.target,
            "state": job.state.value,
            "created": job.created,
            "challenge": job.challenge,
            "sealed": sealed,
            "size": len(sealed),
            "holder": holder,
            "held_until": until,
        }
        row = select(*(literal(value, table.c[name].type) for name, value in values.items())).where(
            mine.scalar_subquery() < limits.key_jobs,
            stored.scalar_subquery() + len(sealed) <= limits.stored_bytes,
        )
        statement = insert(table).from_select(list(values), row)
        return await self._changes(statement) == 1

    async def unfinished(self, key_id: str) -> int:
        """Return how many jobs of a key have not ended."""
        query = select(func.count()).where(schema.jobs.c.key_id == key_id, _is_unfinished())
        with translated():
            async with self._engine.connect() as connection:
                return int((await connection.execute(query)).scalar_one())

    async def find(self, job_id: str) -> Job | None:
        """Return a job, whoever made it."""
        query = select(*_COLUMNS).where(schema.jobs.c.id == job_id)
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _job(row)

    async def sealed(self, job_id: str) -> bytes | None:
        """Return a job's sealed request; ``None`` once it has ended."""
        return await self._bytes(schema.jobs.c.sealed, job_id)

    async def answer(self, job_id: str) -> bytes | None:
        """Return a job's receipt; ``None`` where it has none."""
        return await self._bytes(schema.jobs.c.answer, job_id)

    async def start(self, job_id: str, *, holder: str, now: datetime) -> bool:
        """Note that work has begun; return whether the job is still the holder's to begin."""
        table = schema.jobs
        statement = (
            update(table)
            .where(table.c.id == job_id, table.c.holder == holder, _is_unfinished())
            .values(state=JobState.RUNNING.value, started=now)
        )
        return await self._changes(statement) == 1

    async def finish(
        self,
        job_id: str,
        *,
        state: JobState,
        now: datetime,
        answer: bytes | None = None,
        failure: JobFailure | None = None,
        holder: str | None = None,
    ) -> bool:
        """End a job and drop its request; return whether it had not ended before.

        With ``holder``, only while it is this one's.
        """
        table = schema.jobs
        is_its = literal(value=True) if holder is None else table.c.holder == holder
        values: dict[str, Any] = {
            "state": state.value,
            "finished": now,
            "sealed": None,
            "answer": answer,
            "size": len(answer or b""),
        }
        if failure is not None:
            values |= {
                "family": failure.family,
                "code": failure.code,
                "message": failure.message,
            }
        statement = update(table).where(table.c.id == job_id, _is_unfinished(), is_its)
        statement = statement.values(values)
        return await self._changes(statement) == 1

    async def hold(self, *, holder: str, until: datetime) -> frozenset[str]:
        """Hold all that ``holder`` holds for longer; return which jobs these are."""
        table = schema.jobs
        statement = (
            update(table)
            .where(table.c.holder == holder, _is_unfinished())
            .values(held_until=until)
            .returning(table.c.id)
        )
        with translated():
            async with self._engine.begin() as connection:
                return frozenset((await connection.execute(statement)).scalars())

    async def adopt(self, *, holder: str, now: datetime, until: datetime) -> tuple[Job, ...]:
        """Take over what nobody holds any longer, the oldest first; all of it is to be begun."""
        table = schema.jobs
        statement = (
            update(table)
            .where(_is_unfinished(), table.c.held_until < now)
            .values(holder=holder, held_until=until, state=JobState.QUEUED.value, started=None)
            .returning(*_COLUMNS)
        )
        with translated():
            async with self._engine.begin() as connection:
                rows = (await connection.execute(statement)).mappings().all()
        return tuple(sorted(map(_job, rows), key=lambda job: (job.created, job.id)))

    async def release(self, *, holder: str, now: datetime) -> None:
        """Hold nothing any longer: for a gateway that ends in order."""
        table = schema.jobs
        statement = (
            update(table).where(table.c.holder == holder, _is_unfinished()).values(held_until=now)
        )
        await self._changes(statement)

    async def delete(self, job_id: str) -> None:
        """Forget a job."""
        await self._changes(delete(schema.jobs).where(schema.jobs.c.id == job_id))

    async def purge(self, before: datetime) -> int:
        """Forget the jobs that ended before ``before``; return how many there were."""
        return await self._changes(delete(schema.jobs).where(schema.jobs.c.finished < before))

    async def _changes(self, statement: Any) -> int:
        with translated():
            async with self._engine.begin() as connection:
                return int((await connection.execute(statement)).rowcount)

    async def _bytes(self, column: Any, job_id: str) -> bytes | None:
        query = select(column).where(schema.jobs.c.id == job_id)
        with translated():
            async with self._engine.connect() as connection:
                found = (await connection.execute(query)).scalar_one_or_none()
        return None if found is None else bytes(found)


def _is_unfinished() -> ColumnElement[bool]:
    return schema.jobs.c.state.in_([state.value for state in _UNFINISHED])


def _job(row: Mapping[Any, Any]) -> Job:
    failure = None
    if row["code"]:
        failure = JobFailure(family=row["family"], code=row["code"], message=row["message"])
    return Job(
        id=row["id"],
        key_id=row["key_id"],
        scheme=row["scheme"],
        target=row["target"],
        created=row["created"],
        state=JobState(row["state"]),
        started=row["started"],
        finished=row["finished"],
        failure=failure,
        challenge=bytes(row["challenge"]),
    )


# Everything but what is long.
_COLUMNS: Final = tuple(
    column for column in schema.jobs.columns if column.name not in {"sealed", "answer"}
)
