"""Strict DER (X.690), as much of it as certificates need before a library is asked to read them.

A length is in its shortest form and within what is left; a tag has one byte. Reading is in order,
element by element, like everything in this package.
"""

from enum import IntEnum
from typing import Final

from adyton.codec.reader import Reader
from adyton.errors import MalformedError

__all__ = ["DerReader", "Tag"]

_LONG_FORM: Final = 0x80
# Four bytes of length are 4 GB: more than any limit of ours.
_MAX_LENGTH_BYTES: Final = 4


class Tag(IntEnum):
    """Universal tags, and the explicit [0] before a certificate's version."""

    INTEGER = 0x02
    BIT_STRING = 0x03
    SEQUENCE = 0x30
    VERSION = 0xA0


class DerReader:
    """The elements of one constructed value, from front to back."""

    __slots__ = ("_data", "_reader", "_where")

    def __init__(self, data: bytes, *, where: str) -> None:
        self._data = data
        self._reader = Reader(data, where=where)
        self._where = where

    def has(self, tag: Tag) -> bool:
        """Return whether the next element has ``tag``."""
        return self._reader.remaining > 0 and self._reader.peek("a tag") == tag

    def element(self, tag: Tag, name: str) -> bytes:
        """Return the next element as it stands, tag and length included; it must have ``tag``."""
        start = self._reader.offset
        self.take(tag, name)
        return self._data[start : self._reader.offset]

    def take(self, tag: Tag, name: str) -> bytes:
        """Return the content of the next element, which must have ``tag``."""
        found = self._reader.u8(name)
        if found != tag:
            raise MalformedError(f"{self._where}: {name} has the tag {found:#04x}, not {tag:#04x}")
        return self._reader.take(self._length(name), name)

    def enter(self, tag: Tag, name: str) -> "DerReader":
        """Return a reader for the content of the next element, which must have ``tag``."""
        return DerReader(self.take(tag, name), where=self._where)

    def integer(self, name: str) -> int:
        """Return a signed integer in its shortest form (X.690, section 8.3)."""
        content = self.take(Tag.INTEGER, name)
        value = int.from_bytes(content, "big", signed=True)
        if len(content) != (value if value >= 0 else ~value).bit_length() // 8 + 1:
            raise MalformedError(f"{self._where}: {name} is not an integer in its shortest form")
        return value

    def finish(self) -> None:
        """Raise ``MalformedError`` unless every element was read."""
        self._reader.finish()

    def _length(self, name: str) -> int:
        first = self._reader.u8(name)
        if first < _LONG_FORM:
            return first
        size = first - _LONG_FORM
        if not 1 <= size <= _MAX_LENGTH_BYTES:
            raise MalformedError(f"{self._where}: {name} has a length of a form that is not DER")
        length = self._reader.big_endian(size, name)
        # X.690, section 10.1: the definite form, in the fewest bytes.
        if length < _LONG_FORM or length < 1 << (8 * (size - 1)):
            raise MalformedError(f"{self._where}: {name} has a length in more bytes than it needs")
        return length
