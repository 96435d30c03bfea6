"""A gateway on real sockets, with a fake worker behind the real link."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from tests.fakes.worker import FakeWorker

from adyton.adapters.link_server import LinkServer, serve_link
from adyton.adapters.store import NewKey, Scope, create_key
from adyton.gateway.server import Gateway, running
from adyton.gateway.settings import GatewaySettings


async def until(condition: Callable[[], object | Awaitable[object]]) -> None:
    """Return when ``condition`` holds; where there is no event to wait for."""
    async with asyncio.timeout(10):
        while True:
            found = condition()
            if isinstance(found, Awaitable):
                found = await found
            if found:
                return
            await asyncio.sleep(0.01)


class Host:
    """A gateway's process, its worker's socket, and a key for everything."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.settings = GatewaySettings.from_environ(
            {"ADYTON_STATE_DIR": str(folder), "ADYTON_PORT": "0", **environ}
        )
        self.worker = FakeWorker()
        self.gateway: Gateway
        self.key: NewKey
        self._link: LinkServer | None = None

    async def start_worker(self) -> None:
        self._link = await serve_link(self.settings.worker_socket, self.worker)

    async def stop_worker(self) -> None:
        if self._link is not None:
            await self._link.close()
            self._link = None

    def client(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.gateway.port}",
            headers={"authorization": f"Bearer {self.key.text}"},
            timeout=10,
            **options,
        )

    async def until_healthy(self) -> None:
        async def healthy() -> bool:
            return (await client.get("/v1/health")).status_code == 200

        async with self.client() as client:
            await until(healthy)

    async def until_asked(self) -> None:
        await until(lambda: any(name == "ask" for name, _ in self.worker.calls))


@asynccontextmanager
async def hosting(folder: Path, *, worker: bool = True, **environ: str) -> AsyncIterator[Host]:
    host = Host(folder, **environ)
    host.key = await create_key(
        host.settings.database_url, name="test", scopes=Scope, now=datetime.now(UTC)
    )
    async with AsyncExitStack() as stack:
        if worker:
            await host.start_worker()
        stack.push_async_callback(host.stop_worker)
        host.gateway = await stack.enter_async_context(running(host.settings))
        if worker:
            await host.until_healthy()
        yield host
