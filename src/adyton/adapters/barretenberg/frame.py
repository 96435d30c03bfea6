"""Barretenberg's frames: a length (four bytes, little-endian) and msgpack.

A request is a list of one: a pair of a command's name and a map of its fields. A response is such
a pair. ``bb msgpack schema`` lists the commands.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgpack

from adyton.adapters.barretenberg.errors import ProverFailedError

__all__ = ["HEADER_SIZE", "MAX_RESPONSE_BYTES", "Fields", "frame_size", "pack", "unpack"]

HEADER_SIZE: Final = 4
# The longest answer that we ask for, a key with its fields, has less than 16 KiB.
MAX_RESPONSE_BYTES: Final = 1024 * 1024
_MAX_REQUEST_BYTES: Final = 64 * 1024 * 1024
_MAX_ITEMS: Final = 65_536

# What msgpack holds is known at run time only: each command checks the types of what it reads.
Fields: TypeAlias = Mapping[str, Any]


def pack(command: str, fields: Fields) -> bytes:
    """Return the frame of a request; ``ValueError`` where it is too long."""
    body: bytes = msgpack.packb([[command, fields]])
    if len(body) > _MAX_REQUEST_BYTES:
        raise ValueError(f"a request of {len(body)} bytes, the limit is {_MAX_REQUEST_BYTES}")
    return len(body).to_bytes(HEADER_SIZE, "little") + body


def frame_size(header: bytes) -> int:
    """Return how many bytes follow ``header``; ``ProverFailedError`` where they are too many."""
    size = int.from_bytes(header, "little")
    if size > MAX_RESPONSE_BYTES:
        raise ProverFailedError(f"sent {size} bytes, the limit is {MAX_RESPONSE_BYTES}")
    return size


def unpack(body: bytes) -> tuple[str, Fields]:
    """Return the name and the fields of a response, or raise ``ProverFailedError``."""
    try:
        response = msgpack.unpackb(body, max_array_len=_MAX_ITEMS, max_map_len=_MAX_ITEMS)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise ProverFailedError("sent what is not msgpack") from error
    match response:
        case [str(name), dict(fields)]:
            return name, fields
        case _:
            raise ProverFailedError("sent what is not a response")
