"""Started by the worker as ``python -m adyton.worker.template_main SOCKET``: loads, then forks."""

import functools
import os
import socket
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from adyton.adapters.acvm import Acvm
from adyton.adapters.barretenberg import BlockingBarretenberg
from adyton.adapters.installation import find_installation
from adyton.adapters.library import load_circuits, load_programs
from adyton.adapters.reference_string import find_reference_string
from adyton.adapters.tls import HttpsClient, trust
from adyton.worker import cell, template
from adyton.worker.cell import Tools
from adyton.worker.egress import through_relay
from adyton.worker.loading import added_roots, provider_definitions
from adyton.worker.settings import WorkerSettings

_PROVE_DEADLINE: Final = timedelta(seconds=30)


def load_tools(settings: WorkerSettings, environ: Mapping[str, str]) -> Tools:
    """Return everything that a cell needs; raises where something is not installed."""
    installation = find_installation(environ, home=Path.home())
    binary, solver = installation.require_bb(), installation.require_solver()
    reference = find_reference_string(environ, home=Path.home())
    circuits = load_circuits(installation.circuits)

    def start_prover(threads: int) -> BlockingBarretenberg:
        return BlockingBarretenberg.start(
            binary, reference_string=reference.folder, threads=threads, deadline=_PROVE_DEADLINE
        )

    return Tools(
        providers=provider_definitions(settings, installation),
        circuits=circuits,
        programs=load_programs(circuits),
        solver=Acvm.from_file(solver, installation.cache),
        start_prover=start_prover,
        http=HttpsClient(trust(added_roots(settings)), through_relay(settings.egress)),
        isolation=settings.isolation,
    )


def main() -> None:
    """Load everything, then fork a cell whenever the worker asks for one."""
    settings = WorkerSettings.from_environ(os.environ)
    tools = load_tools(settings, os.environ)
    control = socket.socket(fileno=int(sys.argv[-1]))
    template.run(control, functools.partial(cell.serve, tools=tools))


if __name__ == "__main__":
    main()
