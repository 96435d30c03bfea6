"""Aztec's prover, the native ``bb`` of npm ``@aztec/bb.js``, as a process that is spoken to.

``BlockingBarretenberg`` proves and verifies; ``WarmVerifier`` verifies with a process that it
replaces when need be. Which circuit, which key and which public inputs are the right ones is for
others to know.
"""

from adyton.adapters.barretenberg.blocking import BlockingBarretenberg
from adyton.adapters.barretenberg.chain import Chain, ChainProof, Step, StepsMalformedError
from adyton.adapters.barretenberg.commands import CircuitStats, KeyedProof, Proof
from adyton.adapters.barretenberg.errors import (
    ProverCpuExceededError,
    ProverCrashedError,
    ProverFailedError,
    ProverMemoryExceededError,
    ProverRefusedError,
    ProverTimeoutError,
)
from adyton.adapters.barretenberg.key import VerificationKey
from adyton.adapters.barretenberg.pinned import PinnedProgram, ProgramUnreadableError, pin_program
from adyton.adapters.barretenberg.server import ServerLimits
from adyton.adapters.barretenberg.settings import (
    DEFAULT_SETTINGS,
    OracleHash,
    ProofSettings,
    settings_for,
)
from adyton.adapters.barretenberg.verifier import WarmVerifier

__all__ = [
    "DEFAULT_SETTINGS",
    "BlockingBarretenberg",
    "Chain",
    "ChainProof",
    "CircuitStats",
    "KeyedProof",
    "OracleHash",
    "PinnedProgram",
    "ProgramUnreadableError",
    "Proof",
    "ProofSettings",
    "ProverCpuExceededError",
    "ProverCrashedError",
    "ProverFailedError",
    "ProverMemoryExceededError",
    "ProverRefusedError",
    "ProverTimeoutError",
    "ServerLimits",
    "Step",
    "StepsMalformedError",
    "VerificationKey",
    "WarmVerifier",
    "pin_program",
    "settings_for",
]
