"""``income``: whether the income of some months, scaled to a year, lies within bounds.

Columns, in one of three forms:

* ``income`` with ``date``: payments. They are added up by calendar month, over the months that the
  question looks at (12 if it says nothing), the month of the answer being the last. From the first
  month with a payment to the last one, all months count, those without a payment too.
* ``income`` alone: a month each row.
* ``annual_income`` (or RFC-0023's ``adjusted_gross_income``): one figure for a year.

How many months the data cover is a public parameter: a reader can tell a year from one good month.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar, Final, Self

from adyton.codec.json import JsonObject, as_integer, check_keys
from adyton.errors import RejectedError
from adyton.model.value import Extracted
from adyton.proofs.abi import AbiValue
from adyton.proofs.binding import Binding, text_hash
from adyton.proofs.circuit import Asked, Facts, Parameters, ParametersRejectedError, PrivateInputs
from adyton.proofs.columns import (
    I64,
    NumberOutOfRangeError,
    ValueMissingError,
    check_count,
    dates,
    find_column,
    numbers,
    required,
)
from adyton.proofs.currencies import currency_from_json, one_currency
from adyton.proofs.predicates import Bounds, predicate_type, read_bounds, read_currency, scaled

__all__ = ["IncomeParameters", "Incomes", "MonthsRejectedError"]

YEAR: Final = 12
_ANNUAL: Final = ("annual_income", "adjusted_gross_income")
_COMPARISONS: Final = {
    "gte": "gte",
    "lte": "lte",
    "range": "range",
    "annual_gte": "gte",
    "annual_lte": "lte",
    "annual_range": "range",
}


class MonthsRejectedError(RejectedError):
    """The question looks at some months, and the source gives figures for whole years."""

    code = "months-rejected"

    def __init__(self, *, months: int) -> None:
        super().__init__(f"the source gives a yearly figure, not one for {months} months")
        self.months = months


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeParameters(Parameters):
    """Bounds for a year in minor units, their currency, and how many months the data cover."""

    circuit: ClassVar[str] = "income"

    currency: str
    bounds: Bounds
    months: int

    @classmethod
    def from_predicate(cls, predicate: JsonObject, facts: Facts, /) -> Self:
        """Return the parameters of ``{type: annual_gte | ..., threshold | min, max}``."""
        if facts.months is None:
            raise ValueError("the facts lack how many months the data cover")
        bounds = read_bounds(
            predicate,
            comparison=_COMPARISONS[predicate_type(predicate, frozenset(_COMPARISONS))],
            limits=I64,
            read=scaled(scale=facts.scale, limits=I64),
            optional=frozenset({"currency"}),
        )
        return cls(currency=read_currency(predicate), bounds=bounds, months=facts.months)

    @classmethod
    def from_json(cls, record: JsonObject) -> Self:
        """Return the parameters in a statement, or raise ``MalformedError``."""
        check_keys(record, "parameters", required=_KEYS, optional=frozenset())
        return cls(
            currency=currency_from_json(record),
            bounds=Bounds.from_json(record, I64),
            months=as_integer(record["months"], "parameters.months", low=1, high=YEAR),
        )

    def to_json(self) -> JsonObject:
        """Return what a statement holds."""
        return {"currency": self.currency, **self.bounds.to_json(), "months": self.months}

    @classmethod
    def facts(cls, extracted: Extracted, asked: Asked, /) -> Facts:
        """Return the scale of the incomes, and how many months they cover."""
        scale = find_column(extracted, _column_name(extracted)).scale
        return Facts(scale=scale, time=asked.time, months=_months_and_incomes(extracted, asked)[0])

    def stated_facts(self, asked: Asked, *, scale: int) -> Facts:
        """Return the facts, if no more months were looked at than the question says."""
        if asked.months is not None and self.months > asked.months:
            raise ParametersRejectedError(circuit=self.circuit)
        return Facts(scale=scale, time=asked.time, months=self.months)

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's public parameters."""
        return {
            "currency": text_hash(self.currency),
            "lower": self.bounds.lower,
            "upper": self.bounds.upper,
            "months": self.months,
        }

    def private_inputs(self, extracted: Extracted, asked: Asked, /) -> "Incomes":
        """Return the income of each month that the data cover."""
        months, incomes = _months_and_incomes(extracted, asked)
        if months != self.months:
            raise ValueError("the parameters are for data of another length")
        column = find_column(extracted, _column_name(extracted))
        paid_in = one_currency(extracted, rows=len(column.values))
        return Incomes(parameters=self, paid_in=paid_in, incomes=incomes)


_KEYS: Final = frozenset({"currency", "lower", "upper", "months"})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Incomes(PrivateInputs):
    """The income of up to 12 months, in one currency; a yearly figure stands in the first place."""

    parameters: IncomeParameters
    paid_in: str
    incomes: tuple[int, ...]

    def evaluate(self, _binding: Binding, /) -> bool:
        """Return whether twelve times the mean month is within the bounds: without a division."""
        months, bounds = self.parameters.months, self.parameters.bounds
        year = sum(self.incomes) * YEAR
        inside = bounds.lower * months <= year <= bounds.upper * months
        return inside and self.paid_in == self.parameters.currency

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's private parameters."""
        return {
            "paid_in": text_hash(self.paid_in),
            "incomes": [*self.incomes, *[0] * (YEAR - len(self.incomes))],
        }


def _column_name(extracted: Extracted) -> str:
    return next((name for name in _ANNUAL if name in extracted.columns), "income")


def _months_and_incomes(extracted: Extracted, asked: Asked) -> tuple[int, tuple[int, ...]]:
    name = _column_name(extracted)
    incomes = required(numbers(find_column(extracted, name), name, I64), name)
    if not incomes:
        raise ValueMissingError(column=name)
    if name in _ANNUAL:
        check_count(len(incomes), name, limit=1)
        if asked.months not in (None, YEAR):
            raise MonthsRejectedError(months=asked.months)
        return YEAR, incomes
    limit = asked.months or YEAR
    if "date" in extracted.columns:
        incomes = _by_month(extracted, incomes, limit=limit, time=asked.time)
    check_count(len(incomes), name, limit=limit)
    return len(incomes), incomes


def _by_month(
    extracted: Extracted, incomes: tuple[int, ...], *, limit: int, time: int
) -> tuple[int, ...]:
    days = required(dates(find_column(extracted, "date"), "date"), "date")
    now = _month(datetime.fromtimestamp(time, UTC).date())
    sums: dict[int, int] = {}
    for day, income in zip(days, incomes, strict=True):
        month = _month(day)
        if now - limit < month <= now:
            sums[month] = sums.get(month, 0) + income
    if not sums:
        raise ValueMissingError(column="income")
    if any(total not in I64 for total in sums.values()):
        raise NumberOutOfRangeError(column="income")
    return tuple(sums.get(month, 0) for month in range(min(sums), max(sums) + 1))


def _month(day: date) -> int:
    return day.year * YEAR + day.month
