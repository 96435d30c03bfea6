"""Verifying over HTTP: the verdict is the answer, whatever it is."""

from typing import Any

import httpx
import pytest
from tests.fakes.gateway import FakeGateway

from adyton.adapters.store.records import Scope
from adyton.errors import MalformedError, UnavailableError

PATH = "/v1/verify/proof"
BODY: dict[str, Any] = {"proof": "AAAA", "receipt": {"statement": {}}, "policy": {"roots": []}}


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_verdict_is_answered_with_200(
    gateway: FakeGateway, client: httpx.AsyncClient, *, accepted: bool
) -> None:
    gateway.verifier.verdict = {"accepted": accepted, "why": "größer"}
    response = await client.post(PATH, json=BODY)
    assert response.status_code == 200
    assert response.json() == gateway.verifier.verdict


async def test_the_verifier_gets_receipt_policy_and_instant(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    await client.post(PATH, json=BODY)
    (seen,) = gateway.verifier.seen
    assert seen == (
        {"proof": "AAAA", "receipt": {"statement": {}}},
        {"roots": []},
        gateway.time.now,
    )


async def test_nothing_of_it_is_stored(gateway: FakeGateway, client: httpx.AsyncClient) -> None:
    await client.post(PATH, json=BODY)
    assert not gateway.audit.entries


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"[]", 400, "malformed"),
        (b"{}", 400, "malformed"),
        (b'{"proof": "AAAA"}', 400, "malformed"),
        (b'{"policy": "any"}', 400, "malformed"),
        (b"{" + b" " * 2_000_000, 413, "body-too-large"),
    ],
)
async def test_what_is_no_request_is_malformed(
    client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    response = await client.post(PATH, content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_a_receipt_that_is_none_is_malformed(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    gateway.verifier.error = MalformedError("the answer lacks proof")
    response = await client.post(PATH, json=BODY)
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


async def test_no_verifier_is_no_verdict(gateway: FakeGateway, client: httpx.AsyncClient) -> None:
    gateway.verifier.error = UnavailableError("bb is missing")
    response = await client.post(PATH, json=BODY)
    assert response.status_code == 503
    assert "retry-after" in response.headers


async def test_a_verifier_that_hangs_is_no_verdict(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    gateway.verifier.error = TimeoutError()
    response = await client.post(PATH, json=BODY)
    assert (response.status_code, response.json()["code"]) == (503, "verification-timeout")


async def test_verifying_wants_its_scope(gateway: FakeGateway) -> None:
    async with gateway.client() as client:
        assert (await client.post(PATH, json=BODY)).status_code == 401
    async with gateway.client(gateway.key(Scope.ASK)) as client:
        response = await client.post(PATH, json=BODY)
    assert (response.status_code, response.json()["code"]) == (403, "scope-missing")
