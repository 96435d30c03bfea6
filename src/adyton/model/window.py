"""A time in which something may be used: a certificate, a list, a text that was signed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["Window", "later"]

_LAST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when to when one piece may be used: both ends belong to it."""

    name: str
    first: datetime
    last: datetime


def later(instant: datetime, span: timedelta) -> datetime:
    """Return the instant ``span`` behind ``instant``, or the last that there is.

    Who signs under a root of their own may date things to the end of time.
    """
    return instant + span if span <= _LAST - instant else _LAST
