"""Both of RFC-0023's forms of a custom question: a generic provider, and one that is brought."""

from typing import Any

import pytest
from tests.fakes.workshop import Workshop
from tests.integration.flow.machinery import now

from adyton.adapters.verifier import OfflineVerifier
from adyton.codec.json import JsonObject
from adyton.crypto.hashing import sha256
from adyton.model.question import Question
from adyton.model.receipt import Receipt
from adyton.model.verdict import Verdict
from adyton.verification.bind import Expectation

AUTHORIZATION = "/provider/headers/Authorization"
BROUGHT: JsonObject = {
    "url": "https://api.example.com/data",
    "method": "GET",
    "headers": {"Authorization": "encrypted:"},
}
EXTRACTION: JsonObject = {"type": "jsonPath", "pattern": "$.data.balance"}


def generic(workshop: Workshop, predicate: JsonObject, **extraction: Any) -> Question:
    return workshop.question(
        "custom",
        predicate,
        provider="generic-http",
        credentials={
            "url": "https://api.example.com/data",
            "method": "GET",
            "headers": '{"Authorization": "Bearer sandbox-good"}',
        },
        extraction={"path": "$.data.balance", "type": "Decimal", **extraction},
    )


def brought(
    workshop: Workshop,
    predicate: JsonObject,
    *,
    token: str = "sandbox-good",
    extraction: JsonObject = EXTRACTION,
    **provider: Any,
) -> Question:
    return workshop.question(
        "custom",
        predicate,
        provider={**BROUGHT, **provider},
        credentials={},
        secrets={AUTHORIZATION: f"Bearer {token}"},
        response_extraction=extraction,
    )


def verdict_on(
    workshop: Workshop, verifier: OfflineVerifier, question: Question, receipt: Receipt
) -> Verdict:
    return verifier.verify(
        receipt,
        policy=workshop.policy(),
        expectation=Expectation(question=question),
        at=now(),
    )


@pytest.mark.parametrize(
    ("predicate", "answer"),
    [
        ({"type": "gte", "threshold": 1000}, True),
        ({"type": "gte", "threshold": "1234.57"}, False),
        ({"type": "range", "min": "1234.56", "max": "1234.56"}, True),
        ({"type": "exists"}, True),
    ],
)
def test_the_generic_provider_answers(
    workshop: Workshop, verifier: OfflineVerifier, predicate: JsonObject, *, answer: bool
) -> None:
    question = generic(workshop, predicate)
    verdict = verdict_on(workshop, verifier, question, workshop.receipt(question))
    assert [finding.code for finding in verdict.reasons] == []
    assert verdict.answer is answer


@pytest.mark.parametrize(
    ("predicate", "extraction", "answer"),
    [
        ({"type": "gte", "threshold": 1000}, EXTRACTION, True),
        ({"type": "lte", "threshold": 1000}, EXTRACTION, False),
        (
            {"type": "eq", "expected": True},
            {"type": "jsonPath", "pattern": "$.data.active"},
            True,
        ),
        (
            {"type": "gte", "threshold": "2020-01-01"},
            {"type": "jsonPath", "pattern": "$.data.since", "data_type": "Date"},
            False,
        ),
        (
            {"type": "membership", "set": ["Alberta", "Ada"]},
            {"type": "jsonPath", "pattern": "$.data.name"},
            True,
        ),
        ({"type": "exists"}, {"type": "jsonPath", "pattern": "$.data.nothing"}, False),
        (
            {"type": "gte", "threshold": 1000},
            {"type": "regex", "pattern": '"balance": ?([0-9.]+)'},
            True,
        ),
    ],
)
def test_a_provider_in_the_question_answers(
    workshop: Workshop,
    verifier: OfflineVerifier,
    predicate: JsonObject,
    extraction: JsonObject,
    *,
    answer: bool,
) -> None:
    question = brought(workshop, predicate, extraction=extraction)
    verdict = verdict_on(workshop, verifier, question, workshop.receipt(question))
    assert [finding.code for finding in verdict.reasons] == []
    assert verdict.answer is answer


def test_a_provider_in_the_question_has_the_digest_of_what_the_question_says(
    workshop: Workshop, verifier: OfflineVerifier
) -> None:
    # A worker that asked something else than the question's provider would have another digest.
    question = brought(workshop, {"type": "gte", "threshold": 1000})
    other = workshop.signed(
        workshop.receipt(question), provider_digest=sha256(b"another definition")
    )
    verdict = verdict_on(workshop, verifier, question, other)
    assert "provider-mismatch" in [finding.code for finding in verdict.reasons]
