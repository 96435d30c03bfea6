"""Unix sockets between our own processes: made for their owner only, and taken over when stale."""

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from adyton.errors import UnavailableError

__all__ = ["MAX_PATH_BYTES", "SocketUnavailableError", "listening_socket", "remove_socket"]

# sockaddr_un holds 108 bytes with the final zero (unix(7)).
MAX_PATH_BYTES: Final = 107
_BACKLOG: Final = 256
_OWNER_ONLY: Final = 0o177


class SocketUnavailableError(UnavailableError):
    """A socket can't be listened on: its path is too long, or something else holds it."""

    code = "socket-unavailable"


def listening_socket(path: Path) -> socket.socket:
    """Return a socket that listens on ``path``, with mode 0600 from its first moment.

    A socket file that a dead process left behind is replaced; one that somebody answers on, or a
    file of another kind, is left alone and raises ``SocketUnavailableError``.
    """
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise SocketUnavailableError(f"the socket path has more than {MAX_PATH_BYTES} bytes")
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The mask is in force before the file exists: a chmod afterwards would leave a gap.
    mask = os.umask(_OWNER_ONLY)
    try:
        listener.bind(os.fspath(path))
    except OSError as error:
        listener.close()
        raise SocketUnavailableError(f"cannot listen on {path.name}: {error.strerror}") from error
    finally:
        os.umask(mask)
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def remove_socket(path: Path) -> None:
    """Remove the socket file; that it is gone already is fine."""
    with suppress(FileNotFoundError):
        path.unlink()


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketUnavailableError(f"{path.name} exists and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            remove_socket(path)
            return
        except OSError as error:
            raise SocketUnavailableError(f"cannot take over {path.name}") from error
    raise SocketUnavailableError(f"another process listens on {path.name}")
