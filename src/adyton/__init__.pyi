# What __init__.py loads lazily, for type checkers.

from adyton.sdk.client import AsyncClient as AsyncClient
from adyton.sdk.client import Client as Client
from adyton.sdk.verifying import verify as verify

__all__ = ["AsyncClient", "Client", "verify"]
