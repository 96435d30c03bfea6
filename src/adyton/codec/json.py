"""Strict JSON in, canonical JSON (RFC 8785) out.

Reading refuses what parsers disagree about: duplicate keys, ``NaN``, lone surrogates, text that is
not UTF-8, and depth or size without bound. A number with a fraction is read as ``Decimal``, so that
a float never touches money. What is to be signed holds no fractions at all, and integers that every
implementation prints alike: two readers that agree on the value then agree on the bytes.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias, cast

import rfc8785

from adyton.codec.text import from_base64, from_hex
from adyton.errors import MalformedError

__all__ = [
    "MAX_DEPTH",
    "MAX_SAFE_INTEGER",
    "Json",
    "JsonObject",
    "as_base64",
    "as_boolean",
    "as_digest",
    "as_integer",
    "as_list",
    "as_object",
    "as_string",
    "canonical",
    "check_keys",
    "check_size",
    "loads",
]

MAX_DEPTH: Final = 32
_SHA256: Final = 32
# RFC 8785, section 3.2.2.3: beyond this, a reader that uses doubles prints different digits.
MAX_SAFE_INTEGER: Final = 2**53 - 1
# CPython converts longer ones in quadratic time; no field of ours is this long.
_MAX_DIGITS: Final = 400

# Before a value stands one of these, but for the first.
_BEGINNINGS: Final = (b",", b"[", b"{", b":")

Json: TypeAlias = bool | int | str | Decimal | list["Json"] | dict[str, "Json"] | None
JsonObject: TypeAlias = dict[str, "Json"]


def loads(data: bytes, *, limit_bytes: int, limit_values: int | None = None) -> Json:
    """Return the value that ``data`` holds, or raise ``MalformedError``.

    ``limit_values`` is for large texts of few values: a value of two bytes may take a hundred in
    memory, and as long to read as a page of text. It is held against what could begin a value, in
    strings as well.
    """
    check_size(data, limit_bytes=limit_bytes, limit_values=limit_values)
    try:
        text = data.decode("utf-8")
        value: Json = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_decimal,
            parse_int=_integer,
        )
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        # The error's own text would quote the input: it may be a secret.
        raise MalformedError("not json in utf-8") from error
    except RecursionError as error:
        raise MalformedError(f"json is nested deeper than {MAX_DEPTH}") from error
    _check_depth(value)
    # UTF-8 cannot hold a lone surrogate: only an escape makes one.
    if "\\u" in text:
        _check_text(value)
    return value


def check_size(data: bytes, *, limit_bytes: int, limit_values: int | None) -> None:
    """Raise ``MalformedError`` where ``data`` has more bytes or values than its reader takes."""
    if len(data) > limit_bytes:
        raise MalformedError(f"json has {len(data)} bytes, the limit is {limit_bytes}")
    if limit_values is not None and sum(map(data.count, _BEGINNINGS)) > limit_values:
        raise MalformedError(f"json has more than {limit_values} values")


def canonical(value: Json) -> bytes:
    """Return the RFC 8785 bytes of ``value``; ``MalformedError`` where it holds a fraction."""
    _check_canonical(value)
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # _check_canonical left no Decimal
    except rfc8785.CanonicalizationError as error:
        raise MalformedError("json has no canonical form") from error


def as_object(value: Json, where: str) -> JsonObject:
    """Return ``value`` if it is an object; ``where`` names it in the error."""
    if not isinstance(value, dict):
        raise MalformedError(f"{where} is not an object")
    return value


def as_list(value: Json, where: str, *, limit: int) -> list[Json]:
    """Return ``value`` if it is an array of at most ``limit`` items."""
    if not isinstance(value, list):
        raise MalformedError(f"{where} is not an array")
    if len(value) > limit:
        raise MalformedError(f"{where} has {len(value)} items, the limit is {limit}")
    return value


def as_string(value: Json, where: str, *, limit: int = 4096) -> str:
    """Return ``value`` if it is a string of at most ``limit`` characters."""
    if not isinstance(value, str):
        raise MalformedError(f"{where} is not a string")
    if len(value) > limit:
        raise MalformedError(f"{where} has {len(value)} characters, the limit is {limit}")
    return value


def as_base64(value: Json, where: str, *, limit_bytes: int) -> bytes:
    """Return the bytes of ``value`` if it is canonical base64 of at most so many."""
    text = as_string(value, where, limit=2 * limit_bytes + 4)
    return from_base64(text, where, limit_bytes=limit_bytes)


def as_digest(value: Json, where: str) -> bytes:
    """Return the bytes of ``value`` if it is SHA-256 in lower-case hexadecimal."""
    return from_hex(as_string(value, where), where, size=_SHA256)


def as_integer(value: Json, where: str, *, low: int = 0, high: int = MAX_SAFE_INTEGER) -> int:
    """Return ``value`` if it is an integer in ``low..high``."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedError(f"{where} is not an integer")
    if not low <= value <= high:
        raise MalformedError(f"{where} is not in {low}..{high}")
    return value


def as_boolean(value: Json, where: str) -> bool:
    """Return ``value`` if it is ``true`` or ``false``."""
    if not isinstance(value, bool):
        raise MalformedError(f"{where} is not a boolean")
    return value


def check_keys(
    value: JsonObject, where: str, *, required: frozenset[str], optional: frozenset[str]
) -> None:
    """Raise ``MalformedError`` unless ``value`` has every required key and no unknown one."""
    if missing := sorted(required - value.keys()):
        raise MalformedError(f"{where} lacks {', '.join(missing)}")
    if unknown := sorted(value.keys() - required - optional):
        # A key comes from the peer and may be anything: show little of it.
        raise MalformedError(f"{where} has the unknown field {unknown[0][:64]!r}")


def _object(pairs: list[tuple[str, Json]]) -> JsonObject:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise MalformedError("json has a duplicate key")
    return value


def _refuse_constant(text: str) -> Json:
    raise MalformedError(f"json has the number {text}")


def _decimal(text: str) -> Decimal:
    if len(text) > _MAX_DIGITS:
        raise MalformedError("json has a number that is too long")
    try:
        return Decimal(text)
    except InvalidOperation as error:
        # Few digits can make an exponent that no arithmetic has.
        raise MalformedError("json has a number that is too large or too small") from error


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise MalformedError("json has a number that is too long")
    return int(text)


def _check_depth(value: Json) -> None:
    """Raise if a value stands deeper than ``MAX_DEPTH``: level by level, for most are leaves."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Json] = []
        for item in level:
            # By type: the reader makes no others, and this is looked at for every value.
            kind = type(item)
            if kind is dict:
                inner.extend(cast("JsonObject", item).values())
            elif kind is list:
                inner.extend(cast("list[Json]", item))
        if not inner:
            return
        level = inner
    raise MalformedError(f"json is nested deeper than {MAX_DEPTH}")


def _check_text(value: Json) -> None:
    match value:
        case str() if not value.isascii() and any("\ud800" <= one <= "\udfff" for one in value):
            # It has no UTF-8: it would fail later, in the middle of the work.
            raise MalformedError("json has a lone surrogate")
        case list():
            for item in value:
                _check_text(item)
        case dict():
            for key, item in value.items():
                _check_text(key)
                _check_text(item)
        case _:
            return


def _check_canonical(value: Json) -> None:
    match value:
        case bool() | None | str():
            return
        case int():
            if abs(value) > MAX_SAFE_INTEGER:
                raise MalformedError("an integer is beyond 2^53; write it as a string")
        case list():
            for item in value:
                _check_canonical(item)
        case dict():
            for item in value.values():
                _check_canonical(item)
        case _:
            raise MalformedError("a number has a fraction; write it as a string")
