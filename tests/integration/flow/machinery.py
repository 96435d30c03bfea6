"""The request path in one process: a sandbox over real TLS, the real solver, the real prover."""

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from adyton.adapters.acvm import Acvm, Execution
from adyton.adapters.barretenberg import BlockingBarretenberg
from adyton.adapters.insecure import ROOT_NAME, InsecurePlatform
from adyton.adapters.installation import find_installation
from adyton.adapters.library import load_circuits, load_programs, load_providers
from adyton.adapters.reference_string import find_reference_string
from adyton.adapters.tls import HttpsClient, SourceUnreachableError, trust
from adyton.appraisal.policy import Policy
from adyton.codec.json import Json, JsonObject
from adyton.crypto.hashing import sha256
from adyton.crypto.hpke import OpeningKey, SealSuite
from adyton.crypto.signing import SigningKey
from adyton.flow.pipeline import CellPorts, certify, derive
from adyton.flow.ports import Proof
from adyton.flow.stages import Proven
from adyton.model.isolation import Isolation
from adyton.model.manifest import Manifest, Software
from adyton.model.question import Endpoint, Question
from adyton.model.receipt import Receipt
from adyton.proofs.circuit import Circuit
from adyton.sandbox.server import Sandbox
from adyton.sdk.asking import question_body
from adyton.sdk.sealing import sealed_question
from adyton.sources import ProviderDefinition

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

    @property
    def hosts(self) -> tuple[str, ...]:
        return self.sandbox.hosts

    def close(self) -> None:
        self._do(self.sandbox.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def connect(self, host: str, port: int, *, timeout: float) -> socket.socket:
        """Return a connection: what a relay makes of every name."""
        try:
            return socket.create_connection(("127.0.0.1", self.port), timeout)
        except OSError as error:
            raise SourceUnreachableError("the sandbox has gone") from error


@contextmanager
def running_sandbox(**arguments: Any) -> Iterator[ThreadedSandbox]:
    sandbox = ThreadedSandbox(**arguments)
    try:
        yield sandbox
    finally:
        sandbox.close()


class FreeBudget:
    """Counts, and refuses nothing."""

    def __init__(self) -> None:
        self.spent: list[tuple[bytes, bytes]] = []

    def spend(self, credential: bytes, question: bytes) -> None:
        self.spent.append((credential, question))


@dataclass(frozen=True, slots=True, kw_only=True)
class RealProver:
    """The solver and ``bb``, as a cell has them."""

    solver: Acvm
    bb: BlockingBarretenberg
    programs: Mapping[str, bytes]

    def prove(self, circuit: Circuit, inputs: Mapping[int, int]) -> Proof:
        execution: Execution = self.solver.prepare()
        witness = execution.execute(circuit.bytecode, inputs).to_bytes()
        made = self.bb.prove(
            self.programs[circuit.name], key=circuit.verification_key, witness=witness
        )
        return Proof(proof=made.proof, public_inputs=made.public_inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """A worker without processes: keys, evidence, and both halves of the request path."""

    opening: OpeningKey
    signing: SigningKey
    platform: InsecurePlatform
    manifest: Manifest
    ports: CellPorts
    added_roots: frozenset[str]

    @classmethod
    def of(
        cls,
        *,
        folder: Path,
        sandbox: ThreadedSandbox,
        prover: RealProver,
        providers: Mapping[str, ProviderDefinition],
        circuits: Mapping[str, Circuit],
    ) -> "Workshop":
        opening, signing = OpeningKey.generate(), SigningKey()
        root = sha256(ssl.PEM_cert_to_DER_cert(sandbox.ca_pem))
        manifest = Manifest(
            signing_key=signing.public,
            sealing_keys={suite.label: key for suite, key in opening.public.items()},
            circuits={name: circuit.key_digest for name, circuit in circuits.items()},
            providers={name: definition.digest() for name, definition in providers.items()},
            added_roots=(root,),
            software=Software(version="0", prover=sha256(b"bb"), solver=sha256(b"acvm")),
            platform="insecure",
            isolation=Isolation.REQUEST,
            started=int(now().timestamp()),
        )
        return cls(
            opening=opening,
            signing=signing,
            platform=InsecurePlatform.open(
                folder, measured=dict.fromkeys(range(3), b"code"), clock=now
            ),
            manifest=manifest,
            ports=CellPorts(
                opener=opening,
                http=HttpsClient(trust([sandbox.ca_pem]), sandbox.connect),
                budget=FreeBudget(),
                prover=prover,
                clock=now,
                randomness=os.urandom,
                providers=providers,
                circuits=circuits,
            ),
            added_roots=frozenset({root.hex()}),
        )

    def policy(self, **receipt: Json) -> Policy:
        """Return the policy of somebody who accepts this workshop, and what ``receipt`` changes."""
        return Policy.from_json(
            {
                "version": "adyton/policy/v1",
                "roots": {ROOT_NAME: self.platform.root_sha256.hex()},
                "platforms": {
                    "insecure": {
                        "debug": "refused",
                        "tcb": "not-required",
                        "measurements": "not-required",
                    }
                },
                "evidence": {"maximum_age_seconds": 600, "challenge": "not-required"},
                "receipt": {
                    "audience": "not-required",
                    "maximum_age_seconds": 600,
                    "nonce": "required",
                    "circuits": "built-in",
                    "providers": "any",
                    "added_roots": [*self.added_roots],
                    "isolation": ["request"],
                    **receipt,
                },
            }
        )

    def question(
        self,
        endpoint: str,
        predicate: JsonObject,
        *,
        provider: str | JsonObject | None = None,
        credentials: Mapping[str, str] | None = None,
        secrets: Mapping[str, Json] | None = None,
        audience: str = "",
        nonce: str = "asked once",
        **extra: Json,
    ) -> Question:
        """Return a question as it reaches the worker, its credentials sealed."""
        body, sealed = question_body(
            predicate,
            nonce=nonce,
            provider=provider,
            credentials=credentials or {},
            audience=audience,
            extra=extra,
        )
        _question, sent = sealed_question(
            Endpoint(endpoint),
            body,
            secrets={**sealed, **(secrets or {})},
            public_key=self.opening.public[SealSuite.X25519],
            suite=SealSuite.X25519,
            now=now(),
        )
        return Question.from_json(Endpoint(endpoint), sent)

    def derive(self, question: Question, **changes: Any) -> Proven:
        """Run the first half of the request path, as a cell does."""
        ports = replace(self.ports, **changes)
        return derive(question, manifest=sha256(self.manifest.to_bytes()), ports=ports)

    def receipt(self, question: Question, *, challenge: bytes = b"") -> Receipt:
        """Run the whole request path."""
        return asyncio.run(
            certify(
                self.derive(question),
                manifest=self.manifest,
                challenge=challenge,
                platform=self.platform,
                signer=self.signing,
            )
        )


@contextmanager
def running_workshop(sandbox: ThreadedSandbox, folder: Path) -> Iterator[Workshop]:
    """Yield a workshop with this machine's solver and prover; skip where one is missing."""
    installation = find_installation(os.environ, home=Path.home())
    if installation.bb is None or installation.solver is None:
        pytest.skip("the prover or the witness solver is not installed; run npm ci")
    circuits = load_circuits(installation.circuits)
    with BlockingBarretenberg.start(
        installation.bb,
        reference_string=reference_string(),
        threads=2,
        deadline=timedelta(seconds=60),
    ) as bb:
        prover = RealProver(
            solver=Acvm.from_file(installation.solver, installation.cache),
            bb=bb,
            programs=load_programs(circuits),
        )
        yield Workshop.of(
            folder=folder,
            sandbox=sandbox,
            prover=prover,
            providers=load_providers([installation.providers]),
            circuits=circuits,
        )


def reference_string() -> Path:
    """Return a folder with enough points for every circuit, or skip."""
    found = find_reference_string(os.environ, home=Path.home())
    if not found.points and SHARED_REFERENCE_STRING.is_dir():
        found = find_reference_string({}, home=Path.home(), setting=SHARED_REFERENCE_STRING)
    if found.points < LARGEST_CIRCUIT:
        pytest.skip("there is no reference string to prove with; set CRS_PATH")
    return found.folder
