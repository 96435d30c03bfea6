"""Frames: how the journal holds its records one after the other.

| bytes | |
|---|---|
| 1 | kind: 1 epoch, 2 batch |
| 4 | length of the payload, big-endian |
| 16 | SHA-256 over kind, length and payload, its first half |
| … | payload |

The digest finds what a crash tore and what a disk changed; against whoever writes frames on purpose
the proofs' own hashes and signatures are there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from adyton.crypto.hashing import sha256
from adyton.ledger.errors import FrameDamagedError
from adyton.ledger.ports import Frames

__all__ = ["MAX_FRAME_BYTES", "Frame", "FrameKind", "pack_frame", "read_frame", "read_frames"]

MAX_FRAME_BYTES: Final = 8 * 1024 * 1024
_HEAD_SIZE: Final = 21
_DIGEST_SIZE: Final = 16
_PREFIX_SIZE: Final = _HEAD_SIZE - _DIGEST_SIZE
# One read brings most frames whole.
_FIRST_READ: Final = 64 * 1024


class FrameKind(IntEnum):
    """What a frame holds."""

    EPOCH = 1
    BATCH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame as it was found, whole."""

    kind: FrameKind
    payload: bytes
    offset: int

    @property
    def end(self) -> int:
        """Where the next frame begins."""
        return self.offset + _HEAD_SIZE + len(self.payload)


def pack_frame(kind: FrameKind, payload: bytes) -> bytes:
    """Return the frame around ``payload``."""
    prefix = bytes((kind,)) + len(payload).to_bytes(4, "big")
    return prefix + sha256(prefix + payload)[:_DIGEST_SIZE] + payload


def read_frame(data: bytes, *, offset: int = 0) -> Frame:
    """Return the frame that ``data`` begins with; ``offset`` is where it lies.

    Raises ``FrameDamagedError`` where it is torn, changed, or none.
    """
    if len(data) < _HEAD_SIZE:
        raise FrameDamagedError(offset=offset, reason="a frame is cut short")
    size = int.from_bytes(data[1:_PREFIX_SIZE], "big")
    if size > MAX_FRAME_BYTES or data[0] not in _KINDS:
        raise FrameDamagedError(offset=offset, reason="there is no frame")
    payload = data[_HEAD_SIZE : _HEAD_SIZE + size]
    if len(payload) != size:
        raise FrameDamagedError(offset=offset, reason="a frame is cut short")
    if sha256(data[:_PREFIX_SIZE] + payload)[:_DIGEST_SIZE] != data[_PREFIX_SIZE:_HEAD_SIZE]:
        raise FrameDamagedError(offset=offset, reason="a frame is not what was written")
    return Frame(kind=FrameKind(data[0]), payload=payload, offset=offset)


def read_frames(journal: Frames, offset: int, *, end: int | None = None) -> Iterator[Frame]:
    """Yield the frames from ``offset`` to ``end`` (of the journal, if not told).

    Raises ``FrameDamagedError`` at the first one that is not whole.
    """
    end = journal.size() if end is None else end
    while offset < end:
        data = journal.read(offset, min(_FIRST_READ, end - offset))
        wanted = _HEAD_SIZE + int.from_bytes(data[1:_PREFIX_SIZE], "big")
        if len(data) < wanted <= min(_HEAD_SIZE + MAX_FRAME_BYTES, end - offset):
            data += journal.read(offset + len(data), wanted - len(data))
        frame = read_frame(data, offset=offset)
        yield frame
        offset = frame.end


_KINDS: Final = frozenset(FrameKind)
