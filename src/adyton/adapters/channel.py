"""Frames over a socket pair, for a process of ours that does one thing: it blocks."""

import socket

from adyton.adapters.frames import (
    HEADER_SIZE,
    MAX_FRAME_BYTES,
    Fields,
    frame_size,
    pack_frame,
    unpack_frame,
)

__all__ = ["Channel"]


class Channel:
    """Our end. What comes has ``limit_bytes``; what is sent, ``sent_bytes``."""

    def __init__(
        self, end: socket.socket, *, limit_bytes: int, sent_bytes: int = MAX_FRAME_BYTES
    ) -> None:
        self._socket, self._limit, self._sent = end, limit_bytes, sent_bytes

    def send(self, message: Fields) -> None:
        """Send ``message``."""
        self._socket.sendall(pack_frame(message, limit_bytes=self._sent))

    def receive(self) -> Fields | None:
        """Return the next message, or ``None`` when the other end has been closed."""
        header = self._exactly(HEADER_SIZE)
        if header is None:
            return None
        payload = self._exactly(frame_size(header, limit_bytes=self._limit))
        return None if payload is None else unpack_frame(payload)

    def _exactly(self, size: int) -> bytes | None:
        data = bytearray()
        while len(data) < size:
            chunk = self._socket.recv(size - len(data))
            if not chunk:
                return None
            data += chunk
        return bytes(data)
