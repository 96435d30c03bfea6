"""The link between gateway and worker: calls by name over one connection, many at a time.

Frames (see ``frames``), from the caller: ``{"id", "call", "fields"}``, or ``{"id", "call":
"cancel"}`` when nobody waits for the answer any more. From the worker: ``{"id", "answer"}`` or
``{"id", "error": {"family", "code", "message", "retry_after"?}}``, in any order, and before them
``{"id", "event"}`` for a call that tells how far it is.

The link hides nothing: what crosses it is what the host may see. Neither end trusts the other: the
worker bounds frames and calls, and the caller accepts late, unknown and malformed answers without
harm to other calls.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from adyton.adapters.frames import Fields, FrameMalformedError, pack_frame, read_frame
from adyton.adapters.unix import listening_socket, remove_socket
from adyton.errors import AdytonError, MalformedError, RejectedError, UnavailableError

__all__ = [
    "MAX_CALL_BYTES",
    "Emit",
    "Handler",
    "Link",
    "LinkServer",
    "LinkedError",
    "LinkedMalformedError",
    "LinkedRejectedError",
    "LinkedUnavailableError",
    "WorkerBusyError",
    "WorkerTimeoutError",
    "WorkerUnavailableError",
    "error_fields",
    "linked_error",
    "retry_after",
    "serve_link",
]

Emit = Callable[[Mapping[str, Any]], None]
Handler = Callable[[str, Fields, Emit], Awaitable[Mapping[str, Any]]]

INTERNAL: Final = "internal"
CANCEL: Final = "cancel"
MAX_CALLS: Final = 256
# A sealed proving request has up to 50 MiB; no answer comes near to a frame's usual limit.
MAX_CALL_BYTES: Final = 52 * 1024 * 1024
DEFAULT_DEADLINE: Final = timedelta(seconds=60)
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0
_MESSAGE_LIMIT: Final = 500
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

_log = logging.getLogger(__name__)


class WorkerUnavailableError(UnavailableError):
    """There is no connection to the worker, or it broke before the answer."""

    code = "worker-unavailable"
    retry_after: Final = timedelta(seconds=1)

    def __init__(self) -> None:
        super().__init__("the worker cannot be reached")


class WorkerTimeoutError(UnavailableError):
    """The worker did not answer in time; it has been told to stop."""

    code = "worker-timeout"
    retry_after: Final = timedelta(seconds=1)

    def __init__(self, *, within: timedelta) -> None:
        super().__init__(f"the worker did not answer within {within.total_seconds():g} s")


class WorkerBusyError(UnavailableError):
    """More calls at a time than the worker takes from one connection."""

    code = "worker-busy"
    retry_after: Final = timedelta(seconds=1)

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"the worker has {limit} calls in work already")


class LinkedError(AdytonError):
    """An error of the other end: the family is the subclass, code and message are its own."""

    def __init__(self, *, code: str, message: str, retry_after: timedelta | None) -> None:
        super().__init__(message)
        # The tree has a code per class; this leaf speaks for all classes of the other end.
        self.__dict__["code"] = code
        self.retry_after = retry_after


class LinkedMalformedError(LinkedError, MalformedError):
    """The other end could not read what it was given."""


class LinkedRejectedError(LinkedError, RejectedError):
    """The other end says no."""


class LinkedUnavailableError(LinkedError, UnavailableError):
    """The other end has no answer."""


_FAMILIES: Final[Mapping[str, type[LinkedError]]] = {
    "malformed": LinkedMalformedError,
    "rejected": LinkedRejectedError,
    "unavailable": LinkedUnavailableError,
}


def retry_after(error: BaseException) -> timedelta | None:
    """Return when it makes sense to ask again, for an error that says so (a number is seconds)."""
    pause = getattr(error, "retry_after", None)
    return pause if isinstance(pause, timedelta) else _pause(pause)


class Link:
    """The caller's end. It connects again by itself; calls made meanwhile fail at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[int, asyncio.Future[Fields | None]] = {}
        self._listening: dict[int, Emit] = {}
        self._next_id = 0
        self._tried = asyncio.Event()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.epoch = 0
        """How often this link has connected: another number may be another worker."""

    @classmethod
    async def connect(cls, path: Path) -> "Link":
        """Return a link to whoever listens on ``path``, now or later."""
        link = cls(path)
        link._task = asyncio.create_task(link._stay_connected(), name="link")
        await link._tried.wait()
        return link

    @property
    def is_up(self) -> bool:
        """Whether there is a connection at this moment."""
        return self._writer is not None

    async def wait_until_up(self, *, within: timedelta) -> None:
        """Return when there is a connection, or raise ``WorkerUnavailableError``."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                while not self.is_up:
                    await self._changed.wait()
        except TimeoutError as error:
            raise WorkerUnavailableError from error

    async def next_epoch(self, seen: int) -> int:
        """Return the number of a connection later than ``seen``, once there is one."""
        while self.epoch <= seen:
            await self._changed.wait()
        return self.epoch

    async def call(
        self,
        name: str,
        /,
        *,
        within: timedelta = DEFAULT_DEADLINE,
        on_event: Emit | None = None,
        **fields: Any,
    ) -> Fields:
        """Return the worker's answer to the call ``name``, or raise its error.

        ``on_event`` gets what the worker tells meanwhile, and must not raise. A caller that is
        cancelled, or gets no answer ``within`` the time, has the worker stop.
        """
        if (writer := self._writer) is None or writer.is_closing():
            raise WorkerUnavailableError
        self._next_id += 1
        number = self._next_id
        frame = pack_frame(
            {"id": number, "call": name, "fields": fields}, limit_bytes=MAX_CALL_BYTES
        )
        answer: asyncio.Future[Fields | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        if on_event is not None:
            self._listening[number] = on_event
        try:
            async with asyncio.timeout(within.total_seconds()):
                writer.write(frame)
                await writer.drain()
                return _answer_or_error(await answer)
        except TimeoutError as error:
            self._cancel(writer, number)
            raise WorkerTimeoutError(within=within) from error
        except asyncio.CancelledError:
            self._cancel(writer, number)
            raise
        except ConnectionError as error:
            raise WorkerUnavailableError from error
        finally:
            self._waiting.pop(number, None)
            self._listening.pop(number, None)

    async def close(self) -> None:
        """End the connection; calls that wait raise ``WorkerUnavailableError``."""
        writer = self._writer
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if writer is not None:
            with suppress(OSError):
                await writer.wait_closed()

    def _cancel(self, writer: asyncio.StreamWriter, number: int) -> None:
        if self._writer is writer and not writer.is_closing():
            writer.write(pack_frame({"id": number, "call": CANCEL}))

    async def _stay_connected(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self._path)
            except OSError:
                self._tried.set()
            else:
                # Only an answer shows that a worker is back: one that dies at once is left alone
                # for longer and longer.
                if await self._receive_all(reader, writer):
                    pause = _FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _receive_all(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Hand out answers until the connection ends; return whether there was any."""
        self._writer = writer
        self.epoch += 1
        self._changed.set()
        self._changed = asyncio.Event()
        self._tried.set()
        any_answer = False
        try:
            while (frame := await read_frame(reader)) is not None:
                any_answer = True
                self._hand_out(frame)
        except (FrameMalformedError, ConnectionError, TypeError) as error:
            # TypeError: an id that is a list, say. The peer is broken; what it owes is lost.
            _log.warning("link-broken", extra={"error_type": type(error).__name__})
        finally:
            self._drop(writer)
        return any_answer

    def _hand_out(self, frame: Fields) -> None:
        number = frame.get("id", 0)
        if isinstance(event := frame.get("event"), dict):
            if (listener := self._listening.get(number)) is not None:
                listener(event)
            return
        waiting = self._waiting.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writer = None
        writer.close()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)


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


def error_fields(error: AdytonError) -> Fields:
    """Return ``error`` as it crosses between our processes: family, code and message."""
    match error:
        case MalformedError():
            family = "malformed"
        case RejectedError():
            family = "rejected"
        case _:
            family = "unavailable"
    fields: Fields = {"family": family, "code": error.code, "message": str(error)[:_MESSAGE_LIMIT]}
    if (pause := retry_after(error)) is not None:
        fields["retry_after"] = pause.total_seconds()
    return fields


def _answer_or_error(frame: Fields | None) -> Fields:
    if frame is None:
        raise WorkerUnavailableError
    if isinstance(error := frame.get("error"), dict):
        raise linked_error(error)
    if not isinstance(answer := frame.get("answer"), dict):
        raise WorkerUnavailableError
    return answer


def linked_error(fields: Fields) -> LinkedError:
    """Return the error that ``fields`` describe: of its family, with its code and message."""
    code, message = fields.get("code"), fields.get("message")
    pause = fields.get("retry_after")
    family = _FAMILIES.get(str(fields.get("family")), LinkedUnavailableError)
    return family(
        code=code if isinstance(code, str) and _CODE.fullmatch(code) else INTERNAL,
        message=message[:_MESSAGE_LIMIT] if isinstance(message, str) else "no reason is given",
        retry_after=_pause(pause),
    )


def _pause(seconds: object) -> timedelta | None:
    if isinstance(seconds, int | float) and 0 <= seconds <= timedelta(days=1).total_seconds():
        return timedelta(seconds=seconds)
    return None
