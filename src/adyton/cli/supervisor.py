"""Keeps a process running, for as long as it makes sense."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from adyton.cli.processes import Child, ProcessEndedError

__all__ = ["Supervisor"]

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 10.0

_log = logging.getLogger(__name__)


class Supervisor:
    """Keeps a process running: starts it again when it ends, later each time it ends soon.

    One that ran for ``well`` was well: its end is a new trouble, not the same one again.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        log: Path,
        name: str = "worker",
        well: timedelta = timedelta(seconds=30),
    ) -> None:
        self._command, self._environ, self._log, self._well = command, environ, log, well
        self._name = name
        self._child: Child | None = None
        self.starts = 0

    @property
    def pid(self) -> int:
        """The process id of the one that runs now."""
        if self._child is None:
            raise RuntimeError(f"the {self._name} has not been started")
        return self._child.pid

    def start(self) -> None:
        """Start the process; what it writes is in the log."""
        # In a group of its own: Ctrl+C is for us, and we end it when nobody needs it any more.
        self._child = Child(
            self._name, self._command, environ=self._environ, log=self._log, own_group=True
        )
        self.starts += 1

    async def keep(self) -> None:
        """Keep the process running until cancelled.

        Raises ``ProcessEndedError`` where the very first one ended soon, and by itself: it has
        never worked, and most likely never will.
        """
        pause = _FIRST_PAUSE
        while self._child is not None:
            started = time.monotonic()
            end = await asyncio.to_thread(self._child.wait)
            was_well = time.monotonic() - started >= self._well.total_seconds()
            if self.starts == 1 and not was_well and not end.was_killed:
                raise ProcessEndedError(name=self._name, reason=f"{end.reason}; see {self._log}")
            pause = _FIRST_PAUSE if was_well else min(2 * pause, _LONGEST_PAUSE)
            _log.warning(
                f"{self._name}-ended", extra={"reason": end.reason, "again_in_seconds": pause}
            )
            await asyncio.sleep(pause)
            self.start()

    async def stop(self) -> None:
        """End the process."""
        if (child := self._child) is not None:
            self._child = None
            await asyncio.to_thread(child.stop)
