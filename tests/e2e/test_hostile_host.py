"""A gateway that lies: whatever it changes on the way to the worker, it learns nothing by it."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import httpx
import pytest
from tests.e2e.hostile import CREDENTIALS, GTE, Attacker, Rewriting

from adyton.adapters.linked_errors import LinkedError, LinkedMalformedError, LinkedRejectedError
from adyton.cli.local import LocalStack
from adyton.codec.json import Json, JsonObject
from adyton.codec.text import from_base64, to_base64
from adyton.crypto.hpke import OpeningKey, SealSuite
from adyton.model.question import Endpoint, Question
from adyton.sdk.asking import ReceiptRejectedError
from adyton.sdk.client import Client
from adyton.sdk.transport import GatewayRejectedError

pytestmark = pytest.mark.usefixtures("is_whole")

TOKEN = "encrypted_access_token"
SECRETS = ("access_token", "secret")


def with_changes(body: JsonObject, **changes: Json) -> JsonObject:
    return {**deepcopy(body), **changes}


CHANGES: list[tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = [
    ("threshold", lambda body: with_changes(body, predicate={"type": "gte", "threshold": 101})),
    ("comparison", lambda body: with_changes(body, predicate={"type": "lte", "threshold": 100})),
    (
        "currency",
        lambda body: with_changes(body, predicate={**body["predicate"], "currency": "EUR"}),
    ),
    ("provider", lambda body: with_changes(body, provider_id="hasty")),
    # The default, named: the same provider, and yet other words than the asker's.
    ("default", lambda body: with_changes(body, provider_id="plaid-balance")),
    ("nonce", lambda body: with_changes(body, nonce="another")),
    ("audience", lambda body: with_changes(body, audience="somebody else")),
    ("credential", lambda body: with_changes(body, credentials={"client_id": "mine"})),
    ("proof system", lambda body: with_changes(body, proof_system="noir-ultrahonk")),
]


@pytest.mark.parametrize("change", [item[1] for item in CHANGES], ids=[item[0] for item in CHANGES])
def test_a_question_that_was_changed_on_the_way_does_not_open(
    attacker: Attacker, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    assert attacker.code_of("balance", change(attacker.sealed())) == "seal-rejected"


def test_an_audience_that_was_taken_away_does_not_open(attacker: Attacker) -> None:
    body = attacker.sealed(body={"audience": "a lender"})
    del body["audience"]
    assert attacker.code_of("balance", body) == "seal-rejected"


def test_a_question_that_was_moved_to_another_endpoint_does_not_open(attacker: Attacker) -> None:
    body = attacker.sealed(body={"provider_id": "plaid-balance"})
    assert attacker.code_of("custom", body) == "seal-rejected"


def test_a_gateway_that_changes_the_threshold_gets_no_answer(stack: LocalStack) -> None:
    def raise_threshold(_path: str, body: dict[str, Any]) -> dict[str, Any]:
        return with_changes(body, predicate={"type": "gte", "threshold": 12_345})

    with (
        Client(
            stack.url,
            api_key=stack.api_key,
            policy=stack.policy,
            transport=Rewriting(request=raise_threshold),
        ) as client,
        pytest.raises(GatewayRejectedError) as refused,
    ):
        client.ask("balance", GTE, credentials=CREDENTIALS)
    assert refused.value.code == "seal-rejected"


def test_two_sealed_values_cannot_be_swapped(attacker: Attacker) -> None:
    body: JsonObject = {
        "predicate": GTE,
        "nonce": "n",
        "credentials": {"client_id": "c", "access_token": "encrypted:", "secret": "encrypted:"},
    }
    bound = Question.from_json(Endpoint.BALANCE, body).bound
    boxes = {
        name: "encrypted:"
        + to_base64(attacker.box(bound, value=value, location=f"/credentials/{name}"))
        for name, value in zip(SECRETS, ("sandbox-good", "s"), strict=True)
    }
    swapped: JsonObject = {
        "client_id": "c",
        "access_token": boxes["secret"],
        "secret": boxes["access_token"],
    }
    right: JsonObject = {"client_id": "c", **boxes}
    assert attacker.code_of("balance", {**body, "credentials": swapped}) == "seal-rejected"
    # Each box is opened once, whatever became of its question.
    assert attacker.code_of("balance", {**body, "credentials": right}) == "replayed"


def test_what_was_sealed_for_another_worker_does_not_open(attacker: Attacker) -> None:
    other = OpeningKey.generate().public[SealSuite.X25519]
    assert attacker.code_of("balance", attacker.sealed(key=other)) == "seal-rejected"


def test_what_was_sealed_for_another_place_does_not_open(attacker: Attacker) -> None:
    body = attacker.sealed(location="/credentials/access_token")
    assert attacker.code_of("balance", body) == "seal-rejected"


@pytest.mark.parametrize(
    ("position", "code"),
    [(0, "malformed"), (1, "malformed"), (2, "seal-rejected"), (33, "seal-rejected"),
     (34, "seal-rejected"), (-1, "seal-rejected")],
)  # fmt: skip
def test_a_box_with_one_flipped_bit_does_not_open(
    attacker: Attacker, position: int, code: str
) -> None:
    body = attacker.sealed()
    box = bytearray(from_base64(str(body[TOKEN]), "a box", limit_bytes=4096))
    box[position] ^= 4
    assert attacker.code_of("balance", {**body, TOKEN: to_base64(bytes(box))}) == code


@pytest.mark.parametrize("size", [0, 1, 2, 33, 49])
def test_a_box_that_is_too_short_is_malformed(attacker: Attacker, size: int) -> None:
    body = attacker.sealed()
    box = from_base64(str(body[TOKEN]), "a box", limit_bytes=4096)[:size]
    assert attacker.code_of("balance", {**body, TOKEN: to_base64(box)}) == "malformed"


@pytest.mark.parametrize(
    "credentials",
    [{"access_token": "sandbox-good"}, {"secret": "s", "client_id": "c"}],
)
def test_a_credential_in_the_clear_is_refused(
    attacker: Attacker, credentials: dict[str, Json]
) -> None:
    body: JsonObject = {"predicate": GTE, "nonce": "n", "credentials": credentials}
    assert attacker.code_of("balance", body) == "credential-not-sealed"


@pytest.mark.parametrize("token", ["sandbox-good", "encrypted:", "AAA", "", "not base64!", 7])
def test_a_token_that_is_no_box_is_refused(attacker: Attacker, token: Json) -> None:
    body: JsonObject = {"predicate": GTE, "nonce": "n", TOKEN: token}
    for _again in range(2):
        assert attacker.code_of("balance", body) in {"malformed", "credential-not-sealed"}


def test_a_question_is_answered_once(attacker: Attacker) -> None:
    body = attacker.sealed()
    assert attacker.code_of("balance", body) == ""
    assert attacker.code_of("balance", body) == "replayed"


def test_a_box_is_not_opened_again_in_another_question(attacker: Attacker) -> None:
    body = attacker.sealed()
    assert attacker.code_of("balance", with_changes(body, nonce="m")) == "seal-rejected"
    assert attacker.code_of("balance", body) == "replayed"


@pytest.mark.parametrize(
    ("age", "code"),
    [(302, "too-old"), (86_400 * 365, "too-old"), (-62, "from-the-future"), (290, ""), (-55, "")],
)
def test_what_was_sealed_long_ago_or_in_the_future_is_refused(
    attacker: Attacker, age: float, code: str
) -> None:
    assert attacker.code_of("balance", attacker.sealed(age=age)) == code


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        b"sandbox-good",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"issued_at": 1700000000}',
        b'{"value": "sandbox-good"}',
        b'{"issued_at": 1700000000, "value": "t", "more": 1}',
        b'{"issued_at": "now", "value": "t"}',
        b'{"issued_at": -1, "value": "t"}',
        b'{"issued_at": 1e400, "value": "t"}',
        b'{"issued_at": 1.5, "value": "t"}',
        b'{"issued_at": true, "value": "t"}',
        b'{"issued_at": 9007199254740993, "value": "t"}',
        b'{"issued_at": 1, "issued_at": 2, "value": "t"}',
        b"[" * 10_000,
    ],
)
def test_a_sealed_value_of_another_shape_is_malformed(attacker: Attacker, plaintext: bytes) -> None:
    assert attacker.code_of("balance", attacker.sealed(plaintext=plaintext)) == "malformed"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], "malformed"),
        (None, "malformed"),
        (7, "malformed"),
        (True, "malformed"),
        ({"access_token": 7}, "malformed"),
        ({"access_token": "x" * 20_000, "secret": "s"}, "credential-malformed"),
        ({"access_token": "t", "client_id": "c"}, "credential-malformed"),
        ({**CREDENTIALS, "more": "m"}, "credential-malformed"),
        ({**CREDENTIALS, "client_id": "c\r\nX-Evil: 1"}, "credential-malformed"),
    ],
)
def test_a_sealed_value_that_fits_no_provider_is_malformed(
    attacker: Attacker, value: Json, code: str
) -> None:
    assert attacker.code_of("balance", attacker.sealed(value=value)) == code


@pytest.mark.parametrize(
    ("endpoint", "body", "code"),
    [
        ("balance", {"provider_id": "nobody"}, "provider-unknown"),
        ("balance", {"provider_id": "plaid-income"}, "provider-unknown"),
        ("custom", {"provider_id": "nobody"}, "provider-unknown"),
        ("balance", {"predicate": {"type": "roughly", "threshold": 1}}, "predicate-unknown"),
        ("balance", {"predicate": {"type": "annual_gte", "threshold": 1}}, "predicate-unknown"),
        ("balance", {"predicate": {"threshold": 1}}, "predicate-malformed"),
        ("balance", {"predicate": {"type": "gte"}}, "predicate-malformed"),
        ("balance", {"predicate": {**GTE, "more": 1}}, "predicate-malformed"),
        ("balance", {"predicate": {**GTE, "currency": "usd"}}, "predicate-malformed"),
        ("balance", {"predicate": {**GTE, "threshold": "0.001"}}, "threshold-too-fine"),
        ("balance", {"predicate": {**GTE, "threshold": "9" * 30}}, "threshold-out-of-range"),
        ("balance", {"predicate": {"type": "range", "min": 2, "max": 1}}, "predicate-malformed"),
    ],
)
def test_a_question_that_nobody_can_answer_is_refused(
    attacker: Attacker, endpoint: str, body: JsonObject, code: str
) -> None:
    assert attacker.code_of(endpoint, attacker.sealed(endpoint, body)) == code


@pytest.mark.parametrize(
    "fields",
    [
        {"endpoint": "nothing", "body": b"{}", "challenge": b""},
        {"endpoint": 7, "body": b"{}", "challenge": b""},
        {"endpoint": ["balance"], "body": b"{}", "challenge": b""},
        {"endpoint": "balance", "body": "{}", "challenge": b""},
        {"endpoint": "balance", "body": b"\xff", "challenge": b""},
        {"endpoint": "balance", "body": b"[" * 100_000, "challenge": b""},
        {"endpoint": "balance", "challenge": b""},
        {"endpoint": "balance", "body": b"{}", "challenge": 7},
        {},
    ],
)
def test_a_call_that_is_none_is_malformed(attacker: Attacker, fields: dict[str, Any]) -> None:
    with pytest.raises(LinkedMalformedError) as refused:
        attacker.call("ask", **fields)
    assert refused.value.code == "malformed"


def test_a_challenge_that_evidence_cannot_carry_is_malformed(attacker: Attacker) -> None:
    fields = {"endpoint": "balance", "body": json.dumps(attacker.sealed()).encode()}
    for call, more in (("attest", {}), ("ask", fields)):
        with pytest.raises(LinkedMalformedError) as refused:
            attacker.call(call, challenge=b"c" * 65, **more)
        assert refused.value.code == "challenge-malformed"


def test_a_call_that_no_worker_knows_is_malformed(attacker: Attacker) -> None:
    with pytest.raises(LinkedError) as refused:
        attacker.call("keys")
    assert refused.value.code == "call-unknown"


def test_an_answer_to_another_question_is_no_answer(stack: LocalStack, client: Client) -> None:
    # The first asker is told no, the second yes: the host would give the second answer to both.
    low = client.ask("balance", {"type": "gte", "threshold": 10**6}, credentials=CREDENTIALS)
    high = client.ask("balance", GTE, credentials=CREDENTIALS)
    assert (low.answer, high.answer) == (False, True)

    def give_other(_path: str, body: dict[str, Any]) -> dict[str, Any]:
        return high.receipt.to_json() if "receipt" in body else body

    with (
        Client(
            stack.url,
            api_key=stack.api_key,
            policy=stack.policy,
            transport=Rewriting(answer=give_other),
        ) as deceived,
        pytest.raises(ReceiptRejectedError) as refused,
    ):
        deceived.ask("balance", {"type": "gte", "threshold": 10**6}, credentials=CREDENTIALS)
    codes = {finding.code for finding in refused.value.verdict.reasons}
    assert codes == {"question-mismatch", "nonce-mismatch", "sealed-mismatch"}


def test_an_answer_about_the_hosts_own_account_is_no_answer(
    stack: LocalStack, attacker: Attacker
) -> None:
    # Anybody can seal for the worker. A host that wants a yes puts a rich account under the same
    # question: the receipt is as good as any, and is about other sealed values than the asker's.
    def put_own_account(_path: str, body: dict[str, Any]) -> dict[str, Any]:
        return attacker.sealed(
            body={key: value for key, value in body.items() if key != TOKEN},
            value={**CREDENTIALS, "access_token": "sandbox-huge"},
        )

    with (
        Client(
            stack.url,
            api_key=stack.api_key,
            policy=stack.policy,
            transport=Rewriting(request=put_own_account),
        ) as deceived,
        pytest.raises(ReceiptRejectedError) as refused,
    ):
        deceived.ask(
            "balance",
            {"type": "gte", "threshold": 10**6},
            credentials={**CREDENTIALS, "access_token": "sandbox-low"},
        )
    assert refused.value.receipt.statement.answer is True
    assert {finding.code for finding in refused.value.verdict.reasons} == {"sealed-mismatch"}


def test_an_old_answer_to_the_same_question_is_no_answer(stack: LocalStack, client: Client) -> None:
    before = client.ask("balance", GTE, credentials=CREDENTIALS)

    def give_old(_path: str, body: dict[str, Any]) -> dict[str, Any]:
        return before.receipt.to_json() if "receipt" in body else body

    with (
        Client(
            stack.url,
            api_key=stack.api_key,
            policy=stack.policy,
            transport=Rewriting(answer=give_old),
        ) as deceived,
        pytest.raises(ReceiptRejectedError) as refused,
    ):
        deceived.ask("balance", GTE, credentials=CREDENTIALS)
    assert "nonce-mismatch" in {finding.code for finding in refused.value.verdict.reasons}


def test_every_error_reaches_a_caller_as_a_problem_with_a_code_and_a_reason(
    stack: LocalStack, attacker: Attacker
) -> None:
    body = attacker.sealed()
    with httpx.Client(
        base_url=stack.url, headers={"authorization": f"Bearer {stack.api_key}"}
    ) as http:
        first = http.post("/v1/verify/balance", json=body)
        second = http.post("/v1/verify/balance", json=body)
    assert first.status_code == 200
    assert second.status_code == 403
    problem = second.json()
    assert problem["code"] == "replayed"
    assert problem["error"] == problem["detail"] != ""
    assert problem["status"] == 403
    assert problem["type"] == "urn:adyton:error:replayed"


def test_a_refusal_of_the_worker_is_a_refusal_for_the_attacker(attacker: Attacker) -> None:
    body = attacker.sealed()
    attacker.ask("balance", body)
    with pytest.raises(LinkedRejectedError):
        attacker.ask("balance", body)
