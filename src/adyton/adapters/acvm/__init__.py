"""Noir's witness solver (npm ``@noir-lang/acvm_js``) in ``wasmtime``, without Node.

``Acvm`` holds the compiled solver; each execution gets an instance of its own, whose memory is
dropped whole. ``Program`` reads what a circuit's bytecode says about itself. What a circuit means,
and which inputs stand where, is for ``adyton.proofs`` to know.
"""

from adyton.adapters.acvm.modules import SOLVER_SHA256, SolverUnknownError
from adyton.adapters.acvm.program import BytecodeMalformedError, Program, decompressed
from adyton.adapters.acvm.solver import (
    Acvm,
    Execution,
    SolverBudgetError,
    SolverFailedError,
    SolverLimits,
    WitnessUnsatisfiedError,
)
from adyton.adapters.acvm.witness import Witness

__all__ = [
    "SOLVER_SHA256",
    "Acvm",
    "BytecodeMalformedError",
    "Execution",
    "Program",
    "SolverBudgetError",
    "SolverFailedError",
    "SolverLimits",
    "SolverUnknownError",
    "Witness",
    "WitnessUnsatisfiedError",
    "decompressed",
]
