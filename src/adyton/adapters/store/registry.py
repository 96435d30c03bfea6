"""The registry's tables: workers, their measurements, challenges, and evidence that was seen.

States change by the table in ``model.registry`` and by nothing else: each change is one statement,
whose ``CASE`` is made from that table (``registry_states``), so that two events at once come one
after the other. What time alone does to a worker is computed wherever a state is read
(``registry_reader``), and written down by ``settle``.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adyton.adapters.store import schema
from adyton.adapters.store.failure import translated
from adyton.adapters.store.registry_reader import RegistryReader, WorkerUnknownError
from adyton.adapters.store.registry_rows import row_of, write_measurements
from adyton.adapters.store.registry_states import following, sources
from adyton.errors import RejectedError
from adyton.model.registry import (
    TRANSITIONS,
    Beat,
    Event,
    Exhibit,
    RegisteredWorker,
    State,
    TransitionRejectedError,
    UsedCollateral,
)

__all__ = [
    "EvidenceReplayedError",
    "EvidenceRequiredError",
    "HeartbeatReplayedError",
    "RegistryFullError",
    "RegistryTable",
]

_CHALLENGES_PER_KEY: Final = 64
# Any number that all gateways agree on: pg_advisory_xact_lock(bigint).
_LOCK: Final = 0x61_6479_746F_6F


class EvidenceReplayedError(RejectedError):
    """Evidence with this signed body registered a worker before, whatever its file looks like."""

    code = "evidence-replayed"

    def __init__(self) -> None:
        super().__init__("this evidence was used before: make it anew, over a challenge of its own")


class EvidenceRequiredError(RejectedError):
    """A worker without evidence is not registered here, or not any more."""

    code = "evidence-required"

    def __init__(self) -> None:
        super().__init__("the worker is not registered without evidence")


class HeartbeatReplayedError(RejectedError):
    """A heartbeat is not later than the last one that came."""

    code = "heartbeat-replayed"

    def __init__(self) -> None:
        super().__init__("the heartbeat is not later than the one before")


class RegistryFullError(RejectedError):
    """There are as many workers as there may be."""

    code = "registry-full"

    def __init__(self, *, limit: int, whose: str) -> None:
        super().__init__(f"{whose} has {limit} workers already")


class RegistryTable(RegistryReader):
    """The registry for those who change it, too."""

    def __init__(self, engine: AsyncEngine, *, silence: timedelta = timedelta(seconds=90)) -> None:
        super().__init__(engine, silence=silence)
        self._is_postgresql = engine.dialect.name == "postgresql"
        self._insert = postgresql.insert if self._is_postgresql else sqlite.insert

    async def issue(self, challenge: bytes, *, owner: str, expires: datetime) -> None:
        """Store a challenge for ``owner``, who loses the oldest of too many."""
        table = schema.registry_challenges
        kept = (
            select(table.c.challenge)
            .where(table.c.owner == owner)
            .order_by(table.c.expires.desc(), table.c.challenge)
            .limit(_CHALLENGES_PER_KEY)
        )
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(
                    insert(table).values(challenge=challenge, owner=owner, expires=expires)
                )
                await connection.execute(
                    delete(table).where(table.c.owner == owner, table.c.challenge.not_in(kept))
                )

    async def take(self, challenge: bytes, *, owner: str, now: datetime) -> bool:
        """Use up a challenge; return whether ``owner`` had it, unused and in time.

        One statement: of two registrations at once, one gets it.
        """
        table = schema.registry_challenges
        statement = (
            delete(table)
            .where(table.c.challenge == challenge, table.c.owner == owner, table.c.expires > now)
            .returning(table.c.owner)
        )
        with translated():
            async with self._engine.begin() as connection:
                return (await connection.execute(statement)).first() is not None

    async def register(
        self, worker: RegisteredWorker, exhibit: Exhibit, *, limit: int, owner_limit: int
    ) -> State:
        """Store ``worker``, new or again, and return its state.

        1. its evidence has not been seen before, by its signed body;
        2. if it is known, its state allows it, and it has not become one without evidence;
        3. there is room for it, in the registry and for its key.

        All or nothing. Raises the error of the first step that says no.
        """
        attestation = worker.attestation
        with translated():
            async with self._engine.begin() as connection:
                await self._begin_alone(connection)
                # Step 1
                if attestation is not None:
                    await self._see(connection, attestation.signed_sha256, now=worker.registered)
                # Step 2
                state = await self._upsert(connection, worker, exhibit)
                # Step 3: the new one is among those counted.
                await _check_room(connection, worker.owner, limit=limit, owner_limit=owner_limit)
                await write_measurements(connection, worker)
        return state

    async def hear(self, worker_id: str, beat: Beat, *, time: int, now: datetime) -> State:
        """Note a heartbeat that the worker made at ``time``; return the state that it is in.

        Raises ``HeartbeatReplayedError`` where ``time`` is not later than the last one.
        """
        statement = (
            update(_WORKERS)
            .where(_WORKERS.c.id == worker_id, _WORKERS.c.beat < time)
            .values(state=following(beat.event, of=self._settled(now)), heartbeat=now, beat=time)
            .returning(_WORKERS.c.state)
        )
        with translated():
            async with self._engine.begin() as connection:
                state = (await connection.execute(statement)).scalar_one_or_none()
                if state is None:
                    await _state_of(connection, worker_id)
                    raise HeartbeatReplayedError
        return State(state)

    async def change(self, worker_id: str, event: Event, *, reason: str, now: datetime) -> State:
        """Let the operator's ``event`` happen; raise ``TransitionRejectedError`` if it can't."""
        statement = (
            update(_WORKERS)
            .where(_WORKERS.c.id == worker_id, self._settled(now).in_(sources(event)))
            .values(state=following(event, of=self._settled(now)), reason=reason)
            .returning(_WORKERS.c.state)
        )
        with translated():
            async with self._engine.begin() as connection:
                state = (await connection.execute(statement)).scalar_one_or_none()
                if state is None:
                    found = await _state_of(connection, worker_id)
                    raise TransitionRejectedError(state=found, event=event)
        return State(state)

    async def confirm(
        self, worker_id: str, signed_sha256: bytes, *, used: UsedCollateral, now: datetime
    ) -> None:
        """Note that this evidence was verified again, and is still acceptable."""
        await self._note(worker_id, signed_sha256, verified=now, **_used_columns(used))

    async def refuse(
        self, worker_id: str, signed_sha256: bytes, *, used: UsedCollateral, reason: str
    ) -> bool:
        """Take trust from the worker with this evidence; return whether it had it.

        Newer evidence that came meanwhile is not meant.
        """
        return await self._note(
            worker_id,
            signed_sha256,
            _WORKERS.c.state.in_(sources(Event.REFUSE)),
            state=following(Event.REFUSE, of=_WORKERS.c.state),
            reason=reason,
            **_used_columns(used),
        )

    async def settle(self, now: datetime) -> int:
        """Write down what time has done; return to how many workers it did something."""
        state = self._settled(now)
        statement = update(_WORKERS).where(state != _WORKERS.c.state).values(state=state)
        with translated():
            async with self._engine.begin() as connection:
                return (await connection.execute(statement)).rowcount

    async def purge(self, before: datetime, *, now: datetime) -> int:
        """Forget what was last heard of before ``before``; return how many workers that were.

        A suspended worker is kept: forgotten, it could come back as a new one. Evidence is
        forgotten as late: by then, its challenge has long been used up.
        """
        silent = and_(_WORKERS.c.heartbeat < before, _WORKERS.c.state != State.SUSPENDED.value)
        names = select(_WORKERS.c.id).where(silent)
        measured, seen = schema.registry_measurements, schema.registry_evidence
        challenges = schema.registry_challenges
        with translated():
            async with self._engine.begin() as connection:
                await self._begin_alone(connection)
                await connection.execute(delete(measured).where(measured.c.worker.in_(names)))
                count = (await connection.execute(delete(_WORKERS).where(silent))).rowcount
                await connection.execute(delete(seen).where(seen.c.seen < before))
                await connection.execute(delete(challenges).where(challenges.c.expires <= now))
        return count

    async def _begin_alone(self, connection: AsyncConnection) -> None:
        # Limits are counted: two registrations at once must not both take the last place.
        if self._is_postgresql:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        else:
            await connection.exec_driver_sql("BEGIN IMMEDIATE")

    async def _see(
        self, connection: AsyncConnection, signed_sha256: bytes, *, now: datetime
    ) -> None:
        table = schema.registry_evidence
        statement = (
            self._insert(table)
            .values(signed_sha256=signed_sha256, seen=now)
            .on_conflict_do_nothing()
            .returning(table.c.seen)
        )
        if (await connection.execute(statement)).first() is None:
            raise EvidenceReplayedError

    async def _upsert(
        self, connection: AsyncConnection, worker: RegisteredWorker, exhibit: Exhibit
    ) -> State:
        values = row_of(worker, exhibit)
        fixed = {"id", "registered", "state"}
        state = self._settled(worker.registered)
        allowed = [state.in_(sources(Event.REGISTER))]
        if worker.attestation is None:
            allowed.append(_WORKERS.c.technology.is_(None))
        statement = (
            self._insert(_WORKERS)
            .values(values | {"beat": 0})
            .on_conflict_do_update(
                index_elements=[_WORKERS.c.id],
                set_={name: value for name, value in values.items() if name not in fixed}
                | {"state": following(Event.REGISTER, of=state)},
                where=and_(*allowed),
            )
            .returning(_WORKERS.c.state)
        )
        stored = (await connection.execute(statement)).scalar_one_or_none()
        if stored is not None:
            return State(stored)
        found = await _state_of(connection, worker.id)
        if found in TRANSITIONS[Event.REGISTER]:
            raise EvidenceRequiredError
        raise TransitionRejectedError(state=found, event=Event.REGISTER)

    async def _note(
        self,
        worker_id: str,
        signed_sha256: bytes,
        *conditions: ColumnElement[bool],
        **values: Any,
    ) -> bool:
        statement = (
            update(_WORKERS)
            .where(
                _WORKERS.c.id == worker_id, _WORKERS.c.signed_sha256 == signed_sha256, *conditions
            )
            .values(values)
        )
        with translated():
            async with self._engine.begin() as connection:
                return (await connection.execute(statement)).rowcount == 1


_WORKERS: Final = schema.registry_workers


def _used_columns(used: UsedCollateral) -> dict[str, Any]:
    return {"collateral": used.file, "collateral_fetched": used.fetched}


async def _state_of(connection: AsyncConnection, worker_id: str) -> State:
    query = select(_WORKERS.c.state).where(_WORKERS.c.id == worker_id)
    state = (await connection.execute(query)).scalar_one_or_none()
    if state is None:
        raise WorkerUnknownError
    return State(state)


async def _check_room(
    connection: AsyncConnection, owner: str, *, limit: int, owner_limit: int
) -> None:
    mine = func.count().filter(_WORKERS.c.owner == owner)
    total, owned = (
        await connection.execute(select(func.count(), mine).select_from(_WORKERS))
    ).one()
    if total > limit:
        raise RegistryFullError(limit=limit, whose="the registry")
    if owned > owner_limit:
        raise RegistryFullError(limit=owner_limit, whose="the api key")
