"""The table of ``model.registry`` as SQL: what follows on an event, and what time has done."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case

from adyton.adapters.store.schema import registry_workers
from adyton.model.registry import TRANSITIONS, Event

__all__ = ["following", "settled", "sources"]


def sources(event: Event) -> list[str]:
    """Return the states in which ``event`` can happen."""
    return [state.value for state in TRANSITIONS[event]]


def following(event: Event, *, of: ColumnElement[str]) -> ColumnElement[str]:
    """Return the state that follows on ``event``; no state where the table has none."""
    return case({state.value: then.value for state, then in TRANSITIONS[event].items()}, value=of)


def settled(now: datetime, *, silence: timedelta) -> ColumnElement[str]:
    """Return the state at ``now``: what is written down, and what time has done since."""
    state = registry_workers.c.state
    is_over = and_(registry_workers.c.until <= now, state.in_(sources(Event.LAPSE)))
    is_silent = and_(
        registry_workers.c.heartbeat < now - silence, state.in_(sources(Event.FALL_SILENT))
    )
    return case(
        (is_over, following(Event.LAPSE, of=state)),
        (is_silent, following(Event.FALL_SILENT, of=state)),
        else_=state,
    )
