"""Failures of the disk, in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from adyton.errors import UnavailableError

__all__ = ["StorageFailedError", "failing"]


class StorageFailedError(UnavailableError):
    """The disk did not do what it was told: full, read-only, or broken."""

    code = "storage-failed"
    retry_after: Final = timedelta(seconds=5)

    def __init__(self, *, what: str, reason: str) -> None:
        super().__init__(f"the ledger's {what} cannot be written or read: {reason}")
        self.what, self.reason = what, reason


@contextmanager
def failing(what: str) -> Iterator[None]:
    """Raise ``StorageFailedError`` in place of what the system says about the file."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageFailedError(what=what, reason=reason) from error
