"""The parts of delegated proving, put together: one line for all who want a proof."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from adyton.adapters.store.jobs import JobTable
from adyton.gateway.door import Door
from adyton.gateway.greeting import Greeting
from adyton.gateway.metrics import Metrics
from adyton.gateway.ports import Audit
from adyton.gateway.proving.answering import Proving
from adyton.gateway.proving.books import Books
from adyton.gateway.proving.following import Following
from adyton.gateway.proving.jobs import Jobs
from adyton.gateway.proving.line import Line
from adyton.gateway.proving.room import Room
from adyton.gateway.proving.settings import ProvingSettings, Switch
from adyton.gateway.routes import Capability
from adyton.gateway.tee_rex.service import TeeRex
from adyton.gateway.tee_rex.visitors import Visitors
from adyton.gateway.worker import Worker
from adyton.model.ports import Clock

__all__ = ["Delegated", "delegated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegated:
    """What delegated proving brings to a gateway; ``keep`` runs beside the requests."""

    capabilities: tuple[Capability, ...]
    keep: Callable[[], Coroutine[Any, Any, None]]


def delegated(
    settings: ProvingSettings,
    *,
    door: Door,
    worker: Worker,
    jobs: JobTable,
    audit: Audit,
    metrics: Metrics,
    clock: Clock,
    monotonic: Callable[[], float],
) -> Delegated:
    """Return delegated proving as ``settings`` describe it."""
    waiting, key_waiting = settings.waiting, settings.key_waiting
    line = Line(at_once=settings.at_once, waiting=waiting, caller_waiting=key_waiting)
    room = Room(settings.memory_bytes)
    books = Books(audit=audit, metrics=metrics, clock=clock)
    kept = Jobs(
        store=jobs,
        line=line,
        worker=worker,
        books=books,
        clock=clock,
        limits=settings.jobs,
        deadline=settings.deadline,
        kept=settings.kept,
    )
    capabilities: list[Capability] = [
        Proving(
            door=door,
            worker=worker,
            line=line,
            room=room,
            jobs=kept,
            books=books,
            clock=clock,
            deadline=settings.deadline,
        ),
        Following(door=door, jobs=kept, clock=clock),
        Greeting(worker=worker),
    ]
    if settings.tee_rex is Switch.ON:
        visitors = Visitors(
            per_hour=settings.tee_rex_per_hour,
            origins=settings.tee_rex_origins,
            monotonic=monotonic,
        )
        capabilities.append(
            TeeRex(
                worker=worker,
                porch=Line(at_once=1, waiting=waiting, caller_waiting=key_waiting),
                line=line,
                # However many strangers wait, half of it is left to callers with keys.
                room=Room(settings.memory_bytes // 2, within=room),
                visitors=visitors,
                limiter=door.limiter,
                deadline=settings.deadline,
            )
        )
    return Delegated(capabilities=tuple(capabilities), keep=kept.keep)
