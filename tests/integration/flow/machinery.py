"""What the request path needs from outside, and all of it real: TLS, the solver, the prover."""

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.workshop import Workshop, circuits

from adyton.adapters.acvm import Acvm
from adyton.adapters.barretenberg import BlockingBarretenberg
from adyton.adapters.installation import find_installation
from adyton.adapters.library import load_programs
from adyton.adapters.reference_string import find_reference_string
from adyton.adapters.tls import HttpsClient, SourceUnreachableError, trust
from adyton.crypto.hashing import sha256
from adyton.flow.ports import Proof
from adyton.proofs.circuit import Circuit
from adyton.sandbox.server import Sandbox

LARGEST_CIRCUIT: Final = 2**15
SHARED_REFERENCE_STRING: Final = Path(__file__).parents[4] / "shared" / "crs"


def now() -> datetime:
    return datetime.now(UTC)


class ThreadedSandbox:
    """A sandbox in a thread of its own, for clients that wait."""

    def __init__(self, **arguments: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.sandbox = Sandbox(**arguments)
        self._do(self.sandbox.start())

    @property
    def ca_pem(self) -> str:
        return self.sandbox.ca_pem

    @property
    def port(self) -> int:
        return self.sandbox.port

    def close(self) -> None:
        self._do(self.sandbox.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def connect(self, host: str, port: int, *, timeout: float) -> socket.socket:
        """Return a connection: what a relay makes of every name."""
        try:
            return socket.create_connection(("127.0.0.1", self.port), timeout)
        except OSError as error:
            raise SourceUnreachableError("the sandbox has gone") from error

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@contextmanager
def running_sandbox(**arguments: Any) -> Iterator[ThreadedSandbox]:
    sandbox = ThreadedSandbox(**arguments)
    try:
        yield sandbox
    finally:
        sandbox.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class RealProver:
    """The solver and ``bb``, as a cell has them."""

    solver: Acvm
    bb: BlockingBarretenberg
    programs: Mapping[str, bytes]

    def check(self, circuit: Circuit) -> None:
        """Everything that is here can be proven."""

    def prove(self, circuit: Circuit, inputs: Mapping[int, int]) -> Proof:
        witness = self.solver.prepare().execute(circuit.bytecode, inputs).to_bytes()
        made = self.bb.prove(
            self.programs[circuit.name], key=circuit.verification_key, witness=witness
        )
        return Proof(proof=made.proof, public_inputs=made.public_inputs)


@contextmanager
def running_workshop(sandbox: ThreadedSandbox, folder: Path) -> Iterator[Workshop]:
    """Yield a workshop with this machine's solver and prover; skip where one is missing."""
    installation = find_installation(os.environ, home=Path.home())
    if installation.bb is None or installation.solver is None:
        pytest.skip("the prover or the witness solver is not installed; run npm ci")
    with BlockingBarretenberg.start(
        installation.bb,
        reference_string=reference_string(),
        threads=2,
        deadline=timedelta(seconds=60),
    ) as bb:
        yield Workshop.of(
            folder=folder,
            clock=now,
            http=HttpsClient(trust([sandbox.ca_pem]), sandbox.connect),
            prover=RealProver(
                solver=Acvm.from_file(installation.solver, installation.cache),
                bb=bb,
                programs=load_programs(circuits()),
            ),
            randomness=os.urandom,
            added_roots=(sha256(ssl.PEM_cert_to_DER_cert(sandbox.ca_pem)),),
        )


def reference_string() -> Path:
    """Return a folder with enough points for every circuit, or skip."""
    found = find_reference_string(os.environ, home=Path.home())
    if not found.points and SHARED_REFERENCE_STRING.is_dir():
        found = find_reference_string({}, home=Path.home(), setting=SHARED_REFERENCE_STRING)
    if found.points < LARGEST_CIRCUIT:
        pytest.skip("there is no reference string to prove with; set CRS_PATH")
    return found.folder
