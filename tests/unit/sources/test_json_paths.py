import time
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.codec.json import Json
from adyton.errors import MalformedError
from adyton.sources.json_paths import compile_json_path
from adyton.sources.regexes import compile_regex, find_regex

DATA: Json = {
    "a": [1, {"b": Decimal("0.10")}, None],
    "c": {"d": "x", "e": "text with [brackets]"},
    "f": True,
}


def found(expression: str, value: Json = DATA) -> list[Json]:
    return compile_json_path(expression).find(value, limit=100)


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("$.f", [True]),
        ("$.a[0]", [1]),
        ("$.a[-1]", [None]),
        ("$.a[3]", []),
        ("$.a[-4]", []),
        ("$.a.b", []),
        ("$.c[0]", []),
        ("$['c']['d']", ["x"]),
        ("$.c.d.x", []),
        ("$.c.d[0]", []),
        ("$.c.*", ["x", "text with [brackets]"]),
        ("$..b", [Decimal("0.10")]),
        ("$.a[?@.b]", [{"b": Decimal("0.10")}]),
        ("$.a[?@.b > 0]", [{"b": Decimal("0.10")}]),
        ("$.a[0:2]", [1, {"b": Decimal("0.10")}]),
        ("$.c[?match(@, 'x')]", ["x"]),
        ("$.c[?search(@, 'with .brackets')]", ["text with [brackets]"]),
        ("$.c[?search(@, '(')]", []),
        ("$.c[?@ == '$$$......']", []),
        ('$.c[?@ == "..\\"....$$$"]', []),
        ("$.c[?@ == $.c.d]", ["x"]),
        ("$.a[?match(@, 'x')]", []),
    ],
)
def test_a_path_selects_as_the_rfc_says(expression: str, values: list[Json]) -> None:
    assert found(expression) == values


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "a",
        ".a",
        " $.a",
        "$.a ",
        "$.a | $.c",
        "$.a & $.c",
        "^.a",
        "$.a.~",
        "$.a[?@ in [1]]",
        "$.a[?@ =~ /x/]",
        "$.a[?isinstance(@, 'string')]",
        "$.a[?_.x]",
        "$.a[?# > 1]",
        "$.a[",
        "$..a..b..c",
        "$..a[?@..b[?@..c]]",
        "$[?$[?$.a]]",
        "$[0,0,0,0,0,0,0,0,0][0,0,0,0,0,0,0,0,0]",
        "$." + "a" * 1024,
        "$" + "[?@" * 300,
        "$[1e9]",
        "$[?@.a == 01]",
        "$[?@.a == 1e99999999999999999999]",
    ],
)
def test_what_is_not_a_bounded_path_of_the_rfc_is_refused(expression: str) -> None:
    with pytest.raises(MalformedError):
        compile_json_path(expression)


@pytest.mark.parametrize("value", ["{", '{"a": 1}', "[1]", "", "$"])
def test_text_is_never_taken_for_a_document(value: str) -> None:
    assert found("$", value) == [value]
    assert found("$.a", value) == []
    assert found("$..*", value) == []


@pytest.mark.parametrize(
    ("expression", "value", "there"),
    [
        ("$.a[*]", {"a": []}, True),
        ("$.a[*]", {"a": {}}, True),
        ("$.a[*]", {"a": None}, False),
        ("$.a[*]", {"a": "x"}, False),
        ("$.a[*]", {}, False),
        ("$.a[0].b[?@.c]", {"a": [{"b": []}]}, True),
        ("$.a[0].b[?@.c]", {"a": []}, False),
        ("$..b", {}, True),
    ],
)
def test_a_path_knows_whether_its_list_is_there(
    expression: str, value: Json, *, there: bool
) -> None:
    assert compile_json_path(expression).has_stem(value) is there


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("@ == 0.1", [Decimal("0.1")]),
        ("@ >= 0.1 && @ < 1", [Decimal("0.1")]),
        ("@ == 100.10", [Decimal("100.10")]),
        # The number beside it is what a double makes of it: another account, if it is one's name.
        ("@ == 9007199254740993", [2**53 + 1]),
        ("@ == 9007199254740993e0", [2**53 + 1]),
        ("@ > 1e999", []),
        ("@ == 1E+2", [100]),
        ("@ == -0", [0]),
        # RFC 9535, section 2.3.5.2.2: a truth value has no order, and is no number.
        ("@ < 1", [Decimal("0.1"), 0]),
        ("@ == 1", []),
        ("@ <= true", [True]),
        ("@ > false", []),
    ],
)
def test_a_filter_compares_numbers_exactly_and_with_numbers_only(
    condition: str, values: list[Json]
) -> None:
    data: Json = [Decimal("0.1"), Decimal("100.10"), 2**53, 2**53 + 1, 100, 0, True]
    selected = found(f"$[?{condition}]", data)
    assert selected == values
    assert [type(value) for value in selected] == [type(value) for value in values]


def test_a_singular_path_is_known_as_one() -> None:
    assert compile_json_path("$.a[0]['b']").is_singular
    assert not compile_json_path("$.a[*]").is_singular
    assert not compile_json_path("$..a").is_singular
    assert not compile_json_path("$['a','b']").is_singular


def test_a_catastrophic_expression_takes_no_time() -> None:
    text = "a" * 50_000 + "b"
    start = time.process_time()
    assert found("$[?search(@, '(a+)+$')]", [text]) == []
    assert list(find_regex("(a+)+$", text)) == []
    # A backtracking engine would not come back within the age of the universe.
    assert time.process_time() - start < 5


def test_data_that_is_nested_too_deeply_is_refused() -> None:
    value: Json = 1
    for _ in range(200):
        value = [value]
    with pytest.raises(MalformedError, match="cannot be evaluated"):
        found("$..a", value)


def test_a_limit_is_kept() -> None:
    assert len(compile_json_path("$[*]").find([1] * 50, limit=10)) == 10


@given(st.text(max_size=30).map("$".__add__))
def test_any_path_compiles_or_is_malformed(expression: str) -> None:
    with suppress(MalformedError):
        compile_json_path(expression).find(DATA, limit=10)


@pytest.mark.parametrize(
    ("expression", "text", "values"),
    [
        (r"balance:\s*(\d+)", "balance: 12, balance: 13", ["12", "13"]),
        (r"\d+", "a1b22", ["1", "22"]),
        (r"x(?:a|b)(c)?", "xa", [None]),
        ("z", "a", []),
        ("ä(.)", "äö", ["ö"]),
    ],
)
def test_a_regex_finds_its_group(expression: str, text: str, values: list[str | None]) -> None:
    assert list(find_regex(expression, text)) == values


@pytest.mark.parametrize("expression", ["(", "(a)(b)", r"(a)\1", "(?=a)", "a" * 1025, "a{1001}"])
def test_what_re2_cannot_do_is_refused(expression: str) -> None:
    with pytest.raises(MalformedError):
        compile_regex(expression)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_regex_compiles_or_is_malformed(expression: str, text: str) -> None:
    with suppress(MalformedError):
        list(find_regex(expression, text))
