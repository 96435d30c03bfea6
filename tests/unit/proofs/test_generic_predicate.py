from datetime import date
from decimal import Decimal

import pytest
from tests.unit.proofs.tables import (
    BINDING,
    asked,
    booleans,
    days,
    decimals,
    facts,
    integers,
    predicate,
    strings,
    table,
)

from adyton.codec.json import Json, JsonObject
from adyton.crypto.hashing import FIELD_MODULUS
from adyton.errors import MalformedError
from adyton.model.value import Column, Extracted, FieldType
from adyton.proofs.binding import text_hash
from adyton.proofs.columns import (
    ColumnMissingError,
    ColumnTypeError,
    NumberOutOfRangeError,
    TooManyValuesError,
)
from adyton.proofs.generic_predicate import GenericParameters
from adyton.proofs.predicates import (
    PredicateMalformedError,
    PredicateUnknownError,
    ThresholdOutOfRangeError,
    ThresholdTooFineError,
)


def parameters(extracted: Extracted, question: JsonObject) -> GenericParameters:
    found = GenericParameters.facts(extracted, asked(question))
    return GenericParameters.from_predicate(question, found)


def answer(column: Column, question: JsonObject) -> bool:
    extracted = table(value=column)
    found = parameters(extracted, question)
    assert GenericParameters.from_json(found.to_json()) == found
    return found.private_inputs(extracted, asked(question)).evaluate(BINDING)


NEW_YEAR = date(2026, 1, 1)


@pytest.mark.parametrize(
    ("column", "question", "expected"),
    [
        (integers(5), predicate("gte", threshold=5), True),
        (integers(4), predicate("gte", threshold=5), False),
        (integers(-5), predicate("lte", threshold="-5"), True),
        (integers(5), predicate("range", min=1, max=5), True),
        (integers(5), predicate("eq", expected=5), True),
        (integers(5), predicate("eq", expected=6), False),
        (integers(0), predicate("membership", set=[1, 2]), False),
        (integers(0), predicate("membership", set=[0, 2]), True),
        (integers(-1), predicate("membership", set=["-1"]), True),
        (decimals(30), predicate("eq", expected="0.3"), True),
        (decimals(30), predicate("gte", threshold="0.31"), False),
        (decimals(30), predicate("membership", set=["0.30", 1]), True),
        (days(NEW_YEAR), predicate("gte", threshold="2026-01-01"), True),
        (days(NEW_YEAR), predicate("lte", threshold="1969-12-31"), False),
        (days(NEW_YEAR), predicate("range", min="2025-01-01", max="2026-12-31"), True),
        (days(NEW_YEAR), predicate("eq", expected="2026-01-01"), True),
        (days(NEW_YEAR), predicate("membership", set=["2025-01-01"]), False),
        (strings("active"), predicate("eq", expected="active"), True),
        (strings("Active"), predicate("eq", expected="active"), False),
        (strings(""), predicate("eq", expected=""), True),
        (strings("b"), predicate("membership", set=["a", "b"]), True),
        (booleans(True), predicate("eq", expected=True), True),
        (booleans(True), predicate("eq", expected=False), False),
        (booleans(False), predicate("eq", expected=False), True),
        (integers(0), predicate("exists"), True),
        (booleans(False), predicate("exists"), True),
        (strings(None), predicate("exists"), False),
        (strings(), predicate("exists"), False),
        (days(None), predicate("exists"), False),
        (booleans(None), predicate("exists"), False),
        # Nothing is neither zero, nor false, nor the empty text.
        (integers(None), predicate("eq", expected=0), False),
        (booleans(None), predicate("eq", expected=False), False),
        (strings(None), predicate("eq", expected=""), False),
    ],
)
def test_each_kind_of_value_is_compared_in_its_own_way(
    column: Column, question: JsonObject, *, expected: bool
) -> None:
    assert answer(column, question) is expected


@pytest.mark.parametrize(
    ("column", "question", "error"),
    [
        (integers(1), predicate("gt", threshold=1), PredicateUnknownError),
        (integers(1), predicate("gte", expected=1), PredicateMalformedError),
        (integers(1), predicate("gte", threshold=1, field=1), PredicateMalformedError),
        (integers(1), predicate("eq", expected=1, unit="kg"), PredicateMalformedError),
        (integers(1), predicate("exists", expected=1), PredicateMalformedError),
        (integers(1), predicate("eq", expected="0.5"), ThresholdTooFineError),
        (integers(1), predicate("eq", expected=2**63), ThresholdOutOfRangeError),
        (integers(1), predicate("eq", expected=Decimal("0.5")), PredicateMalformedError),
        (integers(1), predicate("eq", expected=True), PredicateMalformedError),
        (strings("a"), predicate("gte", threshold="a"), PredicateMalformedError),
        (strings("a"), predicate("eq", expected=1), PredicateMalformedError),
        (strings("a"), predicate("eq", expected="x" * 257), PredicateMalformedError),
        (booleans(True), predicate("range", min=False, max=True), PredicateMalformedError),
        (booleans(True), predicate("eq", expected=1), PredicateMalformedError),
        (booleans(True), predicate("membership", set=[True]), PredicateMalformedError),
        (days(NEW_YEAR), predicate("gte", threshold=20_000), PredicateMalformedError),
        (days(NEW_YEAR), predicate("gte", threshold="2026-1-1"), PredicateMalformedError),
        (days(NEW_YEAR), predicate("gte", threshold="20260101"), PredicateMalformedError),
        (days(NEW_YEAR), predicate("gte", threshold="2026-02-30"), PredicateMalformedError),
        (integers(1), predicate("membership", set=[]), PredicateMalformedError),
        (integers(1), predicate("membership", set=1), PredicateMalformedError),
        (integers(1), predicate("membership", set=[1, "1"]), PredicateMalformedError),
        (integers(1), predicate("membership", set=list(range(17))), PredicateMalformedError),
    ],
)
def test_other_predicates_are_refused(
    column: Column, question: JsonObject, error: type[MalformedError]
) -> None:
    extracted = table(value=column)
    question_facts = facts(scale=column.scale, type_=column.type)

    with pytest.raises(error):
        GenericParameters.from_predicate(question, question_facts)
    with pytest.raises(error):
        parameters(extracted, question)


def test_parameters_without_a_type_are_our_own_mistake() -> None:
    with pytest.raises(ValueError):
        GenericParameters.from_predicate(predicate("exists"), facts())


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "money"},
        {"mode": "near"},
        {"lower": 1},
        {"set": ["x"]},
        {"set": [1]},
        {"set": ["1"] * 17},
        {"more": 1},
    ],
)
def test_other_parameters_are_malformed(broken: dict[str, Json]) -> None:
    good = parameters(table(value=integers(1)), predicate("membership", set=[1])).to_json()

    with pytest.raises(MalformedError):
        GenericParameters.from_json({**good, **broken})


def test_the_field_is_the_one_named_or_the_only_one_or_value() -> None:
    two = table(value=integers(1), other=integers(2))
    question = predicate("eq", expected=2, field="other")

    found = parameters(two, question).private_inputs(two, asked(question))
    assert found.evaluate(BINDING)
    assert (
        not parameters(two, predicate("eq", expected=2))
        .private_inputs(two, asked(predicate("eq", expected=2)))
        .evaluate(BINDING)
    )
    only = table(status=strings("active"))
    assert parameters(only, predicate("eq", expected="active")).type is FieldType.STRING
    with pytest.raises(ColumnMissingError):
        parameters(two, predicate("exists", field="third"))
    with pytest.raises(ColumnMissingError):
        parameters(table(a=integers(1), b=integers(2)), predicate("exists"))


def test_a_set_is_filled_up_with_its_last_element() -> None:
    numbers = parameters(table(value=integers(1)), predicate("membership", set=[7, -1])).values()
    texts = parameters(table(value=strings("a")), predicate("eq", expected="a")).values()

    assert numbers["set"] == [7, *[FIELD_MODULUS - 1] * 15]
    assert texts["set"] == [text_hash("a")] * 16
    nothing = parameters(table(value=integers(1)), predicate("exists")).values()
    assert nothing["set"] == [0] * 16


@pytest.mark.parametrize(
    ("column", "number", "text"),
    [(integers(-3), -3, 0), (booleans(True), 1, 0), (strings("a"), 0, text_hash("a"))],
)
def test_a_value_stands_in_its_own_place(column: Column, number: int, text: int) -> None:
    question = predicate("exists")
    extracted = table(value=column)
    private = parameters(extracted, question).private_inputs(extracted, asked(question))

    assert private.values() == {"present": True, "number": number, "text": text}


@pytest.mark.parametrize(
    ("column", "error"),
    [
        (integers(1, 2), TooManyValuesError),
        (integers(2**63), NumberOutOfRangeError),
        (Column(type=FieldType.BOOLEAN, scale=0, values=(1,)), ColumnTypeError),
    ],
)
def test_data_that_do_not_fit_give_no_answer(column: Column, error: type[Exception]) -> None:
    question = predicate("exists")
    extracted = table(value=column)

    with pytest.raises(error):
        parameters(extracted, question).private_inputs(extracted, asked(question))
