"""A gateway as a process of the command line."""

import asyncio
import gc
from collections.abc import Mapping

import uvloop

from adyton.adapters.lifetime import stopped
from adyton.cli.processes import announce
from adyton.gateway.logs import configure
from adyton.gateway.server import running
from adyton.gateway.settings import GatewaySettings

__all__ = ["run_gateway"]


def run_gateway(environ: Mapping[str, str], *, notify: int | None) -> None:
    """Serve until the process is told to end."""
    configure()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(environ, notify))


async def _run(environ: Mapping[str, str], notify: int | None) -> None:
    stop = stopped()
    async with running(GatewaySettings.from_environ(environ)) as served:
        # What is there now stays: to look for garbage in it would stop every request for as long
        # as a tenth of a second, again and again.
        gc.collect()
        gc.freeze()
        announce(notify, port=served.port)
        await stop.wait()
