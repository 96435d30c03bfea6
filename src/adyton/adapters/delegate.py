"""Proving any program: it and its witness come with the request.

Both may be a stranger's. What ``bb`` may use is limited before it sees them, and what it makes is
verified before anybody vouches for it. Nothing is written: all of it crosses socket pairs. A worker
does this in a cell, a client that needs no worker in its own process.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NoReturn, Protocol

from adyton.adapters.acvm import (
    BytecodeMalformedError,
    Execution,
    WitnessUnsatisfiedError,
    decompressed,
)
from adyton.adapters.barretenberg import (
    BlockingBarretenberg,
    Chain,
    KeyedProof,
    ProofSettings,
    ProverRefusedError,
    ServerLimits,
    VerificationKey,
    settings_for,
)
from adyton.adapters.reference_string import (
    ReferenceString,
    check_grumpkin_points,
    check_points,
)
from adyton.crypto.hashing import sha256
from adyton.delegation.inputs import witness_inputs
from adyton.errors import MalformedError, RejectedError
from adyton.model.proving import Target
from adyton.model.proving_job import ChonkJob, Inputs, NoirCircuit, ProvingJob, UltraHonkJob
from adyton.proofs.circuit import KeyMalformedError

__all__ = [
    "CircuitTooLargeError",
    "Delegate",
    "DelegateLimits",
    "Delegated",
    "KeyRejectedError",
    "Measured",
    "WitnessMalformedError",
]

_MAX_WITNESS_BYTES: Final = 64 * 1024 * 1024
_GZIP: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31


class CircuitTooLargeError(RejectedError):
    """A circuit has more gates than are proven here."""

    code = "circuit-too-large"

    def __init__(self, *, gates: int, limit: int) -> None:
        super().__init__(f"the circuit has {gates} gates, the limit is {limit}")
        self.gates, self.limit = gates, limit


class WitnessMalformedError(MalformedError):
    """The bytes are no witness, or that of another circuit."""

    code = "witness-malformed"

    def __init__(self) -> None:
        super().__init__("the witness is not one of this circuit")


class KeyRejectedError(RejectedError):
    """The verification key that came with a circuit is another one's."""

    code = "key-rejected"

    def __init__(self) -> None:
        super().__init__("the verification key is not this circuit's for this target")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegated:
    """A proof that holds. Nothing private is left in it."""

    circuit: bytes
    verification_key: bytes
    proof: bytes
    public_inputs: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A circuit that can be proven here, its key for a target, and how large it is."""

    circuit: bytes
    verification_key: bytes
    gates: int


class DelegateLimits(Protocol):
    """What one proof may take."""

    @property
    def gates(self) -> int:
        """How many gates a circuit may have."""
        ...

    @property
    def seconds(self) -> int:
        """How long each step of the prover may take."""
        ...

    @property
    def memory_bytes(self) -> int:
        """How much memory the prover may write to."""
        ...


class Delegate:
    """Proves one request with a ``bb`` and a solver that were started ahead.

    ``recall`` returns a circuit that was registered, and ``tell`` passes on how far this is.
    """

    def __init__(
        self,
        *,
        native: BlockingBarretenberg,
        execution: Execution,
        reference: ReferenceString,
        limits: DelegateLimits,
        threads: int,
        recall: Callable[[bytes, Target], NoirCircuit],
        tell: Callable[[str], None],
    ) -> None:
        self._native, self._execution = native, execution
        self._reference, self._limits = reference, limits
        self._recall, self._tell = recall, tell
        native.restrict(
            ServerLimits(
                cpu_seconds=limits.seconds * threads,
                data_bytes=limits.memory_bytes,
                # Neither a witness, nor points that a circuit without end would have it download.
                file_bytes=0,
            ),
            deadline=timedelta(seconds=limits.seconds),
        )

    def prove(self, job: ProvingJob, target: Target) -> Delegated:
        """Return a proof for ``job`` that was verified.

        Raises ``MalformedError`` or ``RejectedError`` for what cannot be proven, and
        ``UnavailableError`` where the prover gave up.
        """
        self._tell("opened")
        match job:
            case UltraHonkJob():
                return self._prove_circuit(job, target)
            case ChonkJob(steps=steps):
                return self._prove_chain(Chain.from_bytes(steps))

    def measure(self, bytecode: bytes, target: Target) -> Measured:
        """Return what there is to know about a circuit before anything is proven with it."""
        acir, settings = decompressed(bytecode), settings_for(target)
        gates = self._check_size(acir, settings)
        key = self._native.compute_key(acir, settings)
        return Measured(circuit=sha256(acir), verification_key=key, gates=gates)

    def _prove_circuit(self, job: UltraHonkJob, target: Target) -> Delegated:
        """Do what ``prove`` does with one circuit.

        1. The circuit is not larger than is proven here, nor than the reference string.
        2. The witness is solved, here or by the sender.
        3. There is a proof, under the key that was given, or one that ``bb`` computed.
        4. The proof holds, and so the witness satisfies the circuit, and the key is the circuit's.
        """
        settings = settings_for(target)
        circuit = self._circuit(job, target)
        acir = decompressed(circuit.bytecode)
        # Step 1
        if circuit.key is None:
            self._check_size(acir, settings)
        else:
            self._check_key(circuit.key, settings)
        # Step 2
        witness = self._witness(circuit, job.solution)
        # Step 3
        self._tell("proving")
        proven = self._proof(acir, circuit.key, witness, settings)
        # Step 4
        if not self._native.verify(
            proven.key,
            public_inputs=proven.proof.public_inputs,
            proof=proven.proof.proof,
            settings=settings,
        ):
            self._refuse(acir, circuit.key, settings)
        return Delegated(
            circuit=sha256(acir),
            verification_key=proven.key,
            proof=proven.proof.proof,
            public_inputs=proven.proof.public_inputs,
        )

    def _prove_chain(self, chain: Chain) -> Delegated:
        # A chain ends in a proof over the second curve.
        check_grumpkin_points(self._reference)
        self._tell("proving")
        proven = self._native.prove_chain(chain)
        if not self._native.verify_chain(proven.proof, key=proven.key):
            raise WitnessUnsatisfiedError
        return Delegated(
            circuit=chain.digest(),
            verification_key=proven.key,
            proof=proven.proof,
            public_inputs=(),
        )

    def _circuit(self, job: UltraHonkJob, target: Target) -> NoirCircuit:
        if isinstance(job.circuit, NoirCircuit):
            return job.circuit
        return self._recall(job.circuit.digest, target)

    def _check_size(self, acir: bytes, settings: ProofSettings) -> int:
        if settings.ipa_accumulation:
            # Before the circuit is read, which takes seconds for this target.
            check_grumpkin_points(self._reference)
        try:
            gates = self._native.stats(acir, settings).padded_gates
        except ProverRefusedError as error:
            raise BytecodeMalformedError("is not one that the prover can read") from error
        self._check_gates(gates, settings)
        return gates

    def _check_key(self, key: bytes, settings: ProofSettings) -> None:
        # A key is quicker to read than a circuit. One that lies about its size is found out later,
        # and does not get more memory, time or points by it.
        read = VerificationKey.from_bytes(key)
        if read.oracle_hash is not settings.oracle_hash:
            raise KeyMalformedError("the verification key is for another target")
        self._check_gates(1 << read.log_size, settings)

    def _check_gates(self, gates: int, settings: ProofSettings) -> None:
        if gates > self._limits.gates:
            raise CircuitTooLargeError(gates=gates, limit=self._limits.gates)
        check_points(self._reference, gates=gates, settings=settings)

    def _witness(self, circuit: NoirCircuit, solution: bytes | Inputs) -> bytes:
        if isinstance(solution, bytes):
            return _solved(solution)
        self._tell("solving")
        inputs = witness_inputs(solution.abi, solution.values)
        return self._execution.execute(circuit.bytecode, inputs).to_bytes()

    def _proof(
        self, acir: bytes, key: bytes | None, witness: bytes, settings: ProofSettings
    ) -> KeyedProof:
        try:
            return self._native.prove_keyed(acir, key=key, witness=witness, settings=settings)
        except ProverRefusedError as error:
            # It says no more than that, in words that can quote a witness: so which of the two it
            # cannot read is found out by asking about the circuit alone.
            self._check_size(acir, settings)
            raise WitnessMalformedError from error

    def _refuse(self, acir: bytes, key: bytes | None, settings: ProofSettings) -> NoReturn:
        if key is not None and key != self._native.compute_key(acir, settings):
            raise KeyRejectedError
        raise WitnessUnsatisfiedError


def _solved(witness: bytes) -> bytes:
    if not witness.startswith(_GZIP):
        return witness
    decoder = zlib.decompressobj(wbits=_GZIP_WINDOW)
    try:
        plain = decoder.decompress(witness, _MAX_WITNESS_BYTES)
    except zlib.error as error:
        raise WitnessMalformedError from error
    if not decoder.eof or decoder.unused_data:
        raise WitnessMalformedError
    return plain
