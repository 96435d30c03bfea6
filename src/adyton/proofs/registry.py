"""The circuits by name. Their files are read by whoever may read files."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adyton.errors import MalformedError
from adyton.proofs.account_ownership import OwnershipParameters
from adyton.proofs.balance_threshold import BalanceParameters
from adyton.proofs.circuit import Circuit, Parameters
from adyton.proofs.credential_validity import CredentialParameters
from adyton.proofs.credit_score import CreditParameters
from adyton.proofs.employment_status import EmploymentParameters
from adyton.proofs.generic_predicate import GenericParameters
from adyton.proofs.income import IncomeParameters
from adyton.proofs.transaction_pattern import TransactionParameters

__all__ = ["CIRCUITS", "CircuitUnknownError", "circuit_from_files"]

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
CIRCUITS: Final[Mapping[str, type[Parameters]]] = MappingProxyType(
    {parameters.circuit: parameters for parameters in _ALL}
)


class CircuitUnknownError(MalformedError):
    """There is no circuit of this name."""

    code = "circuit-unknown"

    def __init__(self, *, name: str) -> None:
        super().__init__(f"there is no circuit {name[:64]!r}; there are {', '.join(CIRCUITS)}")
        self.name = name


def circuit_from_files(name: str, *, artifact: bytes, verification_key: bytes) -> Circuit:
    """Return the circuit whose ``artifact.json`` and ``verification_key`` these are.

    Raises ``CircuitUnknownError``, or a leaf of ``MalformedError`` where the files are not its.
    """
    if name not in CIRCUITS:
        raise CircuitUnknownError(name=name)
    return Circuit.from_files(CIRCUITS[name], artifact=artifact, verification_key=verification_key)
