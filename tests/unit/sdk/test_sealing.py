from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adyton.codec.json import JsonObject, canonical, loads
from adyton.crypto.hpke import OpeningKey, SealSuite
from adyton.errors import MalformedError
from adyton.model.question import SEALED_MARK, TOKEN_LOCATION, Endpoint, Question, seal_info
from adyton.sdk.asking import question_body
from adyton.sdk.sealing import sealed_question

NOW = datetime(2026, 11, 20, 12, 0, 0, 900_000, tzinfo=UTC)
KEY = OpeningKey.generate()
PREDICATE: JsonObject = {"type": "gte", "threshold": 1}


def sealed(body: JsonObject, secrets: dict[str, Any]) -> tuple[Question, JsonObject]:
    return sealed_question(
        Endpoint.CUSTOM,
        body,
        secrets=secrets,
        public_key=KEY.public[SealSuite.X25519],
        suite=SealSuite.X25519,
        now=NOW,
    )


def opened(question: Question) -> dict[str, Any]:
    """Open every value, as the worker does: under the place that it stands in."""
    found: dict[str, Any] = {}
    for item in question.sealed:
        info = seal_info(item.location, question.bound)
        found[item.location] = loads(KEY.open(item.box, info=info), limit_bytes=10_000)
    return found


def test_each_value_is_sealed_for_its_place() -> None:
    secrets = {
        TOKEN_LOCATION: {"access_token": "t"},
        "/credentials/a~1b~0c": "slash and tilde",
        "/provider/headers/Authorization": "Bearer t",
        "/provider/body/items/1/key": "in a list",
    }
    body: JsonObject = {
        "predicate": PREDICATE,
        "nonce": "n",
        TOKEN_LOCATION[1:]: SEALED_MARK,
        "credentials": {"a/b~c": SEALED_MARK, "clear": "c"},
        "provider": {
            "url": "https://api.example.com/",
            "method": "POST",
            "headers": {"Authorization": SEALED_MARK},
            "body": {"items": ["first", {"key": SEALED_MARK}]},
        },
        "response_extraction": {"type": "jsonPath", "pattern": "$.a"},
    }
    question, sent = sealed(body, secrets)
    assert opened(question) == {
        place: {"issued_at": int(NOW.timestamp()), "value": value}
        for place, value in secrets.items()
    }
    # What is bound is the body as it was before: with marks, and without boxes.
    assert question.bound == canonical({"endpoint": "custom", "request": body})
    assert Question.from_json(Endpoint.CUSTOM, sent).bound == question.bound


@pytest.mark.parametrize(
    "secrets",
    [
        {},
        {TOKEN_LOCATION: "t", "/credentials/a": "x"},
        {"/encrypted_access_tokens": "t"},
        {TOKEN_LOCATION: "t", "/nonce": "x"},
    ],
)
def test_a_secret_without_a_mark_or_a_mark_without_a_secret_is_the_callers_fault(
    secrets: dict[str, Any],
) -> None:
    body: JsonObject = {
        "predicate": PREDICATE,
        "nonce": "n",
        "provider_id": "p",
        TOKEN_LOCATION[1:]: SEALED_MARK,
    }
    with pytest.raises(ValueError):
        sealed(body, secrets)


@pytest.mark.parametrize("key", [b"", b"k" * 31, b"k" * 33, bytes(32)])
def test_a_key_that_is_none_is_malformed(key: bytes) -> None:
    body: JsonObject = {"predicate": PREDICATE, "nonce": "n", TOKEN_LOCATION[1:]: SEALED_MARK}
    with pytest.raises(MalformedError):
        sealed_question(
            Endpoint.BALANCE,
            body,
            secrets={TOKEN_LOCATION: "t"},
            public_key=key,
            suite=SealSuite.X25519,
            now=NOW,
        )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(max_size=10), st.text(max_size=50), min_size=1, max_size=5))
def test_any_credentials_arrive_as_they_were_given(credentials: dict[str, str]) -> None:
    body, secrets = question_body(
        PREDICATE, nonce="n", provider="p", credentials=credentials, audience="", extra={}
    )
    question, sent = sealed(body, secrets)
    assert opened(question)[TOKEN_LOCATION]["value"] == credentials
    longest = max(credentials.values(), key=len)
    if len(longest) > 20:
        assert longest.encode() not in canonical(sent)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, {"predicate": PREDICATE, "nonce": "n"}),
        ({"audience": "a"}, {"predicate": PREDICATE, "nonce": "n", "audience": "a"}),
        ({"provider": "p"}, {"predicate": PREDICATE, "nonce": "n", "provider_id": "p"}),
        ({"provider": {"a": 1}}, {"predicate": PREDICATE, "nonce": "n", "provider": {"a": 1}}),
        ({"extra": {"months": 3}}, {"predicate": PREDICATE, "nonce": "n", "months": 3}),
    ],
)
def test_a_body_has_what_was_asked_and_nothing_else(
    arguments: dict[str, Any], expected: JsonObject
) -> None:
    given: dict[str, Any] = {
        "nonce": "n",
        "provider": None,
        "credentials": {},
        "audience": "",
        "extra": {},
        **arguments,
    }
    assert question_body(PREDICATE, **given) == (expected, {})
