"""The client library: checks evidence, seals credentials, checks receipts.

Names are loaded when they are first used, so that importing one module does not load all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adyton.sdk.asking import Answer, ReceiptRejectedError
    from adyton.sdk.client import AsyncClient, Client, GatewayError, GatewayUnavailableError
    from adyton.sdk.verifying import verify
    from adyton.sdk.worker import Worker, WorkerRejectedError

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "GatewayError",
    "GatewayUnavailableError",
    "ReceiptRejectedError",
    "Worker",
    "WorkerRejectedError",
    "verify",
]

_HOMES: Final = {
    "Answer": "asking",
    "AsyncClient": "client",
    "Client": "client",
    "GatewayError": "client",
    "GatewayUnavailableError": "client",
    "ReceiptRejectedError": "asking",
    "Worker": "worker",
    "WorkerRejectedError": "worker",
    "verify": "verifying",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
