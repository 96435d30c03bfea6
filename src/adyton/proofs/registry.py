"""The circuits by name. Their files are read by whoever may read files."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adyton.proofs.account_ownership import OwnershipParameters
from adyton.proofs.balance_threshold import BalanceParameters
from adyton.proofs.circuit import Parameters
from adyton.proofs.credential_validity import CredentialParameters
from adyton.proofs.credit_score import CreditParameters
from adyton.proofs.employment_status import EmploymentParameters
from adyton.proofs.generic_predicate import GenericParameters
from adyton.proofs.income import IncomeParameters
from adyton.proofs.transaction_pattern import TransactionParameters

__all__ = ["PARAMETERS", "circuit_name"]

_ALL: Final[tuple[type[Parameters], ...]] = (
    OwnershipParameters,
    BalanceParameters,
    CredentialParameters,
    CreditParameters,
    EmploymentParameters,
    GenericParameters,
    IncomeParameters,
    TransactionParameters,
)
PARAMETERS: Final[Mapping[str, type[Parameters]]] = MappingProxyType(
    {parameters.circuit: parameters for parameters in _ALL}
)
# What RFC-0023's own definitions call a circuit, where that is another name.
_ALIASES: Final[Mapping[str, str]] = MappingProxyType({"income_verification": "income"})


def circuit_name(name: str) -> str:
    """Return our name of a circuit that a definition names; whether there is one is not said."""
    return _ALIASES.get(name, name)
