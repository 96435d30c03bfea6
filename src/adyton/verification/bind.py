"""Step ``bind``: the receipt layer, which ties a statement to a worker and to a question.

Whose worker it is was settled by the evidence, whose report data commits to the manifest that is
used here; whether the proof fits the statement is the business of ``check``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adyton.appraisal.document import Choice
from adyton.appraisal.policy import ReceiptPolicy
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError
from adyton.model.claims import Platform
from adyton.model.manifest import Manifest
from adyton.model.question import Question
from adyton.model.receipt import SIGNATURE_DOMAIN, Receipt
from adyton.model.statement import Statement
from adyton.model.verdict import (
    Finding,
    Layer,
    LayerName,
    Part,
    failed,
    finding,
    passed,
)
from adyton.sources import inline
from adyton.verification.receipts import platform_findings, request_part, signature_part, time_part

__all__ = ["Expectation", "bind"]

_ESTABLISHES: Final = (
    "the code that the evidence names put this question to this source at this time, over a TLS"
    " connection that ended inside of it, and computed this statement from what came back"
)
_DOES_NOT_ESTABLISH: Final = (
    "anything, if the evidence is not of code that you accept; nor that the source told the truth"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the verifier knows of the question; ``None`` is "nothing", which a policy may not allow.

    ``question`` is the whole question as it was sent, sealed values included, which only the asker
    has; ``nonce`` its nonce alone; ``challenge`` what was sent for fresh evidence.
    """

    nonce: str | None = None
    question: Question | None = None
    challenge: bytes | None = None


def bind(
    receipt: Receipt,
    *,
    platform: Platform | None,
    policy: ReceiptPolicy | None,
    expectation: Expectation,
    at: datetime,
) -> Layer:
    """Return the receipt layer at the instant ``at``; ``platform`` is who the evidence is from.

    1. *signature*: the manifest's key signed this statement, and the statement names this manifest;
    2. *question*: it has the expected nonce, is the expected question with the sealed values that
       were sent, and is for an audience of ours;
    3. *time*: it is neither too old nor from the future;
    4. *worker*: its manifest names the platform that the evidence is from, circuit and provider are
       the manifest's and the policy's (or the provider came with the question), and raw data lived
       in processes of an accepted isolation.
    """
    if policy is None:
        judged = tuple(failed(name, _NO_POLICY) for name in ("question", "time", "worker"))
    else:
        judged = (
            _question(receipt, policy, expectation),
            time_part(receipt, maximum_age=policy.maximum_age, at=at),
            _worker(receipt, policy, platform),
        )
    return Layer(
        name=LayerName.RECEIPT,
        parts=(signature_part(receipt, domain=SIGNATURE_DOMAIN), *judged),
        establishes=_ESTABLISHES,
        does_not_establish=_DOES_NOT_ESTABLISH,
    )


_NO_POLICY: Final = Finding(code="receipts-rejected", message="the policy accepts no receipts")


def _question(receipt: Receipt, policy: ReceiptPolicy, expectation: Expectation) -> Part:
    question = receipt.statement.question
    findings = []
    if expectation.question is not None and question.bound != expectation.question.bound:
        text = "the statement answers another question than the one that was asked"
        findings.append(finding("question-mismatch", text))
    nonce = expectation.nonce
    if nonce is None and expectation.question is not None:
        nonce = expectation.question.nonce
    if expectation.question is not None and receipt.statement.sealed != {
        item.location: sha256(item.box) for item in expectation.question.sealed
    }:
        # Anybody can seal for a worker: a host that puts its own account under somebody's question
        # gets a good answer about the wrong one.
        text = "the answer is about other sealed values than those that were sent"
        findings.append(finding("sealed-mismatch", text))
    return request_part("question", findings, request=question, nonce=nonce, policy=policy)


def _worker(receipt: Receipt, policy: ReceiptPolicy, platform: Platform | None) -> Part:
    statement, manifest = receipt.statement, receipt.manifest
    findings = platform_findings(manifest, platform)
    if manifest.circuits.get(statement.circuit) != statement.verification_key:
        text = f"the worker's manifest has another key for the circuit {statement.circuit!r}"
        findings.append(finding("circuit-mismatch", text))
    if (mismatch := _provider_mismatch(statement, manifest)) is not None:
        findings.append(finding("provider-mismatch", mismatch))
    if not isinstance(policy.providers, Choice) and not _is_named(
        policy.providers, statement.provider, statement.provider_digest
    ):
        text = f"the policy does not accept this definition of the provider {statement.provider!r}"
        findings.append(finding("provider-rejected", text))
    if not isinstance(policy.circuits, Choice) and not _is_named(
        policy.circuits, statement.circuit, statement.verification_key
    ):
        text = f"the policy does not accept this key of the circuit {statement.circuit!r}"
        findings.append(finding("circuit-rejected", text))
    if manifest.isolation not in policy.isolation:
        text = f"raw data lived in processes of isolation {manifest.isolation.value!r}"
        findings.append(finding("isolation-rejected", text))
    return failed("worker", *findings) if findings else passed("worker")


def _provider_mismatch(statement: Statement, manifest: Manifest) -> str | None:
    """Return what speaks against the statement's provider being the one that was asked."""
    question = statement.question
    if isinstance(question.provider, str):
        if statement.provider != question.provider:
            return f"the question is for {question.provider!r}, not for {statement.provider!r}"
        if manifest.providers.get(statement.provider) != statement.provider_digest:
            return f"the worker's manifest has another definition of {statement.provider!r}"
        return None
    # A definition that came with the question is in no manifest: it is made from the question anew.
    try:
        definition = inline(
            question.provider, extraction=question.extraction, predicate=question.predicate
        ).definition
    except MalformedError as error:
        return f"the question's provider is none: {error}"
    if (statement.provider, statement.provider_digest) != (definition.id, definition.digest()):
        return "the statement's provider is not the one that came with the question"
    return None


def _is_named(accepted: Mapping[str, frozenset[bytes]], name: str, digest: bytes) -> bool:
    return digest in accepted.get(name, frozenset())
