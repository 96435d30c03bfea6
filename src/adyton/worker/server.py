"""A worker as a process: makes its keys, starts its cells, and answers its gateway."""

import contextlib
import os
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import certifi
import uvloop

from adyton.adapters.barretenberg import PinnedProgram, pin_program
from adyton.adapters.installation import file_sha256, find_installation
from adyton.adapters.library import load_circuits
from adyton.adapters.lifetime import as_process, stopped
from adyton.adapters.link_server import serve_link
from adyton.adapters.platforms import open_platform
from adyton.crypto.hashing import sha256
from adyton.flow.open import MAX_AGE
from adyton.model.isolation import Isolation
from adyton.model.manifest import Manifest, Software
from adyton.model.window import CLOCK_TOLERANCE
from adyton.proofs.circuit import Circuit
from adyton.sources import ProviderDefinition
from adyton.worker.budget import DisclosureBudget
from adyton.worker.catalogue import Catalogue
from adyton.worker.cells import CellLimits, Cells
from adyton.worker.circuits import RegisteredCircuits
from adyton.worker.delegations import Delegations
from adyton.worker.identity import Attester, Keys
from adyton.worker.loading import added_roots, provider_definitions
from adyton.worker.nursery import Nursery
from adyton.worker.openpgp import OpenPgpIdentity
from adyton.worker.replay import ReplayGuard
from adyton.worker.service import Service
from adyton.worker.settings import WorkerSettings
from adyton.worker.template import protect_memory

__all__ = ["running", "serve"]

# Each takes some hundred bytes: together they stay far below the memory of a worker.
_REMEMBERED_BOXES: Final = 200_000
_COUNTED_CREDENTIALS: Final = 100_000
_GRACE_SECONDS: Final = 30
_TEMPLATE: Final = (sys.executable, "-m", "adyton.worker.template_main")


async def serve(settings: WorkerSettings, environ: Mapping[str, str]) -> None:
    """Serve until the process is told to end (SIGINT or SIGTERM)."""
    stop = stopped()
    async with running(settings, environ):
        await stop.wait()


@contextlib.asynccontextmanager
async def running(settings: WorkerSettings, environ: Mapping[str, str]) -> AsyncIterator[Manifest]:
    """Yield the manifest of a worker that serves on its socket.

    Raises where something that it needs is not installed, or its socket is taken.
    """
    protect_memory()
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    installation = find_installation(environ, home=Path.home())
    # What the manifest names is what is started, whatever becomes of the file.
    program = pin_program(installation.require_bb())
    nursery = _nursery(program, environ)
    # It takes as long to load as this process does: side by side.
    nursery.start()
    providers = provider_definitions(settings, installation)
    circuits = load_circuits(installation.circuits)
    keys = Keys.generate()
    software = Software(
        version=version("adyton"),
        prover=program.sha256,
        solver=bytes.fromhex(file_sha256(installation.require_solver())),
        roots=bytes.fromhex(file_sha256(Path(certifi.where()))),
    )
    manifest = _manifest(settings, keys, providers, circuits, software)
    platform = open_platform(settings.platform, state=settings.state, clock=_now)
    attester = Attester(manifest=manifest, platform=platform, clock=_now)
    # Before anything is served: without evidence, nobody should talk to this worker.
    await attester.attest(b"")
    cells = await Cells(nursery, _question_limits(settings)).start()
    delegations = Delegations(
        keys=keys,
        attester=attester,
        cells=await Cells(nursery, _proving_limits(settings)).start(),
        circuits=RegisteredCircuits(limit_bytes=settings.proving.circuits_bytes),
        clock=_now,
    )
    service = Service(
        keys=keys,
        attester=attester,
        cells=cells,
        replay=ReplayGuard(lifetime=MAX_AGE + 2 * CLOCK_TOLERANCE, limit=_REMEMBERED_BOXES),
        budget=DisclosureBudget(
            limit=settings.budget,
            window=settings.budget_window,
            credentials=_COUNTED_CREDENTIALS,
        ),
        catalogue=Catalogue.of(providers, circuits),
        delegations=delegations,
        openpgp=OpenPgpIdentity(
            name=settings.platform, platform=platform, prover=program.sha256, clock=_now
        ),
        clock=_now,
    )
    link = await serve_link(settings.link, service.handle)
    try:
        yield manifest
    finally:
        await link.close()
        await delegations.close()
        await cells.close()


def _nursery(program: PinnedProgram, environ: Mapping[str, str]) -> Nursery:
    inherited = () if program.descriptor is None else (program.descriptor,)
    return Nursery((*_TEMPLATE, str(program.path)), environ, inherited=inherited)


def _question_limits(settings: WorkerSettings) -> CellLimits:
    return CellLimits(
        isolation=settings.isolation,
        turns=settings.cores,
        in_flight=settings.in_flight,
        waiting=settings.waiting,
        # One for the next question, and one for the one that comes while the first is replaced.
        spares=2,
        seconds=settings.seconds,
    )


def _proving_limits(settings: WorkerSettings) -> CellLimits:
    """Return the limits of delegated proofs, which take no place and no turn from questions.

    As many are proven at a time as there are cores. The cores are shared with questions, as the
    kernel shares them: a proof of minutes delays a question, and never holds it up.
    """
    return CellLimits(
        isolation=Isolation.REQUEST,
        turns=settings.cores,
        in_flight=settings.cores,
        waiting=settings.proving.waiting,
        spares=1,
        # The prover has this much for each of its steps, and says so itself when it is over.
        seconds=settings.proving.seconds + _GRACE_SECONDS,
    )


def _manifest(
    settings: WorkerSettings,
    keys: Keys,
    providers: Mapping[str, ProviderDefinition],
    circuits: Mapping[str, Circuit],
    software: Software,
) -> Manifest:
    return Manifest(
        signing_key=keys.signing.public,
        sealing_keys={suite.label: key for suite, key in keys.opening.public.items()},
        circuits={name: circuit.key_digest for name, circuit in circuits.items()},
        providers={name: definition.digest() for name, definition in providers.items()},
        added_roots=tuple(sha256(ssl.PEM_cert_to_DER_cert(pem)) for pem in added_roots(settings)),
        software=software,
        platform=settings.platform.value,
        isolation=settings.isolation,
        started=int(_now().timestamp()),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """Run a worker with the settings in the environment."""
    uvloop.run(serve(WorkerSettings.from_environ(os.environ), os.environ))


if __name__ == "__main__":
    as_process(main)
