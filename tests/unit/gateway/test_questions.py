"""The path of a question: each step refuses what it is there to refuse."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.types import Message
from tests.fakes.gateway import BOX, QUESTION, FakeGateway, connected
from tests.fakes.worker import BusyError, UnknownProviderError, answered

from adyton.adapters.store.records import KeyLimits, Scope
from adyton.errors import MalformedError, RejectedError, UnavailableError
from adyton.model.question import MAX_QUESTION_BYTES, Endpoint
from adyton.model.receipt import Receipt

BALANCE = "/v1/verify/balance"
MARKER = "marker-6b1f0c"


def problem_of(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["error"] == body["detail"]
    assert body["type"] == f"urn:adyton:error:{body['code']}"
    assert body.keys() == {"type", "title", "status", "detail", "code", "error"}
    return response.status_code, body["code"]


async def test_the_workers_receipt_is_the_answer(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    response = await client.post(BALANCE, json=QUESTION)
    assert response.status_code == 200
    receipt = Receipt.from_bytes(response.content)
    assert receipt.statement.question.nonce == QUESTION["nonce"]
    assert response.headers["server-timing"] == "open;dur=0.2, fetch;dur=12.5, prove;dur=80.2"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_the_worker_gets_the_very_bytes(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    body = json.dumps(QUESTION, indent=3).encode()
    await client.post(BALANCE, content=body, headers={"content-type": "application/json"})
    assert gateway.worker.calls == [
        ("ask", {"endpoint": "balance", "body": body, "challenge": b""})
    ]


@pytest.mark.parametrize("endpoint", [e for e in Endpoint if e is not Endpoint.CUSTOM])
async def test_every_question_of_the_rfc_has_its_path(
    gateway: FakeGateway, client: httpx.AsyncClient, endpoint: Endpoint
) -> None:
    response = await client.post(f"/v1/verify/{endpoint}", json=QUESTION)
    assert response.status_code == 200
    assert gateway.worker.calls[0][1]["endpoint"] == endpoint


@pytest.mark.parametrize(
    "extra",
    [
        {
            "provider_id": "generic-http",
            "credentials": {"url": "https://api.example.com/"},
            "extraction": {"path": "$.a", "type": "Decimal"},
        },
        {
            "provider": {"url": "https://api.example.com/", "method": "GET"},
            "response_extraction": {"type": "jsonPath", "pattern": "$.a"},
        },
    ],
)
async def test_both_forms_of_a_custom_question_pass(
    client: httpx.AsyncClient, extra: dict[str, Any]
) -> None:
    question = {"predicate": {"type": "gte", "threshold": 1}, "nonce": "n", **extra}
    assert (await client.post("/v1/verify/custom", json=question)).status_code == 200


@pytest.mark.parametrize(
    ("text", "challenge"),
    [
        ("AAECAw==", b"\0\1\2\3"),
        ("AAECAw", b"\0\1\2\3"),
        ("%2B%2F%2B%2F", b"\xfb\xff\xbf"),
        ("-_-_", b"\xfb\xff\xbf"),
        ("+/+/", b"\xfb\xff\xbf"),
        ("A" * 84 + "AA", bytes(64)),
    ],
)
async def test_a_challenge_is_passed_on(
    gateway: FakeGateway, client: httpx.AsyncClient, text: str, challenge: bytes
) -> None:
    response = await client.post(f"{BALANCE}?challenge={text}", json=QUESTION)
    assert response.status_code == 200
    assert gateway.worker.calls[0][1]["challenge"] == challenge


@pytest.mark.parametrize("query", ["challenge=", "challenge=A", "challenge=*", "challenge=%00"])
async def test_a_challenge_that_is_not_base64_is_malformed(
    client: httpx.AsyncClient, query: str
) -> None:
    assert problem_of(await client.post(f"{BALANCE}?{query}", json=QUESTION)) == (400, "malformed")


@pytest.mark.parametrize("query", [f"challenge={'A' * 88}", "challenge=AAAA&challenge=AAAA"])
async def test_more_than_one_challenge_is_malformed(client: httpx.AsyncClient, query: str) -> None:
    assert problem_of(await client.post(f"{BALANCE}?{query}", json=QUESTION)) == (400, "malformed")


async def test_without_a_key_nothing_is_asked(gateway: FakeGateway) -> None:
    async with gateway.client() as client:
        response = await client.post(BALANCE, json=QUESTION)
    assert problem_of(response) == (401, "unauthenticated")
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert not gateway.worker.calls
    assert not gateway.audit.entries


async def test_a_key_without_the_scope_is_refused(gateway: FakeGateway) -> None:
    async with gateway.client(gateway.key(Scope.VERIFY)) as client:
        response = await client.post(BALANCE, json=QUESTION)
    assert problem_of(response) == (403, "scope-missing")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json"}, 200),
        ({"content-type": "Application/JSON; charset=utf-8"}, 200),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({}, 415),
        ({"content-type": "application/json", "content-encoding": "gzip"}, 415),
    ],
)
async def test_only_plain_json_is_read(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    response = await client.post(BALANCE, content=json.dumps(QUESTION).encode(), headers=headers)
    assert response.status_code == status
    if status != 200:
        assert problem_of(response) == (415, "media-type")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed"),
        (b"{", 400, "malformed"),
        (b"[]", 400, "malformed"),
        (b"\xff", 400, "malformed"),
        (b"{}", 400, "malformed"),
        (json.dumps({**QUESTION, "nonce": ""}).encode(), 400, "malformed"),
        (json.dumps({**QUESTION, "nonce": 5}).encode(), 400, "malformed"),
        (json.dumps({**QUESTION, "surprise": 1}).encode(), 400, "malformed"),
        (json.dumps({**QUESTION, "predicate": "gte"}).encode(), 400, "malformed"),
        (json.dumps({**QUESTION, "encrypted_access_token": "%"}).encode(), 400, "malformed"),
        (b'{"nonce":"a","nonce":"b","predicate":{}}', 400, "malformed"),
        (
            json.dumps({**QUESTION, "proof_system": "risc0"}).encode(),
            400,
            "proof-system-unavailable",
        ),
        (
            json.dumps({**QUESTION, "encrypted_access_token": 5}).encode(),
            403,
            "credential-not-sealed",
        ),
    ],
)
async def test_what_the_worker_would_refuse_is_refused_early(
    gateway: FakeGateway, client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    headers = {"content-type": "application/json"}
    response = await client.post(BALANCE, content=body, headers=headers)
    assert problem_of(response) == (status, code)
    assert not gateway.worker.calls


async def test_another_proof_system_is_told_what_there_is(client: httpx.AsyncClient) -> None:
    response = await client.post(BALANCE, json={**QUESTION, "proof_system": "sp1"})
    assert "noir-ultrahonk" in response.json()["detail"]


async def test_a_body_that_says_it_is_too_large_is_not_read(client: httpx.AsyncClient) -> None:
    response = await client.post(
        BALANCE,
        content=b" " * (MAX_QUESTION_BYTES + 1),
        headers={"content-type": "application/json"},
    )
    assert problem_of(response) == (413, "body-too-large")


async def test_a_body_that_grows_too_large_is_cut(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1
            yield b" " * 16_384

    response = await client.post(
        BALANCE, content=chunks(), headers={"content-type": "application/json"}
    )
    assert problem_of(response) == (413, "body-too-large")
    assert gateway.audit.entries[0].code == "body-too-large"


@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after"),
    [
        (UnknownProviderError("no such provider"), 403, "unknown-provider", None),
        (BusyError("too many"), 503, "overloaded", "7"),
        (MalformedError("threshold is not a number"), 400, "malformed", None),
        (RejectedError("no"), 403, "rejected", None),
        (UnavailableError("later"), 503, "unavailable", "1"),
    ],
)
async def test_an_error_of_the_worker_keeps_its_family_and_code(
    gateway: FakeGateway,
    client: httpx.AsyncClient,
    *,
    error: Exception,
    status: int,
    code: str,
    retry_after: str | None,
) -> None:
    gateway.worker.faults["ask"] = error
    response = await client.post(BALANCE, json=QUESTION)
    assert problem_of(response) == (status, code)
    assert response.headers.get("retry-after") == retry_after
    assert response.json()["detail"] == str(error)
    assert (gateway.audit.entries[0].status, gateway.audit.entries[0].code) == (status, code)
    assert f'code="{code}",endpoint="{BALANCE}",status="{status}"' in metrics_of(gateway)


async def test_a_fault_of_ours_says_nothing_of_the_question(
    gateway: FakeGateway, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.worker.faults["ask"] = KeyError(MARKER)
    response = await client.post(BALANCE, json=QUESTION)
    assert problem_of(response) == (500, "internal")
    assert MARKER not in response.text
    assert MARKER not in caplog.text
    failed = next(record for record in caplog.records if record.msg == "request-failed")
    assert vars(failed)["error_type"] == "KeyError"


async def test_no_worker_is_no_answer(gateway: FakeGateway, client: httpx.AsyncClient) -> None:
    gateway.link.is_up = False
    response = await client.post(BALANCE, json=QUESTION)
    assert problem_of(response) == (503, "worker-unavailable")
    assert response.headers["retry-after"] == "1"


async def test_a_worker_whose_providers_are_out_of_reach_is_not_asked(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    gateway.link.epoch += 1
    assert problem_of(await client.post(BALANCE, json=QUESTION)) == (503, "worker-unavailable")
    assert not gateway.worker.calls


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"answer": "text"},
        {"answer": b""},
        {"answer": b"{}"},
        {"answer": b'{"receipt":{"statement":{}}}'},
        {"answer": b" " * 2_000_000},
    ],
)
async def test_an_answer_that_is_no_receipt_is_not_passed_on(
    gateway: FakeGateway, client: httpx.AsyncClient, answer: dict[str, Any]
) -> None:
    gateway.worker.faults["ask"] = answer
    response = await client.post(BALANCE, json=QUESTION)
    assert problem_of(response) == (503, "worker-answer-unreadable")


@pytest.mark.parametrize("odd", [{"threshold": 1.5}, {"threshold": "x" * 10_000}, [], None])
async def test_a_summary_that_is_none_is_not_stored(
    gateway: FakeGateway, client: httpx.AsyncClient, odd: Any
) -> None:
    async def ask(question: Any, challenge: bytes) -> dict[str, Any]:
        fields = answered(question, challenge)
        receipt = {**json.loads(fields["answer"]), "public_inputs": odd}
        return {**fields, "answer": json.dumps(receipt).encode()}

    gateway.worker.ask = ask
    response = await client.post(BALANCE, json=QUESTION)
    assert problem_of(response) == (503, "worker-answer-unreadable")


async def test_the_audit_holds_digests_and_the_summary(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    response = await client.post(BALANCE, json=QUESTION)
    receipt = Receipt.from_bytes(response.content)
    (entry,) = gateway.audit.entries
    assert entry.id == response.headers["x-request-id"]
    assert entry.time == gateway.time.now
    assert entry.key_id in gateway.keys.keys
    assert (entry.endpoint, entry.status, entry.code) == ("balance", 200, "")
    assert (entry.provider, entry.circuit) == ("plaid-balance", "balance_threshold")
    assert entry.answer is True
    assert entry.public_inputs == response.json()["public_inputs"]
    assert entry.proof == receipt.statement.proof.hex()
    assert entry.manifest == receipt.statement.manifest.hex()
    assert len(entry.statement) == len(entry.transcript) == 64
    assert entry.timings["prove"] == 80.25


async def test_the_audit_holds_nothing_of_what_was_sealed_or_sent(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    question = {
        **QUESTION,
        "credentials": {"client_id": MARKER, "secret": f"encrypted:{BOX}"},
        "audience": MARKER,
    }
    assert (await client.post(BALANCE, json=question)).status_code == 200
    text = str([asdict(entry) for entry in gateway.audit.entries])
    assert MARKER not in text
    assert BOX not in text
    assert QUESTION["nonce"] not in text


async def test_an_answer_that_cannot_be_audited_is_withheld(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    gateway.audit.is_down = True
    response = await client.post(BALANCE, json=QUESTION)
    assert problem_of(response) == (503, "store-unavailable")
    assert "proof" not in response.json()


async def test_a_failure_that_cannot_be_audited_is_told_all_the_same(
    gateway: FakeGateway, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.audit.is_down = True
    gateway.worker.faults["ask"] = UnknownProviderError("no such provider")
    assert problem_of(await client.post(BALANCE, json=QUESTION)) == (403, "unknown-provider")
    assert any(record.msg == "audit-lost" for record in caplog.records)


async def test_a_key_that_asks_too_fast_is_told_when_to_come_back(gateway: FakeGateway) -> None:
    key = gateway.key(limits=KeyLimits(per_minute=6))
    async with gateway.client(key) as client:
        assert (await client.post(BALANCE, json=QUESTION)).status_code == 200
        response = await client.post(BALANCE, json=QUESTION)
        assert problem_of(response) == (429, "too-many-requests")
        assert response.headers["retry-after"] == "10"
        gateway.time.pass_by(10)
        assert (await client.post(BALANCE, json=QUESTION)).status_code == 200
    assert len(gateway.audit.entries) == 2, "who is refused by the minute can't fill the disk"


async def test_a_key_that_has_used_its_day_waits_for_midnight(gateway: FakeGateway) -> None:
    key = gateway.key(limits=KeyLimits(per_day=1))
    async with gateway.client(key) as client:
        assert (await client.post(BALANCE, json=QUESTION)).status_code == 200
        response = await client.post(BALANCE, json=QUESTION)
        assert problem_of(response) == (429, "too-many-requests")
        assert response.headers["retry-after"] == str(13 * 3600 + 1800)
        gateway.time.pass_by(13 * 3600 + 1800)
        assert (await client.post(BALANCE, json=QUESTION)).status_code == 200


async def test_more_at_a_time_than_the_gateway_takes_is_refused_at_once() -> None:
    release = asyncio.Event()

    async def wait(question: Any, challenge: bytes) -> dict[str, Any]:
        await release.wait()
        return answered(question, challenge)

    async with connected(in_flight=2) as gateway, gateway.client(gateway.key()) as client:
        gateway.worker.ask = wait
        first = [asyncio.create_task(client.post(BALANCE, json=QUESTION)) for _ in range(2)]
        while gateway.limiter.in_flight < 2:  # noqa: ASYNC110  # steps of the loop, no clock
            await asyncio.sleep(0)
        assert problem_of(await client.post(BALANCE, json=QUESTION)) == (503, "overloaded")
        release.set()
        assert [response.status_code for response in await asyncio.gather(*first)] == [200, 200]
        assert gateway.limiter.in_flight == 0


async def test_more_at_a_time_than_a_key_may_is_refused(gateway: FakeGateway) -> None:
    release = asyncio.Event()

    async def wait(question: Any, challenge: bytes) -> dict[str, Any]:
        await release.wait()
        return answered(question, challenge)

    gateway.worker.ask = wait
    key = gateway.key(limits=KeyLimits(in_flight=1))
    async with gateway.client(key) as client, gateway.client(gateway.key()) as other:
        first = asyncio.create_task(client.post(BALANCE, json=QUESTION))
        while gateway.limiter.in_flight < 1:  # noqa: ASYNC110  # steps of the loop, no clock
            await asyncio.sleep(0)
        assert problem_of(await client.post(BALANCE, json=QUESTION)) == (429, "too-many-requests")
        second = asyncio.create_task(other.post(BALANCE, json=QUESTION))
        await asyncio.sleep(0)
        release.set()
        assert (await first).status_code == (await second).status_code == 200


async def test_a_worker_that_is_too_slow_is_told_to_stop() -> None:
    async with connected(deadline=timedelta(milliseconds=1)) as gateway:
        gateway.worker.seconds = 3600
        async with gateway.client(gateway.key()) as client:
            response = await client.post(BALANCE, json=QUESTION)
    assert problem_of(response) == (503, "worker-timeout")
    assert gateway.worker.cancelled == 1


async def test_a_caller_that_hangs_up_cancels_the_work(gateway: FakeGateway) -> None:
    gateway.worker.seconds = 3600
    asked = asyncio.Event()
    body = json.dumps(QUESTION).encode()
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        while not gateway.worker.calls:  # noqa: ASYNC110  # steps of the loop, no clock
            await asyncio.sleep(0)
        asked.set()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": BALANCE,
        "raw_path": BALANCE.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"x-api-key", gateway.key().text.encode()),
            (b"content-type", b"application/json"),
        ],
        "client": None,
        "server": ("gateway", 80),
    }
    await gateway.app(scope, receive, send)
    assert asked.is_set()
    assert gateway.worker.cancelled == 1
    assert gateway.limiter.in_flight == 0
    (entry,) = gateway.audit.entries
    assert (entry.status, entry.code) == (499, "caller-gone")


def metrics_of(gateway: FakeGateway) -> str:
    return gateway.metrics.exposition().decode()
