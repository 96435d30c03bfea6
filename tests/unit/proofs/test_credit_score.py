import pytest
from tests.unit.proofs.tables import BINDING, asked, decimals, facts, integers, predicate, table

from adyton.codec.json import Json
from adyton.errors import MalformedError, RejectedError
from adyton.model.value import Column
from adyton.proofs.columns import (
    ColumnMissingError,
    ColumnTypeError,
    NumberOutOfRangeError,
    TooManyValuesError,
    ValueMissingError,
)
from adyton.proofs.credit_score import CreditParameters
from adyton.proofs.predicates import (
    Bounds,
    PredicateMalformedError,
    PredicateUnknownError,
    ThresholdOutOfRangeError,
    ThresholdTooFineError,
)

AT_LEAST_700 = CreditParameters(bounds=Bounds(lower=700, upper=65_535))


@pytest.mark.parametrize("prefix", ["", "score_"])
def test_rfc_0023s_predicates_become_bounds(prefix: str) -> None:
    def bounds(type_: str, **keys: Json) -> Bounds:
        found = CreditParameters.from_predicate(predicate(f"{prefix}{type_}", **keys), facts())
        assert CreditParameters.from_json(found.to_json()) == found
        return found.bounds

    assert bounds("gte", threshold=700) == AT_LEAST_700.bounds
    assert bounds("lte", threshold="700") == Bounds(lower=0, upper=700)
    assert bounds("range", min=300, max=850) == Bounds(lower=300, upper=850)


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (predicate("annual_gte", threshold=1), PredicateUnknownError),
        (predicate("score_gte", threshold=1, currency="USD"), PredicateMalformedError),
        (predicate("score_gte", threshold=-1), ThresholdOutOfRangeError),
        (predicate("score_gte", threshold=65_536), ThresholdOutOfRangeError),
        (predicate("score_gte", threshold="700.5"), ThresholdTooFineError),
    ],
)
def test_other_predicates_are_refused(
    question: dict[str, Json], error: type[MalformedError]
) -> None:
    with pytest.raises(error):
        CreditParameters.from_predicate(question, facts())


@pytest.mark.parametrize("record", [{}, {"lower": "0"}, {"lower": "-1", "upper": "1"}])
def test_other_parameters_are_malformed(record: dict[str, Json]) -> None:
    with pytest.raises(MalformedError):
        CreditParameters.from_json(record)


@pytest.mark.parametrize(("score", "answer"), [(700, True), (699, False), (65_535, True)])
def test_the_score_answers(score: int, *, answer: bool) -> None:
    private = AT_LEAST_700.private_inputs(table(score=integers(score)), asked())

    assert private.evaluate(BINDING) is answer
    assert private.values() == {"score": score}


@pytest.mark.parametrize(
    ("column", "error"),
    [
        (integers(), ValueMissingError),
        (integers(None), ValueMissingError),
        (integers(700, 710), TooManyValuesError),
        (integers(-1), NumberOutOfRangeError),
        (integers(65_536), NumberOutOfRangeError),
        (decimals(70_050), ColumnTypeError),
    ],
)
def test_data_that_do_not_fit_give_no_answer(column: Column, error: type[RejectedError]) -> None:
    with pytest.raises(error):
        AT_LEAST_700.private_inputs(table(score=column), asked())


def test_without_a_score_there_is_no_answer() -> None:
    with pytest.raises(ColumnMissingError):
        AT_LEAST_700.private_inputs(table(rating=integers(700)), asked())
