"""What worker and template load at start, from the installation that they run in."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from adyton.adapters.acvm import Acvm
from adyton.adapters.barretenberg import BlockingBarretenberg
from adyton.adapters.installation import Installation, find_installation
from adyton.adapters.library import load_circuits, load_programs, load_providers
from adyton.adapters.reference_string import find_reference_string
from adyton.adapters.tls import HttpsClient, trust
from adyton.sources import ProviderDefinition
from adyton.worker.cell import Tools
from adyton.worker.egress import through_relay
from adyton.worker.settings import WorkerSettings

__all__ = ["added_roots", "load_tools", "provider_definitions"]

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


def provider_definitions(
    settings: WorkerSettings, installation: Installation
) -> Mapping[str, ProviderDefinition]:
    """Return the built-in definitions, and those of the operator's folder."""
    folders = [installation.providers]
    if settings.providers is not None:
        folders.append(settings.providers)
    return load_providers(folders)


def added_roots(settings: WorkerSettings) -> list[str]:
    """Return the certificates (PEM) that are trusted beside the system's roots."""
    if settings.added_roots is None:
        return []
    text = settings.added_roots.read_text("ascii")
    end = "-----END CERTIFICATE-----\n"
    return [part + end for part in text.split(end) if part.strip()]
