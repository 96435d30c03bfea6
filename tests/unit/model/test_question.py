"""Questions in RFC-0023's shapes, and what of them is bound."""

import json
from typing import Any

import pytest

from adyton.codec.text import to_base64
from adyton.errors import MalformedError
from adyton.model.question import (
    Endpoint,
    ProofSystemRejectedError,
    Question,
    UnsealedCredentialError,
    seal_info,
)

BOX = to_base64(b"a box")
BALANCE: dict[str, Any] = {
    "encrypted_access_token": BOX,
    "predicate": {"type": "gte", "threshold": 10000},
    "nonce": "unique-client-nonce-123",
    "proof_system": "noir-ultrahonk",
}
CUSTOM: dict[str, Any] = {
    "provider_id": "generic-http",
    "credentials": {
        "url": f"encrypted:{BOX}",
        "method": "GET",
        "headers": f"encrypted:{BOX}",
        "body": None,
    },
    "extraction": {"path": "$.employment.status", "type": "String"},
    "predicate": {"type": "eq", "expected": "active"},
    "nonce": "unique-nonce-123",
}
INLINE: dict[str, Any] = {
    "provider": {
        "url": "https://api.example.com/data",
        "method": "GET",
        "headers": {"Authorization": f"encrypted:{BOX}"},
    },
    "response_extraction": {"type": "jsonPath", "pattern": "$.data.balance"},
    "predicate": {"type": "gte", "field": "balance", "threshold": 1000},
    "nonce": "unique-nonce",
}


def read(endpoint: Endpoint, body: dict[str, Any]) -> Question:
    return Question.from_bytes(endpoint, json.dumps(body).encode())


def test_the_documented_balance_question_is_read() -> None:
    question = read(Endpoint.BALANCE, BALANCE)
    assert question.provider == "plaid-balance"
    assert [(item.location, item.box) for item in question.sealed] == [
        ("/encrypted_access_token", b"a box")
    ]


def test_both_documented_custom_questions_are_read() -> None:
    named, inline = read(Endpoint.CUSTOM, CUSTOM), read(Endpoint.CUSTOM, INLINE)
    assert [item.location for item in named.sealed] == ["/credentials/url", "/credentials/headers"]
    assert [item.location for item in inline.sealed] == ["/provider/headers/Authorization"]


def test_the_bound_form_has_everything_but_the_boxes() -> None:
    other = {**BALANCE, "encrypted_access_token": to_base64(b"another box")}
    assert read(Endpoint.BALANCE, BALANCE).bound == read(Endpoint.BALANCE, other).bound
    assert BOX.encode() not in read(Endpoint.CUSTOM, CUSTOM).bound


@pytest.mark.parametrize(
    "change",
    [
        {"predicate": {"type": "gte", "threshold": 10001}},
        {"predicate": {"type": "lte", "threshold": 10000}},
        {"nonce": "another"},
        {"audience": "somebody"},
        {"provider_id": "yodlee-balance"},
        {"credentials": {"client_id": "x"}},
    ],
)
def test_each_change_of_the_question_changes_what_is_bound(change: dict[str, Any]) -> None:
    assert (
        read(Endpoint.BALANCE, {**BALANCE, **change}).bound != read(Endpoint.BALANCE, BALANCE).bound
    )


def test_the_endpoint_is_bound() -> None:
    assert read(Endpoint.BALANCE, BALANCE).bound != read(Endpoint.INCOME, BALANCE).bound


def test_the_place_of_a_sealed_value_is_bound() -> None:
    assert seal_info("/a", b"q") != seal_info("/b", b"q")


def test_a_statement_repeats_the_question() -> None:
    for endpoint, body in ((Endpoint.BALANCE, BALANCE), (Endpoint.CUSTOM, CUSTOM)):
        question = read(endpoint, body)
        again = Question.from_statement(question.to_statement())
        assert again.bound == question.bound
        assert again.sealed == ()


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": ""},
        {"nonce": 5},
        {"nonce": "x" * 257},
        {"predicate": []},
        {"predicate": {"type": "gte", "threshold": 0.3}},
        {"predicate": {"type": "gte", "threshold": 2**60}},
        {"surprise": 1},
        {"months": 12},
        {"credentials": []},
        {"credentials": {"secret": "encrypted:not base64"}},
        {"provider_id": 5},
        {"encrypted_access_token": "not base64!"},
        {"encrypted_access_token": to_base64(bytes(65 * 1024))},
        {"credentials": {str(i): "x" for i in range(40)}},
    ],
)
def test_each_malformed_field_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        read(Endpoint.BALANCE, {**BALANCE, **change})


@pytest.mark.parametrize("field", ["predicate", "nonce"])
def test_each_required_field_is_required(field: str) -> None:
    with pytest.raises(MalformedError):
        read(Endpoint.BALANCE, {key: value for key, value in BALANCE.items() if key != field})


def test_another_proof_system_is_refused_with_what_there_is() -> None:
    with pytest.raises(ProofSystemRejectedError, match="noir-ultrahonk"):
        read(Endpoint.BALANCE, {**BALANCE, "proof_system": "risc0"})


def test_a_token_that_is_no_string_is_refused() -> None:
    with pytest.raises(UnsealedCredentialError):
        read(Endpoint.BALANCE, {**BALANCE, "encrypted_access_token": 7})


def test_two_providers_in_one_question_are_refused() -> None:
    with pytest.raises(MalformedError):
        read(Endpoint.CUSTOM, {**INLINE, "provider_id": "generic-http"})


def test_a_custom_question_needs_a_provider() -> None:
    body = {key: value for key, value in CUSTOM.items() if key != "provider_id"}
    with pytest.raises(MalformedError):
        read(Endpoint.CUSTOM, body)


@pytest.mark.parametrize(
    "body",
    [
        {**BALANCE, "encrypted_access_token": ""},
        {**BALANCE, "encrypted_access_token": "encrypted:"},
        {**CUSTOM, "credentials": {"url": "encrypted:"}},
    ],
)
def test_an_empty_box_is_malformed_where_a_question_arrives(body: dict[str, Any]) -> None:
    endpoint = Endpoint.CUSTOM if "extraction" in body else Endpoint.BALANCE
    with pytest.raises(MalformedError, match="is empty"):
        read(endpoint, body)
    # Who seals starts from just that.
    assert Question.from_json(endpoint, body).sealed[0].box == b""


def test_a_statement_with_a_token_in_the_clear_is_malformed() -> None:
    request = {**BALANCE, "encrypted_access_token": "a token"}
    with pytest.raises(MalformedError, match="must be sealed"):
        Question.from_statement({"endpoint": "balance", "request": request})
