"""Whether what runs on this machine is ready: a gateway by its own word, others by their socket."""

import http.client
import socket
import ssl
from contextlib import closing
from pathlib import Path
from typing import Final

__all__ = ["is_healthy", "is_listening"]

_SECONDS: Final = 10.0


def is_healthy(port: int, *, host: str = "127.0.0.1", tls: bool = False) -> bool:
    """Return whether gateway, worker and store are ready."""
    with closing(_connection(host, port, tls=tls)) as connection:
        try:
            connection.request("GET", "/v1/health")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False


def is_listening(path: Path) -> bool:
    """Return whether somebody listens on the unix socket: a dead process leaves its file behind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as tried:
        tried.settimeout(_SECONDS)
        try:
            tried.connect(str(path))
        except OSError:
            return False
    return True


def _connection(host: str, port: int, *, tls: bool) -> http.client.HTTPConnection:
    if not tls:
        return http.client.HTTPConnection(host, port, timeout=_SECONDS)
    # Our own process, asked how it is: its certificate is for another name than this address.
    context = ssl._create_unverified_context()  # noqa: S323, SLF001
    return http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=context)
