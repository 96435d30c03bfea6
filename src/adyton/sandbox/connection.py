"""One client's connection: HTTP/1.1 in (RFC 9112, through ``h11``), and out, sometimes wrongly.

An ``asyncio.Protocol`` and not a stream: the sandbox shares its processors with what is measured.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, cast

import h11

from adyton.sandbox.exchange import Answer, Delivery, Received
from adyton.sandbox.failures import OVERSIZED_BYTES

__all__ = ["Connection"]

_MAX_BODY: Final = 1024 * 1024
_CHUNK: Final = b" " * 65536


class Connection(asyncio.Protocol):
    """Reads requests and sends answers until either side has enough."""

    def __init__(
        self, answer: Callable[[Received], Answer], slow_seconds: float, open_: set["Connection"]
    ) -> None:
        self._answer, self._slow_seconds, self._open = answer, slow_seconds, open_
        self._http = h11.Connection(h11.SERVER)
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._later: asyncio.TimerHandle | None = None
        self._left = 0
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # The loop gives a connected protocol a transport that reads and writes.
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget what was still to be sent."""
        self._open.discard(self)
        self._left = 0
        if self._later is not None:
            self._later.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._http.receive_data(data)
        self._advance()

    def resume_writing(self) -> None:
        """Go on with a body that is too long to be held at once."""
        self._paused = False
        self._pour()

    def pause_writing(self) -> None:
        """Wait until the client has taken what was written."""
        self._paused = True

    def close(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    def _advance(self) -> None:
        try:
            while self._later is None and not self._transport.is_closing():
                event = self._http.next_event()
                if not self._take(event):
                    return
        except h11.RemoteProtocolError:
            self._transport.close()

    def _take(self, event: Any) -> bool:
        """Take one event in; return whether there may be another."""
        match event:
            case h11.Request():
                self._request, self._body = event, bytearray()
            case h11.Data():
                self._body += event.data
                if len(self._body) > _MAX_BODY:
                    self._transport.close()
            case h11.EndOfMessage():
                self._deliver(self._answer(self._received()))
            case h11.ConnectionClosed():
                self._transport.close()
                return False
            case _:
                return False  # NEED_DATA or PAUSED
        return True

    def _received(self) -> Received:
        request = self._request
        if request is None:
            raise ValueError("a message ends after it began")
        path = request.target.decode("latin-1").partition("?")[0]
        headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
        return Received(
            method=request.method.decode(),
            host=headers.get("host", "").partition(":")[0].lower(),
            path=path,
            headers=headers,
            body=bytes(self._body),
        )

    def _deliver(self, answer: Answer) -> None:
        match answer.delivery:
            case Delivery.SLOW:
                loop = asyncio.get_running_loop()
                self._later = loop.call_later(self._slow_seconds, self._deliver_late, answer)
            case Delivery.DROPPED:
                self._transport.abort()
            case Delivery.TRUNCATED:
                self._send_raw(
                    answer, length=len(answer.body), body=answer.body[: len(answer.body) // 2]
                )
            case Delivery.WRONG_LENGTH:
                self._send_raw(answer, length=max(len(answer.body) - 10, 0), body=answer.body)
            case Delivery.OVERSIZED:
                self._send_raw(answer, length=OVERSIZED_BYTES, body=None)
            case Delivery.WHOLE | Delivery.CHUNKED:
                self._send(answer)

    def _deliver_late(self, answer: Answer) -> None:
        self._later = None
        self._send(answer)
        self._advance()

    def _send(self, answer: Answer) -> None:
        length = (
            ("Transfer-Encoding", "chunked")
            if answer.delivery is Delivery.CHUNKED
            else ("Content-Length", str(len(answer.body)))
        )
        response = h11.Response(
            status_code=answer.status,
            reason=HTTPStatus(answer.status).phrase.encode(),
            headers=[("Content-Type", answer.content_type), length, *answer.headers],
        )
        parts = [self._http.send(response)]
        size = 64 if answer.delivery is Delivery.CHUNKED else max(len(answer.body), 1)
        parts.extend(
            self._http.send(h11.Data(data=answer.body[start : start + size]))
            for start in range(0, len(answer.body), size)
        )
        parts.append(self._http.send(h11.EndOfMessage()))
        self._transport.write(b"".join(part for part in parts if part))
        if self._http.our_state is h11.MUST_CLOSE:
            self._transport.close()
        elif self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()

    def _send_raw(self, answer: Answer, *, length: int, body: bytes | None) -> None:
        """Send what ``h11`` would not, and close."""
        head = (
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
            f"Content-Type: {answer.content_type}\r\nContent-Length: {length}\r\n\r\n"
        )
        self._transport.write(head.encode())
        if body is None:
            self._left = length
            self._pour()
        else:
            self._transport.write(body)
            self._transport.close()

    def _pour(self) -> None:
        """Write of a long body as much as the client takes."""
        while self._left and not self._paused:
            self._transport.write(_CHUNK[: self._left])
            self._left -= min(self._left, len(_CHUNK))
            if not self._left:
                self._transport.close()
