"""Strict DER (X.690), as much of it as certificates need before a library is asked to read them.

A length is in its shortest form and within what is left; a tag has one byte. Reading is in order,
element by element, like everything in this package.
"""

from enum import IntEnum
from typing import Final, TypeAlias

from adyton.errors import MalformedError

__all__ = ["DerReader", "Element", "Tag", "elements"]

_LONG_FORM: Final = 0x80
# Four bytes of length are 4 GB: more than any limit of ours.
_MAX_LENGTH_BYTES: Final = 4


class Tag(IntEnum):
    """Universal tags, and the explicit [0] before a certificate's version."""

    INTEGER = 0x02
    BIT_STRING = 0x03
    OCTET_STRING = 0x04
    OBJECT_IDENTIFIER = 0x06
    ENUMERATED = 0x0A
    SEQUENCE = 0x30
    VERSION = 0xA0


# A tag; where the element begins; where its content begins, and where it ends.
Element: TypeAlias = tuple[int, int, int, int]


def elements(data: bytes, *, where: str, start: int = 0, end: int | None = None) -> list[Element]:
    """Return the elements that fill ``data`` from ``start`` to ``end``, or raise.

    One loop over places rather than a reader with a method for each: a certificate has a hundred of
    these, and nothing is copied before somebody wants it.
    """
    found: list[Element] = []
    end = len(data) if end is None else end
    offset = start
    while offset < end:
        # The length of what has no place for one is beyond every end.
        length = data[offset + 1] if offset + 1 < end else end
        content = offset + 2
        if length >= _LONG_FORM:
            size = length - _LONG_FORM
            length = int.from_bytes(data[content : content + size], "big")
            # X.690, section 10.1: the definite form, in the fewest bytes.
            if (
                not 1 <= size <= _MAX_LENGTH_BYTES
                or length < _LONG_FORM
                or length < 1 << 8 * (size - 1)
            ):
                raise MalformedError(f"{where} has a length that is not der")
            content += size
        stop = content + length
        if stop > end:
            raise MalformedError(f"{where} ends in the middle of an element")
        found.append((data[offset], offset, content, stop))
        offset = stop
    return found


class DerReader:
    """The elements of one constructed value, from front to back."""

    __slots__ = ("_data", "_offset", "_where")

    def __init__(self, data: bytes, *, where: str) -> None:
        self._data = data
        self._offset = 0
        self._where = where

    def has(self, tag: int) -> bool:
        """Return whether the next element has ``tag``."""
        return self._offset < len(self._data) and self._data[self._offset] == tag

    def element(self, tag: int, name: str) -> bytes:
        """Return the next element as it stands, tag and length included; it must have ``tag``."""
        start = self._offset
        self.take(tag, name)
        return self._data[start : self._offset]

    def take(self, tag: int, name: str) -> bytes:
        """Return the content of the next element, which must have ``tag``."""
        # By hand rather than with a ``Reader``: every certificate has twenty of these.
        data, offset = self._data, self._offset
        if offset + 2 > len(data):
            raise MalformedError(f"{self._where} ends before {name}")
        if (found := data[offset]) != tag:
            raise MalformedError(f"{self._where}: {name} has the tag {found:#04x}, not {tag:#04x}")
        length, start = data[offset + 1], offset + 2
        if length >= _LONG_FORM:
            length, start = self._long_length(length - _LONG_FORM, start, name)
        end = start + length
        if end > len(data):
            raise MalformedError(
                f"{self._where} ends in {name}: {length} bytes wanted, {len(data) - start} left"
            )
        self._offset = end
        return data[start:end]

    def enter(self, tag: int, name: str) -> "DerReader":
        """Return a reader for the content of the next element, which must have ``tag``."""
        return DerReader(self.take(tag, name), where=self._where)

    def integer(self, name: str) -> int:
        """Return a signed integer in its shortest form (X.690, section 8.3)."""
        content = self.take(Tag.INTEGER, name)
        value = int.from_bytes(content, "big", signed=True)
        if len(content) != (value if value >= 0 else ~value).bit_length() // 8 + 1:
            raise MalformedError(f"{self._where}: {name} is not an integer in its shortest form")
        return value

    def whole_bytes(self, name: str) -> bytes:
        """Return a bit string without unused bits, which nobody would notice if they changed."""
        content = self.take(Tag.BIT_STRING, name)
        if content[:1] != b"\0":
            raise MalformedError(f"{self._where}: {name} is not whole bytes")
        return content[1:]

    def finish(self) -> None:
        """Raise ``MalformedError`` unless every element was read."""
        if left := len(self._data) - self._offset:
            raise MalformedError(f"{self._where} has {left} bytes too many")

    def _long_length(self, size: int, start: int, name: str) -> tuple[int, int]:
        """Return a length of ``size`` bytes at ``start``, and where the content begins."""
        if not 1 <= size <= _MAX_LENGTH_BYTES:
            raise MalformedError(f"{self._where}: {name} has a length of a form that is not DER")
        end = start + size
        if end > len(self._data):
            raise MalformedError(f"{self._where} ends in the length of {name}")
        length = int.from_bytes(self._data[start:end], "big")
        # X.690, section 10.1: the definite form, in the fewest bytes.
        if length < _LONG_FORM or length < 1 << (8 * (size - 1)):
            raise MalformedError(f"{self._where}: {name} has a length in more bytes than it needs")
        return length, end
