"""``balance_threshold``: whether any account in one currency has a balance within bounds.

Columns: ``balance`` (integer or decimal) and ``currency`` (string), a row each account. Without a
``currency`` column all balances are in US dollars, as in RFC-0023's own definitions. No account at
all is a no.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from adyton.codec.json import JsonObject, check_keys
from adyton.model.value import Extracted
from adyton.proofs.abi import AbiValue
from adyton.proofs.binding import Binding, text_hash
from adyton.proofs.circuit import Asked, Facts, Parameters, PrivateInputs
from adyton.proofs.columns import I64, check_count, find_column, numbers, required
from adyton.proofs.currencies import currencies_of, currency_from_json
from adyton.proofs.predicates import Bounds, predicate_type, read_bounds, read_currency, scaled

__all__ = ["BalanceParameters", "Balances"]

ACCOUNTS: Final = 16
_TYPES: Final = frozenset({"gte", "lte", "range"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceParameters(Parameters):
    """Bounds in minor units, both included, and the currency that they are in."""

    circuit: ClassVar[str] = "balance_threshold"

    currency: str
    bounds: Bounds

    @classmethod
    def from_predicate(cls, predicate: JsonObject, facts: Facts, /) -> Self:
        """Return the parameters of ``{type: gte | lte | range, threshold | min, max}``."""
        bounds = read_bounds(
            predicate,
            comparison=predicate_type(predicate, _TYPES),
            limits=I64,
            read=scaled(scale=facts.scale, limits=I64),
            optional=frozenset({"currency"}),
        )
        return cls(currency=read_currency(predicate), bounds=bounds)

    @classmethod
    def from_json(cls, record: JsonObject) -> Self:
        """Return the parameters in a statement, or raise ``MalformedError``."""
        check_keys(record, "parameters", required=_KEYS, optional=frozenset())
        return cls(currency=currency_from_json(record), bounds=Bounds.from_json(record, I64))

    def to_json(self) -> JsonObject:
        """Return what a statement holds."""
        return {"currency": self.currency, **self.bounds.to_json()}

    @classmethod
    def facts(cls, extracted: Extracted, asked: Asked, /) -> Facts:
        """Return the scale of the balances."""
        return Facts(scale=find_column(extracted, "balance").scale, time=asked.time)

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's public parameters."""
        return {
            "currency": text_hash(self.currency),
            "lower": self.bounds.lower,
            "upper": self.bounds.upper,
        }

    def private_inputs(self, extracted: Extracted, _asked: Asked, /) -> "Balances":
        """Return the accounts of ``extracted``, all of them."""
        column = find_column(extracted, "balance")
        check_count(len(column.values), "balance", limit=ACCOUNTS)
        balances = required(numbers(column, "balance", I64), "balance")
        return Balances(
            parameters=self,
            balances=balances,
            currencies=currencies_of(extracted, rows=len(balances)),
        )


_KEYS: Final = frozenset({"currency", "lower", "upper"})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Balances(PrivateInputs):
    """The balances of up to 16 accounts, and their currencies."""

    parameters: BalanceParameters
    balances: tuple[int, ...]
    currencies: tuple[str, ...]

    def evaluate(self, _binding: Binding, /) -> bool:
        """Return whether an account is in the currency and within the bounds."""
        return any(
            currency == self.parameters.currency and balance in self.parameters.bounds
            for balance, currency in zip(self.balances, self.currencies, strict=True)
        )

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's private parameters."""
        padding = ACCOUNTS - len(self.balances)
        return {
            "count": len(self.balances),
            "balances": [*self.balances, *[0] * padding],
            "currencies": [*map(text_hash, self.currencies), *[0] * padding],
        }
