from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.proofs.tables import predicate

from adyton.codec.json import Json
from adyton.errors import MalformedError
from adyton.proofs.columns import I64
from adyton.proofs.predicates import (
    Bounds,
    PredicateMalformedError,
    PredicateUnknownError,
    ThresholdOutOfRangeError,
    ThresholdTooFineError,
    predicate_type,
    read_bounds,
    read_currency,
    read_integer,
    scaled,
)

CENTS = scaled(scale=2, limits=I64)


@pytest.mark.parametrize(
    ("value", "cents"),
    [
        (10_000, 1_000_000),
        (-1, -100),
        (0, 0),
        ("10000", 1_000_000),
        ("0.30", 30),
        ("0.3", 30),
        ("-0.01", -1),
        ("-0", 0),
        ("12.3400", 1234),
        ("92233720368547758.07", 2**63 - 1),
        ("-92233720368547758.08", -(2**63)),
    ],
)
def test_a_threshold_is_in_major_units_and_exact(value: Json, cents: int) -> None:
    assert CENTS(value, "x") == cents


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (Decimal("0.30"), PredicateMalformedError),
        (Decimal(1), PredicateMalformedError),
        (True, PredicateMalformedError),
        (None, PredicateMalformedError),
        ([1], PredicateMalformedError),
        ("", PredicateMalformedError),
        ("1e3", PredicateMalformedError),
        (" 1", PredicateMalformedError),
        ("1\n", PredicateMalformedError),
        ("01", PredicateMalformedError),
        (".5", PredicateMalformedError),
        ("5.", PredicateMalformedError),
        ("+5", PredicateMalformedError),
        ("\N{ARABIC-INDIC DIGIT ONE}", PredicateMalformedError),
        ("NaN", PredicateMalformedError),
        ("9" * 32, PredicateMalformedError),
        ("0.001", ThresholdTooFineError),
        ("0." + "0" * 29 + "1", ThresholdTooFineError),
        ("92233720368547758.08", ThresholdOutOfRangeError),
        (10**17, ThresholdOutOfRangeError),
        (-(10**17), ThresholdOutOfRangeError),
    ],
)
def test_any_other_threshold_is_refused(value: Json, error: type[MalformedError]) -> None:
    with pytest.raises(error):
        CENTS(value, "x")


@given(st.integers(I64.low, I64.high), st.integers(0, 18))
def test_every_number_of_a_source_can_be_asked_about(units: int, scale: int) -> None:
    whole, fraction = divmod(abs(units), 10**scale)
    text = f"{whole}.{fraction:0{scale}}" if scale else f"{whole}"

    read = scaled(scale=scale, limits=I64)
    assert read(f"-{text}" if units < 0 else text, "x") == units


@pytest.mark.parametrize(
    ("comparison", "keys", "bounds"),
    [
        ("gte", {"threshold": 1}, Bounds(lower=100, upper=2**63 - 1)),
        ("lte", {"threshold": 1}, Bounds(lower=-(2**63), upper=100)),
        ("range", {"min": 1, "max": "1.5"}, Bounds(lower=100, upper=150)),
        ("range", {"min": 1, "max": 1}, Bounds(lower=100, upper=100)),
    ],
)
def test_a_comparison_becomes_bounds(
    comparison: str, keys: dict[str, Json], bounds: Bounds
) -> None:
    found = read_bounds(
        predicate(comparison, **keys), comparison=comparison, limits=I64, read=CENTS
    )

    assert found == bounds
    assert Bounds.from_json(found.to_json(), I64) == found
    assert bounds.lower in found
    assert bounds.upper in found


@pytest.mark.parametrize(
    ("comparison", "keys"),
    [
        ("gte", {}),
        ("gte", {"min": 1}),
        ("gte", {"threshold": 1, "max": 2}),
        ("gte", {"threshold": 1, "unit": "USD"}),
        ("range", {"min": 1}),
        ("range", {"threshold": 1}),
        ("range", {"min": 1, "max": 2, "threshold": 1}),
        ("range", {"min": "1.01", "max": 1}),
    ],
)
def test_a_predicate_with_other_keys_is_malformed(comparison: str, keys: dict[str, Json]) -> None:
    with pytest.raises(PredicateMalformedError):
        read_bounds(predicate(comparison, **keys), comparison=comparison, limits=I64, read=CENTS)


def test_an_unknown_type_is_told_what_is_known() -> None:
    with pytest.raises(PredicateUnknownError, match="'gt'; this question knows gte, lte"):
        predicate_type({"type": "gt"}, frozenset({"lte", "gte"}))


@pytest.mark.parametrize("found", [{}, {"type": 1}, {"type": None}])
def test_a_type_that_is_no_text_is_malformed(found: dict[str, Json]) -> None:
    with pytest.raises(PredicateMalformedError):
        predicate_type(found, frozenset({"gte"}))


def test_the_currency_is_us_dollars_unless_it_is_said() -> None:
    assert read_currency({}) == "USD"
    assert read_currency({"currency": "EUR"}) == "EUR"


@pytest.mark.parametrize("currency", ["usd", "US", "USDT", "U D", "ÄÖÜ", "EUR\n", 840, None])
def test_a_currency_is_three_capital_letters(currency: Json) -> None:
    with pytest.raises(PredicateMalformedError):
        read_currency({"currency": currency})


@pytest.mark.parametrize("text", ["01", "-0", "+1", "1.0", "", "9223372036854775808", 1, None])
def test_an_integer_of_a_statement_has_one_form(text: Json) -> None:
    with pytest.raises(MalformedError):
        read_integer(text, "x", I64)
