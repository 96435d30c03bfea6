import json
from typing import Any

import pytest
from tests.fakes.workshop import FakeSource, Workshop, circuits, counting, providers

from adyton.codec.json import Json, JsonObject
from adyton.errors import AdytonError, MalformedError
from adyton.flow.evaluate import evaluate
from adyton.flow.extract import extract
from adyton.flow.fetch import fetch
from adyton.flow.open import open_sealed
from adyton.flow.stages import Evaluated, Gathered
from adyton.model.question import Question
from adyton.proofs.binding import Binding
from adyton.proofs.columns import TooManyValuesError
from adyton.proofs.predicates import (
    PredicateMalformedError,
    PredicateUnknownError,
    ThresholdOutOfRangeError,
    ThresholdTooFineError,
)
from adyton.sources.conversion import FieldWrongTypeError
from adyton.sources.extraction import SourceMalformedError


def gathered(workshop: Workshop, question: Question, body: bytes) -> Gathered:
    opened = open_sealed(
        question, opener=workshop.opening, providers=providers(), now=workshop.ports.clock()
    )
    return extract(fetch(opened, http=FakeSource(body=body), randomness=counting()))


def accounts(*balances: Any, currency: str = "USD") -> bytes:
    found = [
        {"type": "depository", "balances": {"current": one, "iso_currency_code": currency}}
        for one in balances
    ]
    return json.dumps({"accounts": found, "item": {"institution_id": "ins_109508"}}).encode()


def evaluated(
    workshop: Workshop,
    predicate: JsonObject,
    body: bytes,
    **extra: Any,
) -> Evaluated:
    question = workshop.question(predicate=predicate, **extra)
    return evaluate(gathered(workshop, question, body), circuits=circuits())


@pytest.mark.parametrize(
    ("predicate", "body", "answer"),
    [
        ({"type": "gte", "threshold": 100}, accounts(99.99, 100.0), True),
        ({"type": "gte", "threshold": "100.01"}, accounts(99.99, 100.0), False),
        ({"type": "lte", "threshold": 0}, accounts(-0.01), True),
        ({"type": "range", "min": 1, "max": 2}, accounts(0.99, 2.01), False),
        ({"type": "range", "min": 1, "max": 2}, accounts(2), True),
        ({"type": "gte", "threshold": 1}, accounts(), False),
        ({"type": "gte", "threshold": 1}, accounts(5, currency="EUR"), False),
        ({"type": "gte", "threshold": 1, "currency": "EUR"}, accounts(5, currency="EUR"), True),
        ({"type": "gte", "threshold": "0.30"}, accounts(0.1 + 0.2), True),
        ({"type": "gte", "threshold": "0.31"}, accounts(0.1 + 0.2), False),
        ({"type": "gte", "threshold": 10**13}, accounts(10**15), True),
    ],
)
def test_the_answer_is_that_of_plain_code(
    workshop: Workshop, predicate: JsonObject, body: bytes, *, answer: bool
) -> None:
    assert evaluated(workshop, predicate, body).answer is answer


def test_step_1_the_parameters_are_what_a_verifier_comes_to(workshop: Workshop) -> None:
    found = evaluated(workshop, {"type": "gte", "threshold": 100}, accounts(500))
    assert found.parameters.to_json() == {
        "currency": "USD",
        "lower": "10000",
        "upper": "9223372036854775807",
    }
    assert found.facts.scale == 2


def test_step_1_the_binding_is_of_this_question(workshop: Workshop) -> None:
    found = evaluated(
        workshop, {"type": "gte", "threshold": 1}, accounts(5), nonce="n", audience="a lender"
    )
    opened = found.gathered.fetched.opened
    assert found.binding == Binding.of(
        nonce="n",
        audience="a lender",
        source=found.gathered.extracted.source,
        provider_digest=providers()["plaid-balance"].digest(),
        time=int(opened.time.timestamp()),
    )
    assert found.gathered.extracted.source.institution == "ins_109508"


@pytest.mark.parametrize(
    ("predicate", "reason"),
    [
        ({"type": "roughly", "threshold": 1}, PredicateUnknownError),
        ({"type": "gte"}, PredicateMalformedError),
        ({"type": "gte", "threshold": True}, PredicateMalformedError),
        ({"type": "gte", "threshold": "1e3"}, PredicateMalformedError),
        ({"type": "gte", "threshold": "0.001"}, ThresholdTooFineError),
        ({"type": "gte", "threshold": "1" * 25}, ThresholdOutOfRangeError),
    ],
)
def test_step_1_a_predicate_that_the_circuit_does_not_take_is_refused(
    workshop: Workshop, predicate: JsonObject, reason: type[AdytonError]
) -> None:
    with pytest.raises(reason):
        evaluated(workshop, predicate, accounts(5))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (accounts(*range(17)), TooManyValuesError),
        (accounts("a lot"), FieldWrongTypeError),
        (b"<html>", SourceMalformedError),
    ],
)
def test_step_2_data_that_do_not_fit_are_no_answer(
    workshop: Workshop, body: bytes, reason: type[AdytonError]
) -> None:
    with pytest.raises(reason):
        evaluated(workshop, {"type": "gte", "threshold": 1}, body)


@pytest.mark.parametrize("value", [1.5, {"a": 1}, [1]])
def test_a_threshold_of_another_type_is_malformed(workshop: Workshop, value: Json) -> None:
    with pytest.raises(MalformedError):
        evaluated(workshop, {"type": "gte", "threshold": value}, accounts(5))


def test_what_was_evaluated_is_not_in_its_text(workshop: Workshop) -> None:
    found = evaluated(workshop, {"type": "gte", "threshold": 100}, accounts(777123.45))
    assert "777123" not in repr(found)
    assert "77712345" not in repr(found)
