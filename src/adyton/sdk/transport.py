"""How a client talks to its gateway: one request at a time, blocking or asynchronous.

A conversation says what is to be sent and is given what came back; it does neither itself, so that
both kinds of client run the very same one. The gateway is on the host, and the host is the
adversary: what it sends is bounded, and none of it is believed here.
"""

import asyncio
import re
import ssl
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias, TypeVar
from urllib.parse import urlsplit

import httpx

from adyton.codec.json import Json, loads
from adyton.errors import AdytonError, MalformedError, RejectedError, UnavailableError
from adyton.model.receipt import MAX_RECEIPT_BYTES

__all__ = [
    "AsyncTransport",
    "Call",
    "Conversation",
    "GatewayError",
    "GatewayMalformedError",
    "GatewayRejectedError",
    "GatewayTryLaterError",
    "GatewayUnavailableError",
    "Pause",
    "Transport",
    "read_json",
]

_CONNECT_SECONDS: Final = 10.0
_SECONDS: Final = 90.0
_MESSAGE_LIMIT: Final = 500
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_ANSWERED: Final = frozenset({httpx.codes.OK, httpx.codes.ACCEPTED})

T = TypeVar("T")


class GatewayUnavailableError(UnavailableError):
    """The gateway could not be reached, or did not answer as one."""

    code = "gateway-unavailable"


class GatewayError(AdytonError):
    """The gateway or the worker answered with an error: ``code`` and message are theirs."""

    def __init__(self, *, status: int, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.status = status
        self.__dict__["code"] = code


class GatewayMalformedError(GatewayError, MalformedError):
    """What was sent could not be understood."""


class GatewayRejectedError(GatewayError, RejectedError):
    """The answer is no."""


class GatewayTryLaterError(GatewayError, UnavailableError):
    """There is no answer now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request for the transport to make.

    ``seconds`` is how long an answer may take to come, ``limit_bytes`` how long it may be.
    """

    method: str
    path: str
    body: bytes | None = None
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = _SECONDS
    limit_bytes: int = MAX_RECEIPT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """So long, nothing is sent."""

    seconds: float


Conversation: TypeAlias = Generator[Call | Pause, bytes, T]


class Transport:
    """The blocking one."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str,
        ca_file: Path | None,
        transport: httpx.BaseTransport | None,
    ) -> None:
        self._http = httpx.Client(
            base_url=url,
            headers=_headers(api_key),
            transport=transport,
            verify=_roots(ca_file),
            trust_env=not _is_here(url),
        )

    def run(self, conversation: Conversation[T]) -> T:
        """Return what ``conversation`` comes to, or raise what it ends with."""
        answer: bytes | None = None
        error: BaseException | None = None
        while True:
            try:
                step = _next(conversation, answer, error)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = error = None
            try:
                answer = self._take(step)
            except (AdytonError, KeyboardInterrupt) as raised:
                # Whoever gives up may have something to say before: a job to cancel.
                error = raised

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _take(self, step: Call | Pause) -> bytes:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return b""
        return self._send(step)

    def _send(self, call: Call) -> bytes:
        received = bytearray()
        try:
            with self._http.stream(
                call.method,
                call.path,
                content=call.body,
                headers={"Content-Type": call.media_type, **call.headers},
                timeout=httpx.Timeout(call.seconds, connect=_CONNECT_SECONDS),
            ) as response:
                _check_plain(response)
                for chunk in response.iter_bytes():
                    _receive(chunk, received, limit_bytes=call.limit_bytes)
        except httpx.HTTPError as error:
            raise _unreachable(self._http.base_url) from error
        return _body(response.status_code, bytes(received))


class AsyncTransport:
    """The asynchronous one."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str,
        ca_file: Path | None,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=url,
            headers=_headers(api_key),
            transport=transport,
            verify=_roots(ca_file),
            trust_env=not _is_here(url),
        )

    async def run(self, conversation: Conversation[T]) -> T:
        """Return what ``conversation`` comes to, or raise what it ends with."""
        answer: bytes | None = None
        error: BaseException | None = None
        while True:
            try:
                step = _next(conversation, answer, error)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = error = None
            try:
                answer = await self._take(step)
            except (AdytonError, asyncio.CancelledError) as raised:
                # Whoever gives up may have something to say before: a job to cancel.
                error = raised

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _take(self, step: Call | Pause) -> bytes:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return b""
        return await self._send(step)

    async def _send(self, call: Call) -> bytes:
        received = bytearray()
        try:
            async with self._http.stream(
                call.method,
                call.path,
                content=call.body,
                headers={"Content-Type": call.media_type, **call.headers},
                timeout=httpx.Timeout(call.seconds, connect=_CONNECT_SECONDS),
            ) as response:
                _check_plain(response)
                async for chunk in response.aiter_bytes():
                    _receive(chunk, received, limit_bytes=call.limit_bytes)
        except httpx.HTTPError as error:
            raise _unreachable(self._http.base_url) from error
        return _body(response.status_code, bytes(received))


def read_json(data: bytes) -> Json:
    """Return the value that a gateway sent, or raise ``MalformedError``."""
    return loads(data, limit_bytes=MAX_RECEIPT_BYTES)


def _next(
    conversation: Conversation[T], answer: bytes | None, error: BaseException | None
) -> Call | Pause:
    if error is not None:
        return conversation.throw(error)
    if answer is None:
        return next(conversation)
    return conversation.send(answer)


def _unreachable(url: httpx.URL) -> GatewayUnavailableError:
    return GatewayUnavailableError(f"the gateway cannot be reached at {url}")


def _headers(api_key: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {api_key}",
        "Accept-Encoding": "identity",
    }


def _roots(ca_file: Path | None) -> ssl.SSLContext | bool:
    # True is what the library comes with.
    return True if ca_file is None else ssl.create_default_context(cafile=ca_file)


def _is_here(url: str) -> bool:
    # A proxy that the environment names cannot reach this machine's own addresses.
    return urlsplit(url).hostname in _LOOPBACK


def _check_plain(response: httpx.Response) -> None:
    # A little that is compressed can be much: the limit in bytes would come too late.
    if response.headers.get("content-encoding", "identity") != "identity":
        raise GatewayUnavailableError("the gateway compressed its answer, and was asked not to")


def _receive(chunk: bytes, received: bytearray, *, limit_bytes: int) -> None:
    received += chunk
    if len(received) > limit_bytes:
        # The host may send what it likes: none of it fills the asker's memory.
        raise GatewayUnavailableError(f"the gateway answered more than {limit_bytes} bytes")


def _body(status: int, received: bytes) -> bytes:
    if status in _ANSWERED:
        return received
    try:
        problem = read_json(received)
    except MalformedError as error:
        text = f"the gateway answered with status {status}, and not as a gateway does"
        raise GatewayUnavailableError(text) from error
    fields = problem if isinstance(problem, dict) else {}
    family: type[GatewayError] = GatewayTryLaterError
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        family = GatewayRejectedError
    elif status < httpx.codes.INTERNAL_SERVER_ERROR and status != httpx.codes.TOO_MANY_REQUESTS:
        family = GatewayMalformedError
    code = str(fields.get("code"))
    raise family(
        status=status,
        code=code if _CODE.fullmatch(code) else "unknown",
        message=_shown(str(fields.get("detail", "no reason is given"))),
    )


def _shown(text: str) -> str:
    # The host wrote it, and somebody's terminal shows it: no control characters.
    return "".join(each if each.isprintable() else " " for each in text[:_MESSAGE_LIMIT])
