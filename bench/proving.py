"""Delegated proofs through the whole path against the native prover alone, on the same witness.

The bare prover is a ``bb`` of one's own that has just been started, as each request has one, and is
given the verification key, as the requests are. The circuits are chains of multiplications of about
2^12, 2^14 and 2^15 gates, compiled from ``bench/circuits``.
"""

import base64
import http.client
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import psutil

from adyton.adapters.acvm import Acvm, decompressed
from adyton.adapters.barretenberg import BlockingBarretenberg
from adyton.adapters.installation import Installation
from adyton.adapters.reference_string import ReferenceString
from adyton.cli.local import LocalStack
from adyton.crypto.hashing import FIELD_MODULUS
from adyton.crypto.hpke import SealSuite
from adyton.model.proving import MEDIA_TYPE, Target
from adyton.model.proving_job import NoirCircuit, UltraHonkJob
from adyton.sdk.client import Client
from adyton.sdk.sealing import sealed_proving
from adyton.sdk.worker import Worker
from bench.figures import Latency, say

__all__ = ["measure_proving"]

ROUNDS: Final = 6
WARM: Final = 2
CIRCUITS: Final = {"chain_12": 3_000, "chain_14": 14_000, "chain_15": 30_000}
WANTED: Final = {"chain_12": None, "chain_14": 1.10, "chain_15": 1.10}
WANTED_MB: Final = 60
WANTED_UPLOAD_MS: Final = 150
UPLOAD_BYTES: Final = 8 * 1024 * 1024
_SAMPLE_SECONDS: Final = 0.02
_SETTLE_SECONDS: Final = 0.3
_DEADLINE: Final = timedelta(seconds=60)
_ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A circuit with a witness that satisfies it."""

    name: str
    circuit: NoirCircuit
    acir: bytes
    witness: bytes

    @property
    def job(self) -> UltraHonkJob:
        """The same as a request has it."""
        return UltraHonkJob(circuit=self.circuit, solution=self.witness)


def measure_proving(installation: Installation, reference: ReferenceString) -> None:
    """Measure, and print as it goes."""
    samples = _samples(installation, reference)
    say("\ndelegated proofs, POST /v1/prove; bare is a fresh bb with the same witness and key")
    with LocalStack() as stack:
        sender = _Sender(stack)
        for sample in samples:
            _measure(sample, sender, installation, reference)
        _measure_upload(samples[0], sender)


def _measure(
    sample: Sample, sender: "_Sender", installation: Installation, reference: ReferenceString
) -> None:
    bare, whole = list[float](), list[float]()
    for turn in range(WARM + ROUNDS):
        with _started(installation, reference) as server:
            seconds = _bare(sample, server)
        body = sender.seal(sample)
        time.sleep(_SETTLE_SECONDS)
        elapsed = sender.send(body)
        if turn >= WARM:
            bare.append(seconds)
            whole.append(elapsed)
    # Apart from the times: to look at the memory of many processes takes a core.
    with _started(installation, reference) as server, _Peak(server.pid) as alone:
        _bare(sample, server)
    with _Peak(sender.worker_pid) as together:
        sender.send(sender.seal(sample))
    ratio = Latency(whole).p50 / Latency(bare).p50
    wanted = WANTED[sample.name]
    goal = f" (wanted: at most {wanted:.2f})" if wanted else ""
    say(f"  {sample.name}  bare   {Latency(bare)}   its memory {alone.growth_mb:.0f} MB more")
    say(f"            whole  {Latency(whole)}   {ratio:.2f} x{goal}")
    say(
        f"            memory {together.growth_mb - alone.growth_mb:+.0f} MB beside bb's own, "
        f"in all processes of the worker (wanted: at most {WANTED_MB})"
    )


@contextmanager
def _started(
    installation: Installation, reference: ReferenceString
) -> Iterator[BlockingBarretenberg]:
    with BlockingBarretenberg.start(
        installation.require_bb(),
        reference_string=reference.folder,
        threads=os.cpu_count() or 1,
        deadline=_DEADLINE,
    ) as server:
        # Started, but idle: spare cells have had time for that, too.
        time.sleep(_SETTLE_SECONDS)
        yield server


def _measure_upload(sample: Sample, sender: "_Sender") -> None:
    """Measure requests of 8 MB which are refused at the last moment before ``bb`` is asked."""
    # Gzip that is none: it is decrypted, and found out where the prover would be next.
    witness = b"\x1f\x8b" + os.urandom(UPLOAD_BYTES)
    bodies = [sender.seal(sample, witness=witness) for _ in range(ROUNDS)]
    seconds = []
    for body in bodies:
        time.sleep(_SETTLE_SECONDS)
        seconds.append(sender.send(body, status=http.client.BAD_REQUEST))
    say(
        f"  8 MB sealed, to the moment before bb and back   {Latency(seconds)}"
        f"   (wanted: at most {WANTED_UPLOAD_MS} ms)"
    )


def _bare(sample: Sample, server: BlockingBarretenberg) -> float:
    start = time.perf_counter()
    server.prove(sample.acir, key=sample.circuit.key or b"", witness=sample.witness)
    return time.perf_counter() - start


def _samples(installation: Installation, reference: ReferenceString) -> Sequence[Sample]:
    solver = Acvm.from_file(installation.require_solver(), installation.cache)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["node", "tools/compile_circuits.mjs", "--sources", "bench/circuits", "--out", folder],
            cwd=_ROOT,
            env={**os.environ, "CRS_PATH": str(reference.folder)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return [_sample(Path(folder) / name, rounds, solver) for name, rounds in CIRCUITS.items()]


def _sample(folder: Path, rounds: int, solver: Acvm) -> Sample:
    record = json.loads((folder / "artifact.json").read_bytes())
    bytecode = base64.b64decode(record["bytecode"])
    start, step = 3, 5
    value = start
    for _ in range(rounds):
        value = (value * value + step) % FIELD_MODULUS
    return Sample(
        name=folder.name,
        circuit=NoirCircuit(bytecode=bytecode, key=(folder / "verification_key").read_bytes()),
        acir=decompressed(bytecode),
        witness=solver.execute(bytecode, {0: start, 1: step, 2: value}).to_bytes(),
    )


class _Sender:
    """A client that seals ahead and does nothing but send."""

    def __init__(self, stack: LocalStack) -> None:
        place = urlsplit(stack.url)
        self._connection = http.client.HTTPConnection(place.hostname or "", place.port)
        self._headers = {"Authorization": f"Bearer {stack.api_key}", "Content-Type": MEDIA_TYPE}
        self._count = 0
        self.worker_pid = stack.pids["worker"]
        with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
            self._worker: Worker = client.worker()

    def seal(self, sample: Sample, *, witness: bytes | None = None) -> bytes:
        """Return a body that is good for one request."""
        self._count += 1
        return sealed_proving(
            UltraHonkJob(circuit=sample.circuit, solution=witness or sample.witness),
            target=Target.EVM,
            nonce=f"bench-{self._count}",
            audience="",
            public_key=self._worker.sealing_key(SealSuite.X25519),
            suite=SealSuite.X25519,
            now=datetime.now(UTC),
        ).to_bytes()

    def send(self, body: bytes, *, status: int = http.client.OK) -> float:
        """Return the seconds of one request, and check how it was answered."""
        start = time.perf_counter()
        self._connection.request("POST", "/v1/prove", body, self._headers)
        response = self._connection.getresponse()
        data = response.read()
        seconds = time.perf_counter() - start
        if response.status != status:
            raise RuntimeError(f"a proof failed: {json.loads(data).get('code')}")
        return seconds


class _Peak:
    """How much more memory a process, and those below it, have for themselves than before."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._stop = threading.Event()
        self._before = self._peak = self._now()
        self._thread = threading.Thread(target=self._watch)

    @property
    def growth_mb(self) -> float:
        """The largest growth that was seen."""
        return (self._peak - self._before) / 2**20

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            self._peak = max(self._peak, self._now())

    def _now(self) -> int:
        total = 0
        for process in (self._root, *self._root.children(recursive=True)):
            try:
                total += process.memory_full_info().uss
            except psutil.NoSuchProcess:
                continue
        return total
