from datetime import date, timedelta

import pytest
from tests.unit.proofs.tables import BINDING, TODAY, asked, days, facts, predicate, strings, table

from adyton.codec.json import Json
from adyton.errors import MalformedError
from adyton.proofs.binding import text_hash
from adyton.proofs.columns import ColumnMissingError, TooManyValuesError
from adyton.proofs.credential_validity import CredentialParameters, LevelUnknownError
from adyton.proofs.predicates import PredicateMalformedError, PredicateUnknownError

MASTERS = CredentialParameters(minimum_level=3)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("question", "level"),
    [
        (predicate("has_degree"), 0),
        (predicate("has_degree", degreeLevel="associate"), 1),
        (predicate("has_degree", degreeLevel="bachelors"), 2),
        (predicate("has_degree", degree_level="masters"), 3),
        (predicate("has_degree", degree_level="doctorate"), 4),
        (predicate("is_valid"), 0),
    ],
)
def test_rfc_0023s_predicates_become_a_level(question: dict[str, Json], level: int) -> None:
    found = CredentialParameters.from_predicate(question, facts())

    assert found.values() == {"minimum_level": level}
    assert CredentialParameters.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (predicate("has_license"), PredicateUnknownError),
        (predicate("is_valid", degreeLevel="masters"), PredicateMalformedError),
        (predicate("has_degree", degreeLevel="phd"), PredicateMalformedError),
        (predicate("has_degree", degreeLevel=3), PredicateMalformedError),
        (predicate("has_degree", level="masters"), PredicateMalformedError),
        (
            predicate("has_degree", degreeLevel="masters", degree_level="associate"),
            PredicateMalformedError,
        ),
    ],
)
def test_other_predicates_are_refused(
    question: dict[str, Json], error: type[MalformedError]
) -> None:
    with pytest.raises(error):
        CredentialParameters.from_predicate(question, facts())


@pytest.mark.parametrize("record", [{}, {"minimum_level": 5}, {"minimum_level": "1"}])
def test_other_parameters_are_malformed(record: dict[str, Json]) -> None:
    with pytest.raises(MalformedError):
        CredentialParameters.from_json(record)


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        ([("masters", TODAY, None)], True),
        ([(" Doctorate", date(1961, 6, 1), None)], True),
        ([("bachelors", YESTERDAY, None)], False),
        ([("masters", TOMORROW, None)], False),
        ([("masters", None, None)], False),
        ([("masters", YESTERDAY, TODAY)], True),
        ([("masters", YESTERDAY, YESTERDAY)], False),
        # A level from one credential and a date from another do not make one.
        ([("bachelors", YESTERDAY, None), ("masters", None, None)], False),
        ([(None, YESTERDAY, None), ("masters", YESTERDAY, None)], True),
        ([], False),
    ],
)
def test_one_credential_in_force_answers(
    rows: list[tuple[str | None, date | None, date | None]], *, answer: bool
) -> None:
    extracted = table(
        level=strings(*[level for level, _, _ in rows]),
        issued=days(*[issued for _, issued, _ in rows]),
        expires=days(*[expires for _, _, expires in rows]),
    )

    assert MASTERS.private_inputs(extracted, asked()).evaluate(BINDING) is answer


def test_a_licence_has_no_level_and_is_valid() -> None:
    licence = table(issued=days(YESTERDAY), expires=days(TOMORROW), holder=strings("Ada"))
    private = CredentialParameters(minimum_level=0).private_inputs(licence, asked())

    assert private.evaluate(BINDING)
    values = private.values()
    assert isinstance(values["credentials"], list)
    assert values["credentials"][0]["subject"] == text_hash("Ada")
    assert not MASTERS.private_inputs(licence, asked()).evaluate(BINDING)


def test_data_that_do_not_fit_give_no_answer() -> None:
    with pytest.raises(LevelUnknownError) as caught:
        MASTERS.private_inputs(table(level=strings("magister"), issued=days(TODAY)), asked())
    assert "magister" not in str(caught.value)
    with pytest.raises(ColumnMissingError):
        MASTERS.private_inputs(table(level=strings("masters")), asked())
    with pytest.raises(TooManyValuesError):
        MASTERS.private_inputs(table(issued=days(*[TODAY] * 9)), asked())
