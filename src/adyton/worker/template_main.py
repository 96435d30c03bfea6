"""Started by the worker as ``python -m adyton.worker.template_main PROVER SOCKET``.

It loads, then forks. ``PROVER`` is the program that the worker has pinned.
"""

import contextlib
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
from adyton.adapters.reference_string import (
    ReferenceString,
    derive_grumpkin_points,
    download_points,
    find_reference_string,
)
from adyton.adapters.tls import HttpsClient, trust
from adyton.errors import UnavailableError
from adyton.proofs.circuit import Circuit
from adyton.worker import cell, template
from adyton.worker.cell import Tools
from adyton.worker.egress import through_relay
from adyton.worker.loading import added_roots, provider_definitions
from adyton.worker.proving import circuit_gates
from adyton.worker.settings import WorkerSettings

_PROVE_DEADLINE: Final = timedelta(seconds=30)
_DOWNLOAD_DEADLINE: Final = timedelta(minutes=2)


def load_tools(settings: WorkerSettings, environ: Mapping[str, str], *, binary: Path) -> Tools:
    """Return everything that a cell needs; raises where something is not installed."""
    installation = find_installation(environ, home=Path.home())
    solver = installation.require_solver()
    circuits = load_circuits(installation.circuits)
    programs = load_programs(circuits)
    reference = _reference_string(environ, binary, circuits, programs)

    def start_prover(threads: int) -> BlockingBarretenberg:
        return BlockingBarretenberg.start(
            binary, reference_string=reference.folder, threads=threads, deadline=_PROVE_DEADLINE
        )

    providers = provider_definitions(settings, installation)
    for definition in providers.values():
        # Worked out here once, and not again in each cell.
        definition.digest()
    return Tools(
        providers=providers,
        circuits=circuits,
        programs=programs,
        solver=Acvm.from_file(solver, installation.cache),
        reference=reference,
        start_prover=start_prover,
        http=HttpsClient(trust(added_roots(settings)), through_relay(settings.egress)),
        isolation=settings.isolation,
        proving=settings.proving,
    )


def _reference_string(
    environ: Mapping[str, str],
    binary: Path,
    circuits: Mapping[str, Circuit],
    programs: Mapping[str, bytes],
) -> ReferenceString:
    """Return the reference string; ``bb`` downloads and derives what is missing and can be had.

    Without it, everything but proving works, and proving says what is missing.
    """
    reference = find_reference_string(environ, home=Path.home())
    sizes = {name: circuit_gates(circuit) for name, circuit in circuits.items()}
    largest, smallest = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
    if reference.points >= sizes[largest] and reference.grumpkin:
        return reference
    with (
        contextlib.suppress(UnavailableError),
        BlockingBarretenberg.start(
            binary, reference_string=reference.folder, threads=1, deadline=_DOWNLOAD_DEADLINE
        ) as prover,
    ):
        with contextlib.suppress(UnavailableError):
            reference = download_points(
                prover, reference, acir=programs[largest], gates=sizes[largest]
            )
        reference = derive_grumpkin_points(prover, reference, acir=programs[smallest])
    return reference


def main() -> None:
    """Load everything, then fork a cell whenever the worker asks for one."""
    settings = WorkerSettings.from_environ(os.environ)
    tools = load_tools(settings, os.environ, binary=Path(sys.argv[-2]))
    control = socket.socket(fileno=int(sys.argv[-1]))
    template.run(control, functools.partial(cell.serve, tools=tools))


if __name__ == "__main__":
    main()
