"""Connections that ask for nothing: each has so long for its next request, and then it is cut.

Uvicorn waits for ever for the first request of a connection, for the rest of a head that comes byte
by byte, and for a peer that does not read its answer, or stops reading it. As connections are
counted, a stranger could so take all of them and keep them, without a key.

And it writes an answer's head and its body apart: a call of the system each, and a packet each,
which wakes its reader twice.
"""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

__all__ = ["HEAD_SECONDS", "READING_SECONDS", "HttpConnection", "Paired"]

HEAD_SECONDS: Final = 10.0
READING_SECONDS: Final = 30.0


class HttpConnection(H11Protocol):
    """One connection: ``HEAD_SECONDS`` for its first head, Keep-Alive's time for each later one.

    And ``READING_SECONDS`` for the peer to read what is on its way to it.
    """

    _deadline: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base
        """Begin to wait for a request."""
        super().connection_made(cast("asyncio.Transport", Paired(transport, self.loop)))
        self._wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait until the peer has read what was written."""
        super().pause_writing()
        self._reading = self.loop.call_later(READING_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        self._stop_waiting_for_reader()
        super().resume_writing()

    def on_response_complete(self) -> None:
        """Begin to wait for the answer to be read, and for the next request."""
        self._wait(self.timeout_keep_alive)
        super().on_response_complete()

    def _stop_waiting_for_reader(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    def _wait(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._cut_unless_at_work)

    def _cut_unless_at_work(self) -> None:
        # A request in work has deadlines of its own, and waits here again once it is answered.
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            # Not ``close``: that would wait for a peer that never reads.
            self.transport.abort()


class Paired:
    """A transport that writes two pieces as one: the first waits for the second.

    Not longer than to the end of the loop's turn, so that a peer misses nothing; and never more
    than one piece, so that a peer who does not read still holds up who writes.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._first = b""
        self._ending: asyncio.Handle | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write ``data``, with what waits before it or at the end of this turn."""
        if self._ending is None:
            self._first = data
            self._ending = self._loop.call_soon(self.flush)
            return
        self._first += data
        self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        first, self._first = self._first, b""
        # Who is cut in the turn of a head misses it: a transport that is gone takes no more.
        if first and not self._transport.is_closing():
            self._transport.write(first)

    def close(self) -> None:
        """Close once all is written."""
        self.flush()
        self._transport.close()
