"""Gateway and worker as processes of the command line, each alone."""

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import uvloop

from adyton.adapters.verifier import OfflineVerifier
from adyton.cli.processes import announce, stopped
from adyton.cli.tools import check_tools
from adyton.cli.verifier import ThreadedVerifier
from adyton.gateway.logs import configure
from adyton.gateway.server import Gateway, running
from adyton.gateway.settings import GatewaySettings
from adyton.worker.server import serve
from adyton.worker.settings import WorkerSettings

__all__ = ["gateway", "run_gateway", "run_worker"]


@asynccontextmanager
async def gateway(environ: Mapping[str, str]) -> AsyncIterator[Gateway]:
    """Yield a gateway that serves, with its verifier."""
    settings = GatewaySettings.from_environ(environ)
    verifier = ThreadedVerifier(await asyncio.to_thread(OfflineVerifier))
    try:
        async with running(settings, verifier=verifier) as served:
            yield served
    finally:
        await asyncio.to_thread(verifier.close)


def run_worker(environ: Mapping[str, str]) -> None:
    """Serve a worker until the process is told to end."""
    check_tools(environ)
    asyncio.run(serve(WorkerSettings.from_environ(environ), environ))


def run_gateway(environ: Mapping[str, str], *, notify: int | None) -> None:
    """Serve until the process is told to end."""
    configure()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(environ, notify))


async def _run(environ: Mapping[str, str], notify: int | None) -> None:
    stop = stopped()
    async with gateway(environ) as served:
        # What is there now stays: to look for garbage in it would stop every request for as long
        # as a tenth of a second, again and again.
        gc.collect()
        gc.freeze()
        announce(notify, port=served.port)
        await stop.wait()
