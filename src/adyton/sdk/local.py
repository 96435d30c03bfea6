"""Proving on this machine, for which no worker is needed: the same code that a worker's cell runs.

Whoever runs this process sees the witness, which is whoever has it.
"""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from adyton.adapters.acvm import Acvm, decompressed
from adyton.adapters.barretenberg import BlockingBarretenberg, settings_for
from adyton.adapters.delegate import Delegate
from adyton.adapters.installation import find_installation
from adyton.adapters.reference_string import (
    ReferenceString,
    derive_grumpkin_points,
    find_reference_string,
)
from adyton.model.proving import Target
from adyton.model.proving_job import NoirCircuit, UltraHonkJob
from adyton.sdk.asking import Stopwatch
from adyton.sdk.proving import Proof, Request

__all__ = ["prove_locally"]

_DEADLINE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _NoLimits:
    """One's own machine is one's own to use."""

    gates: int = 1 << 28
    seconds: int = int(_DEADLINE.total_seconds())
    memory_bytes: int = 1 << 50


def prove_locally(request: Request) -> Proof:
    """Return a proof that was made and verified by this process and its ``bb``.

    Raises what a worker would: ``RejectedError`` for a witness that does not satisfy its circuit,
    ``UnavailableError`` where something that it takes is not installed.
    """
    watch = Stopwatch()
    installation = find_installation(os.environ, home=Path.home())
    reference = find_reference_string(os.environ, home=Path.home())
    solver = Acvm.from_file(installation.require_solver(), installation.cache)
    threads = os.cpu_count() or 1
    with BlockingBarretenberg.start(
        installation.require_bb(),
        reference_string=reference.folder,
        threads=threads,
        deadline=_DEADLINE,
    ) as native:
        reference = _complete(native, reference, request)
        delegate = Delegate(
            native=native,
            execution=solver.prepare(),
            reference=reference,
            limits=_NoLimits(),
            threads=threads,
            recall=_forgotten,
            tell=lambda _phase: None,
        )
        made = delegate.prove(request.job, request.target)
    watch.lap("prove")
    return Proof(
        mode=request.mode,
        target=request.target,
        proof=made.proof,
        public_inputs=made.public_inputs,
        verification_key=made.verification_key,
        circuit=made.circuit,
        receipt=None,
        verdict=None,
        timings=watch.timings,
    )


def _complete(
    native: BlockingBarretenberg, reference: ReferenceString, request: Request
) -> ReferenceString:
    # Its first time, and on its own: a bb that has a witness may write no file.
    if not isinstance(request.job, UltraHonkJob) or reference.grumpkin:
        return reference
    circuit = request.job.circuit
    if settings_for(request.target).ipa_accumulation and isinstance(circuit, NoirCircuit):
        return derive_grumpkin_points(native, reference, acir=decompressed(circuit.bytecode))
    return reference


def _forgotten(_digest: bytes, _target: Target) -> NoirCircuit:
    raise ValueError("a circuit by its digest is one of a worker's; give its bytecode")
