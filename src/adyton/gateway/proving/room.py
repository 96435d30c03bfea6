"""Room in memory for long bodies: so many bytes for all that are read or waiting at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from adyton.gateway.problems import OverloadedError

__all__ = ["Room"]


class Room:
    """``limit_bytes`` for everybody together; what is taken of it is taken of ``within`` too."""

    def __init__(self, limit_bytes: int, *, within: "Room | None" = None) -> None:
        self._limit, self._within = limit_bytes, within
        self.used = 0

    @contextmanager
    def share(self) -> Iterator["Room"]:
        """Yield room for one request, given back at the end of the block."""
        share = Room(self._limit, within=self)
        try:
            yield share
        finally:
            share.free(share.used)

    def take(self, size: int) -> None:
        """Count ``size`` bytes more, or raise ``OverloadedError``."""
        if self.used + size > self._limit:
            raise OverloadedError
        if self._within is not None:
            self._within.take(size)
        self.used += size

    def free(self, size: int) -> None:
        """Count ``size`` bytes fewer."""
        self.used -= size
        if self._within is not None:
            self._within.free(size)
