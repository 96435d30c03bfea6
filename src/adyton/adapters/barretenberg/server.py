"""A running ``bb``, spoken to over a pair of sockets that nobody else can reach.

``bb msgpack run`` reads requests from its standard input and answers on its standard output. Both
are one end of a socket pair: there is no path for others to connect to, nothing is left on disk,
and when our process ends, however it ends, ``bb`` reads the end of its input and ends too.

A process that forks while it holds such a socket gives its children the same hold on ``bb``.
"""

import contextlib
import resource
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adyton.adapters.barretenberg.errors import ProverCrashedError
from adyton.adapters.barretenberg.pinned import DESCRIPTORS

__all__ = ["Server", "ServerLimits", "start_server"]

# What people see in a list of processes: a descriptor says nothing to them.
_NAME: Final = "bb"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """What the process may use over its whole life; ``None`` sets no limit (Linux only).

    ``data_bytes`` is what it writes to, ``address_space_bytes`` also what it only maps;
    ``file_bytes`` is how long a file it may make: with 0, it can leave nothing on a disk.
    """

    cpu_seconds: int | None = None
    address_space_bytes: int | None = None
    data_bytes: int | None = None
    file_bytes: int | None = None


class Server:
    """The process, and our end of its socket. It must be ended by ``end``."""

    def __init__(self, process: subprocess.Popen[bytes], end: socket.socket) -> None:
        self._process, self.socket = process, end

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def restrict(self, limits: ServerLimits) -> None:
        """Set limits of the running process."""
        _limit(self.pid, limits)

    def end(self) -> int:
        """End the process at once, and return its status: negative for the signal it died of."""
        self.socket.close()
        if self._process.poll() is None:
            self._process.kill()
        return self._process.wait()


def start_server(
    binary: Path, *, reference_string: Path, threads: int, limits: ServerLimits
) -> Server:
    """Return a ``bb`` that reads its points from the folder ``reference_string``.

    ``binary`` is a path, or names a descriptor of this process (see ``pinned``).
    It knows nothing of our environment, writes no core file (on Linux; elsewhere as we do), and
    what it logs goes nowhere. Raises ``ProverCrashedError`` where it cannot be started.
    """
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(  # noqa: S603 - the binary that the configuration names
            [_NAME, "msgpack", "run"],
            executable=binary.absolute(),
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
            pass_fds=_descriptors(binary),
            cwd="/",
            env={
                "CRS_PATH": str(reference_string.absolute()),
                "HARDWARE_CONCURRENCY": str(threads),
                "HOME": "/nonexistent",
            },
        )
    except OSError as error:
        ours.close()
        raise ProverCrashedError(exit_code=None) from error
    finally:
        theirs.close()
    _limit(process.pid, limits)
    return Server(process, ours)


def _descriptors(binary: Path) -> tuple[int, ...]:
    # The name is read in the child: there, too, the descriptor has to be open.
    return (int(binary.name),) if binary.parent == DESCRIPTORS else ()


def _limit(pid: int, limits: ServerLimits) -> None:
    """Set the limits of another process: no code of ours then runs between fork and exec."""
    if sys.platform != "linux":
        return
    wanted = {
        # A core file would hold a witness.
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_AS: limits.address_space_bytes,
        resource.RLIMIT_DATA: limits.data_bytes,
        resource.RLIMIT_FSIZE: limits.file_bytes,
    }
    for kind, value in wanted.items():
        if value is not None:
            # The soft limit of computing time ends the process with a signal of its own; at the
            # hard one it would look like any other kill.
            hard = value + 1 if kind == resource.RLIMIT_CPU else value
            # Gone already: whoever speaks to it next will see.
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, kind, (value, hard))
