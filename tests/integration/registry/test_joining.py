"""A gateway keeps its worker in a registry: at the right times, and with a goodbye."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.registrant import Registrant
from tests.fakes.worker import Direct, FakeWorker

from adyton.adapters.frames import Fields
from adyton.adapters.link import Emit
from adyton.adapters.registry import RegistryClient, RegistryUnavailableError
from adyton.adapters.store import NewKey, Scope
from adyton.gateway.registry.joining import Joiner
from adyton.gateway.registry.settings import Joining
from adyton.gateway.worker import Worker
from adyton.model.registry import Event, UsedCollateral
from adyton.worker.enrolment import Enrolment
from adyton.worker.identity import Attester

ENDPOINT = "https://gateway.example"
URL = "https://registry.example"


class Enrolled(FakeWorker):
    """A worker that signs for a registry; ``restart`` makes it another one."""

    def __init__(self, gateway: Any) -> None:
        super().__init__()
        self.gateway = gateway
        self.restart()

    def restart(self) -> None:
        registrant = Registrant(self.gateway.machine)
        self.id = registrant.id
        self.enrolment = Enrolment(
            attester=Attester(
                manifest=registrant.manifest,
                platform=self.gateway.machine.platform,
                clock=self.gateway.time.clock,
            ),
            signer=registrant.key,
            clock=self.gateway.time.clock,
        )

    async def __call__(self, name: str, fields: Fields, emit: Emit) -> dict[str, Any]:
        self.calls.append((name, fields))
        match name:
            case "apply":
                application = await self.enrolment.apply(fields["challenge"], fields["endpoint"])
                return {"application": application}
            case "beat":
                return {"heartbeat": self.enrolment.beat(fields["state"])}
        return await super().__call__(name, fields, emit)


class Party:
    """A worker with its gateway's joiner, and the registry that it joins."""

    def __init__(self, gateway: Any, key: NewKey) -> None:
        self.gateway, self.worker = gateway, Enrolled(gateway)
        self.link = Direct(self.worker)
        self.transport = httpx.ASGITransport(gateway.app)
        self.joiner = Joiner(
            Worker(self.link, monotonic=gateway.time.monotonic),
            self.link,
            Joining(url=URL, api_key=key.text, endpoint=ENDPOINT),
            clock=gateway.time.clock,
            transport=self.transport,
        )
        self.http = httpx.AsyncClient(transport=self.transport)
        self.client = RegistryClient(self.http, url=f"{URL}/", api_key=key.text)

    async def step(self) -> str:
        """Let the joiner do what is due; return the calls that it made to the worker."""
        self.worker.calls.clear()
        await self.joiner.step(self.client)
        return ",".join(name for name, _ in self.worker.calls)

    async def state(self) -> str:
        found, _ = await self.gateway.store.registry.find(self.worker.id, now=self.gateway.time.now)
        state: str = found.state.value
        return state


@pytest.fixture
async def party(gateway: Any) -> AsyncIterator[Party]:
    party = Party(gateway, await gateway.stored_key(Scope.REGISTER))
    async with party.http:
        yield party


async def test_a_worker_joins_and_says_that_it_is_there(party: Party) -> None:
    assert await party.step() == "apply"
    found, exhibit = await party.gateway.store.registry.find(
        party.worker.id, now=party.gateway.time.now
    )
    assert (found.endpoint, found.state) == (ENDPOINT, "active")
    assert exhibit.evidence
    for _ in range(3):
        party.gateway.time.pass_by(60)
        assert await party.step() == "beat"
        assert await party.state() == "active"


async def test_it_comes_again_after_half_of_its_evidences_time(party: Party) -> None:
    await party.step()
    # The development platform's certificates end after three hours.
    party.gateway.time.pass_by(1.4 * 3600)
    assert await party.step() == "beat"
    party.gateway.time.pass_by(0.2 * 3600)
    assert await party.step() == "apply"


async def test_another_worker_joins_anew(party: Party) -> None:
    await party.step()
    first = party.worker.id
    party.worker.restart()
    party.link.reconnect()
    assert await party.step() == "apply"
    assert party.worker.id != first
    assert await party.state() == "active"


@pytest.mark.parametrize("event", [Event.SUSPEND, Event.REFUSE])
async def test_who_lost_trust_tries_new_evidence_unless_it_is_suspended(
    party: Party, event: Event
) -> None:
    await party.step()
    registry, now = party.gateway.store.registry, party.gateway.time.now
    found, _ = await registry.find(party.worker.id, now=now)
    if event is Event.SUSPEND:
        await registry.change(party.worker.id, event, reason="x", now=now)
    else:
        used = UsedCollateral(file=b"", fetched=None)
        signed = found.attestation.signed_sha256
        await registry.refuse(party.worker.id, signed, used=used, reason="x")
    party.gateway.time.pass_by(1)
    assert await party.step() == "beat"
    party.gateway.time.pass_by(1)
    assert await party.step() == ("beat" if event is Event.SUSPEND else "apply")


async def test_it_says_goodbye(party: Party) -> None:
    keeping = asyncio.create_task(party.joiner.keep())
    async with asyncio.timeout(10):
        while party.joiner._joined is None:  # noqa: ASYNC110  # nobody tells when
            await asyncio.sleep(0.01)
    assert await party.state() == "active"
    party.gateway.time.pass_by(1)
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping
    assert await party.state() == "offline"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503, json={"code": "overloaded"}),
        httpx.Response(302, headers={"location": "https://elsewhere.example"}),
        httpx.Response(200, content=b"no json"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"challenge": 1}),
        httpx.Response(200, content=b" " * 70_000),
        httpx.ConnectError("refused"),
    ],
    ids=["503", "redirect", "no json", "list", "number", "long", "refused"],
)
async def test_a_registry_that_answers_otherwise_is_unavailable(answer: Any) -> None:
    def handler(_request: httpx.Request) -> httpx.Response:
        if not isinstance(answer, httpx.Response):
            raise answer
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        client = RegistryClient(http, url=URL, api_key="adk_secret")
        with pytest.raises(RegistryUnavailableError) as caught:
            await client.challenge()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [{}, {"id": "x", "state": "gone"}, {"id": "x", "state": "active", "attestation": {"until": 1}}],
)
async def test_an_answer_to_a_registration_is_read_strictly(body: Any) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=json.dumps(body)))
    async with httpx.AsyncClient(transport=transport) as http:
        client = RegistryClient(http, url=URL, api_key="adk_secret")
        with pytest.raises(RegistryUnavailableError):
            await client.register(b"{}")


def test_a_joiners_key_is_not_shown(tmp_path: Path) -> None:
    joining = Joining(url=URL, api_key="adk_secret", endpoint=ENDPOINT)
    assert "secret" not in repr(joining)
