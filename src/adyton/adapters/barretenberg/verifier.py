"""Verifying proofs with a ``bb`` that is kept warm, and replaced when a proof brings it down."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from adyton.adapters.barretenberg.blocking import BlockingBarretenberg
from adyton.adapters.barretenberg.errors import ProverCrashedError
from adyton.adapters.barretenberg.settings import DEFAULT_SETTINGS, settings_for
from adyton.model.proving import Target

__all__ = ["WarmVerifier"]


class WarmVerifier:
    """Answers for ``ProofVerifier`` and ``DelegatedProofVerifier``. ``close`` it.

    Threads that share it take turns.

    ``reference_string`` is a folder that needs one point only: see ``verification_string``.
    """

    def __init__(
        self,
        binary: Path,
        *,
        reference_string: Path,
        deadline: timedelta,
    ) -> None:
        self._binary, self._reference_string = binary, reference_string
        self._deadline = deadline
        self._turn = threading.Lock()
        self._process: BlockingBarretenberg | None = None

    def verify(
        self, *, verification_key: bytes, public_inputs: tuple[int, ...], proof: bytes
    ) -> bool:
        """Return whether ``proof`` shows that ``public_inputs`` satisfy the key's circuit.

        What is malformed does not. A crash is no answer, neither yes nor no: the process is
        replaced and asked once more, since it may have died while nobody used it, and then
        ``ProverCrashedError`` is raised. Raises ``UnavailableError`` where there is no answer.
        """
        return self._answer(
            lambda bb: bb.verify(
                verification_key,
                public_inputs=public_inputs,
                proof=proof,
                settings=DEFAULT_SETTINGS,
            )
        )

    def verify_for(
        self,
        target: Target,
        *,
        verification_key: bytes,
        public_inputs: tuple[int, ...],
        proof: bytes,
    ) -> bool:
        """Do what ``verify`` does, for a proof that was made for ``target``.

        A proof of a chain has its public inputs within it: there are none beside it.
        """
        if target is Target.AZTEC:
            return not public_inputs and self._answer(
                lambda bb: bb.verify_chain(proof, key=verification_key)
            )
        return self._answer(
            lambda bb: bb.verify(
                verification_key,
                public_inputs=public_inputs,
                proof=proof,
                settings=settings_for(target),
            )
        )

    def close(self) -> None:
        """End the process."""
        with self._turn:
            if self._process is not None:
                self._process.close()
                self._process = None

    def _answer(self, ask: Callable[[BlockingBarretenberg], bool]) -> bool:
        with self._turn:
            try:
                return ask(self._running())
            except ProverCrashedError:
                return ask(self._running())

    def _running(self) -> BlockingBarretenberg:
        if self._process is None or not self._process.is_alive:
            self._process = BlockingBarretenberg.start(
                self._binary,
                reference_string=self._reference_string,
                # A verification has no work for a second thread.
                threads=1,
                deadline=self._deadline,
            )
        return self._process
