"""The objects that an execution leaves in the memories of ``javascript.wat``, read from outside."""

import struct
from typing import Final

from adyton.adapters.acvm.witness import ELEMENT_SIZE, Witness

__all__ = ["ENTRY_SIZE", "OBJECT_SIZE", "REJECT", "RESOLVE", "Heap"]

# As javascript.wat lays them out and numbers them.
OBJECT_SIZE: Final = 16
ENTRY_SIZE: Final = 12
RESOLVE: Final = 6
REJECT: Final = 7
_TEXT: Final = 2
_COLLECTION: Final = 3

_ELEMENT_TEXT_SIZE: Final = 2 + 2 * ELEMENT_SIZE


class Heap:
    """A copy of the memories. All of it is private data."""

    def __init__(self, *, objects: bytes, entries: bytes, text: bytes) -> None:
        words = struct.unpack(f"<{len(objects) // 4}I", objects)
        self._what, self._first, self._second = words[0::4], words[2::4], words[3::4]
        self._numbers = struct.unpack(f"<{len(objects) // 8}d", objects)[1::2]
        self._entries = struct.unpack(f"<{len(entries) // 4}I", entries)
        self._text = text

    def message(self, error: int) -> bytes:
        """Return the message of an error. It may quote private data: only to be compared."""
        for _key, value in self._items(error)[:1]:
            return self._text_of(value)
        return b""

    def witness(self, stack: int) -> Witness | None:
        """Return the witness in a stack of one frame, and ``None`` for anything else."""
        frames = self._items(stack)
        maps = [
            value
            for _key, frame in frames[:1]
            for _name, value in self._items(frame)
            if self._what[value] == _COLLECTION
        ]
        if len(frames) != 1 or len(maps) != 1:
            return None
        items = self._items(maps[0])
        values = [value for _key, value in items]
        if any(self._second[value] != _ELEMENT_TEXT_SIZE for value in values):
            return None
        digits = b"".join([self._text_of(value)[2:] for value in values])
        indices = [int(self._numbers[key]) for key, _value in items]
        return Witness(indices, bytes.fromhex(digits.decode("ascii")))

    def _items(self, owner: int) -> list[tuple[int, int]]:
        columns = (self._entries[start::3] for start in range(3))
        return [(key, value) for of, key, value in zip(*columns, strict=True) if of == owner]

    def _text_of(self, handle: int) -> bytes:
        if self._what[handle] != _TEXT:
            return b""
        start = self._first[handle]
        return self._text[start : start + self._second[handle]]
