"""What an expression may say, and that nothing but ``true`` is a yes."""

import pickle
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.nitro import NOW as WHEN
from tests.unit.appraisal.policies import changed
from tests.unit.appraisal.test_appraise import CLAIMS as NITRO
from tests.unit.appraisal.test_appraise import EXPECTED

from adyton.appraisal.appraise import appraise
from adyton.appraisal.expression import MAX_EXPRESSION, Expression
from adyton.appraisal.policy import Policy
from adyton.codec.json import JsonObject
from adyton.errors import MalformedError
from adyton.model.verdict import Status

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
CLAIMS: JsonObject = {
    "technology": "tdx",
    "debug": False,
    "measurements": {"mr_td": "ab" * 48, "rtmr0": "00" * 48},
    "numbers": {"isv_svn": 3, "policy": 2**64 - 1},
    "tcb": {"status": "OutOfDate", "advisories": ["INTEL-SA-1", "INTEL-SA-2"], "date": None},
    "issued": "2026-11-20T11:59:00Z",
    "nonce": None,
    "ratio": Decimal("0.5"),
}


def checked(text: str, claims: JsonObject = CLAIMS) -> str | None:
    found = Expression.from_text(text, where="the expression").check(claims, at=NOW)
    return None if found is None else found.code


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "!claims.debug",
        'claims.measurements.mr_td.startsWith("abab")',
        'claims.measurements["rtmr0"] in ["11", "' + "00" * 48 + '"]',
        "claims.numbers.isv_svn >= 3",
        "claims.numbers.policy == 18446744073709551615u",
        'claims.tcb.status == "UpToDate" || claims.tcb.advisories.size() < 3',
        'claims.tcb.advisories.all(name, name.startsWith("INTEL-SA-"))',
        'at - timestamp(claims.issued) < duration("5m")',
        "claims.nonce == null && !has(claims.absent)",
        'claims.technology.matches("^(tdx|sgx)$")',
        "claims.debug ? false : true",
        "claims.ratio == '0.5'",
    ],
)
def test_an_expression_that_is_true_is_satisfied(text: str) -> None:
    assert checked(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "false",
        "claims.debug",
        "claims.numbers.isv_svn > 3",
        # Other types are not equal, and nothing is converted.
        'claims.numbers.isv_svn == "3"',
        'claims.tcb.advisories.exists(name, name == "INTEL-SA-3")',
    ],
)
def test_an_expression_that_is_false_is_not(text: str) -> None:
    assert checked(text) == "expression-rejected"


@pytest.mark.parametrize(
    "text",
    [
        "1",
        '"true"',
        "null",
        "[true]",
        "{true: true}",
        "claims",
        "claims.tcb",
        "claims.absent",
        "claims.absent == 1",
        "!claims.absent",
        "unheard_of",
        "unheard_of()",
        "claims.debug + 1 == 1",
        "1 / 0 == 1",
        "9223372036854775807 + 1 > 0",
        "claims.tcb.advisories[2] == ''",
        "claims.numbers.isv_svn < '4'",
        "timestamp('yesterday') < at",
        "claims.technology.matches('(')",
        "claims.nonce.size() == 0",
        "type(true)",
        "optional.of(true)",
    ],
)
def test_what_cannot_be_evaluated_or_is_no_truth_value_is_never_a_yes(text: str) -> None:
    assert checked(text) == "expression-failed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "true &&",
        "claims.",
        "((true)",
        "true; true",
        "x = 1",
        "lambda: true",
        "a" * (MAX_EXPRESSION + 1),
        "(" * 300 + "true" + ")" * 300,
        "[1].all(x, [1].all(y, [1].all(z, true)))",
        "[1].map(x, [1].map(y, true)) == []",
        "[1].all(x, [1].filter(y, true) == [])",
        "[1].all(x, [1].exists(y, true)) && " + "true && " * 60 + "true",
        "[1].// in a comment\nmap(x, [1].map\n(y, true)) == []",
        "['a'].all(x, x.matches('a'))",
        "'a'.matches('a') && 'a'.matches('a') && 'a'.matches('a')",
    ],
    ids=[
        "nothing",
        "cut",
        "no name",
        "bracket",
        "two",
        "assignment",
        "python",
        "long",
        "deep",
        "three loops",
        "map in map",
        "filter in a loop",
        "long with two loops",
        "hidden loop",
        "regular expression in a loop",
        "three regular expressions",
    ],
)
def test_what_is_no_expression_or_may_take_long_is_malformed(text: str) -> None:
    with pytest.raises(MalformedError, match=r"^policy\.expression "):
        Expression.from_text(text, where="policy.expression")


@pytest.mark.parametrize(
    "claims",
    [{"n": [0] * 101}, {"n": {str(n): 0 for n in range(101)}}, {"n": 2**64}, {"n": -(2**70)}],
)
def test_claims_that_an_expression_cannot_hold_are_never_a_yes(claims: JsonObject) -> None:
    assert checked("true", claims) == "expression-failed"


@pytest.mark.parametrize(
    "text",
    [
        "claims.l.all(x, claims.l.all(y, " + " && ".join(["x == x"] * 45) + "))",
        "claims.l.map(x, claims.l).size() == 100",
        "claims.l.filter(x, true).size() == 100",
        "!'a'.matches('\\\\w{200}') && !'a'.matches('\\\\w{201}')",
        "claims.l.all(x, claims.l.all(y, (" + " + ".join(["claims.t"] * 40) + ").size() > 0))",
        "claims.l.map(x, " + " + ".join(["claims.t"] * 90) + ").size() == 100",
        "true" + " && true" * 127,
        "!" * 1000 + "false == false",
    ],
    ids=["loops", "map", "filter", "patterns", "joined", "kept", "conjunction", "negation"],
)
def test_the_worst_that_may_be_said_is_soon_over(text: str) -> None:
    claims: JsonObject = {"l": [*range(100)], "t": "a" * 32_768}
    start = time.process_time()
    checked(text, claims)
    # Measured: 0.05 s at most, and 0.15 for two large patterns. Slow machines have their time.
    assert time.process_time() - start < 2


def test_beside_a_loop_texts_are_short() -> None:
    claims: JsonObject = {"l": [1], "t": ["a" * 1024]}
    assert checked("claims.l.all(x, x == 1)", claims) is None
    claims["t"] = ["a" * 1025]
    assert checked("claims.l.all(x, x == 1)", claims) == "expression-failed"
    assert checked("claims.l[0] == 1", claims) is None


def test_two_expressions_are_the_same_where_their_text_is() -> None:
    first, second = (Expression.from_text("true", where="x") for _ in range(2))
    assert first == second
    assert repr(first) == "Expression(text='true')"
    assert first != Expression.from_text("false", where="x")


def test_an_expression_goes_to_other_processes() -> None:
    found = pickle.loads(pickle.dumps(Expression.from_text("claims.debug", where="x")))
    assert found.check({"debug": True}, at=NOW) is None


_WORDS = st.sampled_from(
    [
        *("claims", ".tcb", ".advisories", ".debug", "[0]", "['a']", "x", "at", "null"),
        *("1", "'a'", "true", "false", "==", "&&", "||", "!", "(", ")", "[", "]", ",", "+", "-"),
        *(".all(x, ", ".map(x, ", ".size()", ".matches('a')", "? ", ": ", "in", "timestamp("),
    ]
)


@settings(max_examples=1000, deadline=None)
@given(st.lists(_WORDS, max_size=12).map(" ".join) | st.text(max_size=40))
def test_any_text_is_malformed_or_comes_to_an_answer(text: str) -> None:
    with suppress(MalformedError):
        expression = Expression.from_text(text, where="x")
        found: Any = expression.check(CLAIMS, at=NOW)
        assert found is None or found.code in {"expression-rejected", "expression-failed"}


# In a policy


def layer_of(expression: str, **changes: Any) -> Any:
    policy = Policy.from_json(changed("platforms/nitro/expression", expression))
    return appraise(replace(NITRO, **changes), policy=policy, expected=EXPECTED, at=WHEN)


def test_a_policys_expression_has_to_be_satisfied() -> None:
    wanted = "claims.numbers.svn >= 2 && at < timestamp(claims.last)"
    assert layer_of(wanted, numbers={"svn": 2}).status is Status.PASSED
    (found,) = layer_of(wanted, numbers={"svn": 1}).parts[2].findings
    assert (found.code, wanted in found.message) == ("expression-rejected", True)
    (found,) = layer_of(wanted).parts[2].findings
    assert found.code == "expression-failed"


def test_a_policys_expression_cannot_be_accepted_away() -> None:
    policy: Any = changed("platforms/nitro/expression", "false")
    policy["platforms"]["nitro"]["findings"] = ["expression-rejected"]
    layer = appraise(NITRO, policy=Policy.from_json(policy), expected=EXPECTED, at=WHEN)
    assert layer.parts[2].status is Status.FAILED


def test_a_policy_is_refused_for_its_expression_and_written_with_it() -> None:
    with pytest.raises(MalformedError, match=r"policy\.platforms\.nitro\.expression is not an exp"):
        Policy.from_json(changed("platforms/nitro/expression", "claims."))
    with pytest.raises(MalformedError, match=r"nitro\.expression is not a string"):
        Policy.from_json(changed("platforms/nitro/expression", True))
    policy = Policy.from_json(changed("platforms/nitro/expression", "claims.debug"))
    assert Policy.from_json(policy.to_json()) == policy
