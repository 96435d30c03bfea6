"""The document of a policy, piece by piece: words, names, digests, times, each with its limits."""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal, TypeAlias, TypeVar

from adyton.codec.json import (
    Json,
    JsonObject,
    as_integer,
    as_list,
    as_object,
    as_string,
    check_keys,
)
from adyton.errors import MalformedError

__all__ = [
    "Choice",
    "NotRequired",
    "Required",
    "age",
    "age_json",
    "items",
    "named",
    "required",
    "section",
    "text",
    "word",
]

_MAX_ENTRIES: Final = 1024
_MAX_NAME: Final = 128
_MAX_TEXT: Final = 256
_MAX_SECONDS: Final = 100 * 366 * 86400


class Choice(StrEnum):
    """The words with which a policy decides."""

    REQUIRED = "required"
    NOT_REQUIRED = "not-required"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    BUILT_IN = "built-in"
    ANY = "any"


Required: TypeAlias = Literal[Choice.REQUIRED, Choice.NOT_REQUIRED]
NotRequired: TypeAlias = Literal[Choice.NOT_REQUIRED]
_T = TypeVar("_T")


def section(
    value: Json,
    where: str,
    required_keys: frozenset[str],
    *,
    optional: frozenset[str] = frozenset(),
) -> JsonObject:
    """Return an object that has these keys, and no others."""
    record = as_object(value, where)
    check_keys(record, where, required=required_keys, optional=optional)
    return record


def named(value: Json, where: str, *, low: int = 1) -> JsonObject:
    """Return an object whose keys are names that somebody chose: at least ``low``."""
    record = as_object(value, where)
    if not low <= len(record) <= _MAX_ENTRIES:
        raise MalformedError(f"{where} has {len(record)} entries, not {low} to {_MAX_ENTRIES}")
    for name in record:
        if not 1 <= len(name) <= _MAX_NAME:
            raise MalformedError(f"{where} has a name of {len(name)} characters, not 1 to 128")
    return record


def items(
    value: Json, where: str, read: Callable[[Json, str], _T], *, low: int = 1
) -> frozenset[_T]:
    """Return the items of an array, read one by one: at least ``low``, and none twice."""
    array = as_list(value, where, limit=_MAX_ENTRIES)
    found = frozenset(read(item, f"{where}[{index}]") for index, item in enumerate(array))
    if len(array) < low or len(found) != len(array):
        raise MalformedError(f"{where} is empty, or has an item twice")
    return found


def word(value: Json, where: str, *words: Choice) -> Choice:
    """Return the one of ``words`` that ``value`` is."""
    for known in words:
        if value == known.value:
            return known
    raise MalformedError(f"{where} is not {' or '.join(known.value for known in words)}")


def required(value: Json, where: str) -> Required:
    """Return whether something is required."""
    found = word(value, where, Choice.REQUIRED, Choice.NOT_REQUIRED)
    return Choice.REQUIRED if found is Choice.REQUIRED else Choice.NOT_REQUIRED


def text(value: Json, where: str) -> str:
    """Return a text of a reasonable length that is not empty."""
    found = as_string(value, where, limit=_MAX_TEXT)
    if not found:
        raise MalformedError(f"{where} is empty")
    return found


def age(value: Json, where: str) -> timedelta | NotRequired:
    """Return how old something may be, from seconds."""
    if value == Choice.NOT_REQUIRED.value:
        return Choice.NOT_REQUIRED
    return timedelta(seconds=as_integer(value, where, low=1, high=_MAX_SECONDS))


def age_json(limit: timedelta | NotRequired) -> Json:
    """Return what reads as ``limit``."""
    return limit.value if isinstance(limit, Choice) else int(limit.total_seconds())
