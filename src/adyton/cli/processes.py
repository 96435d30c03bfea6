"""Child processes: started with a log of their own, watched until they serve, and ended."""

import errno
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adyton.adapters.lifetime import ENDS_WITH_STDIN
from adyton.errors import UnavailableError

__all__ = ["NOTIFY_LIMIT", "Child", "End", "PortTakenError", "ProcessEndedError", "announce"]

NOTIFY_LIMIT: Final = 4096
_GRACE_SECONDS: Final = 20.0
_LOG_TAIL_BYTES: Final = 4096


class ProcessEndedError(UnavailableError):
    """A process that was started did not come up, or ended by itself."""

    code = "process-ended"

    def __init__(self, *, name: str, reason: str) -> None:
        super().__init__(f"the {name} did not start: {reason}")
        self.name = name


class PortTakenError(UnavailableError):
    """Something else listens on the port."""

    code = "address-unavailable"

    def __init__(self, *, port: int, option: str, error: OSError) -> None:
        reason = error.strerror or errno.errorcode.get(error.errno or 0, type(error).__name__)
        super().__init__(
            f"cannot listen on port {port}: {reason.lower()}; {option} names another port"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a process ended: its last words if it has any; and whether it was killed."""

    reason: str
    was_killed: bool


def announce(descriptor: int | None, **fields: Any) -> None:
    """Tell whoever started this process that it serves now; ``None`` where nobody asked.

    One line of JSON on a pipe that was inherited: its reader neither polls nor guesses a port.
    """
    if descriptor is None:
        return
    with suppress(OSError):
        os.write(descriptor, json.dumps(fields).encode() + b"\n")
        os.close(descriptor)


class Child:
    """A process whose output goes to ``log``.

    ``notify`` gives it a pipe for ``announce``; ``own_group`` keeps a terminal's Ctrl+C from it.
    It ends when this process is gone, however that ended: see ``stopped``.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        log: Path,
        notify: bool = False,
        own_group: bool = False,
    ) -> None:
        self.name, self._log = name, log
        self._news: int | None = None
        arguments, passed = [*command], tuple[int, ...]()
        if notify:
            self._news, theirs = os.pipe()
            arguments += ["--notify-fd", str(theirs)]
            passed = (theirs,)
        try:
            with log.open("ab") as output:
                self._process = subprocess.Popen(  # noqa: S603  # our own modules, no shell
                    arguments,
                    env={**environ, ENDS_WITH_STDIN: "1"},
                    # Nothing is ever written: it is open for as long as this process lives.
                    stdin=subprocess.PIPE,
                    bufsize=0,
                    stdout=output,
                    stderr=output,
                    pass_fds=passed,
                    process_group=0 if own_group else None,
                )
        finally:
            for descriptor in passed:
                os.close(descriptor)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def wait(self) -> "End":
        """Wait until the process has ended, and return how."""
        status = self._process.wait()
        self._let_go()
        if status < 0:
            return End(reason=f"it was ended by {signal.Signals(-status).name}", was_killed=True)
        reason = self._last_words() or f"it ended with status {status}"
        return End(reason=reason, was_killed=False)

    def check_alive(self) -> None:
        """Raise ``ProcessEndedError``, with the last line of its log, where it has ended."""
        if self._process.poll() is not None:
            raise ProcessEndedError(name=self.name, reason=self.wait().reason)

    def announced(self, *, deadline: float) -> Mapping[str, Any]:
        """Return what the process announces, or raise ``ProcessEndedError``.

        ``deadline`` is by the monotonic clock.
        """
        if self._news is None:
            raise RuntimeError(f"the {self.name} was started without a pipe")
        descriptor, self._news = self._news, None
        with os.fdopen(descriptor, "rb") as news:
            remaining = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([news], [], [], remaining)
            line = news.readline(NOTIFY_LIMIT) if ready else b""
        if line:
            return dict(json.loads(line))
        if ready:
            # The pipe closed without a word: the process is ending, and its status comes at once.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
        self.check_alive()
        raise ProcessEndedError(name=self.name, reason="it was not ready in time")

    def stop(self) -> None:
        """Ask the process to end, and end it if it does not."""
        if self._news is not None:
            os.close(self._news)
            self._news = None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._let_go()

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        self._process.kill()
        self._process.wait()
        self._let_go()

    def _let_go(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _last_words(self) -> str:
        with self._log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LOG_TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
        said = [line for line in lines if line.strip()]
        # Our commands end with one such line, and sometimes with advice below it.
        errors = [line for line in said if line.startswith("error: ")]
        return (errors or said or [""])[-1].removeprefix("error: ")
