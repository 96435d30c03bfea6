"""A client's process and its fate: started, asked, and ended when it is not to be trusted."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Self

from adyton.adapters.barretenberg.errors import (
    ProverCpuExceededError,
    ProverCrashedError,
    ProverRefusedError,
    ProverTimeoutError,
)
from adyton.adapters.barretenberg.server import Server, ServerLimits, start_server

__all__ = ["Connection"]


class Connection:
    """A prover process. After a crash, a timeout or garbage it is ended, and says so.

    ``close`` it, or use it in a ``with`` statement.
    """

    def __init__(self, server: Server, *, deadline: timedelta) -> None:
        self._server = server
        self._seconds = deadline.total_seconds()
        self._status: int | None = None

    @classmethod
    def start(
        cls,
        binary: Path,
        *,
        reference_string: Path,
        threads: int,
        deadline: timedelta,
        limits: ServerLimits | None = None,
    ) -> Self:
        """Start ``binary`` and return at once; ``deadline`` is for each call.

        Raises ``ProverCrashedError`` where there is nothing to start. That it works is known after
        the first call.
        """
        server = start_server(
            binary,
            reference_string=reference_string,
            threads=threads,
            limits=limits or ServerLimits(),
        )
        return cls(server, deadline=deadline)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._server.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process has not been ended from here, nor been seen to end."""
        return self._status is None

    def restrict(self, limits: ServerLimits, *, deadline: timedelta) -> None:
        """Set the limits of the process, and the deadline of each call from now on."""
        self._server.restrict(limits)
        self._seconds = deadline.total_seconds()

    def close(self) -> None:
        """End the process at once, and with it all that it knew."""
        if self._status is None:
            self._status = self._server.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @contextmanager
    def _exchange(self, command: str) -> Iterator[None]:
        """Translate what goes wrong between a request and its response, and end the process.

        A request whose response was not read leaves the two ends out of step: the next caller
        would read another's answer.
        """
        if self._status is not None:
            raise ProverCrashedError(exit_code=self._status)
        try:
            yield
        except TimeoutError as error:
            self.close()
            raise ProverTimeoutError(command=command, seconds=self._seconds) from error
        except (OSError, EOFError) as error:
            self.close()
            if self._status == -signal.SIGXCPU:
                raise ProverCpuExceededError from error
            raise ProverCrashedError(exit_code=self._status) from error
        except ProverRefusedError:
            # A whole answer: the process can be asked again.
            raise
        except BaseException:
            # Garbage, or an interrupt from the keyboard.
            self.close()
            raise
