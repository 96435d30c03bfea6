from datetime import date, timedelta

import pytest
from tests.unit.proofs.tables import (
    BINDING,
    TIME,
    TODAY,
    asked,
    days,
    facts,
    predicate,
    strings,
    table,
)

from adyton.codec.json import Json
from adyton.errors import MalformedError
from adyton.proofs.binding import text_hash
from adyton.proofs.circuit import Facts
from adyton.proofs.columns import ColumnMissingError, TooManyValuesError, ValueMissingError
from adyton.proofs.employment_status import EmploymentParameters
from adyton.proofs.predicates import PredicateMalformedError, PredicateUnknownError

YEAR = EmploymentParameters(minimum_tenure_days=365)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
LONG_AGO = TODAY - timedelta(days=365)


@pytest.mark.parametrize(
    ("question", "tenure"),
    [
        (predicate("currently_employed"), 0),
        (predicate("tenure_gte", value=365), 365),
        (predicate("tenure_gte", value=0), 0),
    ],
)
def test_rfc_0023s_predicates_become_a_tenure(question: dict[str, Json], tenure: int) -> None:
    found = EmploymentParameters.from_predicate(question, facts())

    assert found.values() == {"minimum_tenure_days": tenure}
    assert EmploymentParameters.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (predicate("employed"), PredicateUnknownError),
        (predicate("currently_employed", value=1), PredicateMalformedError),
        (predicate("tenure_gte"), PredicateMalformedError),
        (predicate("tenure_gte", value="365"), PredicateMalformedError),
        (predicate("tenure_gte", value=True), PredicateMalformedError),
        (predicate("tenure_gte", value=-1), PredicateMalformedError),
        (predicate("tenure_gte", value=36_526), PredicateMalformedError),
    ],
)
def test_other_predicates_are_refused(
    question: dict[str, Json], error: type[MalformedError]
) -> None:
    with pytest.raises(error):
        EmploymentParameters.from_predicate(question, facts())


@pytest.mark.parametrize("record", [{}, {"minimum_tenure_days": -1}, {"minimum_tenure_days": "1"}])
def test_other_parameters_are_malformed(record: dict[str, Json]) -> None:
    with pytest.raises(MalformedError):
        EmploymentParameters.from_json(record)


@pytest.mark.parametrize(
    ("positions", "answer"),
    [
        ([(LONG_AGO, None)], True),
        ([(LONG_AGO + timedelta(days=1), None)], False),
        ([(LONG_AGO, TODAY)], True),
        ([(LONG_AGO, TOMORROW)], True),
        ([(LONG_AGO, YESTERDAY)], False),
        ([(TOMORROW, None)], False),
        # Two short positions, or one that ended, do not make a long one.
        ([(LONG_AGO, YESTERDAY), (YESTERDAY, None)], False),
        ([(date(1968, 5, 1), date(1999, 1, 1)), (date(1969, 1, 1), None)], True),
        ([], False),
    ],
)
def test_one_position_that_lasts_answers(
    positions: list[tuple[date, date | None]], *, answer: bool
) -> None:
    extracted = table(
        start=days(*[start for start, _ in positions]), end=days(*[end for _, end in positions])
    )

    assert YEAR.private_inputs(extracted, asked()).evaluate(BINDING) is answer


def test_the_proof_commits_to_the_employer() -> None:
    extracted = table(start=days(LONG_AGO), end=days(None), employer=strings("Initech"))
    values = YEAR.private_inputs(extracted, asked()).values()

    assert values["count"] == 1
    assert isinstance(values["positions"], list)
    assert values["positions"][0]["employer"] == text_hash("Initech")
    assert len(values["positions"]) == 16
    assert values["positions"][1] == {"start_day": 0, "has_end": False, "end_day": 0, "employer": 0}


def test_data_that_do_not_fit_give_no_answer() -> None:
    with pytest.raises(ValueMissingError):
        YEAR.private_inputs(table(start=days(None), end=days(None)), asked())
    with pytest.raises(ColumnMissingError):
        YEAR.private_inputs(table(start=days(LONG_AGO)), asked())
    with pytest.raises(TooManyValuesError):
        YEAR.private_inputs(table(start=days(*[LONG_AGO] * 17), end=days(*[None] * 17)), asked())


def test_nothing_but_the_time_is_a_fact_of_positions() -> None:
    extracted = table(start=days(LONG_AGO), end=days(None))

    assert EmploymentParameters.facts(extracted, asked()) == Facts(scale=0, time=TIME)
