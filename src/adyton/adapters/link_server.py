"""The worker's end of the link (see ``link``): many calls at a time over each connection.

It bounds frames and calls, and cancels what nobody waits for any more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from adyton.adapters.frames import Fields, FrameMalformedError, pack_frame, read_frame
from adyton.adapters.link import CANCEL, MAX_CALL_BYTES, Emit
from adyton.adapters.linked_errors import INTERNAL, error_fields
from adyton.adapters.unix import listening_socket, remove_socket
from adyton.errors import AdytonError, UnavailableError

__all__ = ["Handler", "LinkServer", "WorkerBusyError", "serve_link"]

Handler = Callable[[str, Fields, Emit], Awaitable[Mapping[str, Any]]]

MAX_CALLS: Final = 256

_log = logging.getLogger(__name__)


class WorkerBusyError(UnavailableError):
    """More calls at a time than the worker takes from one connection."""

    code = "worker-busy"
    retry_after: Final = timedelta(seconds=1)

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"the worker has {limit} calls in work already")


class LinkServer:
    """The worker's end, until ``close``."""

    def __init__(self, path: Path, handler: Handler, *, max_calls: int) -> None:
        self._path, self._handler, self._max_calls = path, handler, max_calls
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        listener = listening_socket(self._path)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener)

    async def close(self) -> None:
        """Stop listening, cancel every call, and remove the socket."""
        if self._server is None:
            return
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()
        remove_socket(self._path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        connection = _Connection(writer, self._handler, max_calls=self._max_calls)
        try:
            while (frame := await read_frame(reader, limit_bytes=MAX_CALL_BYTES)) is not None:
                connection.take(frame)
        except (FrameMalformedError, ConnectionError) as error:
            _log.warning("link-broken", extra={"error_type": type(error).__name__})
        except asyncio.CancelledError:
            # Only ``close`` cancels this task, and it waits for it: the end, not a failure.
            _log.debug("link-closed")
        finally:
            connection.cancel_all()
            writer.close()
        with suppress(OSError):
            await writer.wait_closed()


class _Connection:
    """The calls of one connection that are in work."""

    def __init__(self, writer: asyncio.StreamWriter, handler: Handler, *, max_calls: int) -> None:
        self._writer, self._handler, self._max_calls = writer, handler, max_calls
        self._calls: dict[int, asyncio.Task[None]] = {}

    def take(self, frame: Fields) -> None:
        """Begin or cancel a call; ``FrameMalformedError`` where the frame is neither."""
        number, name, fields = frame.get("id"), frame.get("call"), frame.get("fields", {})
        if not isinstance(number, int) or not isinstance(name, str) or not isinstance(fields, dict):
            raise FrameMalformedError("a frame is not a call")
        if name == CANCEL:
            if (call := self._calls.get(number)) is not None:
                call.cancel()
            return
        if number in self._calls:
            raise FrameMalformedError("two calls have one id")
        if len(self._calls) >= self._max_calls:
            busy = WorkerBusyError(limit=self._max_calls)
            self._writer.write(pack_frame({"id": number, "error": error_fields(busy)}))
            return
        call = asyncio.create_task(self._answer(number, name, fields), name=f"call {name}")
        self._calls[number] = call
        call.add_done_callback(lambda _: self._calls.pop(number, None))

    def cancel_all(self) -> None:
        """Cancel every call: nobody is there to hear the answers."""
        for call in tuple(self._calls.values()):
            call.cancel()

    async def _answer(self, number: int, name: str, fields: Fields) -> None:
        frame = await self._outcome(number, name, fields)
        if not self._writer.is_closing():
            with suppress(ConnectionError):
                self._writer.write(frame)
                await self._writer.drain()

    def _tell(self, number: int, event: Mapping[str, Any]) -> None:
        if not self._writer.is_closing():
            self._writer.write(pack_frame({"id": number, "event": event}))

    async def _outcome(self, number: int, name: str, fields: Fields) -> bytes:
        try:
            answer = await self._handler(name, fields, partial(self._tell, number))
        except AdytonError as error:
            return pack_frame({"id": number, "error": error_fields(error)})
        except Exception as error:  # noqa: BLE001  # the outermost loop of a call
            return _failure(number, name, error)
        try:
            return pack_frame({"id": number, "answer": answer})
        except (FrameMalformedError, TypeError, ValueError, OverflowError) as error:
            # What the handler answers is our fault, not the caller's.
            return _failure(number, name, error)


async def serve_link(path: Path, handler: Handler, *, max_calls: int = MAX_CALLS) -> LinkServer:
    """Listen on ``path`` and answer each call with ``handler(name, fields, emit)``."""
    server = LinkServer(path, handler, max_calls=max_calls)
    await server.start()
    return server


def _failure(number: int, name: str, error: Exception) -> bytes:
    # The text of an unforeseen error may quote private data: only its type is told, and only here.
    _log.error("call-failed", extra={"call": name[:64], "error_type": type(error).__name__})
    return pack_frame(
        {
            "id": number,
            "error": {
                "family": "unavailable",
                "code": INTERNAL,
                "message": "the worker failed; its log names the kind of error",
            },
        }
    )
