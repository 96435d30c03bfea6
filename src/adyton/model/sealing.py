"""For how long what was sealed to a worker may be opened."""

from datetime import datetime, timedelta

from adyton.errors import RejectedError
from adyton.model.window import CLOCK_TOLERANCE

__all__ = ["FromTheFutureError", "TooOldError", "check_age"]


class TooOldError(RejectedError):
    """Something was sealed too long ago."""

    code = "too-old"

    def __init__(self, *, what: str, maximum: timedelta) -> None:
        super().__init__(f"{what} was sealed more than {maximum.total_seconds():g} seconds ago")


class FromTheFutureError(RejectedError):
    """Something was sealed at a time that the worker's clock has not reached."""

    code = "from-the-future"

    def __init__(self, *, what: str) -> None:
        super().__init__(f"{what} was sealed in the future: compare the clocks")


def check_age(issued_at: int, *, what: str, maximum: timedelta, now: datetime) -> None:
    """Raise unless ``what``, sealed at ``issued_at`` (Unix time), may be opened ``now``."""
    if issued_at < (now - maximum).timestamp():
        raise TooOldError(what=what, maximum=maximum)
    if issued_at > (now + CLOCK_TOLERANCE).timestamp():
        raise FromTheFutureError(what=what)
