"""JSON as JavaScript writes it: a vector for each trap, and Node itself as the judge."""

import json
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.javascript import JavaScript

from adyton.codec.javascript import Value, canonical, loads
from adyton.errors import MalformedError

TRAPS = {
    "keys that are indices come first, in numeric order": (
        '{"b":1,"10":2,"9":3,"a":4,"0":5}',
        b'{"0":5,"9":3,"10":2,"a":4,"b":1}',
    ),
    "the last index": (
        '{"4294967295":1,"4294967294":2,"!":3}',
        b'{"4294967294":2,"!":3,"4294967295":1}',
    ),
    "keys that only look like indices are text": (
        '{"01":1,"-1":2,"1.0":3,"1e1":4,"2":5}',
        b'{"2":5,"-1":2,"01":1,"1.0":3,"1e1":4}',
    ),
    "keys are sorted by code unit, not by code point": (
        '{"\\ue000":1,"\\ud83d\\ude00":2}',
        '{"\U0001f600":2,"\ue000":1}'.encode(),
    ),
    "one point zero is one": ("[1.0,1.50,100.0]", b"[1,1.5,100]"),
    "there is no negative zero": ("[-0,-0.0,0e5]", b"[0,0,0]"),
    "small numbers": ("[1e-7,1e-6,1.5e-10,0.00001]", b"[1e-7,0.000001,1.5e-10,0.00001]"),
    "large numbers": (
        "[1e21,1e20,123456789012345680000,1.5e300]",
        b"[1e+21,100000000000000000000,123456789012345680000,1.5e+300]",
    ),
    "integers are doubles": (
        "[9007199254740993,-9007199254740993,9007199254740992,1234567890123456789012]",
        b"[9007199254740992,-9007199254740992,9007199254740992,1.2345678901234568e+21]",
    ),
    "what is too large is null": (f"[1e400,-1e400,1{'0' * 399}]", b"[null,null,null]"),
    "the smallest and the largest": (
        "[5e-324,1.7976931348623157e308,2.2250738585072014e-308,1e-400]",
        b"[5e-324,1.7976931348623157e+308,2.2250738585072014e-308,0]",
    ),
    "control characters are escaped, in lower case": (
        '"\\b\\f\\n\\r\\t\\u000b\\u001F\\u0000"',
        b'"\\b\\f\\n\\r\\t\\u000b\\u001f\\u0000"',
    ),
    "quote and backslash are escaped, the slash is not": ('"\\"\\\\\\/"', b'"\\"\\\\/"'),
    "what is not control stays": ('"\\u2028\\u007f\\u00e9"', '"\u2028\x7fé"'.encode()),
    "a lone surrogate is escaped": (
        '{"\\ud800":"\\udfff a","\\uDBFF\\uDBFF":"\\ud83d\\ude00"}',
        '{"\\ud800":"\\udfff a","\\udbff\\udbff":"\U0001f600"}'.encode(),
    ),
    "__proto__ vanishes, wherever it is": (
        '{"__proto__":{"a":1},"b":[{"__proto__":null,"c":{"__proto__":1}}],"z":1,"A":2}',
        b'{"A":2,"b":[{"c":{}}],"z":1}',
    ),
    "empty values": ('{"":{},"a":[],"b":""}', b'{"":{},"a":[],"b":""}'),
    "no value but null": ("null", b"null"),
}

DOUBLES = st.floats() | st.integers(-(2**70), 2**70) | st.sampled_from([-0.0, 1e21, 1e-7, 2**53])
KEYS = (
    st.text(max_size=4)
    | st.text(st.characters(categories=["Cs"]), max_size=3)
    | st.text("0123456789", min_size=1, max_size=11)
    | st.sampled_from(["__proto__", "toJSON", "constructor", "length", "4294967294", "4294967295"])
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | DOUBLES | KEYS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=30,
)


@pytest.fixture(scope="module")
def javascript() -> Iterator[JavaScript]:
    with JavaScript() as process:
        yield process


@pytest.mark.parametrize("trap", TRAPS)
def test_each_trap_is_written_as_javascript_does(trap: str) -> None:
    text, expected = TRAPS[trap]
    assert canonical(loads(text.encode(), limit_bytes=1000)) == expected


@pytest.mark.parametrize("trap", TRAPS)
def test_node_says_the_same_of_each_trap(trap: str, javascript: JavaScript) -> None:
    text, expected = TRAPS[trap]
    assert javascript.canonical(text) == expected


def test_javascript_writes_the_same_bytes(javascript: JavaScript) -> None:
    @settings(max_examples=300, deadline=None)
    @given(VALUES)
    def check(value: Value) -> None:
        text = json.dumps(value).replace("NaN", "null").replace("-Infinity", "-1e999")
        text = text.replace("Infinity", "1e999")
        expected = javascript.canonical(text)
        assert canonical(loads(text.encode(), limit_bytes=10**6)) == expected

    check()


def test_every_double_is_written_as_javascript_does(javascript: JavaScript) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=50, max_size=50))
    def check(values: list[float]) -> None:
        assert canonical(values) == javascript.canonical(json.dumps(values))

    check()


@given(VALUES)
def test_what_was_written_is_written_again_the_same(value: Value) -> None:
    written = canonical(value)
    assert canonical(loads(written, limit_bytes=len(written))) == written


def test_numbers_that_are_none_are_null() -> None:
    assert (
        canonical([float("nan"), float("inf"), float("-inf"), 10**400]) == b"[null,null,null,null]"
    )


def test_a_decimal_is_the_double_next_to_it() -> None:
    assert canonical([Decimal("0.1"), Decimal("1E+21"), Decimal("2.50")]) == b"[0.1,1e+21,2.5]"


def test_many_values_beside_each_other_are_not_deep() -> None:
    text = "[" + "[{}]," * 50 + '{"a":[{}]}]'
    assert canonical(loads(text.encode(), limit_bytes=1000)) == text.encode()


def test_two_halves_put_together_here_are_one_character() -> None:
    assert canonical("\ud83d" + "\ude00") == '"\U0001f600"'.encode()


@pytest.mark.parametrize("value", [b"", {1, 2}, object()])
def test_what_is_not_json_is_our_own_mistake(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical([value])


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"a":1,"\\u0061":2}',
        "[" * 34 + "]" * 34,
        '{"a":' * 34 + "1" + "}" * 34,
        "[" * 17 + '{"a":' * 17 + "1" + "}" * 17 + "]" * 17,
        "[" * 100_000,
        "1" * 401,
        "1." + "1" * 401,
        "NaN",
        "-Infinity",
        "\ufeff1",
        "1 2",
        "",
    ],
)
def test_what_readers_disagree_about_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        loads(text.encode(), limit_bytes=200_000)


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(MalformedError):
        loads(b'"\xed\xa0\x80"', limit_bytes=100)


def test_more_bytes_than_the_limit_are_refused() -> None:
    with pytest.raises(MalformedError):
        loads(b"[1,2]", limit_bytes=4)


def test_depth_has_a_limit_in_what_vanishes_too() -> None:
    deep: Any = []
    for _ in range(40):
        deep = [deep]
    with pytest.raises(MalformedError):
        canonical({"__proto__": deep})


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        canonical(loads(data, limit_bytes=200))
