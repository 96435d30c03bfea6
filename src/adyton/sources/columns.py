"""Which columns each circuit reads: a definition that lacks one is refused when it is loaded.

What the columns mean to a circuit, and their limits, is the business of ``proofs``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adyton.model.question import Endpoint
from adyton.model.value import FieldType

__all__ = ["ALIASES", "COLUMNS", "Columns"]

_NUMBER: Final = frozenset({FieldType.INTEGER, FieldType.DECIMAL})
_INTEGER: Final = frozenset({FieldType.INTEGER})
_STRING: Final = frozenset({FieldType.STRING})
_DATE: Final = frozenset({FieldType.DATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What one circuit reads, and the endpoint of questions to it.

    ``types`` has every column, with the types that it may have; ``None`` where a circuit reads what
    the question names. Of each group in ``required``, one must be there.
    """

    endpoint: Endpoint
    required: tuple[tuple[str, ...], ...]
    types: Mapping[str, frozenset[FieldType]] | None

    def reads(self, name: str) -> bool:
        """Whether the circuit reads a column of this name."""
        return self.types is None or name in self.types


COLUMNS: Final[Mapping[str, Columns]] = {
    "balance_threshold": Columns(
        endpoint=Endpoint.BALANCE,
        required=(("balance",),),
        types={"balance": _NUMBER, "currency": _STRING},
    ),
    "income": Columns(
        endpoint=Endpoint.INCOME,
        required=(("income", "annual_income", "adjusted_gross_income"),),
        types={
            "income": _NUMBER,
            "date": _DATE,
            "annual_income": _NUMBER,
            "adjusted_gross_income": _NUMBER,
            "currency": _STRING,
        },
    ),
    "employment_status": Columns(
        endpoint=Endpoint.EMPLOYMENT,
        required=(("start",), ("end",)),
        types={"start": _DATE, "end": _DATE, "employer": _STRING},
    ),
    "credential_validity": Columns(
        endpoint=Endpoint.EDUCATION,
        required=(("issued",),),
        types={"level": _STRING, "issued": _DATE, "expires": _DATE, "holder": _STRING},
    ),
    "credit_score": Columns(
        endpoint=Endpoint.CREDIT, required=(("score",),), types={"score": _INTEGER}
    ),
    "transaction_pattern": Columns(
        endpoint=Endpoint.TRANSACTIONS,
        required=(("category",), ("amount",), ("date",)),
        types={"category": _STRING, "amount": _NUMBER, "date": _DATE, "currency": _STRING},
    ),
    "account_ownership": Columns(
        endpoint=Endpoint.CUSTOM,
        required=(("owner", "number"),),
        types={"account": _STRING, "owner": _STRING, "number": _STRING},
    ),
    "generic_predicate": Columns(endpoint=Endpoint.CUSTOM, required=(), types=None),
}

# What RFC-0023 calls a circuit in one of its definitions.
ALIASES: Final[Mapping[str, str]] = {"income_verification": "income"}
