"""TEE-Rex's paths as its clients see them: fields, headers, statuses; and what is better here."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.prover import OPENPGP_KEY, PROOF, sealed
from tests.integration.jobs.conftest import SETTINGS, ProvingGateway

from adyton.adapters.openpgp import OpenPgpRejectedError
from adyton.adapters.store import Scope, open_store
from adyton.codec.text import to_base64
from adyton.model.proving import MEDIA_TYPE

MESSAGE = to_base64(b"an openpgp message")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def visitor(gateway: ProvingGateway, host: str = "192.0.2.1") -> httpx.AsyncClient:
    """A client without a key, somewhere."""
    transport = httpx.ASGITransport(gateway.app, client=(host, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


async def prove(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await client.post("/prove", json={"data": MESSAGE}, headers=headers)


@pytest.mark.parametrize(
    ("mode", "fields"),
    [
        ("standard", {"bbVersions": [{"version": "5.0.0", "sha256": "ab" * 32}]}),
        ("nitro", {"attestationDocument": to_base64(b"evidence")}),
        ("sgx", {"quote": to_base64(b"evidence")}),
    ],
)
async def test_the_attestation_has_the_fields_of_its_mode(
    gateway: ProvingGateway, mode: str, fields: dict[str, Any]
) -> None:
    gateway.prover.mode = mode
    async with visitor(gateway) as client:
        response = await client.get("/attestation")

    assert response.status_code == 200
    assert response.json() == {"mode": mode, "publicKey": OPENPGP_KEY, **fields}


async def test_the_older_path_has_the_worker_s_key_in_every_mode(gateway: ProvingGateway) -> None:
    gateway.prover.mode = "sgx"
    async with visitor(gateway) as client:
        response = await client.get("/encryption-public-key")

    assert response.json() == {"publicKey": OPENPGP_KEY}


async def test_a_proof_comes_back_with_its_times(gateway: ProvingGateway) -> None:
    async with visitor(gateway) as client:
        response = await prove(client)

    assert response.status_code == 200
    assert response.json() == {"proof": to_base64(PROOF)}
    assert response.headers["x-prove-duration-ms"] == "120"
    assert response.headers["x-decrypt-duration-ms"] == "3"
    assert gateway.prover.calls[-1] == ("openpgp-prove", {"message": b"an openpgp message"})


@pytest.mark.parametrize("worker", ["ok", "unreachable"])
async def test_health_is_200_whether_or_not_there_is_a_worker(
    gateway: ProvingGateway, worker: str
) -> None:
    gateway.link.is_up = worker == "ok"
    async with visitor(gateway) as client:
        response = await client.get("/health")

    assert response.status_code == 200
    found = response.json()
    assert (found["ok"], found["status"], found["api_version"]) == (True, "ok", 1)
    assert found["enclave"] == worker
    assert found["available_versions"] == (["5.0.0"] if worker == "ok" else [])
    assert {"hardware_concurrency", "cpu_count", "tee_mode", "crs_path"} <= found["runtime"].keys()


@pytest.mark.parametrize("path", ["/attestation", "/encryption-public-key", "/prove", "/health"])
async def test_pages_of_any_origin_may_ask(gateway: ProvingGateway, path: str) -> None:
    page = {"origin": "https://app.example", "sec-fetch-site": "cross-site"}
    async with visitor(gateway) as client:
        preflight = await client.options(path, headers=page)
        answer = await (
            prove(client, **page) if path == "/prove" else client.get(path, headers=page)
        )

    assert preflight.status_code == 204
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert {"content-type", "x-request-id", "x-aztec-version"} <= set(allowed.split(", "))
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"]
    assert "X-Prove-Duration-Ms" in exposed
    assert "X-Request-Id" in exposed


@pytest.mark.parametrize("path", ["/attestation", "/encryption-public-key", "/prove"])
async def test_a_stranger_s_page_cannot_use_the_browser_of_this_machine(
    gateway: ProvingGateway, path: str
) -> None:
    # What any page sends without being asked: a form's media type needs no preflight.
    headers = {
        "origin": "https://evil.example",
        "sec-fetch-site": "cross-site",
        "content-type": "text/plain",
    }
    async with visitor(gateway, "127.0.0.1") as client:
        if path == "/prove":
            answer = await client.post(path, json={"data": MESSAGE}, headers=headers)
        else:
            answer = await client.get(path, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "origin-rejected")
    assert not gateway.prover.calls


async def test_a_page_of_a_named_origin_is_served_on_this_machine_and_counted(
    tmp_path: Path,
) -> None:
    settings = replace(SETTINGS, tee_rex_origins=frozenset({"https://app.example"}))
    async with open_store(f"sqlite:///{tmp_path}/adyton.db") as store:
        gateway = ProvingGateway(store, settings=settings)
        async with visitor(gateway, "127.0.0.1") as client:
            page = {"origin": "https://app.example", "sec-fetch-site": "cross-site"}
            asked = await client.options("/prove", headers=page)
            key = await client.get("/attestation", headers=page)
            answers = [await prove(client, **page) for _ in range(4)]

    assert (asked.status_code, key.status_code) == (204, 200)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert {answer.headers["access-control-allow-origin"] for answer in answers} == {"*"}


async def test_a_request_s_identifier_is_its_own_or_a_fresh_one(gateway: ProvingGateway) -> None:
    async with visitor(gateway) as client:
        own = await client.get("/health", headers={"x-request-id": "mine-1"})
        fresh = await client.get("/health")
        strange = await client.get("/health", headers={"x-request-id": 'a"b\\u000a'})
        refused = await client.post("/prove", content=b"{", headers={"x-request-id": "mine-2"})

    assert own.headers.get_list("x-request-id") == ["mine-1"]
    assert UUID.fullmatch(fresh.headers["x-request-id"])
    assert UUID.fullmatch(strange.headers["x-request-id"])
    assert refused.json()["requestId"] == refused.headers["x-request-id"] == "mine-2"


@pytest.mark.parametrize(
    ("body", "status", "text", "code"),
    [
        (b"", 400, "Malformed request body", "envelope-malformed"),
        (b"{", 400, "Malformed request body", "envelope-malformed"),
        (b"\xff", 400, "Malformed request body", "envelope-malformed"),
        (
            b'{"data":"QQ==","more":[' + b"[]," * 100 + b"[]]}",
            400,
            "Malformed request body",
            "envelope-malformed",
        ),
        *(
            (body, 400, "Invalid request body: expected { data: string }", "envelope-malformed")
            for body in (b"{}", b"[]", b'{"data":""}', b'{"data":1}', b'{"data":"!not base64"}')
        ),
        (b" " * (50 * 1024 * 1024 + 1), 413, "the body has more than", "body-too-large"),
    ],
    ids=[
        "nothing",
        "not json",
        "not text",
        "nothing but values",
        "no data",
        "a list",
        "empty data",
        "a number",
        "not base64",
        "too large",
    ],
)
async def test_what_is_no_envelope_is_refused_in_tee_rex_s_words(
    gateway: ProvingGateway, *, body: bytes, status: int, text: str, code: str
) -> None:
    async with visitor(gateway) as client:
        response = await client.post("/prove", content=body)

    found = response.json()
    assert (response.status_code, found["code"]) == (status, code)
    assert found["error"].startswith(text)
    assert found["requestId"] == response.headers["x-request-id"]
    assert not gateway.prover.calls


async def test_a_message_for_another_key_is_400(gateway: ProvingGateway) -> None:
    gateway.prover.error = OpenPgpRejectedError()
    async with visitor(gateway) as client:
        response = await prove(client)

    assert response.status_code == 400
    assert response.json()["error"] == "Failed to decrypt request payload"
    assert response.json()["code"] == "openpgp-rejected"


@pytest.mark.parametrize("version", ["4.1.2-rc.1", "../../etc", "", "5.0.0-nightly"])
async def test_an_unknown_version_is_an_error_and_never_another_one(
    gateway: ProvingGateway, version: str
) -> None:
    headers = [(b"x-aztec-version", version.encode()), (b"content-type", b"application/json")]
    async with visitor(gateway) as client:
        response = await client.post("/prove", content=b"{}", headers=headers)
        known = await prove(client, **{"x-aztec-version": "5.0.0"})

    assert (response.status_code, response.json()["code"]) == (400, "aztec-version-unknown")
    assert known.status_code == 200


async def test_no_header_buys_a_stranger_more_proofs(gateway: ProvingGateway) -> None:
    async with visitor(gateway) as client:
        answers = [
            await prove(client, **{"x-forwarded-for": f"198.51.100.{number}"})
            for number in range(5)
        ]
        elsewhere = await prove(visitor(gateway, "192.0.2.2"))

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json()["error"] == "Too many prove requests, try again later"
    assert answers[-1].json()["code"] == "too-many-visits"
    assert int(answers[-1].headers["retry-after"]) > 3000
    assert elsewhere.status_code == 200


async def test_programs_of_this_machine_are_not_counted(gateway: ProvingGateway) -> None:
    async with visitor(gateway, "127.0.0.1") as client:
        answers = [await prove(client) for _ in range(12)]

    assert {answer.status_code for answer in answers} == {200}


async def test_a_hundred_strangers_at_once_are_answered_or_told_to_come_back(
    gateway: ProvingGateway,
) -> None:
    gateway.prover.hold()
    clients = [visitor(gateway, f"10.0.0.{number}") for number in range(100)]
    asking = [asyncio.create_task(prove(client)) for client in clients]
    async with asyncio.timeout(10):
        while sum(task.done() for task in asking) < 96:  # noqa: ASYNC110  # steps of the loop
            await asyncio.sleep(0.001)
    gateway.prover.release()
    answers = await asyncio.gather(*asking)

    assert sorted({answer.status_code for answer in answers}) == [200, 503]
    assert {answer.json().get("code", "proven") for answer in answers} == {"proven", "overloaded"}
    assert gateway.prover.most == 1


async def test_strangers_leave_a_place_to_callers_with_keys(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/adyton.db") as store:
        gateway = ProvingGateway(store, settings=replace(SETTINGS, at_once=2))
        gateway.prover.hold()
        strangers = [visitor(gateway, f"10.0.0.{number}") for number in range(3)]
        asking = [asyncio.create_task(prove(stranger)) for stranger in strangers]
        async with await gateway.caller(Scope.PROVE) as client:
            known = asyncio.create_task(
                client.post("/v1/prove", content=sealed(), headers={"content-type": MEDIA_TYPE})
            )
            async with asyncio.timeout(10):
                while gateway.prover.working < 2:  # noqa: ASYNC110  # steps of the loop
                    await asyncio.sleep(0)
            await asyncio.sleep(0.05)
            # One of the strangers, and the caller with a key.
            assert (gateway.prover.working, gateway.prover.nonces) == (2, ["a nonce"])
            gateway.prover.release()
            answers = await asyncio.gather(known, *asking)

    assert {answer.status_code for answer in answers} == {200}


async def test_strangers_do_not_fill_the_room_of_callers_with_keys(tmp_path: Path) -> None:
    settings = replace(SETTINGS, at_once=2, memory_bytes=4 * len(sealed()))
    async with open_store(f"sqlite:///{tmp_path}/adyton.db") as store:
        gateway = ProvingGateway(store, settings=settings)
        gateway.prover.hold()
        body = {"data": to_base64(bytes(3 * len(sealed()) // 4))}
        strangers = [visitor(gateway, f"10.0.0.{number}") for number in range(8)]
        asking = [asyncio.create_task(stranger.post("/prove", json=body)) for stranger in strangers]
        async with await gateway.caller(Scope.PROVE) as client:
            await asyncio.sleep(0.05)
            known = asyncio.create_task(
                client.post("/v1/prove", content=sealed(), headers={"content-type": MEDIA_TYPE})
            )
            await asyncio.sleep(0.05)
            gateway.prover.release()
            answer = await known
            await asyncio.gather(*asking)

    assert answer.status_code == 200, answer.json()


async def test_without_a_worker_there_is_no_key_to_seal_to(gateway: ProvingGateway) -> None:
    gateway.link.is_up = False
    async with visitor(gateway) as client:
        answers = [await client.get("/attestation"), await prove(client)]

    assert {answer.status_code for answer in answers} == {503}
    assert {answer.json()["code"] for answer in answers} == {"worker-unavailable"}
    assert not any("publicKey" in answer.json() for answer in answers)
