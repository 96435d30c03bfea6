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
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from adyton.adapters.frames import Fields, FrameMalformedError, pack_frame, read_frame
from adyton.adapters.linked_errors import linked_error
from adyton.errors import UnavailableError

__all__ = [
    "CANCEL",
    "MAX_CALL_BYTES",
    "Emit",
    "Link",
    "WorkerTimeoutError",
    "WorkerUnavailableError",
]

Emit = Callable[[Mapping[str, Any]], None]

CANCEL: Final = "cancel"
# A sealed proving request has up to 50 MiB; no answer comes near to a frame's usual limit.
MAX_CALL_BYTES: Final = 52 * 1024 * 1024
DEFAULT_DEADLINE: Final = timedelta(seconds=60)
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0

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


def _answer_or_error(frame: Fields | None) -> Fields:
    if frame is None:
        raise WorkerUnavailableError
    if isinstance(error := frame.get("error"), dict):
        raise linked_error(error)
    if not isinstance(answer := frame.get("answer"), dict):
        raise WorkerUnavailableError
    return answer
