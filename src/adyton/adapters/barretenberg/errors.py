"""How a prover process disappoints. None of these is ever read as an answer.

No message holds anything that the prover said: it can quote a witness.
"""

from adyton.errors import RejectedError, UnavailableError

__all__ = [
    "ProverCpuExceededError",
    "ProverCrashedError",
    "ProverFailedError",
    "ProverMemoryExceededError",
    "ProverRefusedError",
    "ProverTimeoutError",
]


class ProverCrashedError(UnavailableError):
    """The prover's process has ended, or could not be started."""

    code = "prover-crashed"

    def __init__(self, *, exit_code: int | None) -> None:
        how = "could not be started" if exit_code is None else f"ended with status {exit_code}"
        super().__init__(f"the prover {how}")
        self.exit_code = exit_code


class ProverTimeoutError(UnavailableError):
    """The prover took longer than it may; its process was ended."""

    code = "prover-timeout"

    def __init__(self, *, command: str, seconds: float) -> None:
        super().__init__(f"the prover did not answer {command} within {seconds:g} seconds")
        self.command, self.seconds = command, seconds


class ProverFailedError(UnavailableError):
    """The prover said what no prover of this version says; its process was ended."""

    code = "prover-failed"

    def __init__(self, problem: str) -> None:
        super().__init__(f"the prover {problem}")


class ProverRefusedError(UnavailableError):
    """The prover answered with an error: it works, and what it was asked to do does not."""

    code = "prover-refused"

    def __init__(self, *, command: str) -> None:
        super().__init__(f"the prover refused {command}")
        self.command = command


class ProverMemoryExceededError(RejectedError):
    """What was to be proven takes more memory than the prover may have."""

    code = "prover-memory-exceeded"

    def __init__(self) -> None:
        super().__init__("the proof takes more memory than a prover may use here")


class ProverCpuExceededError(RejectedError):
    """What was to be proven takes more computing than the prover may do."""

    code = "prover-cpu-exceeded"

    def __init__(self) -> None:
        super().__init__("the proof takes more computing time than a prover may use here")
