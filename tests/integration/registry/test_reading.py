"""A registry is read without believing it: by the library, and on the command line."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.host import hosting
from tests.fakes.registrant import Machine, Registrant

from adyton.appraisal.policy import Choice, Policy
from adyton.cli.exits import NO, YES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.registry import NobodyDrawnError, run_check, run_draw, run_list
from adyton.errors import MalformedError
from adyton.model.claims import Platform
from adyton.sdk.registry import DrawRejectedError, Wanted, drawn, judged, listed
from adyton.sdk.transport import AsyncTransport, GatewayMalformedError

SEED = bytes(range(32))
EVERYONE = Wanted()


class Changing(httpx.AsyncBaseTransport):
    """Passes on what the gateway answers, after ``change``."""

    def __init__(self, app: Any) -> None:
        self.way = httpx.ASGITransport(app)
        self.change: Callable[[Any], None] = lambda _body: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.way.handle_async_request(request)
        body = json.loads(await response.aread())
        self.change(body)
        return httpx.Response(response.status_code, json=body)


@pytest.fixture
def host(gateway: Any) -> Changing:
    return Changing(gateway.app)


@pytest.fixture
async def reader(host: Changing) -> AsyncIterator[AsyncTransport]:
    transport = AsyncTransport(
        "https://registry.example", api_key="none", ca_file=None, transport=host
    )
    yield transport
    await transport.close()


async def test_workers_are_listed_over_pages(
    gateway: Any, fleet: Any, reader: AsyncTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []
    for _ in range(3):
        worker = fleet.worker()
        await fleet.register(worker)
        names.append(worker.id)
    # A page of the registry has a hundred: one is enough to turn it.
    monkeypatch.setattr("adyton.gateway.registry.reading.PAGE", 1)
    found = await reader.run(listed(EVERYONE))
    assert [worker["id"] for worker in found] == sorted(names)
    assert await reader.run(listed(Wanted(technology="tdx"))) == []
    assert await reader.run(listed(Wanted(attested=True))) == []
    assert len(await reader.run(listed(Wanted(state="active", measurement=pcr0(gateway))))) == 3


def pcr0(gateway: Any) -> str:
    return f"pcr0:{gateway.machine.platform.registers[0].hex()}"


async def test_a_wrong_question_is_told(reader: AsyncTransport) -> None:
    with pytest.raises(GatewayMalformedError):
        await reader.run(listed(Wanted(state="gone")))


async def test_a_draw_is_repeated(
    gateway: Any, fleet: Any, host: Changing, reader: AsyncTransport
) -> None:
    gateway.appraiser.changes = {"platform": Platform.NITRO}
    for _ in range(3):
        await fleet.register(fleet.worker())
    answer = await reader.run(drawn(SEED, count=2, wanted=EVERYONE))
    selected: Any = answer["selected"]
    assert len(selected) == 2

    def swap(body: Any) -> None:
        body["selected"].reverse()

    def other_seed(body: Any) -> None:
        body["seed"] = "00" * 32

    def leave_out(body: Any) -> None:
        first = body["selected"][0]["id"]
        body["candidates"] = [item for item in body["candidates"] if item["id"] != first]

    def nobody(body: Any) -> None:
        body["selected"] = []

    for change in (swap, other_seed, leave_out, nobody):
        host.change = change
        with pytest.raises(DrawRejectedError):
            await reader.run(drawn(SEED, count=2, wanted=EVERYONE))


async def test_a_list_that_gives_more_tickets_is_malformed(
    fleet: Any, host: Changing, reader: AsyncTransport
) -> None:
    await fleet.register(fleet.worker())

    def heavier(body: Any) -> None:
        body["candidates"][0]["weight"] = 3

    def twice(body: Any) -> None:
        body["candidates"] *= 2

    for change in (heavier, twice):
        host.change = change
        with pytest.raises(MalformedError):
            await reader.run(drawn(SEED, count=1, wanted=EVERYONE))


async def test_a_workers_evidence_is_judged_here(
    gateway: Any, fleet: Any, host: Changing, reader: AsyncTransport
) -> None:
    worker, other = fleet.worker(), fleet.worker()
    await fleet.register(worker)
    await fleet.register(other)
    policy, now = unasked(gateway.machine), gateway.time.now
    found = await reader.run(judged(worker.id, policy=policy, at=now))
    assert found.verdict.accepted
    assert found.claims is not None
    later = await reader.run(judged(worker.id, policy=policy, at=now + timedelta(hours=1)))
    assert not later.verdict.accepted
    refused = replace(policy, named_roots={"another": bytes(32)})
    assert not (await reader.run(judged(worker.id, policy=refused, at=now))).verdict.accepted

    def pretend(body: Any) -> None:
        body["challenge"] = "AAAA"

    host.change = pretend
    assert not (await reader.run(judged(worker.id, policy=policy, at=now))).verdict.accepted
    host.change = lambda body: body.update(manifest=other.manifest.to_json())
    with pytest.raises(MalformedError, match="another worker"):
        await reader.run(judged(worker.id, policy=policy, at=now))


async def test_the_registrys_challenge_is_not_the_readers(
    gateway: Any, fleet: Any, reader: AsyncTransport
) -> None:
    # A registry could show evidence of last year with the challenge of last year.
    worker = fleet.worker()
    await fleet.register(worker)
    policy = gateway.machine.policy
    found = await reader.run(judged(worker.id, policy=policy, at=gateway.time.now))
    assert [reason.code for reason in found.verdict.reasons] == ["challenge-missing"]


def unasked(machine: Machine) -> Policy:
    policy = machine.policy
    evidence = replace(policy.evidence, challenge=Choice.NOT_REQUIRED)
    return replace(policy, evidence=evidence)


async def test_the_command_lists_draws_and_checks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(tmp_path / "machine", lambda: datetime.now(UTC))
    path = tmp_path / "policy.json"
    document = machine.policy_json
    document["evidence"]["challenge"] = "not-required"
    path.write_text(json.dumps(document))
    worker = Registrant(machine)
    async with hosting(tmp_path, worker=False, ADYTON_REGISTRY_POLICY=str(path)) as host:
        url = f"http://127.0.0.1:{host.gateway.port}"
        with pytest.raises(NobodyDrawnError):
            await said(run_draw, url, None, EVERYONE, seed="00" * 16, count=1, as_json=True)
        assert await said(run_list, url, None, EVERYONE, as_json=False) == YES
        assert capsys.readouterr().out == f"no such worker is registered at {url}\n"
        async with host.client() as client:
            challenge = (await client.post("/v1/registry/challenges")).json()["challenge"]
            body = await worker.application(challenge)
            assert (await client.post("/v1/registry/workers", json=body)).status_code == 200
        capsys.readouterr()
        assert await said(run_list, url, None, EVERYONE, as_json=True) == YES
        assert json.loads(capsys.readouterr().out)["workers"][0]["id"] == worker.id
        assert await said(run_list, url, None, EVERYONE, as_json=False) == YES
        assert (
            await said(run_draw, url, None, EVERYONE, seed="00" * 16, count=1, as_json=False) == YES
        )
        assert "repeated here" in capsys.readouterr().out
        assert await said(run_check, url, None, worker.id, policy=path, as_json=True) == YES
        assert json.loads(capsys.readouterr().out)["accepted"] is True
        beginning = worker.id[:16]
        assert await said(run_check, url, None, beginning, policy=path, as_json=False) == YES
        assert beginning in capsys.readouterr().out
        document["roots"] = {"another": "00" * 32}
        path.write_text(json.dumps(document))
        assert await said(run_check, url, None, worker.id, policy=path, as_json=False) == NO
        assert "root-rejected" in capsys.readouterr().out
        for name, reason in (
            ("short", "64 digits, or its first 16"),
            (worker.id[:15], "64 digits, or its first 16"),
            (worker.id + "0", "64 digits, or its first 16"),
            ("0" * 16, "0 workers there"),
        ):
            with pytest.raises(OptionMalformedError, match=reason):
                await said(run_check, url, None, name, policy=path, as_json=False)


async def said(run: Callable[..., int], *arguments: Any, **options: Any) -> int:
    # The command blocks, and the gateway runs in this loop.
    return await asyncio.to_thread(run, *arguments, **options)
