"""Options make a predicate in RFC-0023's shape, or an error that says which options."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.cli.predicates import OptionMalformedError, PredicateOptions, read_predicate
from adyton.codec.json import JsonObject
from adyton.errors import MalformedError
from adyton.model.question import Endpoint

NOTHING = PredicateOptions(
    gte=None, lte=None, minimum=None, maximum=None, predicate=None, currency=None
)


@pytest.mark.parametrize(
    ("endpoint", "options", "expected"),
    [
        ("balance", {"gte": "10000"}, {"type": "gte", "threshold": 10000}),
        ("balance", {"lte": "0.30"}, {"type": "lte", "threshold": "0.30"}),
        ("balance", {"gte": "-5"}, {"type": "gte", "threshold": -5}),
        ("balance", {"minimum": "1", "maximum": "2"}, {"type": "range", "min": 1, "max": 2}),
        (
            "balance",
            {"gte": "1", "currency": "EUR"},
            {"type": "gte", "threshold": 1, "currency": "EUR"},
        ),
        ("income", {"gte": "50000"}, {"type": "annual_gte", "threshold": 50000}),
        ("credit", {"lte": "700"}, {"type": "score_lte", "threshold": 700}),
        ("employment", {"gte": "365"}, {"type": "tenure_gte", "value": 365}),
        ("employment", {}, {"type": "currently_employed"}),
        ("education", {}, {"type": "has_degree"}),
        ("custom", {"predicate": '{"type": "exists"}'}, {"type": "exists"}),
        ("balance", {"gte": str(2**60)}, {"type": "gte", "threshold": str(2**60)}),
    ],
)
def test_options_make_a_predicate(
    endpoint: str, options: dict[str, str], expected: JsonObject
) -> None:
    assert read_predicate(Endpoint(endpoint), replace(NOTHING, **options)) == expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "what is asked"),
        ({"gte": "1", "lte": "2"}, "--gte and --lte"),
        ({"gte": "1", "predicate": "{}"}, "--gte and --predicate"),
        ({"minimum": "1"}, "come together"),
        ({"maximum": "1"}, "come together"),
        ({"gte": "ten"}, "--gte is not a number"),
        ({"gte": "1e3"}, "--gte is not a number"),
        ({"gte": "٣"}, "--gte is not a number"),
    ],
)
def test_options_that_make_none_are_named(options: dict[str, str], words: str) -> None:
    with pytest.raises(OptionMalformedError, match=words):
        read_predicate(Endpoint.BALANCE, replace(NOTHING, **options))


@given(st.text())
def test_any_predicate_is_an_object_or_malformed(text: str) -> None:
    try:
        found = read_predicate(Endpoint.CUSTOM, replace(NOTHING, predicate=text))
    except MalformedError:
        return
    assert isinstance(found, dict)


@given(st.integers(-(10**30), 10**30))
def test_no_integer_loses_a_digit(number: int) -> None:
    found = read_predicate(Endpoint.BALANCE, replace(NOTHING, gte=str(number)))
    assert int(str(found["threshold"])) == number
