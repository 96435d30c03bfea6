"""JSON as JavaScript reads it and writes it, keys sorted: what provenclave/1 signs and hashes.

This is the text of ``JSON.stringify`` after every object's keys went through ``Array.sort``, which
is not RFC 8785 (``codec.json``): keys that look like array indices come first, whatever the sort;
``__proto__`` vanishes, since assigning it makes no member; what is no finite number is ``null``;
an integer is a double. ECMA-262, sections 6.1.6.1.20, 10.1.11.1 and 25.5.2.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final, TypeAlias

from adyton.codec.json import MAX_DEPTH, check_size
from adyton.errors import MalformedError

__all__ = ["Value", "ValueObject", "canonical", "loads"]

# ``Decimal`` is for what ``codec.json`` read: it is written as the double next to it.
Value: TypeAlias = (
    bool | int | float | str | Decimal | Sequence["Value"] | Mapping[str, "Value"] | None
)
ValueObject: TypeAlias = dict[str, "Value"]

_MAX_EXACT_INTEGER: Final = 2**53
# More digits than any double needs, few enough that Python converts them at once.
_MAX_DIGITS: Final = 400
# An array index is below 2^32 - 1 (ECMA-262, section 6.1.7); such keys are in numeric order.
_MAX_INDEX: Final = 2**32 - 2
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}")
_LINE_OF_DIGITS: Final = re.compile(r"^[0-9]", re.MULTILINE)
_VANISHING: Final = "__proto__"
# Number::toString changes to the form with an exponent outside of these (section 6.1.6.1.20).
_MAX_PLAIN_POINT: Final = 21
_MIN_PLAIN_POINT: Final = -6
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

_quote = json.encoder.encode_basestring


def loads(data: bytes, *, limit_bytes: int, limit_values: int | None = None) -> Value:
    """Return the value that ``data`` holds as JavaScript would, or raise ``MalformedError``.

    A number is the double next to what is written, a lone surrogate stays one. Stricter than
    JavaScript in what readers disagree about: a duplicate key, a byte order mark, text that is not
    UTF-8, depth and size beyond the limits, and numbers of more than 400 digits are refused.
    ``limit_values`` is as in ``codec.json``.
    """
    check_size(data, limit_bytes=limit_bytes, limit_values=limit_values)
    try:
        value: Value = _DECODER.decode(data.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise MalformedError("not json in utf-8") from error
    except RecursionError as error:
        raise MalformedError(f"json is nested deeper than {MAX_DEPTH}") from error
    # What opens no more often than the limit is not nested deeper.
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        _check_depth(value, MAX_DEPTH)
    return value


def canonical(value: Value) -> bytes:
    """Return the bytes that JavaScript hashes for ``value``.

    Reading them and writing them again gives the same bytes. Raises ``MalformedError`` where the
    value is nested too deep; ``TypeError`` where it is none of JSON's, as JavaScript does.
    """
    parts: list[str] = []
    _write(value, parts, depth=0)
    return "".join(parts).encode()


def _write(value: Value, parts: list[str], *, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MalformedError(f"json is nested deeper than {MAX_DEPTH}")
    match value:
        case str():
            parts.append(_text(value))
        case None:
            parts.append("null")
        case bool():
            parts.append("true" if value else "false")
        case int():
            parts.append(_integer_text(value))
        case float() | Decimal():
            parts.append(_double_text(float(value)))
        case Mapping():
            _write_object(value, parts, depth=depth)
        case list() | tuple():
            for position, item in enumerate(value):
                parts.append("," if position else "[")
                _write(item, parts, depth=depth + 1)
            parts.append("]" if value else "[]")
        case _:
            raise TypeError(f"{type(value).__name__} values have no json")


def _write_object(value: Mapping[str, Value], parts: list[str], *, depth: int) -> None:
    separator = "{"
    for key in _ordered(tuple(value)):
        if key == _VANISHING:
            # Nothing of it is written, but JavaScript goes through it, and so do its limits.
            _write(value[key], [], depth=depth + 1)
            continue
        item = value[key]
        if isinstance(item, str):
            # Most are: a text needs no look at what else it could be.
            parts += (separator, _text(key), ":", _text(item))
        else:
            parts += (separator, _text(key), ":")
            _write(item, parts, depth=depth + 1)
        separator = ","
    parts.append("{}" if separator == "{" else "}")


# Documents of one kind have the same few objects, thousands of times.
@lru_cache(maxsize=64)
def _ordered(keys: tuple[str, ...]) -> list[str]:
    ordered = sorted(keys)
    joined = "\n".join(ordered)
    # Code points and code units have one order where no key is beyond ASCII or may be an index.
    if joined.isascii() and not _LINE_OF_DIGITS.search(joined):
        return ordered
    return sorted(ordered, key=_order)


def _order(key: str) -> tuple[int, bytes]:
    """Return what puts indices first, by their number, and then the others by UTF-16 code units."""
    if _INDEX.fullmatch(key) and (index := int(key)) <= _MAX_INDEX:
        return index, b""
    return _MAX_INDEX + 1, key.encode("utf-16-be", "surrogatepass")


def _text(text: str) -> str:
    quoted: str = _quote(text)
    if text.isascii() or not _SURROGATE.search(quoted):
        return quoted
    # Two halves that stand together are one character, also where they were put together here.
    joined = quoted.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", joined)


def _integer_text(value: int) -> str:
    if -_MAX_EXACT_INTEGER <= value <= _MAX_EXACT_INTEGER:
        return str(value)
    try:
        return _double_text(float(value))
    except OverflowError:
        return "null"


def _double_text(value: float) -> str:
    """Return Number::toString; what JSON.stringify makes of the values that are no numbers."""
    if not math.isfinite(value):
        return "null"
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    # Python's repr has the same digits as JavaScript's: the fewest that give this double again.
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(digits) - len(fraction) + int(exponent or 0)
    digits = digits.rstrip("0")
    if not _MIN_PLAIN_POINT < point <= _MAX_PLAIN_POINT:
        mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
        return f"{sign}{mantissa}e{point - 1:+d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if len(digits) <= point:
        return sign + digits.ljust(point, "0")
    return f"{sign}{digits[:point]}.{digits[point:]}"


def _object(pairs: list[tuple[str, Value]]) -> ValueObject:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise MalformedError("json has a duplicate key")
    return value


def _refuse_constant(text: str) -> Value:
    raise MalformedError(f"json has the number {text}")


def _double(text: str) -> float:
    if len(text) > _MAX_DIGITS:
        raise MalformedError("json has a number that is too long")
    return float(text)


def _integer(text: str) -> int | float:
    if len(text) > _MAX_DIGITS:
        raise MalformedError("json has a number that is too long")
    value = int(text)
    return value if abs(value) <= _MAX_EXACT_INTEGER else float(text)


def _check_depth(value: Value, left: int) -> None:
    if left < 0:
        raise MalformedError(f"json is nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        for item in value.values():
            _check_depth(item, left - 1)
    elif isinstance(value, list):
        for item in value:
            _check_depth(item, left - 1)


# Made once: that takes longer than reading a proof.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_constant=_refuse_constant,
    parse_float=_double,
    parse_int=_integer,
)
