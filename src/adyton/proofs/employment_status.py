"""``employment_status``: whether someone is employed on the day of the answer, and for how long.

Columns, a row each position: ``start`` (date), ``end`` (date, or nothing while it lasts) and, where
the definition has it, ``employer`` (string), to which the proof commits. One position must be long
enough by itself: two short ones do not add up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from adyton.codec.json import JsonObject, as_integer, check_keys
from adyton.model.value import Extracted
from adyton.proofs.abi import AbiValue
from adyton.proofs.binding import Binding, text_hash
from adyton.proofs.circuit import Asked, Facts, Parameters, PrivateInputs
from adyton.proofs.columns import (
    check_count,
    dates,
    day_number,
    find_column,
    optional_texts,
    required,
)
from adyton.proofs.predicates import check_predicate_keys, predicate_type, read_days

__all__ = ["EmploymentParameters", "Position", "Positions"]

POSITIONS: Final = 16
# More than anybody's working life; the circuit takes any number of 32 bits.
MAX_TENURE_DAYS: Final = 36_525
_TYPES: Final = frozenset({"currently_employed", "tenure_gte"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EmploymentParameters(Parameters):
    """How many days the position must have lasted; 0 asks for the position only."""

    circuit: ClassVar[str] = "employment_status"

    minimum_tenure_days: int

    @classmethod
    def from_predicate(cls, predicate: JsonObject, _facts: Facts, /) -> Self:
        """Return the parameters of ``currently_employed``, or of ``tenure_gte`` with ``value``."""
        if predicate_type(predicate, _TYPES) == "currently_employed":
            check_predicate_keys(predicate, required=frozenset())
            return cls(minimum_tenure_days=0)
        check_predicate_keys(predicate, required=frozenset({"value"}))
        days = read_days(predicate, "value", low=0, high=MAX_TENURE_DAYS)
        return cls(minimum_tenure_days=days)

    @classmethod
    def from_json(cls, record: JsonObject) -> Self:
        """Return the parameters in a statement, or raise ``MalformedError``."""
        check_keys(
            record, "parameters", required=frozenset({"minimum_tenure_days"}), optional=frozenset()
        )
        days = as_integer(
            record["minimum_tenure_days"], "parameters.minimum_tenure_days", high=MAX_TENURE_DAYS
        )
        return cls(minimum_tenure_days=days)

    def to_json(self) -> JsonObject:
        """Return what a statement holds."""
        return {"minimum_tenure_days": self.minimum_tenure_days}

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's public parameters."""
        return {"minimum_tenure_days": self.minimum_tenure_days}

    def private_inputs(self, extracted: Extracted, _asked: Asked, /) -> "Positions":
        """Return the positions of ``extracted``, all of them."""
        starts = required(dates(find_column(extracted, "start"), "start"), "start")
        check_count(len(starts), "start", limit=POSITIONS)
        ends = dates(find_column(extracted, "end"), "end")
        employers = optional_texts(extracted, "employer", rows=len(starts))
        return Positions(
            parameters=self,
            positions=tuple(
                Position(
                    start_day=day_number(start),
                    end_day=None if end is None else day_number(end),
                    employer=employer,
                )
                for start, end, employer in zip(starts, ends, employers, strict=True)
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Position:
    """One position, in days from 1970-01-01; ``None`` is an end, or an employer, not given."""

    start_day: int
    end_day: int | None
    employer: str | None

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's structure."""
        return {
            "start_day": self.start_day,
            "has_end": self.end_day is not None,
            "end_day": self.end_day or 0,
            "employer": 0 if self.employer is None else text_hash(self.employer),
        }


_NO_POSITION: Final[Mapping[str, AbiValue]] = {
    "start_day": 0,
    "has_end": False,
    "end_day": 0,
    "employer": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Positions(PrivateInputs):
    """Up to 16 positions."""

    parameters: EmploymentParameters
    positions: tuple[Position, ...]

    def evaluate(self, binding: Binding, /) -> bool:
        """Return whether a position has begun long enough ago, and has not ended before today."""
        latest_start = binding.today - self.parameters.minimum_tenure_days
        return any(
            position.start_day <= latest_start
            and (position.end_day is None or binding.today <= position.end_day)
            for position in self.positions
        )

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's private parameters."""
        used = [position.values() for position in self.positions]
        return {
            "count": len(used),
            "positions": [*used, *[_NO_POSITION] * (POSITIONS - len(used))],
        }
