"""Around every request: its identifier, its log line, its metrics, and the net for what we missed.

A plain ASGI wrapper: it sees each message pass and copies none.
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adyton.gateway.logs import place_of
from adyton.gateway.metrics import Metrics
from adyton.gateway.problems import INTERNAL, problem

__all__ = ["Observer", "Record", "record_of"]

_KEY: Final = "adyton.record"
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Record:
    """What is noted of one request; ``endpoint`` is one of our paths, never the caller's text."""

    request_id: str = field(default_factory=lambda: secrets.token_hex(16))
    endpoint: str = "other"
    code: str = ""
    status: int = 0
    key_id: str = ""
    is_started: bool = False


def record_of(scope: Scope) -> Record:
    """Return the record of the request."""
    record = scope[_KEY]
    if not isinstance(record, Record):
        raise TypeError("the request did not come through the observer")
    return record


_WATCHED: Final = frozenset({"/v1/health", "/health", "/metrics"})


class Observer:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, monotonic: Callable[[], float]) -> None:
        self._app, self._metrics, self._monotonic = app, metrics, monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and note it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = Record()
        scope[_KEY] = record
        started = self._monotonic()

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.is_started, record.status = True, message["status"]
                request_id = (b"x-request-id", record.request_id.encode())
                message["headers"] = [*message["headers"], request_id, *_HEADERS]
            await send(message)

        try:
            await self._app(scope, receive, observed)
        except Exception as error:  # noqa: BLE001  # the outermost loop of a request
            # Its text may quote what was asked: type and place are all that is told.
            _log.error(
                "request-failed",
                extra={"error_type": type(error).__name__, "place": place_of(error)},
            )
            record.code = INTERNAL
            if not record.is_started:
                await problem(error)(scope, receive, observed)
        finally:
            self._note(record, self._monotonic() - started)

    def _note(self, record: Record, seconds: float) -> None:
        self._metrics.answered(
            endpoint=record.endpoint, status=record.status, code=record.code, seconds=seconds
        )
        # Whoever watches asks every few moments, and is told by what it gets.
        level = logging.DEBUG if record.endpoint in _WATCHED else logging.INFO
        _log.log(
            level,
            "request",
            extra={
                "endpoint": record.endpoint,
                "status": record.status,
                "code": record.code,
                "ms": round(seconds * 1000, 1),
                "key_id": record.key_id,
                "request_id": record.request_id,
            },
        )
