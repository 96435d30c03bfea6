"""The template: a process that has loaded everything a request needs, and forks a cell for each.

It never sees a request. It is started fresh, not forked from the worker, so that no key of the
worker is in its memory, and it has one thread, so that ``fork`` is safe. The worker sends it one
end of a socket pair for each cell; it answers with the cell's process id.
"""

import contextlib
import ctypes
import gc
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Callable
from typing import Final

import msgpack

__all__ = ["run"]

_COMMAND_LIMIT: Final = 4096
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4


def run(control: socket.socket, cell: Callable[[socket.socket, int], None]) -> None:
    """Serve the worker's commands on ``control`` until it closes; ``cell`` runs in each child."""
    protect_memory()
    # What is here now is shared by all cells: the collector would touch, and so copy, its pages.
    gc.collect()
    gc.freeze()
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    living: set[int] = set()
    poll = select.poll()
    poll.register(control.fileno(), select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _event in poll.poll()}
        if wake_read in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(wake_read, 4096)
            _bury(living)
        if control.fileno() in ready and not _obey(control, cell, living, (wake_read, wake_write)):
            break
    for pid in living:
        _end(pid)


def protect_memory() -> None:
    """Keep this process's memory out of core files and out of reach of other users' debuggers."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def die_with_parent() -> None:
    """Have the kernel end this process when the one that made it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _obey(
    control: socket.socket,
    cell: Callable[[socket.socket, int], None],
    living: set[int],
    wake: tuple[int, int],
) -> bool:
    """Carry out one command; ``False`` when the worker has gone."""
    try:
        data, descriptors, _flags, _address = socket.recv_fds(control, _COMMAND_LIMIT, 1)
    except ConnectionResetError:
        # It went without reading the last reply.
        return False
    if not data:
        return False
    command = msgpack.unpackb(data)
    if "kill" in command:
        # Only this process reaps its children, so a process id in ``living`` is still that child's.
        if command["kill"] in living:
            _end(command["kill"])
        return True
    end = socket.socket(fileno=descriptors[0])
    pid = os.fork()
    if pid == 0:
        _be_cell(control, end, wake, cell, command["threads"])
    # Done on both sides of the fork: whoever comes first, the group is there for a kill.
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    end.close()
    living.add(pid)
    control.send(msgpack.packb({"number": command["number"], "pid": pid}))
    return True


def _be_cell(
    control: socket.socket,
    end: socket.socket,
    wake: tuple[int, int],
    cell: Callable[[socket.socket, int], None],
    threads: int,
) -> None:
    status = 1
    try:
        # A group of its own, so that the cell and its prover are ended by one call.
        os.setpgid(0, 0)
        die_with_parent()
        protect_memory()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        control.close()
        for descriptor in wake:
            os.close(descriptor)
        cell(end, threads)
        status = 0
    finally:
        # No clean-up of the interpreter: nothing of it is needed, and the kernel clears the memory.
        os._exit(status)


def _end(pid: int) -> None:
    # Gone already is what was wanted.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _bury(living: set[int]) -> None:
    while living:
        # Looked at before it is reaped: until then its number is nobody else's.
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return
        # A prover that hangs does not notice that its cell has gone.
        _end(ended.si_pid)
        os.waitpid(ended.si_pid, 0)
        living.discard(ended.si_pid)
