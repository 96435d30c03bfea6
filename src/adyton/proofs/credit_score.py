"""``credit_score``: whether a credit score lies within bounds.

Column: ``score`` (integer), one row. A source with several scores must be told apart by the
provider's definition: picking one here would let the picker choose the answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from adyton.codec.json import JsonObject, check_keys
from adyton.model.value import Extracted
from adyton.proofs.abi import AbiValue
from adyton.proofs.binding import Binding
from adyton.proofs.circuit import Asked, Facts, Parameters, PrivateInputs
from adyton.proofs.columns import (
    U16,
    ColumnTypeError,
    ValueMissingError,
    check_count,
    find_column,
    numbers,
    required,
)
from adyton.proofs.predicates import Bounds, predicate_type, read_bounds, scaled

__all__ = ["CreditParameters", "CreditScore"]

_COMPARISONS: Final = {
    "gte": "gte",
    "lte": "lte",
    "range": "range",
    "score_gte": "gte",
    "score_lte": "lte",
    "score_range": "range",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditParameters(Parameters):
    """Bounds for the score, both included."""

    circuit: ClassVar[str] = "credit_score"

    bounds: Bounds

    @classmethod
    def from_predicate(cls, predicate: JsonObject, _facts: Facts, /) -> Self:
        """Return the parameters of ``{type: score_gte | ..., threshold | min, max}``."""
        bounds = read_bounds(
            predicate,
            comparison=_COMPARISONS[predicate_type(predicate, frozenset(_COMPARISONS))],
            limits=U16,
            read=scaled(scale=0, limits=U16),
        )
        return cls(bounds=bounds)

    @classmethod
    def from_json(cls, record: JsonObject) -> Self:
        """Return the parameters in a statement, or raise ``MalformedError``."""
        check_keys(
            record, "parameters", required=frozenset({"lower", "upper"}), optional=frozenset()
        )
        return cls(bounds=Bounds.from_json(record, U16))

    def to_json(self) -> JsonObject:
        """Return what a statement holds."""
        return self.bounds.to_json()

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's public parameters."""
        return {"lower": self.bounds.lower, "upper": self.bounds.upper}

    def private_inputs(self, extracted: Extracted, _asked: Asked, /) -> "CreditScore":
        """Return the one score of ``extracted``."""
        column = find_column(extracted, "score")
        check_count(len(column.values), "score", limit=1)
        if column.scale:
            raise ColumnTypeError(column="score", expected="integer")
        scores = required(numbers(column, "score", U16), "score")
        if not scores:
            raise ValueMissingError(column="score")
        return CreditScore(parameters=self, score=scores[0])


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CreditScore(PrivateInputs):
    """One score."""

    parameters: CreditParameters
    score: int

    def evaluate(self, _binding: Binding, /) -> bool:
        """Return whether the score is within the bounds."""
        return self.score in self.parameters.bounds

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's private parameters."""
        return {"score": self.score}
