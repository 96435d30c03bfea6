"""What delegated proofs look like over HTTP, for ``/openapi.json`` and ``/docs`` only."""

from typing import Any, Literal

from pydantic import Field

from adyton.gateway.schemas import Absent, Base64, Document

__all__ = [
    "CircuitDocument",
    "JobDocument",
    "ProvingReceiptDocument",
    "RegisteredCircuitDocument",
]


class CircuitDocument(Document):
    """A circuit to keep."""

    bytecode: Base64 = Field(description="of a Noir artifact: gzip")
    target: str = Field(description="whom proofs are for: `evm`, `noir-recursive`, …")


class RegisteredCircuitDocument(Document):
    """A circuit that the worker keeps, until it ends."""

    circuit: str = Field(description="SHA-256 of its program, hexadecimal: `circuit_digest`")
    verification_key: Base64
    gates: int


class ProvingReceiptDocument(Document):
    """A proof, and what a worker signed for: see docs/protocol.md, section 11."""

    version: Literal["adyton/proving-receipt/v1"]
    statement: dict[str, Any]
    signature: Base64
    manifest: dict[str, Any]
    evidence: Base64
    challenge: Base64
    proof: Base64
    public_inputs: list[str]
    verification_key: Base64


class JobErrorDocument(Document):
    """Why a job failed."""

    code: str
    family: Literal["malformed", "rejected", "unavailable"]
    message: str


class JobDocument(Document):
    """A job, and how far it is."""

    job: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    scheme: str
    target: str
    place: int | Absent = Field(None, description="how many turns until it is this one's")
    phase: str | Absent = Field(None, description="`opened`, `solving`, `proving`, `attesting`")
    created: str
    elapsed_ms: int = Field(description="since it was accepted, until it ended")
    running_ms: int | Absent = Field(None, description="since the worker has it, until it ended")
    receipt: str | Absent = Field(None, description="where the receipt is, once it is done")
    error: JobErrorDocument | Absent = None
