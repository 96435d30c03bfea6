"""Bytes to numbers and slices, in order, with every length checked before it is used.

A binary format is read from front to back by one ``Reader``. Each step names what it reads, so that
an error says which field was cut short. ``finish`` refuses leftovers: bytes that nobody reads are
bytes that somebody else may read differently.
"""

from adyton.errors import MalformedError

__all__ = ["Reader"]


class Reader:
    """A position in ``data``, which only moves forward and never beyond the end."""

    __slots__ = ("_data", "_offset", "_where")

    def __init__(self, data: bytes, *, where: str) -> None:
        self._data = data
        self._offset = 0
        self._where = where

    @property
    def offset(self) -> int:
        """How many bytes have been read."""
        return self._offset

    @property
    def remaining(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._offset

    def take(self, size: int, name: str) -> bytes:
        """Return the next ``size`` bytes, or raise ``MalformedError`` if there are fewer."""
        end = self._offset + size
        if size < 0 or end > len(self._data):
            raise MalformedError(
                f"{self._where} ends in {name}: {size} bytes wanted, {self.remaining} left"
            )
        taken = self._data[self._offset : end]
        self._offset = end
        return taken

    def peek(self, name: str) -> int:
        """Return the next byte and stay where we are."""
        if self._offset >= len(self._data):
            raise MalformedError(f"{self._where} ends before {name}")
        return self._data[self._offset]

    def u8(self, name: str) -> int:
        """Return the next byte."""
        offset = self._offset
        if offset >= len(self._data):
            raise MalformedError(f"{self._where} ends before {name}")
        self._offset = offset + 1
        return self._data[offset]

    def big_endian(self, size: int, name: str) -> int:
        """Return an unsigned integer of ``size`` bytes, most significant first."""
        return int.from_bytes(self.take(size, name), "big")

    def little_endian(self, size: int, name: str) -> int:
        """Return an unsigned integer of ``size`` bytes, least significant first."""
        return int.from_bytes(self.take(size, name), "little")

    def finish(self) -> None:
        """Raise ``MalformedError`` unless everything was read."""
        if self.remaining:
            raise MalformedError(f"{self._where} has {self.remaining} bytes too many")
