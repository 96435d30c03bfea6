"""Aztec's prover, the native ``bb`` of npm ``@aztec/bb.js``, as a process that is spoken to.

``BlockingBarretenberg`` proves and verifies; ``WarmVerifier`` verifies with a process that it
replaces when need be. Which circuit, which key and which public inputs are the right ones is for
others to know.
"""

from adyton.adapters.barretenberg.blocking import BlockingBarretenberg
from adyton.adapters.barretenberg.commands import CircuitStats, Proof
from adyton.adapters.barretenberg.errors import (
    ProverCrashedError,
    ProverFailedError,
    ProverRefusedError,
    ProverTimeoutError,
)
from adyton.adapters.barretenberg.key import VerificationKey
from adyton.adapters.barretenberg.server import ServerLimits
from adyton.adapters.barretenberg.settings import DEFAULT_SETTINGS, OracleHash, ProofSettings
from adyton.adapters.barretenberg.verifier import WarmVerifier

__all__ = [
    "DEFAULT_SETTINGS",
    "BlockingBarretenberg",
    "CircuitStats",
    "OracleHash",
    "Proof",
    "ProofSettings",
    "ProverCrashedError",
    "ProverFailedError",
    "ProverRefusedError",
    "ProverTimeoutError",
    "ServerLimits",
    "VerificationKey",
    "WarmVerifier",
]
