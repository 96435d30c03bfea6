"""Whatever is in a body, the answer is a problem that says what is wrong, never a fault of ours.

The same bodies go to the gateway, as callers send them, and to the worker's own socket, because the
worker trusts no gateway to have read them.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.e2e.hostile import CREDENTIALS, GTE, Attacker

from adyton.adapters.linked_errors import LinkedMalformedError
from adyton.cli.local import LocalStack
from adyton.codec.text import to_base64
from adyton.errors import MalformedError
from adyton.sdk.client import Client

pytestmark = pytest.mark.usefixtures("is_whole")

BOX: Final = to_base64(bytes([1, 1]) + bytes(100))
BODY: Final[dict[str, Any]] = {"encrypted_access_token": BOX, "predicate": GTE, "nonce": "n"}
INLINE: Final[dict[str, Any]] = {
    "predicate": {"type": "gte", "threshold": 1},
    "nonce": "n",
    "provider": {"url": "https://api.example.com/data", "method": "GET"},
    "response_extraction": {"type": "jsonPath", "pattern": "$.a"},
}
GENERIC: Final[dict[str, Any]] = {
    "predicate": {"type": "gte", "threshold": 1},
    "nonce": "n",
    "provider_id": "generic-http",
    "credentials": {"url": "https://api.example.com/data", "method": "GET"},
    "extraction": {"path": "$.a", "type": "Integer"},
}


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


Case = tuple[str, Any]


def whole_bodies() -> Iterator[Case]:
    """Bodies that are no question, or lack or have a field too many."""
    values: tuple[Any, ...] = (None, True, 7, "text", [], [BODY], {})
    yield from (("balance", value) for value in values)
    for name in ("predicate", "nonce"):
        yield "balance", without(BODY, name)
    yield "balance", {**BODY, "credentials": {f"c{number}": "x" for number in range(33)}}
    yield "custom", {**INLINE, "provider_id": "generic-http"}
    yield "custom", without(INLINE, "provider")
    yield "custom", without(INLINE, "response_extraction")
    for name in ("url", "method"):
        yield "custom", {**GENERIC, "credentials": without(GENERIC["credentials"], name)}
    yield "custom", {**GENERIC, "extraction": {"path": "$.a"}}
    yield "custom", {**GENERIC, "credentials": {**GENERIC["credentials"], "url": "ftp://a.b/"}}
    yield "custom", {**GENERIC, "credentials": {**GENERIC["credentials"], "method": "DELETE"}}


def fields() -> Iterator[Case]:
    """Questions with one field of another type, or with another value than it may have."""
    found: dict[str, tuple[Any, ...]] = {
        "predicate": (None, "gte", [], 7),
        "nonce": (None, "", 7, [], {}, "n" * 257, True),
        "encrypted_access_token": ("no base64!", "AAA", BOX + "=", BOX[:-1], ""),
        "provider_id": (7, [], {}, "p" * 129),
        "credentials": (7, [], "text", {"a": "encrypted:no base64!"}, {"a": "encrypted:"}),
        "audience": (7, [], None, "a" * 257),
        "proof_system": ("groth16", 7, None, [], "NOIR-ULTRAHONK"),
        "months": (3,),
        "provider": ({"url": "https://api.example.com/", "method": "GET"},),
        "extraction": ({"path": "$.a", "type": "Integer"},),
        "more": ("field",),
        "Nonce": ("n",),
    }
    for name, values in found.items():
        yield from (("balance", {**BODY, name: value}) for value in values)
    months: tuple[Any, ...] = (0, 13, -1, "3", 1.5, True, None, 10**30)
    yield from (("income", {**BODY, "months": value}) for value in months)


def providers_in_questions() -> Iterator[Case]:
    """Questions with a provider that is none: above all, one that would be two requests."""
    found: dict[str, tuple[Any, ...]] = {
        "url": (
            "http://api.example.com/", "https://", "https://user:pass@api.example.com/", "a.b",
            "https://api.example.com/#part", "https://api.example.com:99999/", "https://[::1]/",
            "https://api.example.com/a b", "https://api.example.com/\r\nX: 1", "file:///etc/passwd",
            "https://api.example.com/{{token}}", "https://" + "a" * 300 + ".example/", 7, None,
        ),
        "method": ("get", "DELETE", "CONNECT", "TRACE", "", "GET / HTTP/1.1\r\nX: 1", 7, None),
        "headers": (
            [], "X: 1", {"X\r\nY": "1"}, {"X": "1\r\nY: 2"}, {"": "1"}, {"X": 7}, {"X Y": "1"},
            {"Host": "other.example"}, {"Content-Length": "0"}, {"Transfer-Encoding": "chunked"},
            {f"X-{number}": "1" for number in range(33)},
        ),
        "body": ("a GET has none",),
        "more": (1,),
    }  # fmt: skip
    for name, values in found.items():
        for value in values:
            yield "custom", {**INLINE, "provider": {**INLINE["provider"], name: value}}


def rules_and_predicates() -> Iterator[Case]:
    """Questions with a rule or a predicate that is none."""
    path = {"type": "jsonPath", "pattern": "$.a"}
    rules: tuple[Any, ...] = (
        {}, [], {"type": "jsonPath"}, {"type": "magic", "pattern": "$.a"},
        {"type": "jsonPath", "pattern": "$["}, {"type": "jsonPath", "pattern": ""},
        {"type": "jsonPath", "pattern": 7}, {"type": "regex", "pattern": "("},
        {"type": "xpath", "pattern": "///"}, {**path, "scale": 2, "data_type": "Integer"},
        {**path, "data_type": "Float"}, {**path, "data_type": "Decimal", "scale": 99},
        {**path, "more": 1},
    )  # fmt: skip
    yield from (("custom", {**INLINE, "response_extraction": rule}) for rule in rules)
    predicates: tuple[Any, ...] = (
        {"type": "gte"}, {"type": "gte", "threshold": None}, {"type": "gte", "threshold": []},
        {"type": "gte", "threshold": "1e5"}, {"type": "gte", "threshold": "NaN"},
        {"type": "gte", "threshold": 1.5}, {"type": "range", "min": 1}, {"type": "membership"},
        {"type": "membership", "set": []}, {"type": "membership", "set": "abc"}, {"type": 7},
        {"type": "membership", "set": [f"e{number}" for number in range(17)]}, {"type": ""},
        {"type": "eq"}, {"type": "exists", "more": 1},
    )  # fmt: skip
    yield from (("custom", {**INLINE, "predicate": predicate}) for predicate in predicates)


BROKEN: Final = [*whole_bodies(), *fields(), *providers_in_questions(), *rules_and_predicates()]
CODES: Final = {
    "circuit-unknown",
    "credential-malformed",
    "malformed",
    "predicate-malformed",
    "predicate-unknown",
    "proof-system-unavailable",
    "provider-malformed",
    "threshold-out-of-range",
    "threshold-too-fine",
}


@pytest.fixture(scope="module")
def http(whole_stack: LocalStack) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {whole_stack.api_key}"}
    with httpx.Client(base_url=whole_stack.url, headers=headers, timeout=30) as http:
        yield http


def check_problem(answer: httpx.Response) -> dict[str, Any]:
    """Check what every problem has, and return it."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["code"] != "internal"
    assert problem["type"] == f"urn:adyton:error:{problem['code']}"
    assert problem["detail"] == problem["error"] != ""
    assert len(problem["detail"]) < 1000
    return problem


@pytest.mark.parametrize(("endpoint", "body"), BROKEN)
def test_a_body_that_is_wrong_in_one_place_is_a_bad_request(
    http: httpx.Client, endpoint: str, body: Any
) -> None:
    headers = {"content-type": "application/json"}
    answer = http.post(f"/v1/verify/{endpoint}", content=json.dumps(body), headers=headers)
    problem = check_problem(answer)
    assert answer.status_code == 400, problem
    assert problem["code"] in CODES, problem


@pytest.mark.parametrize("token", [7, [], {}, True])
def test_a_token_that_is_none_is_not_sealed(http: httpx.Client, token: Any) -> None:
    answer = http.post("/v1/verify/balance", json={**BODY, "encrypted_access_token": token})
    assert (answer.status_code, check_problem(answer)["code"]) == (403, "credential-not-sealed")


def test_the_worker_reads_for_itself(attacker: Attacker) -> None:
    for endpoint, body in BROKEN:
        with pytest.raises(LinkedMalformedError) as refused:
            attacker.ask(endpoint, body)
        assert refused.value.code in CODES, (endpoint, body)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b'\xef\xbb\xbf{"nonce": "n"}',
        b'{"nonce": "n", "nonce": "m"}',
        b'{"nonce": "\\ud800"}',
        b'{"nonce": NaN}',
        b'{"nonce": 1' + b"0" * 500 + b"}",
        b"[" * 5000,
        b'{"a":' * 5000,
        json.dumps(BODY).encode() + b"x",
        json.dumps(BODY).encode("utf-16"),
    ],
)
def test_a_body_that_is_not_json_is_a_bad_request(http: httpx.Client, data: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = http.post("/v1/verify/balance", content=data, headers=headers)
    assert check_problem(answer)["code"] == "malformed"
    assert answer.status_code == 400


def test_a_body_that_is_too_long_is_refused(http: httpx.Client) -> None:
    answer = http.post("/v1/verify/balance", json={**BODY, "nonce": "n" * 300_000})
    assert (answer.status_code, check_problem(answer)["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_type_is_refused(http: httpx.Client, kind: str) -> None:
    headers = {"content-type": kind}
    answer = http.post("/v1/verify/balance", content=json.dumps(BODY), headers=headers)
    assert (answer.status_code, check_problem(answer)["code"]) == (415, "media-type")


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
plain = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@plain
@given(name=st.sampled_from(sorted({*BODY, *INLINE, *GENERIC, "audience"})), value=json_values)
def test_any_value_in_any_field_is_answered_with_a_reason(
    http: httpx.Client, name: str, value: Any
) -> None:
    for endpoint, body in (("balance", BODY), ("custom", INLINE), ("custom", GENERIC)):
        answer = http.post(f"/v1/verify/{endpoint}", json={**body, name: value})
        check_problem(answer)
        # 503 where the question is well formed, and nobody answers at api.example.com's /data.
        assert answer.status_code in {400, 403, 503}


@plain
@given(predicate=st.dictionaries(
    st.sampled_from(["type", "threshold", "min", "max", "currency", "expected", "set", "value"]),
    json_values | st.sampled_from(["gte", "lte", "range", "eq", "membership", "USD", "12.30"]),
))  # fmt: skip
def test_any_predicate_is_answered_with_a_reason(
    attacker: Attacker, predicate: dict[str, Any]
) -> None:
    # A sealed question whose predicate is anything: it goes all the way, as far as it gets.
    body: dict[str, Any] = {"predicate": predicate, "nonce": "n", "provider_id": "hasty"}
    try:
        sealed = attacker.sealed("custom", body)
    except MalformedError:
        return  # no client can seal it: it has no canonical form
    assert attacker.code_of("custom", sealed) != "internal"


def test_a_policy_of_any_shape_is_answered_with_a_reason(
    http: httpx.Client, client: Client
) -> None:
    receipt = client.ask("balance", GTE, credentials=CREDENTIALS).receipt.to_json()
    policy = client._session.policy.to_json()
    sections: list[tuple[str, ...]] = [("roots",), ("platforms",), ("evidence",), ("receipt",)]
    for section in ("platforms", "evidence", "receipt"):
        inner = policy[section]
        assert isinstance(inner, dict)
        sections += [(section, name) for name in inner]
    values: tuple[Any, ...] = (None, True, 7, 1.5, "text", [], {}, [None], {"a": []}, {"a": {}})
    for path in sections:
        for value in values:
            copy = json.loads(json.dumps(policy))
            target = copy
            for step in path[:-1]:
                target = target[step]
            target[path[-1]] = value
            answer = http.post("/v1/verify/proof", json={**receipt, "policy": copy})
            assert answer.status_code in {200, 400}, (path, value, answer.text)
            if answer.status_code == 400:
                check_problem(answer)
