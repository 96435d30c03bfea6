"""Solving, proving and verifying with a circuit, with values bent on the way if a test wants it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.integration.circuits.samples import SALT, SAMPLES, inputs

from adyton.adapters.acvm import Acvm, Program, Witness
from adyton.adapters.barretenberg import BlockingBarretenberg, Proof, ProverRefusedError
from adyton.proofs.circuit import Circuit

Values = dict[int, int]
Bend = Callable[[Values], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machinery:
    """The solver, the prover, and the circuits as committed."""

    acvm: Acvm
    bb: BlockingBarretenberg
    circuits: Mapping[str, Circuit]
    programs: Mapping[str, Program]

    def solve(self, name: str, *, answer: bool, salt: int = SALT) -> Values:
        """Return a good witness."""
        circuit = self.circuits[name]
        found = inputs(circuit, SAMPLES[name], answer=answer, salt=salt)
        return dict(self.acvm.execute(circuit.bytecode, found).values)

    def prove(self, name: str, values: Values) -> Proof:
        """Return what ``bb`` makes of a witness, good or not."""
        elements = b"".join(values[index].to_bytes(32) for index in sorted(values))
        witness = Witness(sorted(values), elements).to_bytes()
        circuit, program = self.circuits[name], self.programs[name]
        return self.bb.prove(program.acir, key=circuit.verification_key, witness=witness)

    def verify(self, name: str, proof: bytes, public_inputs: tuple[int, ...]) -> bool:
        """Return whether a proof verifies with the committed key."""
        key = self.circuits[name].verification_key
        return self.bb.verify(key, public_inputs=public_inputs, proof=proof)

    def is_provable(self, name: str, values: Values) -> bool:
        """Return whether any proof of this witness comes out that verifies."""
        try:
            proof = self.prove(name, values)
        except ProverRefusedError:
            return False
        return self.verify(name, proof.proof, proof.public_inputs)
