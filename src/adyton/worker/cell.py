"""What a cell does: open a question, fetch, prove, hand back what is public, and end.

It runs in a process that the template forked for it. Everything that it needs was loaded before;
nothing that it sees outlives it.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adyton.adapters.acvm import Acvm
from adyton.adapters.barretenberg import BlockingBarretenberg
from adyton.adapters.frames import Fields
from adyton.adapters.link import error_fields, linked_error
from adyton.adapters.reference_string import ReferenceString
from adyton.adapters.tls import HttpsClient
from adyton.crypto.hpke import OpeningKey
from adyton.errors import AdytonError
from adyton.flow.pipeline import CellPorts, derive
from adyton.flow.stages import Proven
from adyton.model.isolation import Isolation
from adyton.model.question import Endpoint, Question
from adyton.proofs.circuit import Circuit
from adyton.sources import ProviderDefinition
from adyton.worker.channel import Channel
from adyton.worker.proving import CellProver

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


def serve(end: socket.socket, threads: int, *, tools: Tools) -> None:
    """Do jobs from the worker at the other side of ``end``: one, or under ``pooled`` many."""
    channel = Channel(end)
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
            channel.send(_outcome(job, channel, prover, tools))
            if tools.isolation is Isolation.REQUEST:
                return
            prover.renew()
    finally:
        # Before the stream ends: the worker takes its end for the end of all that saw plaintext.
        prover.close()


def _outcome(job: Fields, channel: Channel, prover: CellProver, tools: Tools) -> Fields:
    watch = _Stopwatch()
    try:
        proven = _work(job, channel, prover, tools, watch)
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
    return {"done": True, **_fields(proven), "timings": {**watch.timings, **prover.timings}}


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


def _turn(channel: Channel) -> None:
    channel.send({"turn": True})
    if channel.receive() is None:
        raise SystemExit


class _Budget:
    """The worker keeps the count; a cell asks."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def spend(self, credential: bytes, question: bytes) -> None:
        """Ask the worker to count; raise what it refuses with."""
        self._channel.send({"spend": {"credential": credential, "question": question}})
        reply = self._channel.receive()
        if reply is None:
            raise SystemExit
        if "error" in reply:
            raise linked_error(reply["error"])
