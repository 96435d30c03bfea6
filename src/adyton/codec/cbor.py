"""Strict CBOR (RFC 8949), as much of it as attestation uses.

Refused, because readers disagree about them or nothing of ours needs them: duplicate keys, trailing
bytes, integers and lengths in more bytes than they need, strings in chunks, map keys that are
neither integers nor text, floats, ``undefined``, and depth or size without bound. Arrays and maps
of indefinite length are read where the caller allows them: newer Nitro hypervisors write their
document so.

Written out here rather than laid over a library: a library has forgotten what a duplicate key was
and how long an integer was written by the time it returns a value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from adyton.codec.reader import Reader
from adyton.errors import MalformedError

__all__ = [
    "MAX_DEPTH",
    "Cbor",
    "CborMap",
    "Tagged",
    "as_bytes",
    "as_integer",
    "as_list",
    "as_map",
    "as_text",
    "dumps",
    "loads",
]

MAX_DEPTH: Final = 16

Cbor: TypeAlias = "bool | int | str | bytes | list[Cbor] | CborMap | Tagged | None"
CborMap: TypeAlias = "dict[int | str, Cbor]"


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value under a tag (RFC 8949, section 3.4)."""

    tag: int
    value: Cbor


class _Major(IntEnum):
    """The major types of RFC 8949, section 3.1."""

    UNSIGNED = 0
    NEGATIVE = 1
    BYTES = 2
    TEXT = 3
    ARRAY = 4
    MAP = 5
    TAG = 6
    SIMPLE = 7


_BREAK: Final = 0xFF
# Below 24, the argument is in the first byte; 24 to 27 say how many bytes hold it.
_ONE_BYTE: Final = 24
_EIGHT_BYTES: Final = 27
_INDEFINITE: Final = 31


def loads(
    data: bytes, *, limit_bytes: int, limit_values: int | None = None, indefinite: bool = False
) -> Cbor:
    """Return the one value that ``data`` holds, or raise ``MalformedError``.

    ``limit_values`` is for much data in few values: one of a single byte may take seventy in
    memory. ``indefinite`` allows arrays and maps that end with a break instead of beginning with a
    count.
    """
    if len(data) > limit_bytes:
        raise MalformedError(f"cbor has {len(data)} bytes, the limit is {limit_bytes}")
    # Each has a byte at least.
    limit = len(data) if limit_values is None else limit_values
    decoder = _Decoder(data, limit_values=limit, indefinite=indefinite)
    value = decoder.value(depth=0)
    decoder.reader.finish()
    return value


def dumps(value: Cbor) -> bytes:
    """Return the shortest bytes of ``value``, its map keys in the order they are in."""
    match value:
        case bool() | None:
            encoded = _head(_Major.SIMPLE, {False: 20, True: 21, None: 22}[value])
        case int() if value >= 0:
            encoded = _head(_Major.UNSIGNED, value)
        case int():
            encoded = _head(_Major.NEGATIVE, -1 - value)
        case bytes():
            encoded = _head(_Major.BYTES, len(value)) + value
        case str():
            text = value.encode()
            encoded = _head(_Major.TEXT, len(text)) + text
        case list():
            encoded = _head(_Major.ARRAY, len(value)) + b"".join(map(dumps, value))
        case dict():
            items = (dumps(key) + dumps(item) for key, item in value.items())
            encoded = _head(_Major.MAP, len(value)) + b"".join(items)
        case _:
            encoded = _head(_Major.TAG, value.tag) + dumps(value.value)
    return encoded


def as_map(value: Cbor, where: str) -> CborMap:
    """Return ``value`` if it is a map; ``where`` names it in the error."""
    if not isinstance(value, dict):
        raise MalformedError(f"{where} is not a map")
    return value


def as_list(value: Cbor, where: str, *, low: int = 0, high: int) -> list[Cbor]:
    """Return ``value`` if it is an array of ``low`` to ``high`` items."""
    if not isinstance(value, list):
        raise MalformedError(f"{where} is not an array")
    if not low <= len(value) <= high:
        raise MalformedError(f"{where} has {len(value)} items, not {low} to {high}")
    return value


def as_bytes(value: Cbor, where: str, *, low: int = 0, high: int) -> bytes:
    """Return ``value`` if it is a byte string of ``low`` to ``high`` bytes."""
    if not isinstance(value, bytes):
        raise MalformedError(f"{where} is not a byte string")
    if not low <= len(value) <= high:
        raise MalformedError(f"{where} has {len(value)} bytes, not {low} to {high}")
    return value


def as_text(value: Cbor, where: str, *, low: int = 0, high: int) -> str:
    """Return ``value`` if it is text of ``low`` to ``high`` characters."""
    if not isinstance(value, str):
        raise MalformedError(f"{where} is not text")
    if not low <= len(value) <= high:
        raise MalformedError(f"{where} has {len(value)} characters, not {low} to {high}")
    return value


def as_integer(value: Cbor, where: str, *, low: int, high: int) -> int:
    """Return ``value`` if it is an integer in ``low..high``."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedError(f"{where} is not an integer")
    if not low <= value <= high:
        raise MalformedError(f"{where} is not in {low}..{high}")
    return value


class _Decoder:
    """One pass over the bytes. Every count is held against what is left before it is believed."""

    __slots__ = ("_indefinite", "_read", "_values", "reader")

    def __init__(self, data: bytes, *, limit_values: int, indefinite: bool) -> None:
        self.reader = Reader(data, where="cbor")
        self._values, self._indefinite = limit_values, indefinite
        # By major type, in the order of _Major.
        self._read: tuple[Callable[[int, int], Cbor], ...] = (
            self._unsigned,
            self._negative,
            self._bytes,
            self._text,
            self._array,
            self._map,
            self._tag,
            self._simple,
        )

    def value(self, *, depth: int) -> Cbor:
        if depth > MAX_DEPTH:
            raise MalformedError(f"cbor is nested deeper than {MAX_DEPTH}")
        initial = self.reader.u8("a value")
        self._values -= 1
        if self._values < 0:
            raise MalformedError("cbor has more values than its reader takes")
        return self._read[initial >> 5](initial & 0x1F, depth + 1)

    def _unsigned(self, information: int, _depth: int = 0) -> int:
        if information < _ONE_BYTE:
            return information
        if information > _EIGHT_BYTES:
            raise MalformedError("cbor has a length or an integer of a form that is not accepted")
        size = 1 << (information - _ONE_BYTE)
        argument = self.reader.big_endian(size, "an integer")
        # Section 4.1: the shortest form, so that one value has one encoding.
        if argument < (_ONE_BYTE if size == 1 else 1 << (4 * size)):
            raise MalformedError("cbor has an integer in more bytes than it needs")
        return argument

    def _negative(self, information: int, _depth: int) -> int:
        return -1 - self._unsigned(information)

    def _bytes(self, information: int, _depth: int) -> bytes:
        return self.reader.take(self._unsigned(information), "a byte string")

    def _text(self, information: int, _depth: int) -> str:
        try:
            return self.reader.take(self._unsigned(information), "text").decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedError("cbor has text that is not utf-8") from error

    def _array(self, information: int, depth: int) -> list[Cbor]:
        count = self._count(information)
        items: list[Cbor] = []
        while self._more(len(items), count):
            items.append(self.value(depth=depth))
        return items

    def _map(self, information: int, depth: int) -> CborMap:
        count = self._count(information)
        items: CborMap = {}
        while self._more(len(items), count):
            key = self.value(depth=depth)
            # True equals 1 in Python: as keys they would replace each other unseen.
            if not isinstance(key, int | str) or isinstance(key, bool):
                raise MalformedError("cbor has a map key that is neither an integer nor text")
            if key in items:
                raise MalformedError("cbor has a duplicate key")
            items[key] = self.value(depth=depth)
        return items

    def _tag(self, information: int, depth: int) -> Tagged:
        return Tagged(self._unsigned(information), self.value(depth=depth))

    def _simple(self, information: int, _depth: int) -> bool | None:
        match information:
            case 20:
                return False
            case 21:
                return True
            case 22:
                return None
            case _:
                raise MalformedError("cbor has a float or a simple value that is not accepted")

    def _count(self, information: int) -> int | None:
        """Return how many items follow, or ``None`` for "until a break"."""
        if information == _INDEFINITE and self._indefinite:
            return None
        count = self._unsigned(information)
        # An item has at least one byte: a count beyond that is a lie, not a reason to allocate.
        if count > self.reader.remaining:
            raise MalformedError(f"cbor announces {count} items and is too short for them")
        return count

    def _more(self, done: int, count: int | None) -> bool:
        if count is not None:
            return done < count
        if self.reader.peek("a break") != _BREAK:
            return True
        self.reader.u8("a break")
        return False


def _head(major: _Major, argument: int) -> bytes:
    if argument < _ONE_BYTE:
        return bytes([major << 5 | argument])
    for power in range(4):
        size = 1 << power
        if argument < 1 << (8 * size):
            return bytes([major << 5 | (_ONE_BYTE + power)]) + argument.to_bytes(size, "big")
    raise ValueError("an integer is beyond 64 bits")
