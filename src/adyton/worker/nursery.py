"""The worker's end of the template: asks it for cells, and starts a new one should it die."""

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgpack

from adyton.errors import UnavailableError
from adyton.worker.channel import receive

__all__ = ["Cell", "CellStartError", "Nursery"]

_START_SECONDS: Final = 30.0
_REPLY_LIMIT: Final = 4096


class CellStartError(UnavailableError):
    """A process for the request could not be started."""

    code = "cell-start-failed"

    def __init__(self) -> None:
        super().__init__("a process for the request could not be started; see the worker's log")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """The worker's end of one cell; ``threads`` is how many its prover uses."""

    pid: int
    threads: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Nursery:
    """Makes cells. ``command`` starts a template that takes a socket's number as last argument.

    ``inherited`` are descriptors of this process that the template has under the same numbers.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        inherited: Sequence[int] = (),
    ) -> None:
        self._command, self._environ = tuple(command), dict(environ)
        self._inherited = tuple(inherited)
        self._lock = asyncio.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0

    def start(self) -> None:
        """Start the template, which loads while others do something else."""
        if self._control is None:
            self._start()

    async def cell(self, threads: int) -> Cell:
        """Return a new cell that is ready for a job; ``CellStartError`` if there is none."""
        ours, theirs = socket.socketpair()
        pid, writer = 0, None
        try:
            async with asyncio.timeout(_START_SECONDS):
                with theirs:
                    pid = await self._fork(theirs, threads)
                reader, writer = await asyncio.open_connection(sock=ours)
                await receive(reader)
        except BaseException as error:
            # A caller that gives up leaves no half-started cell behind.
            (writer or ours).close()
            if pid:
                self.kill(pid)
            if isinstance(error, (OSError, TimeoutError, UnavailableError)):
                raise CellStartError from error
            raise
        return Cell(pid=pid, threads=threads, reader=reader, writer=writer)

    def kill(self, pid: int) -> None:
        """End a cell and its prover now."""
        if self._control is not None:
            with contextlib.suppress(OSError):
                self._control.send(msgpack.packb({"kill": pid}))

    async def close(self) -> None:
        """End the template, and with it every cell."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)
            self._process = None

    async def _fork(self, end: socket.socket, threads: int) -> int:
        # One at a time: the template has one thread, and its socket one reader.
        async with self._lock:
            for _attempt in range(2):
                control = self._control or self._start()
                self._number += 1
                command = {"number": self._number, "threads": threads}
                try:
                    socket.send_fds(control, [msgpack.packb(command)], [end.fileno()])
                    pid = await self._pid(control)
                except OSError:
                    pid = None
                if pid is not None:
                    return pid
                # The template has died, and this try found it out.
                await self.close()
        raise CellStartError

    async def _pid(self, control: socket.socket) -> int | None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(control, _REPLY_LIMIT):
            reply = msgpack.unpackb(data)
            # A caller that gave up left its reply behind: that cell is nobody's.
            if reply["number"] == self._number:
                return int(reply["pid"])
            self.kill(reply["pid"])
        return None

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # Started by exec, not fork: nothing of this process's memory is in it.
            self._process = subprocess.Popen(  # noqa: S603  # our own module, no shell
                (*self._command, str(theirs.fileno())),
                pass_fds=(theirs.fileno(), *self._inherited),
                env=self._environ,
                stdin=subprocess.DEVNULL,
            )
        ours.setblocking(False)
        self._control = ours
        return ours
