"""Step ``prove``: a proof of the answer, and the statement about it."""

from adyton.crypto.hashing import sha256
from adyton.errors import UnavailableError
from adyton.flow.ports import Prover
from adyton.flow.stages import Evaluated, Proven
from adyton.model.ports import Randomness
from adyton.model.public_inputs import public_input_bytes
from adyton.model.statement import Statement
from adyton.proofs.circuit import SALT_BYTES, salt_from_bytes

__all__ = ["ProofDisagreesError", "prove"]


class ProofDisagreesError(UnavailableError):
    """The circuit came to another answer than plain code, or was bound to something else.

    It can't happen unless one of them is wrong; then neither is shown to anybody.
    """

    code = "proof-disagrees"

    def __init__(self) -> None:
        super().__init__("the circuit and the evaluation disagree; no answer is given")


def prove(
    evaluated: Evaluated, *, manifest: bytes, prover: Prover, randomness: Randomness
) -> Proven:
    """Return the statement for ``evaluated``, with a proof under a fresh salt.

    1. The proof's public inputs are the binding and the parameters of this question.
    2. Its answer is the one that plain code came to.

    ``manifest`` is the digest of the worker's manifest. Raises ``UnavailableError``.
    """
    circuit = evaluated.circuit
    inputs = circuit.witness_inputs(
        evaluated.binding,
        evaluated.parameters,
        evaluated.private,
        salt=salt_from_bytes(randomness(SALT_BYTES)),
    )
    proof = prover.prove(circuit, inputs)
    # Step 1
    outcome = circuit.check_public_inputs(
        proof.public_inputs, binding=evaluated.binding, parameters=evaluated.parameters
    )
    # Step 2
    if outcome.result is not evaluated.answer:
        raise ProofDisagreesError
    fetched = evaluated.gathered.fetched
    definition = fetched.opened.definition
    statement = Statement(
        question=fetched.opened.question,
        sealed={item.location: sha256(item.box) for item in fetched.opened.question.sealed},
        answer=evaluated.answer,
        provider=definition.id,
        provider_digest=fetched.opened.provider_digest,
        source=evaluated.gathered.extracted.source,
        circuit=circuit.name,
        verification_key=circuit.key_digest,
        parameters=evaluated.parameters.to_json(),
        scale=evaluated.facts.scale,
        time=evaluated.binding.time,
        proof=sha256(proof.proof),
        public_inputs=sha256(public_input_bytes(proof.public_inputs)),
        transcript=fetched.transcript,
        manifest=manifest,
    )
    return Proven(
        statement=statement,
        proof=proof.proof,
        public_inputs=proof.public_inputs,
        verification_key=circuit.verification_key,
    )
