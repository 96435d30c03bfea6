"""The prover's program, pinned: read once, hashed, and then nothing else can be started as it.

A manifest names the program by its digest, and a program on a disk can be exchanged the moment
after it was hashed. So it is copied into memory first, sealed there against every change, and
hashed as it is there: what is started later, by this process or by one that inherits the
descriptor, is those bytes.
"""

import fcntl
import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adyton.errors import UnavailableError

__all__ = ["DESCRIPTORS", "PinnedProgram", "ProgramUnreadableError", "pin_program"]

DESCRIPTORS: Final = Path("/proc/self/fd")
_NAME: Final = "bb"
# memfd_create(2); Python has no name for it yet.
_MFD_EXEC: Final = 0x10


class ProgramUnreadableError(UnavailableError):
    """The prover's program can't be read."""

    code = "prover-unreadable"

    def __init__(self, *, path: Path) -> None:
        super().__init__(f"the prover {path} cannot be read")
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedProgram:
    """A program by its digest.

    ``path`` is what to start; with a ``descriptor`` it holds for this process, and for those that
    inherit the descriptor under its number. Where a system has no memory files (macOS),
    ``descriptor`` is ``None``, and whoever can write to ``path`` can exchange the program.
    """

    path: Path
    sha256: bytes
    descriptor: int | None


def pin_program(path: Path) -> PinnedProgram:
    """Return the program at ``path``, pinned; ``ProgramUnreadableError`` where there is none."""
    try:
        with path.open("rb") as file:
            if sys.platform != "linux":
                digest = hashlib.file_digest(file, "sha256").digest()
                return PinnedProgram(path=path, sha256=digest, descriptor=None)
            descriptor = _sealed_copy(file.fileno())
    except OSError as error:
        raise ProgramUnreadableError(path=path) from error
    # The seals come first: what is hashed can no longer change.
    with open(descriptor, "rb", closefd=False) as copy:
        digest = hashlib.file_digest(copy, "sha256").digest()
    return PinnedProgram(path=DESCRIPTORS / str(descriptor), sha256=digest, descriptor=descriptor)


def _memory_file() -> int:
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        # Where vm.memfd_noexec is set, what is to be executed has to say so.
        return os.memfd_create(_NAME, flags | _MFD_EXEC)
    except OSError:
        # Linux before 6.3 does not know the flag, and executes every memory file.
        return os.memfd_create(_NAME, flags)


def _sealed_copy(source: int) -> int:
    size = os.fstat(source).st_size
    descriptor = _memory_file()
    try:
        done = 0
        while done < size and (sent := os.sendfile(descriptor, source, done, size - done)):
            done += sent
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        os.fchmod(descriptor, 0o500)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
