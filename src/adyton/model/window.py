"""A time in which something may be used: a certificate, a list, a text that was signed."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Window"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when to when one piece may be used: both ends belong to it."""

    name: str
    first: datetime
    last: datetime
