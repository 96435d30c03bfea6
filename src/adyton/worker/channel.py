"""Messages between the worker and its cells: frames over a socket pair.

The cell's end blocks, because a cell does one thing; the worker's is asynchronous. Both ends are
ours, but a cell has read a stranger's data: what it sends is bounded and checked like a peer's.
"""

import asyncio
import socket
from typing import Final

from adyton.adapters.frames import (
    HEADER_SIZE,
    Fields,
    FrameMalformedError,
    frame_size,
    pack_frame,
    read_frame,
    unpack_frame,
)
from adyton.errors import UnavailableError

__all__ = ["CellLostError", "Channel", "receive", "send"]

# A job may be a sealed proving request. What a cell says in return stays below a frame's own limit.
_MAX_JOB_BYTES: Final = 52 * 1024 * 1024


class CellLostError(UnavailableError):
    """The process that worked on the request ended without an answer."""

    code = "cell-lost"

    def __init__(self) -> None:
        super().__init__("the process that worked on this request ended; ask again")


class Channel:
    """A cell's end: blocking."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    def send(self, message: Fields) -> None:
        """Send ``message``."""
        self._socket.sendall(pack_frame(message))

    def receive(self) -> Fields | None:
        """Return the next message, or ``None`` when the worker has closed its end."""
        header = self._exactly(HEADER_SIZE)
        if header is None:
            return None
        payload = self._exactly(frame_size(header, limit_bytes=_MAX_JOB_BYTES))
        return None if payload is None else unpack_frame(payload)

    def _exactly(self, size: int) -> bytes | None:
        data = bytearray()
        while len(data) < size:
            chunk = self._socket.recv(size - len(data))
            if not chunk:
                return None
            data += chunk
        return bytes(data)


async def receive(reader: asyncio.StreamReader) -> Fields:
    """Return a cell's next message; ``CellLostError`` when it has gone, or talks nonsense."""
    try:
        message = await read_frame(reader)
    except (FrameMalformedError, OSError) as error:
        raise CellLostError from error
    if message is None:
        raise CellLostError
    return message


async def send(writer: asyncio.StreamWriter, message: Fields) -> None:
    """Send ``message`` to a cell; ``CellLostError`` when it has gone."""
    try:
        writer.write(pack_frame(message, limit_bytes=_MAX_JOB_BYTES))
        await writer.drain()
    except OSError as error:
        raise CellLostError from error
