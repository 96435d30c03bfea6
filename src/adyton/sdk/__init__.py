"""The client library: checks evidence, seals credentials and witnesses, checks receipts.

Names are loaded when they are first used, so that importing one module does not load all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adyton.sdk.asking import Answer, ReceiptRejectedError
    from adyton.sdk.client import AsyncClient, Client
    from adyton.sdk.committing import CommitChangedError, CommitRejectedError, Committed
    from adyton.sdk.programs import chonk_job, noir_job
    from adyton.sdk.proving import Mode, Proof, ProofRejectedError, UnattestedWarning
    from adyton.sdk.transport import GatewayError, GatewayUnavailableError
    from adyton.sdk.verifying import verify
    from adyton.sdk.worker import Worker, WorkerRejectedError

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "CommitChangedError",
    "CommitRejectedError",
    "Committed",
    "GatewayError",
    "GatewayUnavailableError",
    "Mode",
    "Proof",
    "ProofRejectedError",
    "ReceiptRejectedError",
    "UnattestedWarning",
    "Worker",
    "WorkerRejectedError",
    "chonk_job",
    "noir_job",
    "verify",
]

_HOMES: Final = {
    "Answer": "asking",
    "AsyncClient": "client",
    "Client": "client",
    "CommitChangedError": "committing",
    "CommitRejectedError": "committing",
    "Committed": "committing",
    "GatewayError": "transport",
    "GatewayUnavailableError": "transport",
    "Mode": "proving",
    "Proof": "proving",
    "ProofRejectedError": "proving",
    "ReceiptRejectedError": "asking",
    "UnattestedWarning": "proving",
    "Worker": "worker",
    "WorkerRejectedError": "worker",
    "chonk_job": "programs",
    "noir_job": "programs",
    "verify": "verifying",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
