"""The registry of a gateway as it runs: over a socket, and through a restart."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.fakes.host import Host, hosting, until
from tests.fakes.registrant import Machine, Registrant

from adyton.codec.text import to_base64
from adyton.model.registry import Beat

WORKERS = "/v1/registry/workers"


def now() -> datetime:
    return datetime.now(UTC)


def policy_file(folder: Path, machine: Machine) -> str:
    path = folder / "registry-policy.json"
    path.write_text(json.dumps(machine.policy_json))
    return str(path)


async def register(host: Host, worker: Registrant) -> dict[str, Any]:
    async with host.client() as client:
        challenge = (await client.post("/v1/registry/challenges")).json()["challenge"]
        response = await client.post(WORKERS, json=await worker.application(challenge))
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_the_registry_survives_a_restart(url: str, tmp_path: Path) -> None:
    machine = Machine(tmp_path / "machine", now)
    settings = {"DATABASE_URL": url, "ADYTON_REGISTRY_POLICY": policy_file(tmp_path, machine)}
    worker = Registrant(machine)
    async with hosting(tmp_path, worker=False, **settings) as host:
        registered = await register(host, worker)
        async with host.client() as client:
            beat = worker.heartbeat(now(), Beat.DRAINING)
            path = f"{WORKERS}/{worker.id}"
            assert (await client.post(f"{path}/heartbeats", json=beat)).status_code == 200
            before = (await client.get(path)).json()
    async with hosting(tmp_path, worker=False, **settings) as host, host.client() as client:
        assert (await client.get(path)).json() == before
        assert before["state"] == "draining"
        assert before["attestation"] == registered["attestation"]
        again = await client.post(f"{path}/heartbeats", json=beat)
        assert (again.status_code, again.json()["code"]) == (403, "heartbeat-replayed")


async def test_the_keeper_runs_beside_the_requests(url: str, tmp_path: Path) -> None:
    machine = Machine(tmp_path / "machine", now)
    settings = {"DATABASE_URL": url, "ADYTON_REGISTRY_POLICY": policy_file(tmp_path, machine)}
    async with hosting(tmp_path, worker=False, **settings) as host:
        await register(host, Registrant(machine))
    # It looks once at the start, and the new gateway finds what the old one left.
    async with hosting(tmp_path, worker=False, **settings) as host, host.client() as client:

        async def counted() -> bool:
            text = (await client.get("/metrics")).text
            return "adyton_registry_active 1.0" in text

        await until(counted)


async def test_the_registry_is_described(tmp_path: Path) -> None:
    async with hosting(tmp_path, worker=False) as host, host.client() as client:
        document = (await client.get("/openapi.json")).json()
        page = (await client.get("/docs")).text
    paths = document["paths"]
    assert paths[f"{WORKERS}/{{id}}"]["get"]["parameters"][0]["in"] == "path"
    assert "security" not in paths[f"{WORKERS}/{{id}}"]["get"]
    assert "security" in paths[WORKERS]["post"]
    assert paths["/v1/registry/selection"]["get"]["operationId"] == "get_v1_registry_selection"
    assert "Draw a worker" in page


async def test_a_wrong_signature_is_told_over_a_socket(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "machine", now)
    worker = Registrant(machine)
    async with hosting(tmp_path, worker=False) as host, host.client() as client:
        challenge = (await client.post("/v1/registry/challenges")).json()["challenge"]
        body = await worker.application(challenge)
        response = await client.post(WORKERS, json={**body, "signature": to_base64(bytes(64))})
    assert (response.status_code, response.json()["code"]) == (403, "signature-rejected")
