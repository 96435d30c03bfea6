"""A worker as a process of the command line."""

import asyncio
from collections.abc import Mapping

from adyton.cli.tools import check_tools
from adyton.worker.server import serve
from adyton.worker.settings import WorkerSettings

__all__ = ["run_worker"]


def run_worker(environ: Mapping[str, str]) -> None:
    """Serve a worker until the process is told to end."""
    check_tools(environ)
    asyncio.run(serve(WorkerSettings.from_environ(environ), environ))
