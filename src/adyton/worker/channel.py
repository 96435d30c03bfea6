"""Messages between the worker and its cells: frames over a socket pair, at the worker's end.

The cell's end blocks (``adapters.channel``), because a cell does one thing. Both ends are ours, but
a cell has read a stranger's data: what it sends is bounded and checked like a peer's.
"""

import asyncio
from typing import Final

from adyton.adapters.frames import Fields, FrameMalformedError, pack_frame, read_frame
from adyton.errors import UnavailableError

__all__ = [
    "MAX_JOB_BYTES",
    "OPENPGP",
    "PROVE",
    "QUESTION",
    "REGISTER",
    "CellLostError",
    "receive",
    "send",
]

# What a job is, in its ``kind``. Any but the first ends its cell.
QUESTION: Final = "question"
PROVE: Final = "prove"
REGISTER: Final = "register"
OPENPGP: Final = "openpgp"

# A job may be a sealed proving request. What a cell says in return stays below a frame's own limit.
MAX_JOB_BYTES: Final = 52 * 1024 * 1024


class CellLostError(UnavailableError):
    """The process that worked on the request ended without an answer."""

    code = "cell-lost"

    def __init__(self) -> None:
        super().__init__("the process that worked on this request ended; ask again")


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
        writer.write(pack_frame(message, limit_bytes=MAX_JOB_BYTES))
        await writer.drain()
    except OSError as error:
        raise CellLostError from error
