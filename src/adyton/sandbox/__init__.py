"""An HTTPS server that plays every built-in provider, for development and tests."""

from adyton.sandbox.cases import TOKENS
from adyton.sandbox.server import Certificate, Sandbox

__all__ = ["TOKENS", "Certificate", "Sandbox"]
