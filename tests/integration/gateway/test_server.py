"""The gateway as it runs: HTTP on a port, a worker behind a socket, SQLite on the disk."""

import asyncio
import io
import json
import logging
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.gateway import BOX, QUESTION
from tests.fakes.host import Host, until
from tests.fakes.worker import HOST, UnknownProviderError, answered

from adyton.adapters.egress import Destination
from adyton.adapters.frames import pack_frame, read_frame
from adyton.adapters.store import (
    AuditEntry,
    StoreUnavailableError,
    create_key,
    list_audit,
    open_store,
    revoke_key,
)
from adyton.adapters.unix import SocketUnavailableError
from adyton.gateway import connections, logs, server
from adyton.gateway.server import AddressUnavailableError, running
from adyton.model.receipt import Receipt

BALANCE = "/v1/verify/balance"
MARKER = "marker-5d1e9f"


async def test_a_question_is_answered_and_audited(host: Host) -> None:
    async with host.client() as client:
        response = await client.post(BALANCE, json=QUESTION)
    assert response.status_code == 200
    assert Receipt.from_bytes(response.content).statement.answer is True
    (entry,) = await list_audit(host.settings.database_url)
    assert entry.id == response.headers["x-request-id"]
    assert entry.public_inputs == response.json()["public_inputs"]


async def test_many_at_once_are_answered_and_audited(host: Host) -> None:
    async with host.client() as client:
        responses = await asyncio.gather(
            *(client.post(BALANCE, json={**QUESTION, "nonce": f"n{n}"}) for n in range(30))
        )
    assert {response.status_code for response in responses} == {200}
    nonces = {
        Receipt.from_bytes(response.content).statement.question.nonce for response in responses
    }
    assert len(nonces) == 30
    assert len(await list_audit(host.settings.database_url)) == 30


async def test_a_gateway_starts_before_its_worker(start: Callable[..., Any]) -> None:
    async with start(worker=False) as host, host.client() as client:
        assert (await client.get("/v1/health")).status_code == 503
        response = await client.post(BALANCE, json=QUESTION)
        assert (response.status_code, response.json()["code"]) == (503, "worker-unavailable")
        await host.start_worker()
        await host.until_healthy()
        assert (await client.post(BALANCE, json=QUESTION)).status_code == 200


async def test_a_worker_that_restarts_is_found_again(host: Host) -> None:
    host.worker.seconds = 3600
    async with host.client() as client:
        asked = asyncio.create_task(client.post(BALANCE, json=QUESTION))
        await host.until_asked()
        await host.stop_worker()
        response = await asked
        assert (response.status_code, response.json()["code"]) == (503, "worker-unavailable")
        host.worker.seconds = 0
        await host.start_worker()
        await host.until_healthy()
        assert (await client.post(BALANCE, json=QUESTION)).status_code == 200
        text = (await client.get("/metrics")).text
        assert "adyton_worker_connections_total 2.0" in text


async def test_a_caller_that_hangs_up_stops_the_work(host: Host) -> None:
    host.worker.seconds = 3600
    body = json.dumps(QUESTION).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", host.gateway.port)
    writer.write(request(host, body))
    await host.until_asked()
    writer.transport.abort()
    await until(lambda: host.worker.cancelled)
    await until(lambda: list_audit(host.settings.database_url))
    entries = await list_audit(host.settings.database_url)
    assert (entries[0].status, entries[0].code) == (499, "caller-gone")
    with suppress(OSError):
        await writer.wait_closed()
    del reader


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /v1/health HT",
        b"GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\nGET /v1/health HT",
        b"POST /v1/verify/balance HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{",
    ],
    ids=["nothing", "half a head", "half a second head", "half a body that nobody reads"],
)
async def test_a_connection_that_asks_for_nothing_is_cut(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    # Else a stranger takes all connections that are counted, and keeps them.
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(server, "_KEEP_ALIVE_SECONDS", 0.2)
    async with start() as host:
        reader, writer = await asyncio.open_connection("127.0.0.1", host.gateway.port)
        writer.write(sent)
        trickle = asyncio.create_task(_trickle(writer))
        try:
            with suppress(ConnectionError):
                async with asyncio.timeout(5):
                    await reader.read()
        finally:
            trickle.cancel()
            writer.close()


async def _trickle(writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.sleep(0.05)
        writer.write(b"P")


async def test_a_request_in_work_is_not_cut(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(server, "_KEEP_ALIVE_SECONDS", 0.2)
    async with start() as host, host.client() as client:
        host.worker.seconds = 0.6
        for _again in range(2):
            assert (await client.post(BALANCE, json=QUESTION)).status_code == 200


async def test_a_revoked_key_is_refused_soon(host: Host) -> None:
    async with host.client() as client:
        # Never seen by this gateway before: there is nothing to forget.
        await revoke_key(host.settings.database_url, host.key.key.id, now=datetime.now(UTC))
        assert (await client.post(BALANCE, json=QUESTION)).status_code == 401


async def test_the_relay_lets_cells_reach_the_providers_and_nobody_else(host: Host) -> None:
    async def ask(name: str) -> Any:
        reader, writer = await asyncio.open_unix_connection(host.settings.egress_socket)
        writer.write(pack_frame({"host": name, "port": 443}))
        answer = await asyncio.wait_for(read_frame(reader), 15)
        writer.close()
        await writer.wait_closed()
        return answer

    assert await ask("other.example") == {"error": "egress-refused"}
    assert await ask("169.254.169.254") == {"error": "egress-address-refused"}
    # On the list; whether it can be reached depends on where this runs.
    assert (await ask(HOST)).get("error") != "egress-refused"


async def test_an_override_leads_to_the_sandbox(start: Callable[..., Any]) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))
        writer.close()

    sandbox = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = sandbox.sockets[0].getsockname()[1]
    override = f"{HOST}=127.0.0.1:{port}"
    async with sandbox, start(ADYTON_EGRESS_OVERRIDE=override) as host:
        assert Destination(HOST, 443) in host.settings.egress_overrides
        reader, writer = await asyncio.open_unix_connection(host.settings.egress_socket)
        writer.write(pack_frame({"host": HOST, "port": 443}))
        assert await asyncio.wait_for(read_frame(reader), 5) == {"ok": True}
        writer.write(b"hello")
        assert await asyncio.wait_for(reader.read(), 5) == b"hello"
        writer.close()
        await writer.wait_closed()


async def test_what_is_no_receipt_is_malformed(host: Host) -> None:
    async with host.client() as client:
        response = await client.post("/v1/verify/proof", json={"receipt": {}, "policy": {}})
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


async def test_a_head_without_end_is_cut(host: Host) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", host.gateway.port)
    writer.write(b"GET / HTTP/1.1\r\nx: " + b"x" * 200_000)
    with suppress(ConnectionError):
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.startswith(b"HTTP/1.1 4")
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    async with host.client() as client:
        assert (await client.get("/v1/health")).status_code == 200


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x00\xa5\x01", b"nonsense\r\n\r\n", b"\0" * 100])
async def test_what_is_no_http_harms_nobody(host: Host, data: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", host.gateway.port)
    writer.write(data + b"\r\n\r\n")
    with suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 5)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    async with host.client() as client:
        assert (await client.get("/v1/health")).status_code == 200


async def test_a_body_in_chunks_is_counted(host: Host) -> None:
    async def chunks() -> Any:
        for _ in range(40):
            yield b" " * 10_000

    async with host.client() as client:
        with suppress(httpx.HTTPError):
            response = await client.post(
                BALANCE, content=chunks(), headers={"content-type": "application/json"}
            )
            assert (response.status_code, response.json()["code"]) == (413, "body-too-large")
    (entry,) = await list_audit(host.settings.database_url)
    assert entry.code == "body-too-large"


async def test_questions_in_work_are_answered_before_the_end(start: Callable[..., Any]) -> None:
    async with start() as host, host.client() as client:
        release = asyncio.Event()

        async def wait(question: Any, challenge: bytes) -> Any:
            await release.wait()
            return answered(question, challenge)

        host.worker.ask = wait
        asked = asyncio.create_task(client.post(BALANCE, json=QUESTION))
        await host.until_asked()
        host.gateway.stop()
        await asyncio.sleep(0.2)
        release.set()
        assert (await asked).status_code == 200
        await asyncio.wait_for(host.gateway.task, 10)
    assert len(await list_audit(host.settings.database_url)) == 1
    assert not host.settings.egress_socket.exists()


async def test_nothing_that_was_sent_stays(start: Callable[..., Any], tmp_path: Path) -> None:
    stream = io.StringIO()
    root, ours = logging.getLogger(), logging.getLogger("adyton")
    before = (root.handlers[:], root.level, ours.level)
    logs.configure(stream)
    try:
        async with start() as host, host.client() as client:
            headers = {"x-marker": MARKER, "user-agent": MARKER, "cookie": MARKER}
            url = f"{BALANCE}?marker={MARKER}"
            sealed = {**QUESTION, "credentials": {"a": MARKER, "b": f"encrypted:{BOX}"}}
            for body in (
                sealed,
                {**QUESTION, "audience": MARKER},
                {**QUESTION, "credentials": {MARKER: f"encrypted:{MARKER}"}},
                {MARKER: MARKER},
                MARKER,
            ):
                await client.post(url, json=body, headers=headers)
            host.worker.faults["ask"] = UnknownProviderError(f"there is no {MARKER}")
            await client.post(url, json={**QUESTION, "provider_id": MARKER}, headers=headers)
            host.worker.faults["ask"] = RuntimeError(MARKER)
            await client.post(url, json=sealed, headers=headers)
            await client.post(f"/{MARKER}", json=sealed, headers=headers)
            metrics = (await client.get("/metrics")).text
    finally:
        root.handlers[:], level, our_level = before
        root.setLevel(level)
        ours.setLevel(our_level)
    kept = [item.read_bytes() for item in files_in(tmp_path) if item.is_file()]
    for text in (MARKER.encode(), BOX.encode(), host.key.text.encode()):
        assert not any(text in data for data in kept)
        assert text.decode() not in stream.getvalue()
        assert text.decode() not in metrics
    assert len(stream.getvalue().splitlines()) >= 8


async def test_the_audit_is_purged_at_the_start(start: Callable[..., Any], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/adyton.db"
    now = datetime.now(UTC)
    key = await create_key(url, name="old", scopes=["ask"], now=now)  # type: ignore[list-item]
    old = AuditEntry(
        id="0" * 32,
        time=now - timedelta(days=8),
        key_id=key.key.id,
        endpoint="balance",
        status=200,
    )
    async with open_store(url) as store:
        await store.audit.add([old])

    async def is_empty() -> bool:
        return not await list_audit(url)

    async with start(ADYTON_RETENTION_DAYS="7"):
        await until(is_empty)


async def test_its_folder_and_files_are_its_owners_only(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    async with start():
        modes = {item.name: stat.S_IMODE(item.lstat().st_mode) for item in files_in(tmp_path)}
        assert {"adyton.db", "egress.sock", "worker.sock"} <= modes.keys()
        assert set(modes.values()) == {0o600}


async def test_a_port_that_is_taken_stops_the_start(host: Host, tmp_path: Path) -> None:
    settings = Host(tmp_path, ADYTON_PORT=str(host.gateway.port)).settings
    with pytest.raises(AddressUnavailableError, match="ADYTON_PORT"):
        async with running(settings):
            pass


async def test_a_second_gateway_on_one_folder_stops_at_the_start(
    host: Host, tmp_path: Path
) -> None:
    with pytest.raises(SocketUnavailableError, match="another process"):
        async with running(Host(tmp_path).settings):
            pass
    async with host.client() as client:
        assert (await client.get("/v1/health")).status_code == 200


async def test_a_database_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    settings = Host(tmp_path, DATABASE_URL="postgresql://u:p@127.0.0.1:1/d").settings
    with pytest.raises(StoreUnavailableError):
        async with running(settings):
            pass


async def test_a_host_that_is_none_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(AddressUnavailableError):
        async with running(Host(tmp_path, ADYTON_HOST="not.a.host.invalid").settings):
            pass


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def request(host: Host, body: bytes) -> bytes:
    return (
        f"POST {BALANCE} HTTP/1.1\r\nhost: gateway\r\nx-api-key: {host.key.text}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode() + body
