"""``/v1/prove`` and ``/v1/jobs`` over HTTP: what is answered, what refused, and with which code."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.fakes.prover import sealed
from tests.integration.jobs.conftest import ProvingGateway

from adyton.adapters.store.records import KeyLimits, Scope
from adyton.gateway.proving.following import Following
from adyton.model.proving import MEDIA_TYPE
from adyton.model.proving_receipt import ProvingReceipt

TYPE = {"content-type": MEDIA_TYPE}


async def post(client: httpx.AsyncClient, nonce: str = "n", **query: str) -> httpx.Response:
    return await client.post("/v1/prove", content=sealed(nonce), headers=TYPE, params=query)


async def as_job(client: httpx.AsyncClient, nonce: str = "n") -> dict[str, Any]:
    response = await post(client, nonce, mode="job")
    assert response.status_code == 202, response.text
    document: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/v1/jobs/{document['job']}"
    return document


async def until(client: httpx.AsyncClient, job: str, *states: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            document: dict[str, Any] = (await client.get(f"/v1/jobs/{job}")).json()
            if document["state"] in states:
                return document
            await asyncio.sleep(0.01)


async def test_a_proof_is_answered_while_the_caller_waits(
    gateway: ProvingGateway, client: httpx.AsyncClient
) -> None:
    response = await post(client, "mine", challenge="BQU=")

    assert response.status_code == 200
    receipt = ProvingReceipt.from_bytes(response.content)
    assert receipt.statement.header.nonce == "mine"
    assert receipt.challenge == b"\x05\x05"
    assert "bb;dur=80.0" in response.headers["server-timing"]
    (entry,) = gateway.audit.entries
    assert (entry.endpoint, entry.status, entry.id) == (
        "prove",
        200,
        response.headers["x-request-id"],
    )
    assert entry.proof == receipt.statement.proof.hex()


async def test_a_job_is_watched_and_its_receipt_fetched(client: httpx.AsyncClient) -> None:
    job = (await as_job(client, "mine"))["job"]

    done = await until(client, job, "done")

    assert done["receipt"] == f"/v1/jobs/{job}/receipt"
    assert done["elapsed_ms"] >= 0
    receipt = await client.get(done["receipt"])
    assert ProvingReceipt.from_bytes(receipt.content).statement.header.nonce == "mine"


async def test_events_tell_of_a_job_until_its_end(
    gateway: ProvingGateway, client: httpx.AsyncClient
) -> None:
    gateway.prover.hold()
    job = (await as_job(client))["job"]
    await until(client, job, "running")
    asyncio.get_running_loop().call_later(0.1, gateway.prover.release)

    response = await client.get(f"/v1/jobs/{job}/events")

    assert response.headers["content-type"].startswith("text/event-stream")
    events = [each.split("\n") for each in response.text.strip().split("\n\n")]
    assert {lines[0] for lines in events} == {"event: job"}
    told = [json.loads(lines[1].removeprefix("data: ")) for lines in events]
    assert told[0]["state"] == "running"
    assert told[0]["phase"] == "proving"
    assert told[-1]["state"] == "done"


async def test_a_key_watches_so_many_jobs_at_a_time(
    gateway: ProvingGateway, client: httpx.AsyncClient
) -> None:
    gateway.prover.hold()
    job = await as_job(client)
    following = next(each for each in gateway.delegated.capabilities if isinstance(each, Following))
    (key_id,) = gateway.keys.keys
    following.watchers[key_id] = 32

    response = await client.get(f"/v1/jobs/{job['job']}/events")

    assert (response.status_code, response.json()["code"]) == (429, "too-many-watchers")


async def test_many_that_begin_to_watch_at_once_are_no_more_than_may(
    gateway: ProvingGateway, client: httpx.AsyncClient
) -> None:
    gateway.prover.hold()
    job = (await as_job(client))["job"]
    following = next(each for each in gateway.delegated.capabilities if isinstance(each, Following))
    (key_id,) = gateway.keys.keys
    found = await following.jobs.find(job, key_id=key_id)

    # As if each had been let in before any had its first event.
    streams = [following._events(found) for _ in range(40)]
    firsts = [await anext(stream) for stream in streams]

    assert [b"too-many-watchers" in first for first in firsts] == [False] * 32 + [True] * 8
    for stream in streams:
        await stream.aclose()
    assert following.watchers[key_id] == 0


async def test_who_cancels_a_job_with_the_last_request_that_is_left_hears_that_it_is(
    gateway: ProvingGateway,
) -> None:
    # A sixth of a minute's at once: one for the job, one to cancel it.
    key = gateway.key(Scope.PROVE, limits=KeyLimits(per_minute=12))
    await gateway.store.keys.add(key.key)
    gateway.prover.hold()
    async with gateway.client(key) as client:
        job = (await as_job(client))["job"]
        cancelled = await client.delete(f"/v1/jobs/{job}")

    assert (cancelled.status_code, cancelled.json().get("state")) == (200, "cancelled")


async def test_a_job_is_cancelled_and_then_forgotten(
    gateway: ProvingGateway, client: httpx.AsyncClient
) -> None:
    gateway.prover.hold()
    job = (await as_job(client))["job"]
    await until(client, job, "running")

    cancelled = await client.delete(f"/v1/jobs/{job}")
    assert cancelled.json()["state"] == "cancelled"
    assert (await client.get(f"/v1/jobs/{job}/receipt")).json()["code"] == "job-cancelled"
    await client.delete(f"/v1/jobs/{job}")

    found = await client.get(f"/v1/jobs/{job}")
    assert (found.status_code, found.json()["code"]) == (404, "job-unknown")


@pytest.mark.parametrize("path", ["", "/events", "/receipt"])
async def test_another_key_sees_no_job(
    gateway: ProvingGateway, client: httpx.AsyncClient, path: str
) -> None:
    job = (await as_job(client))["job"]
    await until(client, job, "done")

    async with await gateway.caller(Scope.PROVE) as other:
        found = await other.get(f"/v1/jobs/{job}{path}")
        gone = await other.delete(f"/v1/jobs/{job}")
    assert (found.status_code, found.json()["code"]) == (404, "job-unknown")
    assert gone.status_code == 404
    assert (await client.get(f"/v1/jobs/{job}")).json()["state"] == "done"


@pytest.mark.parametrize(
    ("body", "headers", "query", "status", "code"),
    [
        pytest.param(b"", TYPE, {}, 400, "malformed", id="nothing"),
        pytest.param(b"{}", TYPE, {}, 400, "malformed", id="not a request"),
        pytest.param(b"\xff" * 100, TYPE, {}, 400, "malformed", id="a header of gigabytes"),
        pytest.param(sealed(), {}, {}, 415, "media-type", id="no media type"),
        pytest.param(
            sealed(), {"content-type": "application/json"}, {}, 415, "media-type", id="json"
        ),
        pytest.param(
            sealed(), {**TYPE, "content-encoding": "gzip"}, {}, 415, "media-type", id="compressed"
        ),
        pytest.param(sealed(), TYPE, {"mode": "later"}, 400, "malformed", id="no such mode"),
        pytest.param(sealed(), TYPE, {"challenge": "%"}, 400, "malformed", id="no challenge"),
        pytest.param(
            sealed().replace(b"adyton/proving/v1", b"adyton/proving/v2"),
            TYPE,
            {},
            400,
            "malformed",
            id="an unknown version",
        ),
        pytest.param(
            sealed().replace(b'"target":"evm"', b'"target":"svm"'),
            TYPE,
            {},
            400,
            "proving-scheme-unavailable",
            id="an unknown target",
        ),
        pytest.param(
            b"\0" * (50 * 1024 * 1024 + 1), TYPE, {}, 413, "body-too-large", id="too large"
        ),
    ],
)
async def test_what_is_no_request_is_refused_before_the_worker_sees_it(
    gateway: ProvingGateway,
    client: httpx.AsyncClient,
    *,
    body: bytes,
    headers: dict[str, str],
    query: dict[str, str],
    status: int,
    code: str,
) -> None:
    response = await client.post("/v1/prove", content=body, headers=headers, params=query)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not gateway.prover.nonces
    assert (await post(client)).status_code == 200


async def test_nobody_without_the_scope_has_anything_proven(gateway: ProvingGateway) -> None:
    async with await gateway.caller(Scope.ASK) as asker, gateway.client() as stranger:
        assert (await post(asker)).json()["code"] == "scope-missing"
        assert (await post(stranger)).json()["code"] == "unauthenticated"
    assert not gateway.prover.nonces


async def test_a_caller_who_hangs_up_has_the_prover_ended(
    gateway: ProvingGateway, client: httpx.AsyncClient
) -> None:
    gateway.prover.hold()
    asking = asyncio.create_task(hung_up(gateway, client))
    async with asyncio.timeout(10):
        while not gateway.prover.working:  # noqa: ASYNC110  # steps of the loop
            await asyncio.sleep(0)
        gateway.hanging.set()
        await asking
        while gateway.prover.working:  # noqa: ASYNC110  # steps of the loop
            await asyncio.sleep(0)

    assert gateway.prover.cancelled == 1
    assert gateway.audit.entries[-1].code == "caller-gone"
    gateway.prover.release()
    assert (await post(client)).status_code == 200


async def hung_up(gateway: ProvingGateway, client: httpx.AsyncClient) -> None:
    """Send a request as a server hands it over, and hang up when the test says so."""
    body = [{"type": "http.request", "body": sealed(), "more_body": False}]

    async def receive() -> dict[str, Any]:
        if body:
            return body.pop()
        await gateway.hanging.wait()
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        return

    headers = [(b"content-type", MEDIA_TYPE.encode())]
    headers.append((b"authorization", client.headers["authorization"].encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/prove",
        "raw_path": b"/v1/prove",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": headers,
        "client": ("192.0.2.1", 4711),
        "server": ("gateway", 80),
    }
    await gateway.app(scope, receive, send)


async def test_a_hundred_at_once_are_answered_or_told_to_come_back(
    gateway: ProvingGateway, client: httpx.AsyncClient
) -> None:
    gateway.prover.hold()
    asking = [asyncio.create_task(post(client, str(number))) for number in range(100)]
    async with asyncio.timeout(10):
        while sum(task.done() for task in asking) < 97:  # noqa: ASYNC110  # steps of the loop
            await asyncio.sleep(0.001)
    gateway.prover.release()
    answers = await asyncio.gather(*asking)

    codes = [response.json().get("code", "proven") for response in answers]
    assert sorted(set(codes)) == ["proven", "too-many-waiting"]
    assert codes.count("proven") == 3
    assert all(
        response.headers["retry-after"] for response in answers if response.status_code == 429
    )
    assert gateway.prover.most == 1
    assert (await post(client)).status_code == 200


async def test_bodies_of_all_callers_share_one_room(
    gateway: ProvingGateway, client: httpx.AsyncClient
) -> None:
    waiting = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"\0" * 40_000_000
        await waiting.wait()

    first = asyncio.create_task(client.post("/v1/prove", content=slowly(), headers=TYPE))
    await asyncio.sleep(0.2)
    second = await client.post("/v1/prove", content=b"\0" * 40_000_000, headers=TYPE)
    waiting.set()

    assert second.json()["code"] == "overloaded"
    assert (await first).json()["code"] == "malformed"
    assert (await post(client)).status_code == 200


async def test_without_a_worker_the_waiting_caller_is_told_at_once(
    gateway: ProvingGateway, client: httpx.AsyncClient
) -> None:
    gateway.link.is_up = False

    response = await post(client)

    assert (response.status_code, response.json()["code"]) == (503, "worker-unavailable")
    gateway.link.is_up = True


async def test_a_circuit_is_left_with_the_worker(
    gateway: ProvingGateway, client: httpx.AsyncClient
) -> None:
    response = await client.post("/v1/prove/circuits", json={"bytecode": "H4s=", "target": "evm"})

    assert response.json()["gates"] == 4096
    (name, fields) = gateway.prover.calls[-1]
    assert (name, fields) == ("register-circuit", {"bytecode": b"\x1f\x8b", "target": "evm"})


async def test_a_circuit_among_nothing_but_values_is_not_read(
    gateway: ProvingGateway, client: httpx.AsyncClient
) -> None:
    body = b'{"bytecode":"H4s=","target":"evm","more":[' + b"[]," * 100 + b"[]]}"
    response = await client.post(
        "/v1/prove/circuits", content=body, headers={"content-type": "application/json"}
    )

    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert "more than" in response.json()["detail"]
    assert not gateway.prover.calls
