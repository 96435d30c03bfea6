"""``credential_validity``: whether someone holds a credential of some level, in force that day.

Columns, a row each credential: ``issued`` (date, or nothing if it was not awarded), and where the
definition has them ``level`` (string, one of ``LEVELS``), ``expires`` (date, or nothing if it does
not) and ``holder`` (string, to which the proof commits). A definition's ``values`` translate what a
provider calls its degrees; a licence has no level, which is the lowest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from adyton.codec.json import Json, JsonObject, as_integer, check_keys
from adyton.errors import RejectedError
from adyton.model.value import Extracted
from adyton.proofs.abi import AbiValue
from adyton.proofs.binding import Binding, text_hash
from adyton.proofs.circuit import Asked, Facts, Parameters, PrivateInputs
from adyton.proofs.columns import (
    check_count,
    dates,
    day_number,
    find_column,
    optional_dates,
    optional_texts,
)
from adyton.proofs.predicates import (
    PredicateMalformedError,
    check_predicate_keys,
    predicate_type,
)

__all__ = ["LEVELS", "Credential", "CredentialParameters", "Credentials", "LevelUnknownError"]

CREDENTIALS: Final = 8
# Both a question's ``degreeLevel`` and a column's ``level`` are one of these.
LEVELS: Final[Mapping[str, int]] = {
    "any": 0,
    "certificate": 0,
    "associate": 1,
    "bachelors": 2,
    "masters": 3,
    "doctorate": 4,
}
_TYPES: Final = frozenset({"has_degree", "is_valid"})
_LEVEL_KEYS: Final = frozenset({"degreeLevel", "degree_level"})


class LevelUnknownError(RejectedError):
    """The source names a level that the provider's definition does not translate."""

    code = "level-unknown"

    def __init__(self) -> None:
        super().__init__(f"the source gives a level other than {', '.join(LEVELS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialParameters(Parameters):
    """The lowest level that is a yes."""

    circuit: ClassVar[str] = "credential_validity"

    minimum_level: int

    @classmethod
    def from_predicate(cls, predicate: JsonObject, _facts: Facts, /) -> Self:
        """Return the parameters of ``{type: has_degree, degreeLevel?}`` or ``{type: is_valid}``."""
        if predicate_type(predicate, _TYPES) == "is_valid":
            check_predicate_keys(predicate, required=frozenset())
            return cls(minimum_level=0)
        check_predicate_keys(predicate, required=frozenset(), optional=_LEVEL_KEYS)
        named = [predicate[key] for key in _LEVEL_KEYS & predicate.keys()]
        if len(named) > 1:
            raise PredicateMalformedError("predicate has both degreeLevel and degree_level")
        return cls(minimum_level=_asked_level(named[0]) if named else 0)

    @classmethod
    def from_json(cls, record: JsonObject) -> Self:
        """Return the parameters in a statement, or raise ``MalformedError``."""
        check_keys(
            record, "parameters", required=frozenset({"minimum_level"}), optional=frozenset()
        )
        highest = max(LEVELS.values())
        level = as_integer(record["minimum_level"], "parameters.minimum_level", high=highest)
        return cls(minimum_level=level)

    def to_json(self) -> JsonObject:
        """Return what a statement holds."""
        return {"minimum_level": self.minimum_level}

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's public parameters."""
        return {"minimum_level": self.minimum_level}

    def private_inputs(self, extracted: Extracted, _asked: Asked, /) -> "Credentials":
        """Return the credentials of ``extracted``, all of them."""
        issued = dates(find_column(extracted, "issued"), "issued")
        rows = len(issued)
        check_count(rows, "issued", limit=CREDENTIALS)
        levels = optional_texts(extracted, "level", rows=rows)
        expiries = optional_dates(extracted, "expires", rows=rows)
        holders = optional_texts(extracted, "holder", rows=rows)
        return Credentials(
            parameters=self,
            credentials=tuple(
                Credential(
                    level=_found_level(level),
                    issued_day=None if begun is None else day_number(begun),
                    expiry_day=None if expiry is None else day_number(expiry),
                    holder=holder,
                )
                for level, begun, expiry, holder in zip(
                    levels, issued, expiries, holders, strict=True
                )
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credential:
    """One credential, in days from 1970-01-01; ``None`` is what was not given."""

    level: int
    issued_day: int | None
    expiry_day: int | None
    holder: str | None

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's structure."""
        return {
            "level": self.level,
            "is_issued": self.issued_day is not None,
            "issued_day": self.issued_day or 0,
            "has_expiry": self.expiry_day is not None,
            "expiry_day": self.expiry_day or 0,
            "subject": 0 if self.holder is None else text_hash(self.holder),
        }


_NO_CREDENTIAL: Final[Mapping[str, AbiValue]] = {
    "level": 0,
    "is_issued": False,
    "issued_day": 0,
    "has_expiry": False,
    "expiry_day": 0,
    "subject": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credentials(PrivateInputs):
    """Up to eight credentials."""

    parameters: CredentialParameters
    credentials: tuple[Credential, ...]

    def evaluate(self, binding: Binding, /) -> bool:
        """Return whether one is high enough, awarded by today, and not expired before today."""
        return any(
            credential.level >= self.parameters.minimum_level
            and credential.issued_day is not None
            and credential.issued_day <= binding.today
            and (credential.expiry_day is None or binding.today <= credential.expiry_day)
            for credential in self.credentials
        )

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's private parameters."""
        used = [credential.values() for credential in self.credentials]
        return {
            "count": len(used),
            "credentials": [*used, *[_NO_CREDENTIAL] * (CREDENTIALS - len(used))],
        }


def _asked_level(value: Json) -> int:
    if not isinstance(value, str) or value not in LEVELS:
        raise PredicateMalformedError(f"the degree level is none of {', '.join(LEVELS)}")
    return LEVELS[value]


def _found_level(value: str | None) -> int:
    # A row without a level is a credential all the same: it proves the least.
    if value is None:
        return 0
    if (level := LEVELS.get(value.strip().lower())) is None:
        raise LevelUnknownError
    return level
