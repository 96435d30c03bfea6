import time
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.errors import UnavailableError
from adyton.model.value import FieldType, Value
from adyton.sources.conversion import (
    MAX_NUMBER,
    FieldMissingError,
    FieldWrongTypeError,
    NumberNotExactError,
    NumberTooLargeError,
    convert,
)
from adyton.sources.definition import (
    DataType,
    FieldDefinition,
    PartialDate,
    Rounding,
    Selector,
    SelectorKind,
)

METHOD = Selector(kind=SelectorKind.JSON_PATH, expression="$.x")


def field(
    kind: FieldType, *, scale: int = 0, rounding: Rounding = Rounding.NONE
) -> FieldDefinition:
    data_type = DataType(type=kind, scale=scale, rounding=rounding)
    return FieldDefinition(name="x", method=METHOD, data_type=data_type)


INTEGER = field(FieldType.INTEGER)
CENTS = field(FieldType.DECIMAL, scale=2)
FLOORED = field(FieldType.DECIMAL, scale=2, rounding=Rounding.FLOOR)
STRING = field(FieldType.STRING)
BOOLEAN = field(FieldType.BOOLEAN)
DATE = field(FieldType.DATE)
MONTH_END = replace(DATE, data_type=DataType(type=FieldType.DATE, partial=PartialDate.LAST))
MONTH_START = replace(DATE, data_type=DataType(type=FieldType.DATE, partial=PartialDate.FIRST))


@pytest.mark.parametrize(
    ("raw", "cents"),
    [
        (0, 0),
        (12, 1200),
        (-12, -1200),
        (Decimal("0.1"), 10),
        (Decimal("0.10"), 10),
        (Decimal("0.100000"), 10),
        (Decimal("-250.55"), -25055),
        (Decimal("1E+3"), 100000),
        (Decimal("12e-1"), 120),
        (Decimal("-0.0"), 0),
        (Decimal("0E+400"), 0),
        (10**15, 10**17),
        ("2500.00", 250000),
        ("-250.55", -25055),
        ("+652", 65200),
        ("0783", 78300),
        (Decimal("92233720368547758.07"), MAX_NUMBER),
    ],
)
def test_money_is_exact(raw: object, cents: int) -> None:
    assert convert(raw, field=CENTS) == cents


@pytest.mark.parametrize("raw", [Decimal("0.123"), Decimal("1e-3"), "0.001", Decimal("1e-400")])
def test_money_is_not_rounded(raw: object) -> None:
    with pytest.raises(NumberNotExactError, match="more than 2 decimal places"):
        convert(raw, field=CENTS)


@pytest.mark.parametrize(
    ("raw", "cents"),
    [
        (Decimal("0.30000000000000004"), 30),
        (Decimal("0.29999999999999999"), 29),
        (Decimal("23631.9805"), 2363198),
        (Decimal("-0.001"), -1),
        (Decimal("-23631.9805"), -2363199),
        (Decimal("1e-400"), 0),
        (Decimal("-1e-400"), -1),
    ],
)
def test_money_is_rounded_down_where_the_definition_says_so(raw: object, cents: int) -> None:
    assert convert(raw, field=FLOORED) == cents


@given(
    number=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9),
    scale=st.integers(0, 6),
    negate=st.booleans(),
)
def test_floor_is_the_greatest_number_that_is_not_more(
    number: Decimal, scale: int, *, negate: bool
) -> None:
    rule = replace(field(FieldType.DECIMAL, scale=scale, rounding=Rounding.FLOOR), negate=negate)
    found = convert(number, field=rule)
    assert isinstance(found, int)
    exact = Fraction(number) * 10**scale * (-1 if negate else 1)
    assert found <= exact < found + 1


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2))
def test_two_places_are_always_exact_or_too_large(number: Decimal) -> None:
    if abs(Fraction(number) * 100) <= MAX_NUMBER:
        assert convert(number, field=CENTS) == Fraction(number) * 100
        assert convert(str(number), field=CENTS) == Fraction(number) * 100
    else:
        with pytest.raises(NumberTooLargeError):
            convert(number, field=CENTS)


@pytest.mark.parametrize(
    "raw",
    [
        2**63,
        -(2**63),
        10**399,
        Decimal("1e400"),
        Decimal("-1e400"),
        Decimal("1e999999999"),
        Decimal("92233720368547758.08"),
        "9" * 64,
    ],
)
def test_a_number_beyond_64_bits_is_refused_at_once(raw: object) -> None:
    start = time.process_time()
    with pytest.raises(NumberTooLargeError):
        convert(raw, field=CENTS)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "raw",
    [
        True,
        False,
        "",
        "a lot",
        "1,234.50",
        "$5",
        " 5",
        "5 ",
        "1e3",
        "0x10",
        "NaN",
        "Infinity",
        ".5",
        "5.",
        "--5",
        "\u0661",
        "5\n",
        "9" * 65,
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        [],
        {},
        1.5,
        b"5",
    ],
)
def test_what_is_not_a_number_is_not_taken_for_one(raw: object) -> None:
    with pytest.raises(FieldWrongTypeError, match='other than a number in "x"'):
        convert(raw, field=CENTS)


@pytest.mark.parametrize(("raw", "value"), [(5, 5), (Decimal("5.0"), 5), ("5", 5), ("-0", 0)])
def test_a_whole_number_is_one_however_it_is_written(raw: object, value: int) -> None:
    assert convert(raw, field=INTEGER) == value


def test_a_fraction_is_no_whole_number() -> None:
    with pytest.raises(NumberNotExactError):
        convert(Decimal("5.5"), field=INTEGER)


def test_a_sign_is_changed_where_the_definition_says_so() -> None:
    assert convert(Decimal("12.34"), field=replace(CENTS, negate=True)) == -1234


@pytest.mark.parametrize(("raw", "counts"), [(300, True), (850, True), (299, False), (9002, False)])
def test_a_code_is_not_taken_for_a_score(raw: int, *, counts: bool) -> None:
    score = replace(INTEGER, between=(300, 850))
    if counts:
        assert convert(raw, field=score) == raw
        return
    with pytest.raises(FieldWrongTypeError, match="a whole number"):
        convert(raw, field=score)


@pytest.mark.parametrize("raw", ["", "x", "\u00e4\n"])
def test_text_stays_as_it_is(raw: str) -> None:
    assert convert(raw, field=STRING) == raw


@pytest.mark.parametrize("raw", [1, True, [], {}, "x" * 4097])
def test_what_is_not_text_is_refused(raw: object) -> None:
    with pytest.raises(FieldWrongTypeError, match="text"):
        convert(raw, field=STRING)


@pytest.mark.parametrize(
    ("raw", "value"), [(True, True), (False, False), ("true", True), ("false", False)]
)
def test_a_boolean_is_true_or_false(raw: object, *, value: bool) -> None:
    assert convert(raw, field=BOOLEAN) is value


@pytest.mark.parametrize("raw", [0, 1, "True", "yes", "", "1", []])
def test_nothing_else_is_a_boolean(raw: object) -> None:
    with pytest.raises(FieldWrongTypeError, match="a boolean"):
        convert(raw, field=BOOLEAN)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("2024-02-29", date(2024, 2, 29)),
        ("2024-02-29T23:59:60Z", date(2024, 2, 29)),
        ("2024-02-29T23:59:59.123-05:00", date(2024, 2, 29)),
        ("2024-02-29 23:59:59+14:00", date(2024, 2, 29)),
        ({"year": 2024, "month": 2, "day": 29}, date(2024, 2, 29)),
    ],
)
def test_a_date_is_the_day_as_written(raw: object, value: date) -> None:
    assert convert(raw, field=DATE) == value


@pytest.mark.parametrize(
    "raw",
    [
        "2023-02-29",
        "2024-13-01",
        "0000-01-01",
        "2024-2-9",
        "29.02.2024",
        "02/29/2024",
        "20240229",
        "2024-02-29T",
        "2024-02-29T23:59:59",
        "2024-02",
        " 2024-02-29",
        "",
        20240229,
        True,
        [],
        {},
        {"year": 2024, "month": 2},
        {"year": "2024", "month": 2, "day": 1},
        {"year": True, "month": 2, "day": 1},
        {"month": 2, "day": 1},
        {"year": 10**30, "month": 2, "day": 1},
    ],
)
def test_what_is_not_a_full_date_is_refused(raw: object) -> None:
    with pytest.raises(FieldWrongTypeError, match="a date"):
        convert(raw, field=DATE)


@pytest.mark.parametrize("raw", ["2024-02", {"year": 2024, "month": 2}])
def test_a_month_is_the_day_that_the_definition_says(raw: object) -> None:
    assert convert(raw, field=MONTH_END) == date(2024, 2, 29)
    assert convert(raw, field=MONTH_START) == date(2024, 2, 1)
    assert convert("2024-12", field=MONTH_END) == date(2024, 12, 31)


def test_the_last_month_of_all_has_no_last_day_here() -> None:
    with pytest.raises(FieldWrongTypeError):
        convert("9999-12", field=MONTH_END)


@pytest.mark.parametrize("rule", [CENTS, INTEGER, STRING, BOOLEAN, DATE])
def test_nothing_is_an_error_unless_it_is_optional(rule: FieldDefinition) -> None:
    with pytest.raises(FieldMissingError, match='no value for "x"'):
        convert(None, field=rule)
    assert convert(None, field=replace(rule, optional=True)) is None


@pytest.mark.parametrize(
    ("raw", "value"), [("2.4", "bachelors"), (4, "masters"), (True, "yes"), (None, None)]
)
def test_what_a_provider_writes_is_translated(raw: object, value: Value) -> None:
    values = {"2.4": "bachelors", "4": "masters", "true": "yes"}
    assert convert(raw, field=replace(STRING, values=values, optional=True)) == value


@pytest.mark.parametrize("raw", ["2.5", 5, False, Decimal("2.4"), [], {}])
def test_what_has_no_translation_is_refused(raw: object) -> None:
    with pytest.raises(FieldWrongTypeError, match="a listed value"):
        convert(raw, field=replace(STRING, values={"2.4": "x"}))


def test_a_translation_has_the_type_of_its_field() -> None:
    assert convert("two", field=replace(INTEGER, values={"two": "2"})) == 2
    with pytest.raises(FieldWrongTypeError):
        convert("two", field=replace(INTEGER, values={"two": "zwei"}))


RAW = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.text(max_size=20)
    | st.dates().map(str),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["year", "month", "day"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@given(RAW, st.sampled_from([INTEGER, CENTS, FLOORED, STRING, BOOLEAN, DATE, MONTH_END]))
def test_anything_converts_or_is_unavailable(raw: object, rule: FieldDefinition) -> None:
    try:
        convert(raw, field=rule)
    except UnavailableError as error:
        assert error.code in {  # noqa: PT017
            "field-missing",
            "field-wrong-type",
            "number-not-exact",
            "number-too-large",
        }


@given(st.text(min_size=4, max_size=20))
def test_no_error_repeats_the_data(text: str) -> None:
    marked = f"MARKER{text}"
    for rule in (INTEGER, CENTS, BOOLEAN, DATE):
        with pytest.raises(UnavailableError) as caught:
            convert(marked, field=rule)
        assert "MARKER" not in str(caught.value)
