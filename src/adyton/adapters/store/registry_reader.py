"""What is read of the registry: workers by name, by what is wanted, and by what is due.

What time alone does to a worker (its evidence lapses, it falls silent) is computed wherever a state
is read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adyton.adapters.store import schema
from adyton.adapters.store.failure import translated
from adyton.adapters.store.registry_rows import (
    EXHIBIT,
    PLAIN,
    exhibit_of,
    read_measurements,
    worker_of,
)
from adyton.adapters.store.registry_states import settled, sources
from adyton.errors import RejectedError
from adyton.model.registry import Event, Exhibit, RegisteredWorker, State, weight_of

__all__ = ["RegistryReader", "Wanted", "WorkerUnknownError"]

_WORKERS: Final = schema.registry_workers


class WorkerUnknownError(RejectedError):
    """The registry has no worker of this name."""

    code = "worker-unknown"

    def __init__(self) -> None:
        super().__init__("the registry has no worker of this name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which workers are asked for; ``None`` is no matter.

    ``measurement`` is a register's name and its value: some registers hold what a host chooses.
    """

    state: State | None = None
    technology: str | None = None
    measurement: tuple[str, bytes] | None = None
    genuine: bool = False


class RegistryReader:
    """Workers by name. ``silence`` is how long one may say nothing before it counts as offline."""

    def __init__(self, engine: AsyncEngine, *, silence: timedelta) -> None:
        self._engine, self._silence = engine, silence

    async def due(
        self, *, verified_before: datetime, now: datetime, limit: int
    ) -> Sequence[tuple[RegisteredWorker, Exhibit]]:
        """Return workers whose evidence is to be verified again, the longest unverified first."""
        query = (
            select(*self._columns(now), *EXHIBIT)
            .where(
                _WORKERS.c.verified < verified_before,
                self._settled(now).in_(sources(Event.LAPSE)),
            )
            .order_by(_WORKERS.c.verified, _WORKERS.c.id)
            .limit(limit)
        )
        return [(worker_of(row, {}), exhibit_of(row)) for row in await self._rows(query)]

    async def find(self, worker_id: str, *, now: datetime) -> tuple[RegisteredWorker, Exhibit]:
        """Return one worker and what it showed; raise ``WorkerUnknownError`` if there is none."""
        query = select(*self._columns(now), *EXHIBIT).where(_WORKERS.c.id == worker_id)
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(query)).one_or_none()
                if row is None:
                    raise WorkerUnknownError
                measured = await read_measurements(connection, [worker_id])
        return worker_of(row, measured.get(worker_id, {})), exhibit_of(row)

    async def query(
        self, wanted: Wanted, *, now: datetime, limit: int, after: str = ""
    ) -> tuple[RegisteredWorker, ...]:
        """Return up to ``limit`` workers, by name, beginning behind the name ``after``."""
        query = (
            select(*self._columns(now))
            .where(_WORKERS.c.id > after, *self._conditions(wanted, now))
            .order_by(_WORKERS.c.id)
            .limit(limit)
        )
        return tuple((await self._workers(query)).values())

    async def candidates(self, wanted: Wanted, *, now: datetime) -> dict[str, int]:
        """Return the names and weights of the workers that are wanted and may be drawn."""
        active = replace(wanted, state=State.ACTIVE)
        query = (
            select(_WORKERS.c.id, _WORKERS.c.is_genuine)
            .where(*self._conditions(active, now))
            .order_by(_WORKERS.c.id)
        )
        return {
            name: weight_of(State.ACTIVE, is_attested=is_genuine is True)
            for name, is_genuine in await self._rows(query)
        }

    async def named(self, names: Iterable[str], *, now: datetime) -> dict[str, RegisteredWorker]:
        """Return the workers of these names that there are."""
        query = select(*self._columns(now)).where(_WORKERS.c.id.in_(list(names)))
        return await self._workers(query)

    async def count(self, now: datetime) -> dict[State, int]:
        """Return how many workers are in each state."""
        states = select(self._settled(now).label("state")).subquery()
        query = select(states.c.state, func.count()).group_by(states.c.state)
        return {State(state): count for state, count in await self._rows(query)}

    async def _rows(self, query: Select[Any]) -> Sequence[Any]:
        # A row has the types of its query's columns, which only the caller knows.
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Any] = (await connection.execute(query)).all()
        return rows

    async def _workers(self, query: Select[Any]) -> dict[str, RegisteredWorker]:
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).all()
                measured = await read_measurements(connection, [row.id for row in rows])
        return {row.id: worker_of(row, measured.get(row.id, {})) for row in rows}

    def _settled(self, now: datetime) -> ColumnElement[str]:
        """Return the state at ``now``: what is written down, and what time has done since."""
        return settled(now, silence=self._silence)

    def _columns(self, now: datetime) -> list[ColumnElement[Any]]:
        return [*PLAIN, self._settled(now).label("state")]

    def _conditions(self, wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if wanted.state is not None:
            found.append(self._settled(now) == wanted.state.value)
        if wanted.technology is not None:
            found.append(_WORKERS.c.technology == wanted.technology)
        if wanted.measurement is not None:
            measured = schema.registry_measurements
            name, value = wanted.measurement
            having = select(measured.c.worker).where(
                measured.c.name == name, measured.c.value == value
            )
            found.append(_WORKERS.c.id.in_(having))
        if wanted.genuine:
            found.append(_WORKERS.c.is_genuine.is_(True))
        return found
