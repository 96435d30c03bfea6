"""Judging one receipt, and the reasons by layer and part."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.fakes.workshop import FakeProofs, Workshop, circuits

from adyton.appraisal.policy import Policy
from adyton.model.question import Question
from adyton.model.receipt import Receipt
from adyton.model.verdict import Status, Verdict
from adyton.verification.bind import Expectation
from adyton.verification.pipeline import verify_receipt


@dataclass(kw_only=True)
class Judge:
    """A verifier who knows the question, at the instant of the answer, unless told otherwise."""

    workshop: Workshop
    question: Question
    proofs: FakeProofs = field(default_factory=FakeProofs)

    def __call__(
        self,
        receipt: Receipt,
        *,
        policy: Policy | None = None,
        expectation: Expectation | None = None,
        at: datetime | None = None,
        known: Any = None,
    ) -> Verdict:
        return verify_receipt(
            receipt,
            policy=policy or self.workshop.policy(),
            expectation=expectation or Expectation(question=self.question),
            circuits=circuits() if known is None else known,
            verifier=self.proofs,
            at=at or self.workshop.ports.clock(),
        )


def reasons(verdict: Verdict) -> dict[str, set[str]]:
    """Return the codes that speak against acceptance, by ``layer.part``."""
    return {
        f"{layer.name}.{part.name}": {finding.code for finding in part.findings}
        for layer in verdict.layers
        for part in layer.parts
        if part.status in {Status.FAILED, Status.NOT_EVALUATED}
    }
