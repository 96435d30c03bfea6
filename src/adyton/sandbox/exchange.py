"""What the sandbox receives and answers, and the routes that vendors give it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, TypeAlias

from adyton.sandbox.cases import Token

__all__ = ["Answer", "Answering", "Delivery", "Received", "Route", "Vendor", "json_answer"]


class Delivery(Enum):
    """How an answer reaches the client: most ways are wrong ones."""

    WHOLE = auto()
    CHUNKED = auto()
    SLOW = auto()
    DROPPED = auto()
    TRUNCATED = auto()
    WRONG_LENGTH = auto()
    OVERSIZED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request. It holds credentials, if only those of a sandbox."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def bearer(self) -> str:
        """Return the token of an Authorization header; empty without one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else ""

    def json(self) -> Mapping[str, Any]:
        """Return the body as a JSON object; empty if it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer, ready to be sent."""

    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delivery: Delivery = Delivery.WHOLE


# From a request and its token to the answer.
Answering: TypeAlias = Callable[[Received, Token], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One endpoint of one vendor. A path that ends in ``*`` has anything in that place."""

    method: str
    path: str
    token: Callable[[Received], str]
    answer: Answering


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A host, its endpoints, and how it writes an error with a status."""

    host: str
    routes: tuple[Route, ...]
    error: Callable[[int], Answer]
    unknown_token_status: int = 401


def json_answer(value: Mapping[str, Any] | list[Any], *, status: int = 200) -> Answer:
    """Return ``value`` as JSON, floats and all: this side is the world as it is."""
    return Answer(status=status, body=json.dumps(value, separators=(",", ":")).encode())
