"""Times in which something may be used, how far apart clocks may be, and where instants end."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["CLOCK_TOLERANCE", "LAST_MILLISECOND", "LAST_SECOND", "Window", "instant_of", "later"]

# Clocks differ, and a caller's instant may have no fraction of a second where the evidence has one.
CLOCK_TOLERANCE: Final = timedelta(minutes=1)
# The end of the year 9999, counted from 1970: no calendar says what comes after it.
LAST_SECOND: Final = 253_402_300_799
LAST_MILLISECOND: Final = 1000 * LAST_SECOND + 999

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when to when one piece may be used: both ends belong to it."""

    name: str
    first: datetime
    last: datetime


def instant_of(milliseconds: int) -> datetime:
    """Return the instant so long after the beginning of 1970; ``LAST_MILLISECOND`` is the last."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def later(instant: datetime, span: timedelta) -> datetime:
    """Return the instant ``span`` behind ``instant``, or the last that there is.

    Who signs under a root of their own may date things to the end of time.
    """
    return instant + span if span <= _LAST - instant else _LAST
