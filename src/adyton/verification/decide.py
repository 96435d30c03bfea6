"""Step ``decide``: the layers together, as one verdict."""

from datetime import datetime

from adyton.model.receipt import Receipt
from adyton.model.verdict import Layer, Subject, Verdict

__all__ = ["decide_on_evidence", "decide_on_proving", "decide_on_receipt"]


def decide_on_receipt(
    receipt: Receipt,
    *,
    evidence: Layer,
    statement: Layer,
    proof: Layer,
    transcript: Layer,
    at: datetime,
) -> Verdict:
    """Return the verdict on ``receipt``: what it claims counts only if every layer holds."""
    return Verdict(
        subject=Subject.RECEIPT,
        layers=(evidence, statement, proof, transcript),
        at=at,
        claimed=receipt.statement.answer,
    )


def decide_on_proving(*, evidence: Layer, statement: Layer, proof: Layer, at: datetime) -> Verdict:
    """Return the verdict on a receipt for a delegated proof, which answers no question."""
    return Verdict(
        subject=Subject.PROVING, layers=(evidence, statement, proof), at=at, claimed=None
    )


def decide_on_evidence(evidence: Layer, *, at: datetime) -> Verdict:
    """Return the verdict on a worker's evidence alone."""
    return Verdict(subject=Subject.EVIDENCE, layers=(evidence,), at=at, claimed=None)
