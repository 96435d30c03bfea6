"""Adyton: answers about private data from inside a trusted execution environment, and their proof.

``Client`` and ``AsyncClient`` ask; ``verify`` judges a receipt offline. They are loaded when they
are first used, so that importing one module does not load all.
"""

from importlib import import_module
from typing import Final

__all__ = ["AsyncClient", "Client", "verify"]  # by __getattr__; __init__.pyi

_HOMES: Final = {
    "AsyncClient": "adyton.sdk.client",
    "Client": "adyton.sdk.client",
    "verify": "adyton.sdk.verifying",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
