"""The store's failures in our words: a database's own text may quote what it was given."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from adyton.errors import UnavailableError

__all__ = ["StoreUnavailableError", "translated"]


class StoreUnavailableError(UnavailableError):
    """The database cannot be reached, or does not do what it is told."""

    code = "store-unavailable"
    retry_after: Final = timedelta(seconds=5)

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the store cannot be used: {reason}")
        self.reason = reason


@contextmanager
def translated() -> Iterator[None]:
    """Raise ``StoreUnavailableError`` in place of whatever the driver raises."""
    try:
        yield
    # asyncpg raises OSError and TimeoutError for a server that is not there.
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise StoreUnavailableError(reason=type(error).__name__) from error
