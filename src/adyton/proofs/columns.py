"""Columns of extracted data, read as a circuit needs them: the right type, in range, not too many.

The errors name a column and a limit, and never a value or how many there are: that is private.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from adyton.errors import RejectedError
from adyton.model.value import Column, Extracted, FieldType

__all__ = [
    "EPOCH",
    "I64",
    "U16",
    "U64",
    "ColumnMissingError",
    "ColumnTypeError",
    "Limits",
    "NumberOutOfRangeError",
    "TooManyValuesError",
    "ValueMissingError",
    "check_count",
    "dates",
    "day_number",
    "find_column",
    "numbers",
    "optional_dates",
    "optional_texts",
    "required",
    "texts",
]

T = TypeVar("T")

EPOCH: Final = date(1970, 1, 1)


class ColumnMissingError(RejectedError):
    """The provider's definition does not extract something that its circuit needs."""

    code = "column-missing"

    def __init__(self, *, column: str) -> None:
        super().__init__(f"the provider's definition has no field {column[:64]!r}")
        self.column = column


class ColumnTypeError(RejectedError):
    """The provider's definition gives a field a type that its circuit does not take."""

    code = "column-type"

    def __init__(self, *, column: str, expected: str) -> None:
        super().__init__(f"the provider's field {column[:64]!r} is not of type {expected}")
        self.column, self.expected = column, expected


class ValueMissingError(RejectedError):
    """The source did not say something without which there is no answer."""

    code = "value-missing"

    def __init__(self, *, column: str) -> None:
        super().__init__(f"the source gives no {column[:64]!r} where one is needed")
        self.column = column


class TooManyValuesError(RejectedError):
    """The source has more values than the circuit has places: looking at some is no answer."""

    code = "too-many-values"

    def __init__(self, *, column: str, limit: int) -> None:
        super().__init__(f"the source gives more than {limit} of {column[:64]!r}")
        self.column, self.limit = column, limit


class NumberOutOfRangeError(RejectedError):
    """A number of the source does not fit the circuit's integer type."""

    code = "number-out-of-range"

    def __init__(self, *, column: str) -> None:
        super().__init__(f"a number in {column[:64]!r} is beyond what the circuit holds")
        self.column = column


@dataclass(frozen=True, slots=True)
class Limits:
    """The least and the greatest value of an integer type."""

    low: int
    high: int

    def __contains__(self, number: int) -> bool:
        return self.low <= number <= self.high


I64: Final = Limits(-(2**63), 2**63 - 1)
U16: Final = Limits(0, 2**16 - 1)
U64: Final = Limits(0, 2**64 - 1)


def find_column(extracted: Extracted, name: str) -> Column:
    """Return a column, or raise ``ColumnMissingError``."""
    if (column := extracted.columns.get(name)) is None:
        raise ColumnMissingError(column=name)
    return column


def numbers(column: Column, name: str, limits: Limits) -> tuple[int | None, ...]:
    """Return integers, or decimals in their smallest unit, all within ``limits``."""
    if column.type not in (FieldType.INTEGER, FieldType.DECIMAL):
        raise ColumnTypeError(column=name, expected="integer or decimal")
    found: list[int | None] = []
    for value in column.values:
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise ColumnTypeError(column=name, expected="integer or decimal")
        if value is not None and value not in limits:
            raise NumberOutOfRangeError(column=name)
        found.append(value)
    return tuple(found)


def texts(column: Column, name: str) -> tuple[str | None, ...]:
    """Return a column of strings."""
    found: list[str | None] = []
    for value in column.values:
        if column.type is not FieldType.STRING or not isinstance(value, str | None):
            raise ColumnTypeError(column=name, expected="string")
        found.append(value)
    return tuple(found)


def dates(column: Column, name: str) -> tuple[date | None, ...]:
    """Return a column of dates."""
    found: list[date | None] = []
    for value in column.values:
        if column.type is not FieldType.DATE or not isinstance(value, date | None):
            raise ColumnTypeError(column=name, expected="date")
        found.append(value)
    return tuple(found)


def optional_texts(extracted: Extracted, name: str, *, rows: int) -> tuple[str | None, ...]:
    """Return a column of strings, or nothing in each row where the definition has none."""
    if name not in extracted.columns:
        return (None,) * rows
    return texts(extracted.columns[name], name)


def optional_dates(extracted: Extracted, name: str, *, rows: int) -> tuple[date | None, ...]:
    """Return a column of dates, or nothing in each row where the definition has none."""
    if name not in extracted.columns:
        return (None,) * rows
    return dates(extracted.columns[name], name)


def required(values: tuple[T | None, ...], name: str) -> tuple[T, ...]:
    """Return ``values`` if each of them is there; else raise ``ValueMissingError``.

    Leaving out a row would let an answer be given over less than what the source said.
    """
    found = tuple(value for value in values if value is not None)
    if len(found) != len(values):
        raise ValueMissingError(column=name)
    return found


def check_count(count: int, name: str, *, limit: int) -> None:
    """Raise ``TooManyValuesError`` if there are more than ``limit``."""
    if count > limit:
        raise TooManyValuesError(column=name, limit=limit)


def day_number(day: date) -> int:
    """Return the days from 1970-01-01, negative before it."""
    return (day - EPOCH).days
