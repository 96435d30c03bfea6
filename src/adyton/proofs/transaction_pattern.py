"""``transaction_pattern``: no transaction of some categories, and regular income, in a window.

Columns, a row each transaction: ``category`` (string, or nothing), ``amount`` (integer or decimal;
money in is positive, whatever the provider's sign), ``date``, and where the definition has it
``currency`` (string, or nothing; without the column, all are US dollars). What comes in in another
currency than the one asked about is no credit, and its category counts all the same.

The window is the last ``lookbackDays`` days, the day of the answer being the last. Transactions
outside of it are left out here, and the circuit takes none. That a source was asked for the whole
window is not established here: a definition's request and the worker's ``fetch`` do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Final, Self

from adyton.codec.json import Json, JsonObject, as_integer, as_list, as_string, check_keys
from adyton.errors import MalformedError
from adyton.model.value import Extracted
from adyton.proofs.abi import AbiValue
from adyton.proofs.binding import SECONDS_PER_DAY, Binding, text_hash
from adyton.proofs.circuit import Asked, Facts, Parameters, PrivateInputs
from adyton.proofs.columns import (
    EPOCH,
    I64,
    U64,
    check_count,
    dates,
    day_number,
    find_column,
    numbers,
    required,
    texts,
)
from adyton.proofs.currencies import currency_from_json
from adyton.proofs.predicates import (
    DEFAULT_CURRENCY,
    PredicateMalformedError,
    check_predicate_keys,
    predicate_type,
    read_currency,
    read_days,
    read_integer,
    scaled,
)

__all__ = ["GAMBLING", "SUSPICIOUS", "Transaction", "TransactionParameters", "Transactions"]

TRANSACTIONS: Final = 512
CATEGORIES: Final = 64
FORBIDDEN: Final = 16
PERIOD_DAYS: Final = 30
MAX_LOOKBACK_DAYS: Final = 750

# What the two named sets mean: Plaid's detailed category, and ISO 18245 merchant category codes for
# betting, lotteries, online casinos and racing.
GAMBLING: Final = (
    "ENTERTAINMENT_CASINOS_AND_GAMBLING",
    "gambling",
    "7800",
    "7801",
    "7802",
    "7995",
    "9406",
)
# Beside gambling: cash advances, and the codes for money transfers and quasi-cash.
SUSPICIOUS: Final = (
    *GAMBLING,
    "BANK_FEES_CASH_ADVANCE",
    "TRANSFER_IN_CASH_ADVANCES_AND_LOANS",
    "4829",
    "6050",
    "6051",
    "6540",
)

_SETS: Final[Mapping[str, tuple[str, ...]]] = {"no_gambling": GAMBLING, "no_suspicious": SUSPICIOUS}
_TYPES: Final = frozenset({"no_gambling", "no_suspicious", "none_of", "regular_income"})
_LOOKBACK_KEYS: Final = frozenset({"lookbackDays", "lookback_days"})
_MAX_CATEGORY_CHARACTERS: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionParameters(Parameters):
    """The window in days from 1970-01-01, what is forbidden in it, and what must come in.

    ``required_periods`` of 30 days, counted back from the last day, must each have a credit of at
    least ``minimum_credit``; with 0, no income is asked for.
    """

    circuit: ClassVar[str] = "transaction_pattern"

    categories: tuple[str, ...]
    first_day: int
    last_day: int
    currency: str
    minimum_credit: int
    required_periods: int

    @classmethod
    def from_predicate(cls, predicate: JsonObject, facts: Facts, /) -> Self:
        """Return the parameters of a predicate with ``lookbackDays``.

        ``{type: no_gambling | no_suspicious}``, ``{type: none_of, categories}`` or
        ``{type: regular_income, minimum?, periods?, currency?}``: any credit in US dollars, and as
        many periods as fit.
        """
        type_ = predicate_type(predicate, _TYPES)
        lookback = _lookback(predicate)
        last_day = facts.time // SECONDS_PER_DAY
        categories: tuple[str, ...] = ()
        currency, minimum, periods = DEFAULT_CURRENCY, 1, 0
        match type_:
            case "none_of":
                _check_keys(predicate, required=frozenset({"categories"}))
                categories = _categories(predicate["categories"])
            case "regular_income":
                _check_keys(predicate, optional=frozenset({"currency", "minimum", "periods"}))
                currency = read_currency(predicate)
                minimum = _minimum(predicate, facts)
                periods = _periods(predicate, lookback)
            case _:
                _check_keys(predicate)
                categories = _SETS[type_]
        return cls(
            categories=categories,
            first_day=max(0, last_day - lookback + 1),
            last_day=last_day,
            currency=currency,
            minimum_credit=minimum,
            required_periods=periods,
        )

    @classmethod
    def from_json(cls, record: JsonObject) -> Self:
        """Return the parameters in a statement, or raise ``MalformedError``."""
        check_keys(record, "parameters", required=_KEYS, optional=frozenset())
        categories = as_list(record["categories"], "parameters.categories", limit=FORBIDDEN)
        return cls(
            categories=tuple(as_string(item, "parameters.categories") for item in categories),
            first_day=_day(record["first_day"], "parameters.first_day"),
            last_day=_day(record["last_day"], "parameters.last_day"),
            currency=currency_from_json(record),
            minimum_credit=read_integer(record["minimum_credit"], "parameters.minimum_credit", U64),
            required_periods=as_integer(
                record["required_periods"],
                "parameters.required_periods",
                high=MAX_LOOKBACK_DAYS // PERIOD_DAYS,
            ),
        )

    def to_json(self) -> JsonObject:
        """Return what a statement holds; days are ISO 8601 dates."""
        return {
            "categories": list(self.categories),
            "first_day": (EPOCH + timedelta(days=self.first_day)).isoformat(),
            "last_day": (EPOCH + timedelta(days=self.last_day)).isoformat(),
            "currency": self.currency,
            "minimum_credit": str(self.minimum_credit),
            "required_periods": self.required_periods,
        }

    @classmethod
    def facts(cls, extracted: Extracted, asked: Asked, /) -> Facts:
        """Return the scale of the amounts."""
        return Facts(scale=find_column(extracted, "amount").scale, time=asked.time)

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's public parameters."""
        hashes = [text_hash(category) for category in self.categories]
        return {
            "forbidden": [*hashes, *[0] * (FORBIDDEN - len(hashes))],
            "first_day": self.first_day,
            "last_day": self.last_day,
            "currency": text_hash(self.currency),
            "minimum_credit": self.minimum_credit,
            "required_periods": self.required_periods,
        }

    def private_inputs(self, extracted: Extracted, _asked: Asked, /) -> "Transactions":
        """Return the transactions within the window, all of them."""
        days = required(dates(find_column(extracted, "date"), "date"), "date")
        amounts = required(numbers(find_column(extracted, "amount"), "amount", I64), "amount")
        names = texts(find_column(extracted, "category"), "category")
        currencies = (
            texts(find_column(extracted, "currency"), "currency")
            if "currency" in extracted.columns
            else (DEFAULT_CURRENCY,) * len(days)
        )
        found = tuple(
            Transaction(
                category=name,
                day=day_number(day),
                credit=max(0, amount) if currency == self.currency else 0,
            )
            for name, day, amount, currency in zip(names, days, amounts, currencies, strict=True)
            if self.first_day <= day_number(day) <= self.last_day
        )
        check_count(len(found), "date", limit=TRANSACTIONS)
        check_count(len(_distinct(found)), "category", limit=CATEGORIES)
        return Transactions(parameters=self, transactions=found)


_KEYS: Final = frozenset(
    {"categories", "first_day", "last_day", "currency", "minimum_credit", "required_periods"}
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Transaction:
    """One transaction: its category if it has one, its day, and what came in.

    That is 0 for money that went out, or came in another currency than the one asked about.
    """

    category: str | None
    day: int
    credit: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Transactions(PrivateInputs):
    """Up to 512 transactions in up to 64 categories, all within the window."""

    parameters: TransactionParameters
    transactions: tuple[Transaction, ...]

    def evaluate(self, _binding: Binding, /) -> bool:
        """Return whether no category is forbidden and each period has a credit."""
        forbidden = self.parameters.categories
        if any(transaction.category in forbidden for transaction in self.transactions):
            return False
        paid = {
            (self.parameters.last_day - transaction.day) // PERIOD_DAYS
            for transaction in self.transactions
            if transaction.credit >= self.parameters.minimum_credit
        }
        return paid.issuperset(range(self.parameters.required_periods))

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's private parameters.

        The circuit takes a list of the categories in order of first use, and each transaction's
        place in it: a set is then compared with 64 names instead of 512.
        """
        places = {name: place for place, name in enumerate(_distinct(self.transactions), start=1)}
        hashes = [text_hash(name) for name in places]
        used = [self._transaction(item, places) for item in self.transactions]
        return {
            "categories": [*hashes, *[0] * (CATEGORIES - len(hashes))],
            "transactions": [*used, *[_NO_TRANSACTION] * (TRANSACTIONS - len(used))],
        }

    def _transaction(self, item: Transaction, places: Mapping[str, int]) -> Mapping[str, AbiValue]:
        period, day = divmod(self.parameters.last_day - item.day, PERIOD_DAYS)
        return {
            "category": 0 if item.category is None else places[item.category],
            "period": period,
            "day": day,
            "credit": item.credit,
        }


_NO_TRANSACTION: Final[Mapping[str, AbiValue]] = {
    "category": 0,
    "period": 0,
    "day": 0,
    "credit": 0,
}


def _distinct(transactions: tuple[Transaction, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.category for item in transactions if item.category is not None))


def _check_keys(
    predicate: JsonObject,
    *,
    required: frozenset[str] = frozenset(),
    optional: frozenset[str] = frozenset(),
) -> None:
    check_predicate_keys(predicate, required=required, optional=optional | _LOOKBACK_KEYS)


def _lookback(predicate: JsonObject) -> int:
    named = sorted(_LOOKBACK_KEYS & predicate.keys())
    if len(named) != 1:
        raise PredicateMalformedError("predicate lacks lookbackDays, or has it twice")
    return read_days(predicate, named[0], low=1, high=MAX_LOOKBACK_DAYS)


def _categories(value: Json) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= FORBIDDEN:
        raise PredicateMalformedError(f"predicate.categories is not an array of 1 to {FORBIDDEN}")
    names = [item for item in value if isinstance(item, str) and item]
    if len(names) != len(value) or any(len(name) > _MAX_CATEGORY_CHARACTERS for name in names):
        raise PredicateMalformedError(
            f"predicate.categories are not texts of 1 to {_MAX_CATEGORY_CHARACTERS} characters"
        )
    if len(set(names)) != len(names):
        raise PredicateMalformedError("predicate.categories names one twice")
    return tuple(names)


def _minimum(predicate: JsonObject, facts: Facts) -> int:
    if "minimum" not in predicate:
        return 1
    minimum = scaled(scale=facts.scale, limits=I64)(predicate["minimum"], "predicate.minimum")
    if minimum < 1:
        # Nothing at all would be a credit then.
        raise PredicateMalformedError("predicate.minimum is not positive")
    return minimum


def _periods(predicate: JsonObject, lookback: int) -> int:
    whole = lookback // PERIOD_DAYS
    if not whole:
        raise PredicateMalformedError(f"lookbackDays is less than a period of {PERIOD_DAYS}")
    if "periods" not in predicate:
        return whole
    return read_days(predicate, "periods", low=1, high=whole)


def _day(value: Json, name: str) -> int:
    text = as_string(value, name, limit=10)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise MalformedError(f"{name} is not a date") from error
    if day.isoformat() != text or day < EPOCH:
        raise MalformedError(f"{name} is not a date as YYYY-MM-DD from 1970 on")
    return day_number(day)
