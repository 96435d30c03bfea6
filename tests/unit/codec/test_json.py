"""Strict JSON in, canonical JSON out."""

import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.codec.json import MAX_SAFE_INTEGER, Json, canonical, loads
from adyton.errors import MalformedError

SAFE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        "NaN",
        "Infinity",
        "-Infinity",
        '"\\ud800"',
        '{"\\udfff":1}',
        "[" * 40 + "]" * 40,
        "[" * 100_000,
        "1" * 500,
        "1." + "1" * 500,
        "1e99999999999999999999",
        "-0.0e-99999999999999999999",
        "{",
        "",
        "1 2",
        "\ufeff1",
    ],
)
def test_what_parsers_disagree_about_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        loads(text.encode(), limit_bytes=1_000_000)


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(MalformedError):
        loads(b'"\xff"', limit_bytes=100)


def test_more_values_than_the_limit_are_refused_before_they_are_read() -> None:
    assert loads(b'[[],{"a":1}]', limit_bytes=100, limit_values=5) == [[], {"a": 1}]
    for text in (b"[1,2,3]", b"[[[]]]", b'{"a":1,"b":2}', b"[{},{}]", b'"no, value, at all"'):
        with pytest.raises(MalformedError, match="more than 1 values"):
            loads(text, limit_bytes=100, limit_values=1)


def test_more_bytes_than_the_limit_are_refused() -> None:
    with pytest.raises(MalformedError):
        loads(b"[1,2]", limit_bytes=4)


def test_a_fraction_is_read_exactly() -> None:
    assert loads(b"[0.1, 1e2]", limit_bytes=100) == [Decimal("0.1"), Decimal("1e2")]


@pytest.mark.parametrize("value", [Decimal("0.1"), 2**53, -(2**53), [Decimal(1)], {"a": 2**60}])
def test_what_has_no_one_form_is_not_signed(value: Json) -> None:
    with pytest.raises(MalformedError):
        canonical(value)


@given(SAFE)
def test_what_is_written_is_read_back(value: Json) -> None:
    written = canonical(value)
    assert loads(written, limit_bytes=len(written)) == value
    assert canonical(loads(json.dumps(value).encode(), limit_bytes=10**6)) == written


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        value = loads(data, limit_bytes=200)
        assert loads(canonical(value), limit_bytes=2000) == value
