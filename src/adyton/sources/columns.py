"""Which columns each circuit reads: a definition that lacks one is refused when it is loaded.

What the columns mean to a circuit, and their limits, is the business of ``proofs``.
"""

from collections.abc import Mapping
from typing import Final

from adyton.model.question import Endpoint
from adyton.model.value import FieldType

__all__ = ["COLUMNS", "DEFAULT_ENDPOINTS"]

_INTEGER: Final = frozenset({FieldType.INTEGER})
_DECIMAL: Final = frozenset({FieldType.DECIMAL})
_STRING: Final = frozenset({FieldType.STRING})
_DATE: Final = frozenset({FieldType.DATE})

# What an account can't have (a currency) or a degree never has (an end) is an optional field.
COLUMNS: Final[Mapping[str, Mapping[str, frozenset[FieldType]]]] = {
    "balance_threshold": {"balance": _DECIMAL, "currency": _STRING},
    "income": {"income": _DECIMAL, "currency": _STRING},
    "employment_status": {"start": _DATE, "end": _DATE, "employer": _STRING},
    "credential_validity": {"level": _INTEGER, "issued": _DATE, "expires": _DATE},
    "credit_score": {"score": _INTEGER},
    "transaction_pattern": {"category": _STRING, "amount": _DECIMAL, "date": _DATE},
    "account_ownership": {"account": _STRING, "owner": _STRING, "number": _STRING},
    "generic_predicate": {"value": frozenset(FieldType)},
}

DEFAULT_ENDPOINTS: Final[Mapping[str, Endpoint]] = {
    "balance_threshold": Endpoint.BALANCE,
    "income": Endpoint.INCOME,
    "employment_status": Endpoint.EMPLOYMENT,
    "credential_validity": Endpoint.EDUCATION,
    "credit_score": Endpoint.CREDIT,
    "transaction_pattern": Endpoint.TRANSACTIONS,
    "account_ownership": Endpoint.CUSTOM,
    "generic_predicate": Endpoint.CUSTOM,
}
