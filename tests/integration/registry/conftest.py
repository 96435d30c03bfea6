"""A gateway with a registry in a real store, whose time is the test's."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.gateway import FakeGateway
from tests.fakes.registrant import ChangingAppraiser, Machine, Registrant

from adyton.adapters.store import NewKey, Scope, Store
from adyton.gateway.registry.admission import Admission
from adyton.gateway.registry.endorsements import Endorsements
from adyton.gateway.registry.keeping import Keeper
from adyton.gateway.registry.service import Registry
from adyton.gateway.registry.settings import RegistrySettings
from adyton.gateway.registry.vendors import Vendors
from adyton.gateway.routes import Capability


class RegistryGateway(FakeGateway):
    """The registry alone, in front of ``store``."""

    def __init__(
        self,
        store: Store,
        folder: Path,
        *,
        vendors: Vendors | None = None,
        **options: Any,
    ) -> None:
        self.store, self.folder, self.options = store, folder, options
        self.vendors = vendors
        super().__init__()

    def capabilities(self) -> tuple[Capability, ...]:
        self.machine = Machine(self.folder, self.time.clock)
        self.appraiser = ChangingAppraiser()
        settings = RegistrySettings(**{"policy": self.machine.policy, **self.options})
        self.admission = Admission(
            registry=self.store.registry,
            appraiser=self.appraiser,
            endorsements=Endorsements(source=self.vendors),
            settings=settings,
        )
        self.keeper = Keeper(
            registry=self.store.registry,
            admission=self.admission,
            verify_every=settings.verify_every,
            clock=self.time.clock,
        )
        registry = Registry(
            door=self.door,
            limiter=self.limiter,
            registry=self.store.registry,
            admission=self.admission,
            clock=self.time.clock,
        )
        return (registry,)

    async def stored_key(self, *scopes: Scope) -> NewKey:
        made = self.key(*scopes)
        await self.store.keys.add(made.key)
        return made

    async def fleet(self, *scopes: Scope) -> "Fleet":
        """Return a client with a key of its own."""
        return Fleet(self, self.client(await self.stored_key(*scopes)))


class Fleet:
    """Somebody with a key, and workers to register."""

    def __init__(self, gateway: RegistryGateway, client: httpx.AsyncClient) -> None:
        self.gateway, self.client = gateway, client

    def worker(self) -> Registrant:
        return Registrant(self.gateway.machine)

    async def challenge(self) -> str:
        response = await self.client.post("/v1/registry/challenges")
        assert response.status_code == 200, response.text
        challenge: str = response.json()["challenge"]
        return challenge

    async def register(self, worker: Registrant, **changes: Any) -> httpx.Response:
        application = await worker.application(await self.challenge(), **changes)
        return await self.post(application)

    async def post(self, application: dict[str, Any]) -> httpx.Response:
        return await self.client.post("/v1/registry/workers", json=application)

    async def beat(self, worker: Registrant, **changes: Any) -> httpx.Response:
        body = worker.heartbeat(self.gateway.time.now, **changes)
        return await self.client.post(f"/v1/registry/workers/{worker.id}/heartbeats", json=body)

    async def state(self, worker: Registrant) -> str:
        found = (await self.client.get(f"/v1/registry/workers/{worker.id}")).json()
        state: str = found["state"]
        return state


@pytest.fixture
def start(store: Store, tmp_path: Path) -> Any:
    """Makes a gateway with settings of its own."""
    return lambda **options: RegistryGateway(store, tmp_path, **options)


@pytest.fixture
def gateway(start: Any) -> RegistryGateway:
    made: RegistryGateway = start()
    return made


@pytest.fixture
async def fleet(gateway: RegistryGateway) -> AsyncIterator[Fleet]:
    fleet = await gateway.fleet(*Scope)
    async with fleet.client:
        yield fleet
