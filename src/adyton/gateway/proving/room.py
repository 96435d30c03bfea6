"""Room in memory for long bodies: so many bytes for all that are read or waiting at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from adyton.gateway.problems import OverloadedError

__all__ = ["Room", "Share"]


class Room:
    """``limit_bytes`` for everybody together; what is taken of it is taken of ``within`` too."""

    def __init__(self, limit_bytes: int, *, within: "Room | None" = None) -> None:
        self._limit, self._within = limit_bytes, within
        self.used = 0

    @contextmanager
    def share(self) -> Iterator["Share"]:
        """Yield what one request has of it, given back at the end of the block."""
        share = Share(self)
        try:
            yield share
        finally:
            share.give_back()

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


class Share:
    """One request's bytes."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0

    def take(self, size: int) -> None:
        """Count ``size`` bytes more, or raise ``OverloadedError``."""
        self._room.take(size)
        self._size += size

    def give_back(self) -> None:
        """Count none any more."""
        self._room.free(self._size)
        self._size = 0
