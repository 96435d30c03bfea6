"""What each step of the request path returns, and the next one takes: frozen, in this order.

A step knows these values and not the other steps: only ``pipeline`` knows who makes what of which.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from adyton.model.manifest import Manifest
from adyton.model.question import Question
from adyton.model.statement import Statement
from adyton.model.transcript import Transcript
from adyton.model.value import Extracted
from adyton.proofs.binding import Binding
from adyton.proofs.circuit import Circuit, Facts, Parameters, PrivateInputs
from adyton.sources import ProviderDefinition

__all__ = ["Attested", "Evaluated", "Fetched", "Gathered", "Opened", "Proven"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A question with its credentials in the clear, and the definition that it is put to.

    ``provider_digest`` is how the statement names that definition: by the manifest's digest, also
    where the question completes it (what it adds is in the statement), else by the digest of the
    one that came with the question.

    ``subject`` stands for the sealed credentials in the disclosure budget: it is a digest of them,
    so it is as private as they are; ``None`` where there are none, and so nothing private. ``time``
    is the worker's, and the statement's.
    """

    question: Question
    definition: ProviderDefinition
    provider_digest: bytes
    credentials: Mapping[str, str] = field(repr=False)
    salt: str | None = field(repr=False)
    subject: bytes | None = field(repr=False)
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The source's answer: status 200, whole, over TLS."""

    opened: Opened
    body: bytes = field(repr=False)
    transcript: Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The answer's values, typed and exact; the answer itself is left behind."""

    fetched: Fetched
    extracted: Extracted = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What is to be proven, and the answer that the circuit has to come to."""

    gathered: Gathered
    circuit: Circuit
    binding: Binding
    facts: Facts
    parameters: Parameters
    private: PrivateInputs = field(repr=False)
    answer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A statement and its proof. Nothing private is left in it."""

    statement: Statement
    proof: bytes
    public_inputs: tuple[int, ...]
    verification_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """An answer with its proof, and evidence of the worker that gives it."""

    proven: Proven
    manifest: Manifest
    evidence: bytes
    challenge: bytes
