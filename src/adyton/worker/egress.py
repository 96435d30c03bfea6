"""The way out for a cell: a unix socket to the host's relay, and then the bytes of TLS."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from adyton.adapters.frames import HEADER_SIZE, Fields, frame_size, pack_frame, unpack_frame
from adyton.adapters.tls import SourceUnreachableError
from adyton.errors import MalformedError, RejectedError

__all__ = ["DestinationRefusedError", "through_relay"]

_ANSWER_LIMIT: Final = 1024
_UNREACHABLE: Final = "egress-unreachable"
_BUSY: Final = "egress-busy"


class DestinationRefusedError(RejectedError):
    """The host does not let this worker connect there."""

    code = "egress-refused"

    def __init__(self, *, host: str, port: int) -> None:
        super().__init__(
            f"the host does not allow connections to {host} port {port}; its operator can "
            "with ADYTON_EGRESS_ALLOW"
        )
        self.host, self.port = host, port


def through_relay(path: Path) -> Callable[..., socket.socket]:
    """Return a function that connects to a named server through the relay at ``path``.

    That a connection leads to that server is the relay's word: the TLS handshake decides.
    """

    def connect(host: str, port: int, *, timeout: float) -> socket.socket:
        stream = socket.socket(socket.AF_UNIX)
        try:
            stream.settimeout(timeout)
            stream.connect(str(path))
            stream.sendall(pack_frame({"host": host, "port": port}))
            answer = _answer(stream)
            if answer != {"ok": True}:
                _refuse(answer, host, port)
        except (OSError, MalformedError) as error:
            stream.close()
            raise SourceUnreachableError("the host's relay cannot be reached") from error
        except BaseException:
            stream.close()
            raise
        return stream

    return connect


def _answer(stream: socket.socket) -> Fields:
    size = frame_size(_exactly(stream, HEADER_SIZE), limit_bytes=_ANSWER_LIMIT)
    return unpack_frame(_exactly(stream, size))


def _exactly(stream: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = stream.recv(size - len(data))
        if not part:
            raise SourceUnreachableError("the host's relay hung up")
        data += part
    return data


def _refuse(answer: Fields, host: str, port: int) -> None:
    if answer.get("error") in {_UNREACHABLE, _BUSY}:
        raise SourceUnreachableError(f"the host's relay cannot connect to {host} port {port}")
    raise DestinationRefusedError(host=host, port=port)
