"""A solved witness: every value of one execution, private data included.

The prover reads it as msgpack: a format byte (3), then a list of one stack: a list of frames, each
a list of a frame's index and a map from witness index to 32 bytes, big-endian. A program without
calls between circuits has one frame.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgpack

__all__ = ["ELEMENT_SIZE", "Witness"]

ELEMENT_SIZE: Final = 32
_FORMAT_MSGPACK: Final = b"\x03"


class Witness:
    """The values by witness index. Hidden from ``repr``; nothing here is checked to be in range."""

    __slots__ = ("_elements",)

    def __init__(self, indices: Iterable[int], elements: bytes) -> None:
        self._elements = {
            index: elements[at : at + ELEMENT_SIZE]
            for index, at in zip(indices, range(0, len(elements), ELEMENT_SIZE), strict=True)
        }

    @property
    def values(self) -> Mapping[int, int]:
        """Every value by its index, in order."""
        return {index: int.from_bytes(element) for index, element in self._elements.items()}

    def select(self, indices: Iterable[int]) -> tuple[int, ...]:
        """Return the values at ``indices``; ``KeyError`` where the execution solved none."""
        return tuple(int.from_bytes(self._elements[index]) for index in indices)

    def to_bytes(self) -> bytes:
        """Return what ``bb`` takes as a witness (not compressed)."""
        packed: bytes = msgpack.packb([[[0, self._elements]]])
        return _FORMAT_MSGPACK + packed

    def __len__(self) -> int:
        return len(self._elements)

    def __iter__(self) -> Iterator[int]:
        return iter(self._elements)
