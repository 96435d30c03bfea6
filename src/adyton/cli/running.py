"""The gateway as a process of the command line: its verifier, its signals, its log."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import uvloop

from adyton.adapters.verifier import OfflineVerifier
from adyton.cli.processes import announce, stopped
from adyton.cli.verifier import ThreadedVerifier
from adyton.gateway.logs import configure
from adyton.gateway.server import Gateway, running
from adyton.gateway.settings import GatewaySettings

__all__ = ["gateway", "run_gateway"]

_POLL_SECONDS: Final = 0.005


@asynccontextmanager
async def gateway(environ: Mapping[str, str]) -> AsyncIterator[Gateway]:
    """Yield a gateway that serves, with its verifier."""
    settings = GatewaySettings.from_environ(environ)
    verifier = ThreadedVerifier(await asyncio.to_thread(OfflineVerifier))
    try:
        async with running(settings, verifier=verifier) as served:
            # Bound is not yet listening: what is announced can be connected to.
            while not served.server.started and not served.task.done():  # noqa: ASYNC110  # a flag
                await asyncio.sleep(_POLL_SECONDS)
            yield served
    finally:
        await asyncio.to_thread(verifier.close)


def run_gateway(environ: Mapping[str, str], *, notify: int | None) -> None:
    """Serve until the process is told to end."""
    configure()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(environ, notify))


async def _run(environ: Mapping[str, str], notify: int | None) -> None:
    # Before the server's own handlers: it puts these back and repeats the signal when it ends,
    # which would otherwise end the process before anything else is closed.
    stop = stopped()
    async with gateway(environ) as served:
        announce(notify, port=served.port)
        await stop.wait()
