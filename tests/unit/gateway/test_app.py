"""The other paths, and what every answer has."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from tests.fakes.gateway import FakeGateway
from tests.fakes.worker import CIRCUIT, PROVIDER, manifest

from adyton.codec.text import to_base64
from adyton.errors import UnavailableError
from adyton.model.manifest import Manifest

OPEN = ["/v1/attestation", "/v1/health", "/v1/providers", "/v1/circuits", "/metrics", "/docs"]


@pytest.mark.parametrize("path", [*OPEN, "/openapi.json"])
async def test_what_must_be_known_before_asking_wants_no_key(
    gateway: FakeGateway, path: str
) -> None:
    async with gateway.client() as client:
        assert (await client.get(path)).status_code == 200


async def test_the_attestation_has_the_rfcs_fields_and_the_manifest(
    client: httpx.AsyncClient,
) -> None:
    body = (await client.get("/v1/attestation")).json()
    made = manifest()
    assert body["enclave_public_key"] == to_base64(made.sealing_keys["x25519"])
    assert body["attestation_document"] == to_base64(b"\x03" * 4096)
    assert body["pcr_values"] == {f"pcr{n}": f"0x{bytes([n]).hex() * 48}" for n in range(3)}
    assert Manifest.from_json(body["manifest"]) == made
    assert body["platform"] == "insecure"
    assert body["challenge"] == ""


async def test_a_challenge_gets_evidence_of_its_own(client: httpx.AsyncClient) -> None:
    body = (await client.get("/v1/attestation?challenge=-_-_")).json()
    assert body["attestation_document"] == to_base64(b"\x06" * 4096 + b"\xfb\xff\xbf")
    assert body["challenge"] == "+/+/"


async def test_the_worker_is_described_once_for_many(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    for _ in range(5):
        await client.get("/v1/attestation")
    assert [name for name, _ in gateway.worker.calls] == ["describe"]
    gateway.time.pass_by(31)
    await client.get("/v1/attestation")
    assert [name for name, _ in gateway.worker.calls] == ["describe", "describe"]


async def test_another_worker_is_described_anew(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    await client.get("/v1/attestation")
    gateway.link.reconnect()
    await client.get("/v1/attestation")
    assert [name for name, _ in gateway.worker.calls if name == "describe"] == ["describe"] * 2


async def test_strangers_cannot_keep_the_worker_busy_with_challenges(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    statuses = [
        (await client.get("/v1/attestation?challenge=AAAA")).status_code for _ in range(150)
    ]
    assert statuses == [200] * 100 + [503] * 50
    assert (await client.get("/v1/attestation")).status_code == 200


async def test_health_is_ok_when_questions_can_be_answered(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/health")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.json()["worker"]["ready"] is True


async def test_health_is_503_without_a_worker(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    gateway.link.is_up = False
    response = await client.get("/v1/health")
    assert response.status_code == 503
    assert (response.json()["status"], response.json()["code"]) == (
        "unavailable",
        "worker-unavailable",
    )


async def test_health_is_503_while_the_worker_gets_ready(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    gateway.worker.ready = False
    assert (await client.get("/v1/health")).status_code == 503


async def test_health_is_503_without_a_store(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    gateway.audit.is_down = True
    response = await client.get("/v1/health")
    assert (response.status_code, response.json()["code"]) == (503, "store-unavailable")


async def test_health_is_looked_at_twice_a_second_however_often_it_is_asked(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    for _ in range(20):
        await client.get("/v1/health")
    assert [name for name, _ in gateway.worker.calls] == ["health"]
    gateway.time.pass_by(0.5)
    gateway.worker.ready = False
    assert (await client.get("/v1/health")).status_code == 503
    assert 'code="worker-unavailable",endpoint="/v1/health"' in (await client.get("/metrics")).text


async def test_providers_and_circuits_are_the_workers(client: httpx.AsyncClient) -> None:
    providers = (await client.get("/v1/providers")).json()["providers"]
    circuits = (await client.get("/v1/circuits")).json()["circuits"]
    assert [provider["id"] for provider in providers] == [PROVIDER]
    assert [circuit["name"] for circuit in circuits] == [CIRCUIT]


@pytest.mark.parametrize("name", ["providers", "circuits", "describe"])
async def test_an_answer_of_another_form_is_no_answer(
    gateway: FakeGateway, client: httpx.AsyncClient, name: str
) -> None:
    gateway.time.pass_by(60)
    gateway.worker.faults[name] = {"something": "else"}
    path = "/v1/attestation" if name == "describe" else f"/v1/{name}"
    response = await client.get(path)
    assert (response.status_code, response.json()["code"]) == (503, "worker-answer-unreadable")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/v1", "/v1/verify", "/v1/verify/else", "/v1/health/"])
async def test_another_path_is_not_found(client: httpx.AsyncClient, method: str, path: str) -> None:
    response = await client.request(method, path)
    assert (response.status_code, response.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/verify/balance", "POST"),
        ("DELETE", "/v1/verify/proof", "POST"),
        ("POST", "/v1/health", "GET"),
    ],
)
async def test_another_method_is_told_which_is_allowed(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    response = await client.request(method, path)
    assert (response.status_code, response.json()["code"]) == (405, "method-not-allowed")
    assert response.headers["allow"] == allowed


async def test_every_answer_has_an_identifier_of_its_own(client: httpx.AsyncClient) -> None:
    first = await client.get("/v1/health", headers={"x-request-id": "chosen-by-the-caller"})
    second = await client.get("/nowhere")
    assert re.fullmatch(r"[0-9a-f]{32}", first.headers["x-request-id"])
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_metrics_take_no_label_from_a_caller(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    await client.get("/marker-path?marker=query")
    await client.post("/v1/verify/balance", content=b"marker-body", headers={"x-marker": "header"})
    text = (await client.get("/metrics")).text
    assert "marker" not in text
    assert 'adyton_requests_total{code="not-found",endpoint="other",status="404"} 1.0' in text
    assert 'endpoint="/v1/verify/balance",status="415"' in text
    assert "adyton_fake 7.0" in text


async def test_metrics_are_there_without_a_worker(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    gateway.link.is_up = False
    assert (await client.get("/metrics")).status_code == 200


async def test_a_log_line_names_the_path_not_what_was_sent(
    gateway: FakeGateway, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        await client.get("/v1/providers?marker=query", headers={"x-marker": "header"})
    record = vars(next(record for record in caplog.records if record.msg == "request"))
    assert (record["endpoint"], record["status"]) == ("/v1/providers", 200)
    assert record["key_id"] == ""
    assert "marker" not in json.dumps({k: str(v) for k, v in record.items()})


@pytest.mark.parametrize("path", ["/v1/health", "/metrics"])
async def test_what_is_watched_every_few_moments_fills_no_log(
    path: str, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        await client.get(path)
    assert [record for record in caplog.records if record.msg == "request"] == []


async def test_a_worker_that_fails_a_reading_is_503(
    gateway: FakeGateway, client: httpx.AsyncClient
) -> None:
    gateway.worker.faults["attest"] = UnavailableError("no evidence now")
    response = await client.get("/v1/attestation?challenge=AAAA")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.anchors: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        found: dict[str, Any] = dict(attrs)
        if "id" in found:
            self.anchors.add(found["id"])
        if "href" in found:
            self.links.append(found["href"])
        assert "src" not in found


async def test_the_page_runs_nothing_and_loads_nothing(client: httpx.AsyncClient) -> None:
    response = await client.get("/docs")
    page = _Page()
    page.feed(response.text)
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert "default-src 'none'" in response.headers["content-security-policy"]
    for link in page.links:
        assert link == "/openapi.json" or link.removeprefix("#") in page.anchors, link
    assert "/v1/verify/balance" in page.anchors


PICTURE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
LED = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
LINK = LED | {"sec-fetch-user": "?1"}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sec-fetch-site": "same-site"},
        LINK | {"sec-fetch-dest": "iframe"},
        LED,
        LINK | {"sec-purpose": "prefetch"},
    ],
    ids=["a picture", "another port", "a frame", "a window that is led", "fetched ahead"],
)
async def test_a_stranger_s_page_cannot_have_the_worker_attest(
    gateway: FakeGateway, client: httpx.AsyncClient, changes: dict[str, str]
) -> None:
    response = await client.get("/v1/attestation?challenge=AAAA", headers=PICTURE | changes)

    assert (response.status_code, response.json()["code"]) == (403, "page-rejected")
    assert not gateway.worker.calls


@pytest.mark.parametrize(
    "headers",
    [LINK, {"sec-fetch-site": "none"}, PICTURE | {"sec-fetch-site": "same-origin"}],
    ids=["a link", "the address bar", "a page of ours"],
)
async def test_readers_and_our_own_pages_are_served(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await client.get("/v1/circuits", headers=headers)).status_code == 200


async def test_a_form_of_a_stranger_s_page_is_no_link(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/verify/proof", headers=LINK)

    assert (response.status_code, response.json()["code"]) == (403, "page-rejected")
