"""Reading a question's predicate: RFC-0023's types and thresholds, as exact integers.

A threshold is in major units (10000 is ten thousand dollars), a JSON integer or a decimal string.
A JSON fraction is refused: readers disagree about its digits, and a question is signed as text.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final

from adyton.codec.json import Json, JsonObject, as_string, check_keys
from adyton.errors import MalformedError
from adyton.proofs.columns import Limits

__all__ = [
    "DEFAULT_CURRENCY",
    "Bounds",
    "PredicateMalformedError",
    "PredicateUnknownError",
    "ThresholdOutOfRangeError",
    "ThresholdTooFineError",
    "check_predicate_keys",
    "predicate_type",
    "read_bounds",
    "read_currency",
    "read_days",
    "read_integer",
    "scaled",
]

DEFAULT_CURRENCY: Final = "USD"

_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?", re.ASCII)
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,30}", re.ASCII)


class PredicateMalformedError(MalformedError):
    """A predicate lacks a key, has an unknown one, or one with a value of the wrong kind."""

    code = "predicate-malformed"


class PredicateUnknownError(MalformedError):
    """The circuit answers no predicate of this type."""

    code = "predicate-unknown"

    def __init__(self, *, found: str, known: frozenset[str]) -> None:
        names = ", ".join(sorted(known))
        super().__init__(f"the predicate type is {found[:64]!r}; this question knows {names}")
        self.found, self.known = found, known


class ThresholdOutOfRangeError(MalformedError):
    """A threshold does not fit the circuit's integer type."""

    code = "threshold-out-of-range"

    def __init__(self, *, name: str, limits: Limits) -> None:
        super().__init__(f"{name} is not in {limits.low}..{limits.high} in the smallest unit")
        self.name, self.limits = name, limits


class ThresholdTooFineError(MalformedError):
    """A threshold has more digits behind the point than the source's numbers."""

    code = "threshold-too-fine"

    def __init__(self, *, name: str, scale: int) -> None:
        super().__init__(f"{name} has more than {scale} digits behind the point")
        self.name, self.scale = name, scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The least and the greatest number that is a yes: every comparison is one of these."""

    lower: int
    upper: int

    def __contains__(self, number: int) -> bool:
        return self.lower <= number <= self.upper

    def to_json(self) -> JsonObject:
        """Return decimal strings: no reader rounds them, however great they are."""
        return {"lower": str(self.lower), "upper": str(self.upper)}

    @classmethod
    def from_json(cls, record: Mapping[str, Json], limits: Limits) -> "Bounds":
        """Return the bounds that a statement's parameters hold."""
        return cls(
            lower=read_integer(record["lower"], "parameters.lower", limits),
            upper=read_integer(record["upper"], "parameters.upper", limits),
        )


def predicate_type(predicate: JsonObject, known: frozenset[str]) -> str:
    """Return the predicate's type if it is one of ``known``."""
    found = predicate.get("type")
    if not isinstance(found, str):
        raise PredicateMalformedError("predicate.type is not a string")
    if found not in known:
        raise PredicateUnknownError(found=found, known=known)
    return found


def check_predicate_keys(
    predicate: JsonObject, *, required: frozenset[str], optional: frozenset[str] = frozenset()
) -> None:
    """Raise ``PredicateMalformedError`` for a missing or an unknown key, ``type`` aside."""
    try:
        check_keys(predicate, "predicate", required=required | {"type"}, optional=optional)
    except MalformedError as error:
        raise PredicateMalformedError(str(error)) from error


def read_bounds(
    predicate: JsonObject,
    *,
    comparison: str,
    limits: Limits,
    read: Callable[[Json, str], int],
    optional: frozenset[str] = frozenset(),
) -> Bounds:
    """Return the bounds of a ``gte``, ``lte`` or ``range`` predicate, both included.

    ``read`` turns a named value into an integer within ``limits``, or raises; ``optional`` are the
    other keys that the predicate may have.
    """
    if comparison == "range":
        check_predicate_keys(predicate, required=frozenset({"min", "max"}), optional=optional)
        lower = read(predicate["min"], "predicate.min")
        upper = read(predicate["max"], "predicate.max")
        if lower > upper:
            raise PredicateMalformedError("predicate.min is greater than predicate.max")
        return Bounds(lower=lower, upper=upper)
    check_predicate_keys(predicate, required=frozenset({"threshold"}), optional=optional)
    bound = read(predicate["threshold"], "predicate.threshold")
    if comparison == "gte":
        return Bounds(lower=bound, upper=limits.high)
    return Bounds(lower=limits.low, upper=bound)


def scaled(*, scale: int, limits: Limits) -> Callable[[Json, str], int]:
    """Return a reader of numbers in major units, as integers in units of 10^-scale, exactly."""
    return partial(_scaled, scale=scale, limits=limits)


def read_currency(predicate: JsonObject) -> str:
    """Return the currency that is asked about, in ISO 4217's three letters."""
    currency = predicate.get("currency", DEFAULT_CURRENCY)
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise PredicateMalformedError("predicate.currency is not three capital letters")
    return currency


def read_days(predicate: JsonObject, name: str, *, low: int, high: int) -> int:
    """Return a number of days (or periods) within ``low..high``."""
    value = predicate[name]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise PredicateMalformedError(f"predicate.{name} is not an integer in {low}..{high}")
    return value


def read_integer(value: Json, name: str, limits: Limits) -> int:
    """Return an integer that a statement's parameters hold as a decimal string."""
    text = as_string(value, name, limit=32)
    if not _INTEGER.fullmatch(text) or int(text) not in limits:
        raise MalformedError(f"{name} is not an integer in {limits.low}..{limits.high}")
    return int(text)


def _scaled(value: Json, name: str, *, scale: int, limits: Limits) -> int:
    match value:
        case int() if not isinstance(value, bool):
            number = Decimal(value)
        case str() if _NUMBER.fullmatch(value):
            number = Decimal(value)
        case Decimal():
            raise PredicateMalformedError(f"{name} has a fraction; write it as a string")
        case _:
            raise PredicateMalformedError(f"{name} is neither an integer nor a decimal string")
    return _times_power(number, name, scale, limits)


def _times_power(number: Decimal, name: str, scale: int, limits: Limits) -> int:
    # As a fraction of integers: a decimal context would round what has more digits than it.
    numerator, denominator = number.as_integer_ratio()
    power: int = 10**scale
    units, rest = divmod(numerator * power, denominator)
    if rest:
        raise ThresholdTooFineError(name=name, scale=scale)
    if units not in limits:
        raise ThresholdOutOfRangeError(name=name, limits=limits)
    return units
