"""A cell's prover: the witness solver, and a ``bb`` of its own that is replaced once."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from adyton.adapters.acvm import Acvm, Execution
from adyton.adapters.barretenberg import (
    BlockingBarretenberg,
    ProverCrashedError,
    ProverFailedError,
    ProverTimeoutError,
    VerificationKey,
)
from adyton.adapters.barretenberg import Proof as NativeProof
from adyton.adapters.control_group import MemoryGroup
from adyton.adapters.reference_string import ReferenceString, check_points
from adyton.flow.ports import Proof
from adyton.proofs.circuit import Circuit

__all__ = ["CellProver", "StartProver", "circuit_gates"]

StartProver: TypeAlias = Callable[[], BlockingBarretenberg]

_GONE: Final = (ProverCrashedError, ProverFailedError, ProverTimeoutError)


def circuit_gates(circuit: Circuit) -> int:
    """Return how many gates, and so points of the reference string, a proof is made over."""
    return 1 << VerificationKey.from_bytes(circuit.verification_key).log_size


class CellProver:
    """Proves, with everything started ahead.

    ``programs`` has each circuit's bytecode as ``bb`` takes it; ``turn`` returns when a core is
    free.
    """

    def __init__(
        self,
        *,
        solver: Acvm,
        programs: Mapping[str, bytes],
        reference: ReferenceString,
        start: StartProver,
        turn: Callable[[], None],
    ) -> None:
        self._solver, self._programs = solver, programs
        self._reference = reference
        self._start, self._turn = start, turn
        self._native = start()
        self._group: MemoryGroup | None = None
        self._execution = solver.prepare()
        self.timings: dict[str, float] = {}

    @property
    def native(self) -> BlockingBarretenberg:
        """The prover that was started ahead."""
        return self._native

    @property
    def execution(self) -> Execution:
        """The solver's instance that was made ahead."""
        return self._execution

    def confine(self, parent: Path, *, limit_bytes: int) -> MemoryGroup:
        """Put the prover into a control group of its own, for as long as it lives."""
        self._group = MemoryGroup.join(parent, self._native.pid, limit_bytes=limit_bytes)
        return self._group

    def check(self, circuit: Circuit) -> None:
        """Raise unless the reference string has the points that ``circuit`` takes.

        ``bb`` would try to download them in the middle of a proof.
        """
        check_points(self._reference, gates=circuit_gates(circuit))

    def prove(self, circuit: Circuit, inputs: Mapping[int, int]) -> Proof:
        """Return a proof that ``inputs`` satisfy ``circuit``.

        A prover that crashed, hung or talked nonsense is replaced, and asked once more. Raises
        ``UnavailableError``, or ``RejectedError`` where the inputs do not satisfy the circuit.
        """
        start = time.perf_counter()
        self._turn()
        turned = time.perf_counter()
        witness = self._execution.execute(circuit.bytecode, inputs).to_bytes()
        solved = time.perf_counter()
        try:
            native = self._prove(circuit, witness)
        except _GONE:
            self._native.close()
            self._native = self._start()
            native = self._prove(circuit, witness)
        proven = time.perf_counter()
        self.timings = {
            "turn": (turned - start) * 1000,
            "solve": (solved - turned) * 1000,
            "bb": (proven - solved) * 1000,
        }
        return Proof(proof=native.proof, public_inputs=native.public_inputs)

    def renew(self) -> None:
        """Make ready for another request, in a cell that serves several."""
        self._execution = self._solver.prepare()
        if not self._native.is_alive:
            self._native = self._start()

    def close(self) -> None:
        """End the prover, and wait until its memory is gone."""
        self._native.close()
        if self._group is not None:
            self._group.close()

    def _prove(self, circuit: Circuit, witness: bytes) -> NativeProof:
        return self._native.prove(
            self._programs[circuit.name], key=circuit.verification_key, witness=witness
        )
