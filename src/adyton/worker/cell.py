"""What a cell does: open a question, fetch, prove, hand back what is public, and end.

Or it opens a request to prove something for its sender (``delegate``), and does that. It runs in a
process that the template forked for it. Everything that it needs was loaded before; nothing that it
sees outlives it.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from adyton.adapters.acvm import Acvm
from adyton.adapters.barretenberg import (
    BlockingBarretenberg,
    ProverCrashedError,
    ProverMemoryExceededError,
)
from adyton.adapters.channel import Channel
from adyton.adapters.delegate import Delegate
from adyton.adapters.frames import Fields
from adyton.adapters.linked_errors import error_fields, linked_error
from adyton.adapters.openpgp import open_message
from adyton.adapters.reference_string import ReferenceString
from adyton.adapters.tls import HttpsClient
from adyton.crypto.hpke import OpeningKey
from adyton.delegation.open import open_request
from adyton.errors import AdytonError
from adyton.flow.pipeline import CellPorts, derive
from adyton.flow.stages import Proven
from adyton.model.isolation import Isolation
from adyton.model.proving import MAX_SEALED_BYTES, SealedProving, Target
from adyton.model.proving_job import ChonkJob, NoirCircuit, ProvingJob
from adyton.model.question import Endpoint, Question
from adyton.proofs.circuit import Circuit
from adyton.sources import ProviderDefinition
from adyton.worker.channel import MAX_JOB_BYTES, OPENPGP, QUESTION, REGISTER
from adyton.worker.proving import CellProver
from adyton.worker.settings import ProvingLimits

__all__ = ["Tools", "serve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the template loads once, for all cells."""

    providers: Mapping[str, ProviderDefinition]
    circuits: Mapping[str, Circuit]
    programs: Mapping[str, bytes]
    solver: Acvm
    reference: ReferenceString
    start_prover: Callable[[int], BlockingBarretenberg]
    http: HttpsClient
    isolation: Isolation
    proving: ProvingLimits


def serve(end: socket.socket, threads: int, *, tools: Tools) -> None:
    """Do jobs from the worker at the other side of ``end``: one, or under ``pooled`` many."""
    channel = Channel(end, limit_bytes=MAX_JOB_BYTES)
    prover = CellProver(
        solver=tools.solver,
        programs=tools.programs,
        reference=tools.reference,
        start=lambda: tools.start_prover(threads),
        turn=lambda: _turn(channel),
    )
    try:
        channel.send({"ready": True})
        while (job := channel.receive()) is not None:
            channel.send(_outcome(job, channel, prover, tools, threads))
            # Delegated proofs are not pooled: what they leave in a prover is a stranger's.
            if tools.isolation is Isolation.REQUEST or job["kind"] != QUESTION:
                return
            prover.renew()
    finally:
        # Before the stream ends: the worker takes its end for the end of all that saw plaintext.
        prover.close()


def _outcome(
    job: Fields, channel: Channel, prover: CellProver, tools: Tools, threads: int
) -> Fields:
    watch = _Stopwatch()
    try:
        if job["kind"] == QUESTION:
            done = _fields(_work(job, channel, prover, tools, watch))
        else:
            delegate = _delegate(channel, prover, tools, threads, watch)
            done = _confined(job, delegate, watch, prover=prover, limits=tools.proving)
    except AdytonError as error:
        return {"done": False, "error": error_fields(error)}
    except Exception as error:  # noqa: BLE001  # the outermost loop of this process
        # The text may hold what the question was about: only the kind of error leaves.
        problem = {
            "family": "unavailable",
            "code": "internal",
            "message": f"the worker failed with {type(error).__name__}",
        }
        return {"done": False, "error": problem}
    return {"done": True, **done, "timings": {**watch.timings, **prover.timings}}


class _Stopwatch:
    """Milliseconds by step."""

    def __init__(self) -> None:
        self.timings: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, step: str) -> None:
        now = time.perf_counter()
        self.timings[step] = (now - self._since) * 1000
        self._since = now


def _work(
    job: Fields, channel: Channel, prover: CellProver, tools: Tools, watch: _Stopwatch
) -> Proven:
    question = Question.from_bytes(Endpoint(job["endpoint"]), job["body"])
    ports = CellPorts(
        opener=OpeningKey.from_bytes(job["key"]),
        http=tools.http,
        budget=_Budget(channel),
        prover=prover,
        clock=lambda: datetime.now(UTC),
        randomness=os.urandom,
        lap=watch.lap,
        providers=tools.providers,
        circuits=tools.circuits,
    )
    return derive(question, manifest=job["manifest"], ports=ports)


def _fields(proven: Proven) -> dict[str, Any]:
    return {
        "statement": proven.statement.to_bytes(),
        "proof": proven.proof,
        "public_inputs": [element.to_bytes(32, "big") for element in proven.public_inputs],
        "verification_key": proven.verification_key,
    }


def _delegate(
    channel: Channel, prover: CellProver, tools: Tools, threads: int, watch: "_Stopwatch"
) -> Delegate:
    def tell(phase: str) -> None:
        # A phase begins where a step has ended.
        watch.lap({"opened": "open", "solving": "prepare", "proving": "solve"}[phase])
        _ask(channel, {"phase": phase})

    def recall(digest: bytes, target: Target) -> NoirCircuit:
        found = _ask(channel, {"circuit": digest, "target": target.value})
        return NoirCircuit(bytecode=found["bytecode"], key=found["key"])

    return Delegate(
        native=prover.native,
        execution=prover.execution,
        reference=tools.reference,
        limits=tools.proving,
        threads=threads,
        recall=recall,
        tell=tell,
    )


def _confined(
    job: Fields,
    delegate: Delegate,
    watch: _Stopwatch,
    *,
    prover: CellProver,
    limits: ProvingLimits,
) -> Fields:
    """Do a job for others, in a control group where there is one."""
    if limits.group is None:
        return _delegated(job, delegate, watch)
    group = prover.confine(limits.group, limit_bytes=limits.memory_bytes)
    try:
        return _delegated(job, delegate, watch)
    except ProverCrashedError as error:
        if group.ran_out:
            raise ProverMemoryExceededError from error
        raise


def _delegated(job: Fields, delegate: Delegate, watch: _Stopwatch) -> Fields:
    if job["kind"] == REGISTER:
        return asdict(delegate.measure(job["bytecode"], Target(job["target"])))
    proven = delegate.prove(*_opened(job))
    watch.lap("bb")
    return {
        **asdict(proven),
        "public_inputs": [element.to_bytes(32, "big") for element in proven.public_inputs],
    }


def _opened(job: Fields) -> tuple[ProvingJob, Target]:
    if job["kind"] == OPENPGP:
        steps = open_message(job["message"], key=job["key"], limit_bytes=MAX_SEALED_BYTES)
        return ChonkJob(steps=steps), Target.AZTEC
    sealed = SealedProving.from_bytes(job["sealed"])
    opener = OpeningKey.from_bytes(job["key"])
    return open_request(sealed, opener=opener, now=datetime.now(UTC)), sealed.header.target


def _ask(channel: Channel, message: Fields) -> Fields:
    """Return the worker's reply, or raise what it refuses with."""
    channel.send(message)
    reply = channel.receive()
    if reply is None:
        raise SystemExit
    if "error" in reply:
        raise linked_error(reply["error"])
    return reply


def _turn(channel: Channel) -> None:
    _ask(channel, {"turn": True})


class _Budget:
    """The worker keeps the count; a cell asks."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def spend(self, credential: bytes, question: bytes) -> None:
        """Ask the worker to count; raise what it refuses with."""
        _ask(self._channel, {"spend": {"credential": credential, "question": question}})
