"""A control group for one process (version 2): its memory, as the kernel counts all of it.

``parent`` is a group that was delegated to this user, has no processes of its own, and hands the
memory controller down (``cgroup.subtree_control``). See the kernel's ``cgroup-v2.rst``.
"""

import contextlib
from pathlib import Path
from typing import Final, Self

from adyton.errors import UnavailableError

__all__ = ["ControlGroupError", "MemoryGroup"]

_PREFIX: Final = "adyton-"


class ControlGroupError(UnavailableError):
    """A process cannot be put into a control group: it is not let run without one."""

    code = "control-group-unavailable"

    def __init__(self, *, parent: Path) -> None:
        super().__init__(f"no control group can be made in {parent} that bounds memory")
        self.parent = parent


class MemoryGroup:
    """A group with one process in it. ``close`` it when the process has ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def join(cls, parent: Path, pid: int, *, limit_bytes: int) -> Self:
        """Put the process ``pid`` into a new group; raise ``ControlGroupError`` if that fails.

        What it has already stays counted where it was; what it takes from now on is counted here.
        """
        _sweep(parent)
        folder = parent / f"{_PREFIX}{pid}"
        try:
            folder.mkdir(exist_ok=True)
            for name, value in (
                ("memory.max", limit_bytes),
                # Memory that is swapped would be on a disk.
                ("memory.swap.max", 0),
                ("cgroup.procs", pid),
            ):
                (folder / name).write_text(f"{value}\n")
        except OSError as error:
            raise ControlGroupError(parent=parent) from error
        return cls(folder)

    @property
    def ran_out(self) -> bool:
        """Whether the kernel ended a process of the group because it took too much."""
        try:
            lines = (self._folder / "memory.events").read_text().splitlines()
        except OSError:
            return False
        return any(line.startswith("oom_kill ") and line.split()[1] != "0" for line in lines)

    def close(self) -> None:
        """Remove the group; one that still has a process is left for the next sweep."""
        with contextlib.suppress(OSError):
            self._folder.rmdir()


def _sweep(parent: Path) -> None:
    # Who was killed has left its group behind. One that is in use cannot be removed.
    for folder in parent.glob(f"{_PREFIX}*"):
        MemoryGroup(folder).close()
