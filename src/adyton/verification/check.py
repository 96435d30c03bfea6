"""Step ``check``: the proof layer, which holds the proof against what the statement says.

A proof of "false" is as valid as one of "true": that a proof verifies says nothing until its public
inputs are compared with the statement, the last one with the answer.
"""

from collections.abc import Mapping
from typing import Final

from adyton.appraisal.document import Choice
from adyton.appraisal.policy import ReceiptPolicy
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError, RejectedError
from adyton.model.public_inputs import public_input_bytes
from adyton.model.receipt import Receipt
from adyton.model.verdict import Finding, Layer, LayerName, Part, Status, failed, finding, passed
from adyton.proofs.binding import Binding
from adyton.proofs.circuit import Asked, Circuit
from adyton.verification.ports import ProofVerifier

__all__ = ["Circuits", "check"]

Circuits = Mapping[str, Circuit]

_ESTABLISHES: Final = (
    "the predicate has this answer for the values that the proof commits to, with these parameters,"
    " at this time, for this nonce"
)
_DOES_NOT_ESTABLISH: Final = (
    "where those values come from: a proof about invented values is as valid; only the receipt and"
    " the evidence speak about their origin"
)


def check(
    receipt: Receipt,
    *,
    policy: ReceiptPolicy | None,
    circuits: Circuits,
    verifier: ProofVerifier,
) -> Layer:
    """Return the proof layer.

    1. *circuit*: key, proof and public inputs are those that the statement names, and the key is
       that of a circuit that this verifier knows (or that the policy names by digest);
    2. *inputs*: the public inputs are the statement's nonce, source, provider, time and parameters,
       the parameters follow from the question, and the last input is the answer;
    3. *proof*: it verifies.

    Raises ``UnavailableError`` where a proof could not be checked.
    """
    circuit = circuits.get(receipt.statement.circuit)
    parts = (
        _circuit(receipt, policy, circuit),
        _inputs(receipt, circuit),
        _proof(receipt, verifier),
    )
    return Layer(
        name=LayerName.PROOF,
        parts=parts,
        establishes=_ESTABLISHES,
        does_not_establish=_DOES_NOT_ESTABLISH,
    )


def _circuit(receipt: Receipt, policy: ReceiptPolicy | None, circuit: Circuit | None) -> Part:
    statement = receipt.statement
    findings = []
    for name, data, digest in (
        ("verification key", receipt.verification_key, statement.verification_key),
        ("proof", receipt.proof, statement.proof),
        ("public inputs", public_input_bytes(receipt.public_inputs), statement.public_inputs),
    ):
        if sha256(data) != digest:
            text = f"the {name} is not the one that the statement names"
            findings.append(finding("digest-mismatch", text))
    if circuit is None:
        text = f"this verifier knows no circuit {statement.circuit!r}"
        findings.append(finding("circuit-unknown", text))
    elif not _is_accepted_key(statement.verification_key, policy, circuit):
        text = f"the key is not the one that is accepted for {circuit.name!r}"
        findings.append(finding("circuit-rejected", text))
    return failed("circuit", *findings) if findings else passed("circuit")


def _is_accepted_key(digest: bytes, policy: ReceiptPolicy | None, circuit: Circuit) -> bool:
    if policy is None or isinstance(policy.circuits, Choice):
        return digest == circuit.key_digest
    return digest in policy.circuits.get(circuit.name, frozenset())


def _inputs(receipt: Receipt, circuit: Circuit | None) -> Part:
    if circuit is None:
        reason = finding("circuit-unknown", "what the public inputs mean is not known here")
        return Part(name="inputs", status=Status.NOT_EVALUATED, findings=(reason,))
    statement = receipt.statement
    question = statement.question
    try:
        parameters = circuit.check_parameters(
            Asked(predicate=question.predicate, time=statement.time, months=question.months),
            statement.parameters,
            scale=statement.scale,
        )
        binding = Binding.of(
            nonce=question.nonce,
            audience=question.audience,
            source=statement.source,
            provider_digest=statement.provider_digest,
            time=statement.time,
        )
        outcome = circuit.check_public_inputs(
            receipt.public_inputs, binding=binding, parameters=parameters
        )
    except (MalformedError, RejectedError) as error:
        return failed("inputs", Finding.from_error(error))
    if outcome.result is not statement.answer:
        text = (
            f"the proof is of {_word(outcome.result)}, the statement says {_word(statement.answer)}"
        )
        return failed("inputs", finding("answer-mismatch", text))
    return passed("inputs")


def _proof(receipt: Receipt, verifier: ProofVerifier) -> Part:
    try:
        holds = verifier.verify(
            verification_key=receipt.verification_key,
            public_inputs=receipt.public_inputs,
            proof=receipt.proof,
        )
    except (MalformedError, RejectedError) as error:
        return failed("proof", Finding.from_error(error))
    if not holds:
        return failed("proof", finding("proof-rejected", "the proof does not verify"))
    return passed("proof")


def _word(answer: bool) -> str:  # noqa: FBT001  # a truth value is all that there is to say
    return "true" if answer else "false"
