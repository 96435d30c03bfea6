"""Frames between our own processes: a length (four bytes, little-endian) and one msgpack map.

Both ends bound what they read: the host is the worker's adversary, and a worker may be broken.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeAlias

import msgpack

from adyton.errors import MalformedError

__all__ = [
    "HEADER_SIZE",
    "MAX_FRAME_BYTES",
    "Fields",
    "FrameMalformedError",
    "frame_size",
    "pack_frame",
    "read_frame",
    "unpack_frame",
]

MAX_FRAME_BYTES: Final = 2 * 1024 * 1024
HEADER_SIZE: Final = 4
_MAX_ITEMS: Final = 65_536

# What msgpack holds is known at run time only: each reader checks the types of the fields it takes.
Fields: TypeAlias = dict[str, Any]


class FrameMalformedError(MalformedError):
    """A frame is too long, or does not hold one msgpack map with text for keys."""

    code = "frame-malformed"


def pack_frame(fields: Mapping[str, Any], *, limit_bytes: int = MAX_FRAME_BYTES) -> bytes:
    """Return the frame that holds ``fields``; ``FrameMalformedError`` where it is too long."""
    payload: bytes = msgpack.packb(fields, use_bin_type=True)
    _check_size(len(payload), limit_bytes)
    return len(payload).to_bytes(HEADER_SIZE, "little") + payload


def frame_size(header: bytes, *, limit_bytes: int = MAX_FRAME_BYTES) -> int:
    """Return how many bytes follow ``header``; ``FrameMalformedError`` where they are too many."""
    size = int.from_bytes(header, "little")
    _check_size(size, limit_bytes)
    return size


def unpack_frame(payload: bytes) -> Fields:
    """Return the map in ``payload``, or raise ``FrameMalformedError``."""
    try:
        value = msgpack.unpackb(
            payload,
            raw=False,
            max_array_len=_MAX_ITEMS,
            max_map_len=_MAX_ITEMS,
            ext_hook=_refuse_extension,
        )
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise FrameMalformedError("a frame does not hold msgpack") from error
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise FrameMalformedError("a frame does not hold a map with text for keys")
    return value


async def read_frame(
    reader: asyncio.StreamReader, *, limit_bytes: int = MAX_FRAME_BYTES
) -> Fields | None:
    """Return the next frame, or ``None`` where the peer has closed between two frames."""
    try:
        header = await reader.readexactly(HEADER_SIZE)
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise FrameMalformedError("the connection ends within a frame") from error
    size = frame_size(header, limit_bytes=limit_bytes)
    try:
        return unpack_frame(await reader.readexactly(size))
    except asyncio.IncompleteReadError as error:
        raise FrameMalformedError("the connection ends within a frame") from error


def _refuse_extension(code: int, _data: bytes) -> NoReturn:
    raise FrameMalformedError(f"a frame holds the msgpack extension {code}")


def _check_size(size: int, limit_bytes: int) -> None:
    if size > limit_bytes:
        raise FrameMalformedError(f"a frame has {size} bytes, the limit is {limit_bytes}")
