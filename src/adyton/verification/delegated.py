"""The layers of a verdict on a delegated proof: the receipt, and the proof that it speaks for.

A proof stands for itself: it holds, whoever made it. What the receipt adds is that this worker made
it for this request; that nobody else has seen the witness follows from the evidence, if it is of
code that the reader accepts.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adyton.appraisal.document import Choice
from adyton.appraisal.proving import ProvingPolicy
from adyton.crypto.hashing import sha256
from adyton.model.claims import Platform
from adyton.model.proving import SealedProving
from adyton.model.proving_receipt import PROVING_SIGNATURE_DOMAIN, ProvingReceipt
from adyton.model.public_inputs import public_input_bytes
from adyton.model.verdict import (
    Finding,
    Layer,
    LayerName,
    Part,
    failed,
    finding,
    passed,
)
from adyton.verification.ports import DelegatedProofVerifier
from adyton.verification.receipts import platform_findings, request_part, signature_part, time_part

__all__ = ["ProvingExpectation", "bind_proof", "check_proof"]

_RECEIPT_ESTABLISHES: Final = (
    "the code that the evidence names made this proof for this request, with the prover that its"
    " manifest names"
)
_RECEIPT_DOES_NOT: Final = (
    "anything, if the evidence is not of code that you accept: then others may have seen the"
    " witness, and the proof is as good as any other"
)
_PROOF_ESTABLISHES: Final = (
    "whoever made the proof knew a witness that satisfies the key's circuit with these public"
    " inputs"
)
_PROOF_DOES_NOT: Final = (
    "what the circuit means; nor that the key is that of the program which the statement names:"
    " compute it from the program, or believe the worker"
)
_NO_POLICY: Final = Finding(
    code="proofs-rejected", message="the policy accepts no receipts for delegated proofs"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvingExpectation:
    """What the verifier knows of the request; ``None`` is "nothing", which a policy may not allow.

    ``request`` is the whole request as it was sent, which only the asker has; ``nonce`` its nonce
    alone; ``challenge`` what was sent for fresh evidence; ``circuit`` the digest of the program,
    ``verification_key`` its key, and ``public_inputs`` what they should be.
    """

    nonce: str | None = None
    request: SealedProving | None = None
    challenge: bytes | None = None
    circuit: bytes | None = None
    verification_key: bytes | None = None
    public_inputs: tuple[int, ...] | None = None


def bind_proof(
    receipt: ProvingReceipt,
    *,
    platform: Platform | None,
    policy: ProvingPolicy | None,
    expectation: ProvingExpectation,
    at: datetime,
) -> Layer:
    """Return the receipt layer at the instant ``at``; ``platform`` is who the evidence is from.

    1. *signature*: the manifest's key signed this statement, and the statement names this manifest;
    2. *request*: it has the expected nonce and program, is about the request that was sent, and
       audience and program are ones that the policy accepts;
    3. *time*: it is neither too old nor from the future;
    4. *worker*: its manifest names the platform that the evidence is from, and a prover that the
       policy accepts.
    """
    if policy is None:
        judged = tuple(failed(name, _NO_POLICY) for name in ("request", "time", "worker"))
    else:
        judged = (
            _request(receipt, policy, expectation),
            time_part(receipt, maximum_age=policy.maximum_age, at=at),
            _worker(receipt, policy, platform),
        )
    return Layer(
        name=LayerName.RECEIPT,
        parts=(signature_part(receipt, domain=PROVING_SIGNATURE_DOMAIN), *judged),
        establishes=_RECEIPT_ESTABLISHES,
        does_not_establish=_RECEIPT_DOES_NOT,
    )


def check_proof(
    receipt: ProvingReceipt, *, expectation: ProvingExpectation, verifier: DelegatedProofVerifier
) -> Layer:
    """Return the proof layer.

    1. *digests*: proof, key and public inputs are those that the statement names, and the key is
       the expected one, where the verifier expects any;
    2. *inputs*: the public inputs are the expected ones, where the verifier expects any;
    3. *proof*: it verifies, for the target that the statement names.

    Raises ``UnavailableError`` where a proof could not be checked.
    """
    return Layer(
        name=LayerName.PROOF,
        parts=(
            _digests(receipt, expectation),
            _inputs(receipt, expectation),
            _proof(receipt, verifier),
        ),
        establishes=_PROOF_ESTABLISHES,
        does_not_establish=_PROOF_DOES_NOT,
    )


def _request(
    receipt: ProvingReceipt, policy: ProvingPolicy, expectation: ProvingExpectation
) -> Part:
    statement, sent = receipt.statement, expectation.request
    findings = []
    if sent is not None and statement.sealed != sha256(sent.to_bytes()):
        # Anybody can seal for a worker: a host could have something else proven under a nonce.
        text = "the statement is about another request than the one that was sent"
        findings.append(finding("request-mismatch", text))
    if expectation.circuit is not None and statement.circuit != expectation.circuit:
        text = "the statement names another program than expected"
        findings.append(finding("circuit-mismatch", text))
    if not isinstance(policy.circuits, Choice) and statement.circuit not in policy.circuits:
        text = "the policy does not accept this program"
        findings.append(finding("circuit-rejected", text))
    nonce = sent.header.nonce if sent is not None else expectation.nonce
    return request_part("request", findings, request=statement.header, nonce=nonce, policy=policy)


def _worker(receipt: ProvingReceipt, policy: ProvingPolicy, platform: Platform | None) -> Part:
    manifest = receipt.manifest
    findings = platform_findings(manifest, platform)
    if not isinstance(policy.provers, Choice) and manifest.software.prover not in policy.provers:
        text = f"the policy does not accept the prover {manifest.software.prover.hex()}"
        findings.append(finding("prover-rejected", text))
    return failed("worker", *findings) if findings else passed("worker")


def _digests(receipt: ProvingReceipt, expectation: ProvingExpectation) -> Part:
    statement = receipt.statement
    findings = [
        finding("digest-mismatch", f"the {name} is not the one that the statement names")
        for name, data, named in (
            ("proof", receipt.proof, statement.proof),
            ("verification key", receipt.verification_key, statement.verification_key),
            (
                "list of public inputs",
                public_input_bytes(receipt.public_inputs),
                statement.public_inputs,
            ),
        )
        if sha256(data) != named
    ]
    if expectation.verification_key not in (None, receipt.verification_key):
        text = "the verification key is not the one that was sent: the proof may be of anything"
        findings.append(finding("key-mismatch", text))
    return failed("digests", *findings) if findings else passed("digests")


def _inputs(receipt: ProvingReceipt, expectation: ProvingExpectation) -> Part:
    if expectation.public_inputs not in (None, receipt.public_inputs):
        text = "the public inputs are not the expected ones"
        return failed("inputs", finding("public-inputs-mismatch", text))
    return passed("inputs")


def _proof(receipt: ProvingReceipt, verifier: DelegatedProofVerifier) -> Part:
    holds = verifier.verify_for(
        receipt.statement.header.target,
        verification_key=receipt.verification_key,
        public_inputs=receipt.public_inputs,
        proof=receipt.proof,
    )
    if not holds:
        return failed("proof", finding("proof-rejected", "the proof does not verify"))
    return passed("proof")
