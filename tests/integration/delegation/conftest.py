"""A worker as a process, and requests that are sealed to it."""

import base64
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pytest
from tests.integration.flow.machinery import reference_string

from adyton.adapters.acvm import Acvm
from adyton.adapters.insecure import ROOT_NAME, InsecurePlatform
from adyton.adapters.installation import Installation, find_installation
from adyton.adapters.link import Link
from adyton.adapters.verifier import OfflineVerifier
from adyton.appraisal.policy import Policy
from adyton.codec.json import Json, JsonObject, loads
from adyton.crypto.hpke import SealSuite
from adyton.delegation.inputs import witness_inputs
from adyton.model.manifest import Manifest
from adyton.model.proving import Target
from adyton.model.proving_job import Inputs, NoirCircuit, ProvingJob, UltraHonkJob
from adyton.model.proving_receipt import ProvingReceipt
from adyton.sdk.sealing import sealed_proving

ROOT: Final = Path(__file__).parents[3]
SOON: Final = timedelta(seconds=60)


@lru_cache
def artifact(name: str = "balance_threshold") -> dict[str, Any]:
    data: dict[str, Any] = json.loads((ROOT / "circuits" / name / "artifact.json").read_bytes())
    return data


def bytecode(name: str = "balance_threshold") -> bytes:
    return base64.b64decode(artifact(name)["bytecode"])


def key(name: str = "balance_threshold") -> bytes:
    return (ROOT / "circuits" / name / "verification_key").read_bytes()


def inputs(**changes: Any) -> Inputs:
    """Inputs of the balance circuit: one balance of 250, and a threshold of 100."""
    values: JsonObject = {
        "binding": {"nonce": "0x0b", "data_source": "22", "provider": 33, "time": 1_700_000_000},
        "currency": 840,
        "lower": 100_00,
        "upper": "1000000000000000",
        "salt": "0x5ec2e7",
        "count": 1,
        "balances": [250_00, *[0] * 15],
        "currencies": [840, *[0] * 15],
        **changes,
    }
    return Inputs(values=values, abi=artifact()["abi"])


def installed() -> Installation:
    return find_installation(os.environ, home=Path.home())


def solver() -> Acvm:
    return Acvm.from_file(installed().require_solver(), installed().cache)


@lru_cache(maxsize=1)
def witness() -> bytes:
    given = inputs()
    return solver().execute(bytecode(), witness_inputs(given.abi, given.values)).to_bytes()


def balance_job(**changes: Any) -> UltraHonkJob:
    fields = {"circuit": NoirCircuit(bytecode=bytecode(), key=key()), "solution": inputs()}
    return UltraHonkJob(**{**fields, **changes})


@dataclass(kw_only=True)
class Caller:
    """Speaks to a worker as its gateway does, and seals as a client does."""

    link: Link
    manifest: Manifest
    events: list[str] = field(default_factory=list)

    def seal(self, job: ProvingJob, **changes: Any) -> bytes:
        options = {
            "target": Target.EVM,
            "nonce": secrets.token_hex(8),
            "audience": "",
            "public_key": self.manifest.sealing_keys["x25519"],
            "suite": SealSuite.X25519,
            "now": datetime.now(UTC),
            **changes,
        }
        return sealed_proving(job, **options).to_bytes()

    async def send(self, sealed: bytes, *, challenge: bytes = b"") -> ProvingReceipt:
        answer = await self.link.call(
            "prove",
            within=SOON,
            on_event=lambda event: self.events.append(event["phase"]),
            sealed=sealed,
            challenge=challenge,
        )
        return ProvingReceipt.from_bytes(answer["answer"])

    async def prove(self, job: ProvingJob, **changes: Any) -> ProvingReceipt:
        return await self.send(self.seal(job, **changes))

    async def counts(self) -> dict[str, int]:
        counts: dict[str, int] = (await self.link.call("health"))["proofs"]
        return counts


@contextmanager
def worker_process(state: Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker whose socket is in ``state``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "adyton.worker.server"],
        env={
            **os.environ,
            "CRS_PATH": str(reference_string()),
            "ADYTON_STATE_DIR": str(state),
            "ADYTON_CORES": "2",
            **environ,
        },
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


@asynccontextmanager
async def calling(state: Path) -> AsyncIterator[Caller]:
    link = await Link.connect(state / "worker.sock")
    try:
        await link.wait_until_up(within=SOON)
        described = await link.call("describe")
        manifest = Manifest.from_json(loads(described["manifest"], limit_bytes=1 << 20))
        yield Caller(link=link, manifest=manifest)
    finally:
        await link.close()


def policy(state: Path, **proving: Json) -> Policy:
    """Return the policy of who accepts the worker in ``state``."""
    platform = InsecurePlatform.open(state, measured={}, clock=lambda: datetime.now(UTC))
    return Policy.from_json(
        {
            "version": "adyton/policy/v1",
            "roots": {ROOT_NAME: platform.root_sha256.hex()},
            "platforms": {
                "insecure": {
                    "debug": "refused",
                    "tcb": "not-required",
                    "measurements": "not-required",
                }
            },
            "evidence": {"maximum_age_seconds": 600, "challenge": "not-required"},
            "proving": {
                "audience": "not-required",
                "maximum_age_seconds": 600,
                "nonce": "required",
                "circuits": "any",
                "provers": "any",
                **proving,
            },
        }
    )


@pytest.fixture(scope="session", autouse=True)
def machine() -> None:
    """Skip where this machine cannot prove, and say why."""
    installation = installed()
    if installation.bb is None or installation.solver is None:
        pytest.skip("the prover or the witness solver is not installed; run npm ci")
    reference_string()


@pytest.fixture(scope="session")
def state() -> Iterator[Path]:
    """The folder of a worker that all tests share. Its path is short: it holds sockets."""
    with tempfile.TemporaryDirectory(prefix="adyton-") as folder, worker_process(Path(folder)):
        yield Path(folder)


@pytest.fixture(scope="session")
def verifier() -> Iterator[OfflineVerifier]:
    with OfflineVerifier() as running:
        yield running


@pytest.fixture
async def caller(state: Path) -> AsyncIterator[Caller]:
    async with calling(state) as caller:
        yield caller
