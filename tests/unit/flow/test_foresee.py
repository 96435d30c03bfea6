from typing import Any

import pytest
from tests.fakes.workshop import FakeBudget, FakeProver, FakeSource, Workshop, circuits, providers

from adyton.codec.json import JsonObject
from adyton.errors import MalformedError, RejectedError, UnavailableError
from adyton.flow.foresee import foresee
from adyton.flow.open import open_sealed
from adyton.flow.stages import Opened
from adyton.model.question import Question

GTE: JsonObject = {"type": "gte", "threshold": 100}


def opened(workshop: Workshop, question: Question) -> Opened:
    return open_sealed(
        question, opener=workshop.opening, providers=providers(), now=workshop.ports.clock()
    )


def foreseen(workshop: Workshop, question: Question, budget: FakeBudget | None = None) -> Opened:
    return foresee(
        opened(workshop, question),
        circuits=circuits(),
        prover=FakeProver(),
        budget=budget or FakeBudget(),
    )


def custom(
    workshop: Workshop, path: str = "$.a", *, url: str = "https://api.example.com/"
) -> Question:
    return workshop.question(
        "custom",
        {"type": "gte", "threshold": 1},
        provider="generic-http",
        credentials={
            "url": url,
            "method": "GET",
            "headers": '{"Authorization": "Bearer t"}',
        },
        extraction={"path": path, "type": "Integer"},
    )


def test_a_good_question_goes_on_as_it_is(workshop: Workshop) -> None:
    question = workshop.question(predicate=GTE)
    assert foreseen(workshop, question) == opened(workshop, question)


@pytest.mark.parametrize(
    "predicate",
    [
        {"type": "sideways", "threshold": 1},
        {"type": "gte"},
        {"type": "gte", "threshold": "0.001"},
        {"type": "range", "min": 2, "max": 1},
    ],
)
def test_step_1_a_predicate_that_the_circuit_does_not_take_costs_nothing(
    workshop: Workshop, predicate: JsonObject
) -> None:
    budget = FakeBudget()
    with pytest.raises(MalformedError):
        foreseen(workshop, workshop.question(predicate=predicate), budget)
    assert budget.spent == []


def test_step_1_nothing_is_asked_that_could_not_be_proven(workshop: Workshop) -> None:
    source, prover = FakeSource(), FakeProver(refusal=UnavailableError("no points"))
    with pytest.raises(UnavailableError, match="no points"):
        workshop.derive(workshop.question(), http=source, prover=prover)
    assert source.asked == []


def test_step_2_an_exhausted_budget_is_no_answer_and_no_request(workshop: Workshop) -> None:
    budget = FakeBudget(refusal=RejectedError("no more"))
    with pytest.raises(RejectedError, match="no more"):
        foreseen(workshop, workshop.question(predicate=GTE), budget)


def test_step_2_the_same_question_again_is_the_same_question(workshop: Workshop) -> None:
    budget = FakeBudget()
    asked: list[dict[str, Any]] = [{}, {"nonce": "m"}, {"audience": "b"}]
    for one in asked:
        foreseen(workshop, workshop.question(predicate=GTE, **one), budget)
    assert len(set(budget.spent)) == 1


@pytest.mark.parametrize(
    "predicate",
    [
        {"type": "gte", "threshold": 101},
        {"type": "lte", "threshold": 100},
        {"type": "gte", "threshold": 100, "currency": "EUR"},
    ],
)
def test_step_2_another_predicate_is_another_question(
    workshop: Workshop, predicate: JsonObject
) -> None:
    budget = FakeBudget()
    foreseen(workshop, workshop.question(predicate=GTE), budget)
    foreseen(workshop, workshop.question(predicate=predicate), budget)
    assert len({question for _, question in budget.spent}) == 2
    assert len({subject for subject, _ in budget.spent}) == 1


def test_step_2_another_path_in_the_same_answer_is_another_question(workshop: Workshop) -> None:
    # Else a generic provider would be asked about every field for the price of one; and it is
    # spent before there are data, because an error about data says something about them, too.
    budget = FakeBudget()
    for path in ("$.a", "$.b"):
        foreseen(workshop, custom(workshop, path), budget)
    assert len({question for _, question in budget.spent}) == 2


def test_step_2_another_request_with_the_same_secrets_is_another_question(
    workshop: Workshop,
) -> None:
    # Else a search in the url (or a tax year, in a built-in definition) would be asked for free.
    budget = FakeBudget()
    for url in ("https://api.example.com/?over=1", "https://api.example.com/?over=2"):
        foreseen(workshop, custom(workshop, url=url), budget)
    assert len({question for _, question in budget.spent}) == 2
    assert len({subject for subject, _ in budget.spent}) == 1


def test_step_2_a_question_without_secrets_costs_nothing(workshop: Workshop) -> None:
    budget = FakeBudget()
    question = workshop.question(
        "custom",
        {"type": "gte", "threshold": 1},
        provider={"url": "https://api.example.com/", "method": "GET"},
        credentials={},
        response_extraction={"type": "jsonPath", "pattern": "$.a"},
    )
    foreseen(workshop, question, budget)
    assert budget.spent == []
