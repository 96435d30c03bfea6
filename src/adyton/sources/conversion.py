"""One found value to its field's type: exactly, or not at all.

A provider's answer that cannot be used is nobody's "no": the errors here are of the family
``UnavailableError``, and none of them ever repeats what the answer holds.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Final

from adyton.errors import UnavailableError
from adyton.model.value import FieldType, Value
from adyton.sources.definition import DataType, FieldDefinition, PartialDate, Rounding

__all__ = [
    "MAX_NUMBER",
    "FieldAmbiguousError",
    "FieldMissingError",
    "FieldWrongTypeError",
    "NumberNotExactError",
    "NumberTooLargeError",
    "SourceError",
    "convert",
]

# Circuits hold signed numbers of 64 bits.
MAX_NUMBER: Final = 2**63 - 1
_MAX_TEXT: Final = 4096
# Every number in reach has fewer digits, at any scale.
_MAX_DIGITS: Final = 64

_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,64}(\.[0-9]{1,64})?")
# RFC 3339, section 5.6: a full date, and what a timestamp has after it.
_DATE: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2})"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[-+][0-9]{2}:[0-9]{2}))?)?"
)


class SourceError(UnavailableError):
    """The provider's answer cannot be used: there is no answer to the question."""

    code = "source-unusable"


class FieldMissingError(SourceError):
    """The answer lacks a value that the definition doesn't call optional."""

    code = "field-missing"

    def __init__(self, *, field: str) -> None:
        super().__init__(f'the source\'s answer has no value for "{field}"')
        self.field = field


class FieldAmbiguousError(SourceError):
    """The answer has several values where one is meant."""

    code = "field-ambiguous"

    def __init__(self, *, field: str) -> None:
        super().__init__(f'the source\'s answer has several values for "{field}", one is meant')
        self.field = field


class FieldWrongTypeError(SourceError):
    """A value is not of its field's type."""

    code = "field-wrong-type"

    def __init__(self, *, field: str, wanted: str) -> None:
        super().__init__(f'the source\'s answer has something other than {wanted} in "{field}"')
        self.field, self.wanted = field, wanted


class NumberNotExactError(SourceError):
    """A number has digits beyond its field's scale, and the definition doesn't round."""

    code = "number-not-exact"

    def __init__(self, *, field: str, scale: int) -> None:
        super().__init__(f'the source\'s answer has more than {scale} decimal places in "{field}"')
        self.field, self.scale = field, scale


class NumberTooLargeError(SourceError):
    """A number does not fit into 64 bits at its field's scale."""

    code = "number-too-large"

    def __init__(self, *, field: str) -> None:
        super().__init__(f'the source\'s answer has a number that is too large in "{field}"')
        self.field = field


def convert(raw: object, *, field: FieldDefinition) -> Value:
    """Return ``raw`` as the type of ``field``, or raise a ``SourceError``.

    ``raw`` is a JSON value, or text from XML, HTML or a regular expression. Null is ``None`` for
    an optional field. Numbers may come as text, since many providers send money so.
    """
    if field.values is not None and raw is not None:
        raw = _translated(raw, field)
    if raw is None:
        if not field.optional:
            raise FieldMissingError(field=field.name)
        return None
    match field.data_type.type:
        case FieldType.INTEGER | FieldType.DECIMAL:
            return _number(raw, field)
        case FieldType.STRING:
            return _text(raw, field)
        case FieldType.BOOLEAN:
            return _boolean(raw, field)
        case FieldType.DATE:
            return _date(raw, field)


def _translated(raw: object, field: FieldDefinition) -> object:
    """Return what the definition writes for ``raw``; what it doesn't list is of no known type."""
    if isinstance(raw, bool):
        raw = "true" if raw else "false"
    text = str(raw) if isinstance(raw, int) else raw
    if field.values is None or not isinstance(text, str) or text not in field.values:
        raise FieldWrongTypeError(field=field.name, wanted="a listed value")
    return field.values[text]


def _number(raw: object, field: FieldDefinition) -> int:
    """Return ``raw`` in units of 10^-scale, without ever passing through a float."""
    wanted = "a number" if field.data_type.type is FieldType.DECIMAL else "a whole number"
    if isinstance(raw, str) and _NUMBER.fullmatch(raw) is not None:
        raw = Decimal(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        raise FieldWrongTypeError(field=field.name, wanted=wanted)
    exact = Decimal(raw)
    number = _scaled(exact.copy_negate() if field.negate else exact, field)
    if abs(number) > MAX_NUMBER:
        raise NumberTooLargeError(field=field.name)
    if field.between is not None and not field.between[0] <= number <= field.between[1]:
        # Credit bureaus send "no score, because ..." as a number that is larger than any score.
        raise FieldWrongTypeError(field=field.name, wanted=wanted)
    return number


def _scaled(number: Decimal, field: FieldDefinition) -> int:
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise FieldWrongTypeError(field=field.name, wanted="a number")
    scale = field.data_type.scale
    if not any(digits):
        return 0
    if number.adjusted() + scale > _MAX_DIGITS:
        # 1e400 is a legal JSON number, and as an integer would fill memory.
        raise NumberTooLargeError(field=field.name)
    coefficient = int("".join(map(str, digits)))
    shift = exponent + scale
    if shift >= 0:
        whole, rest = coefficient * _power(shift), 0
    elif -shift > len(digits):
        whole, rest = 0, coefficient
    else:
        whole, rest = divmod(coefficient, _power(-shift))
    if rest and field.data_type.rounding is Rounding.NONE:
        raise NumberNotExactError(field=field.name, scale=scale)
    if sign:
        # Floor is away from zero here, so that a debt is never shown smaller than it is.
        return -whole - (1 if rest else 0)
    return whole


def _power(exponent: int) -> int:
    # int ** int is a float where the exponent is negative, which it never is here.
    return int(10**exponent)


def _text(raw: object, field: FieldDefinition) -> str:
    if not isinstance(raw, str) or len(raw) > _MAX_TEXT:
        raise FieldWrongTypeError(field=field.name, wanted="text")
    return raw


def _boolean(raw: object, field: FieldDefinition) -> bool:
    # From XML, HTML and translated values comes text; 1, "yes" and "True" are somebody's guess.
    if isinstance(raw, bool):
        return raw
    if raw == "true":
        return True
    if raw == "false":
        return False
    raise FieldWrongTypeError(field=field.name, wanted="a boolean")


def _date(raw: object, field: FieldDefinition) -> date:
    """Return the calendar date as written: a timestamp's offset does not move it."""
    if isinstance(raw, dict):
        year, month, day = (_part(raw.get(key), field) for key in ("year", "month", "day"))
    elif isinstance(raw, str) and (match := _DATE.fullmatch(raw)) is not None:
        year, month, day = (None if part is None else int(part) for part in match.groups())
    else:
        raise FieldWrongTypeError(field=field.name, wanted="a date")
    if year is None or month is None:
        raise FieldWrongTypeError(field=field.name, wanted="a date")
    try:
        if day is None:
            return _completed(date(year, month, 1), field.data_type)
        return date(year, month, day)
    except (ValueError, OverflowError) as error:
        raise FieldWrongTypeError(field=field.name, wanted="a date") from error


def _part(raw: object, field: FieldDefinition) -> int | None:
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise FieldWrongTypeError(field=field.name, wanted="a date")
    return raw


def _completed(first: date, data_type: DataType) -> date:
    """Return the day that the definition takes where only a month is given."""
    match data_type.partial:
        case PartialDate.NONE:
            raise ValueError("a month is not a date")
        case PartialDate.FIRST:
            return first
        case PartialDate.LAST:
            following = (first.year + first.month // 12, first.month % 12 + 1)
            return date.fromordinal(date(*following, 1).toordinal() - 1)
