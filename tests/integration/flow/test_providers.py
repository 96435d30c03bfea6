"""Every built-in provider, asked through the whole request path, and verified."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.workshop import Workshop
from tests.integration.flow.asked import ASKED, Asked, credentials
from tests.integration.flow.machinery import now

from adyton.adapters.verifier import OfflineVerifier
from adyton.model.question import Question
from adyton.model.verdict import Verdict
from adyton.verification.bind import Expectation


def put(workshop: Workshop, asked: Asked) -> Question:
    definition = workshop.ports.providers[asked.provider]
    return workshop.question(
        asked.endpoint,
        asked.predicate,
        provider=asked.provider,
        credentials={**credentials(definition, f"sandbox-{asked.case}"), **asked.more},
    )


def verdict_on(workshop: Workshop, verifier: OfflineVerifier, question: Question) -> Verdict:
    return verifier.verify(
        workshop.receipt(question),
        policy=workshop.policy(),
        expectation=Expectation(question=question),
        at=now(),
    )


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_a_built_in_provider_answers_and_the_receipt_is_accepted(
    workshop: Workshop, verifier: OfflineVerifier, asked: Asked
) -> None:
    # ``prove`` refuses a circuit that comes to another answer than plain code: both said this.
    verdict = verdict_on(workshop, verifier, put(workshop, asked))
    assert [finding.code for finding in verdict.reasons] == []
    assert verdict.answer is asked.answer


def test_every_built_in_provider_is_asked(workshop: Workshop) -> None:
    # generic-http takes its definition from the question: see test_custom.
    assert {asked.provider for asked in ASKED} == workshop.ports.providers.keys() - {"generic-http"}


@settings(max_examples=12, deadline=None)
@given(amount=st.integers(0, 9 * 10**13), distance=st.sampled_from([-1, 0, 1]), data=st.data())
def test_any_amount_is_compared_exactly_with_any_threshold(
    workshop: Workshop, verifier: OfflineVerifier, amount: int, distance: int, data: st.DataObject
) -> None:
    # Just below, at, and just above it, by one cent: here a float would already be wrong.
    cents = 100 * amount + distance
    threshold = f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"
    kind = data.draw(st.sampled_from(["gte", "lte"]))
    question = workshop.question(
        predicate={"type": kind, "threshold": threshold},
        provider="yodlee-balance",
        credentials={"access_token": f"sandbox-good.{amount}"},
    )
    answer = verdict_on(workshop, verifier, question).answer
    assert answer is (distance <= 0 if kind == "gte" else distance >= 0)
