"""A verdict: what was checked, what came of it, and what that does and does not establish.

A verdict has layers, a layer has parts, and each part has a status and findings. Whether all of it
is acceptable is computed from the parts and from nothing else, and a part that nobody evaluated
counts against it: only a policy can say, in words, that a part is not required.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adyton.codec.json import JsonObject
from adyton.errors import AdytonError

__all__ = [
    "EVIDENCE_PARTS",
    "LAYERS",
    "Finding",
    "Layer",
    "LayerName",
    "Part",
    "Status",
    "Subject",
    "Verdict",
    "exact",
    "failed",
    "finding",
    "not_evaluated",
    "not_required",
    "passed",
    "shown",
]

VERSION: Final = "adyton/verdict/v1"

# Every piece of evidence, of whatever technology, is judged in these five parts.
EVIDENCE_PARTS: Final = ("authenticity", "tcb", "configuration", "identity", "freshness")


class Status(StrEnum):
    """What came of a part or of a layer. Only the first and the third are acceptable."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REQUIRED = "not-required"
    NOT_EVALUATED = "not-evaluated"


class LayerName(StrEnum):
    """The layers of trust, each resting on the ones before it."""

    EVIDENCE = "evidence"
    RECEIPT = "receipt"
    PROOF = "proof"
    TRANSCRIPT = "transcript"
    COMMIT = "commit"
    CHAIN = "chain"
    LOG = "log"


class Subject(StrEnum):
    """What a verdict is about, which decides the layers that it must have."""

    EVIDENCE = "evidence"
    RECEIPT = "receipt"
    COMMIT = "commit"
    PROVING = "proving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was noticed: a stable code for programs, a message for people."""

    code: str
    message: str

    @classmethod
    def from_error(cls, error: AdytonError) -> "Finding":
        """Return the finding that ``error`` stands for."""
        return cls(code=error.code, message=str(error))

    def to_json(self) -> JsonObject:
        """Return the form that is shown."""
        return {"code": self.code, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One question about a layer, and its answer. What did not pass says why."""

    name: str
    status: Status
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if self.status is not Status.PASSED and not self.findings:
            raise ValueError(f"{self.name} is {self.status} and does not say why")

    def to_json(self) -> JsonObject:
        """Return the form that is shown."""
        return {
            "name": self.name,
            "status": self.status.value,
            "findings": [finding.to_json() for finding in self.findings],
        }


def finding(code: str, message: str) -> Finding:
    """Return a finding."""
    return Finding(code=code, message=message)


def passed(name: str, *findings: Finding) -> Part:
    """Return a part that passed."""
    return Part(name=name, status=Status.PASSED, findings=findings)


def failed(name: str, *findings: Finding) -> Part:
    """Return a part that failed, for these reasons."""
    return Part(name=name, status=Status.FAILED, findings=findings)


def not_evaluated(name: str, code: str, message: str) -> Part:
    """Return a part that nobody could evaluate, for this reason."""
    return Part(name=name, status=Status.NOT_EVALUATED, findings=(finding(code, message),))


def not_required(name: str, code: str, message: str) -> Part:
    """Return a part that a policy does without."""
    return Part(name=name, status=Status.NOT_REQUIRED, findings=(finding(code, message),))


def exact(instant: datetime) -> str:
    """Return an instant as it is: whoever reads it can repeat the verdict."""
    # Not moved to another zone: the last instants that there are have no place in some.
    return instant.isoformat().replace("+00:00", "Z")


def shown(instant: datetime) -> str:
    """Return an instant for people and for lists of times, in whole seconds."""
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer: its parts, what it establishes if they pass, and what it does not even then."""

    name: LayerName
    parts: tuple[Part, ...]
    establishes: str
    does_not_establish: str

    def __post_init__(self) -> None:
        names = [part.name for part in self.parts]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"the layer {self.name} has no parts, or one of them twice")
        if self.name is LayerName.EVIDENCE and tuple(names) != EVIDENCE_PARTS:
            raise ValueError(f"the evidence layer has the parts {', '.join(names)}")

    @property
    def status(self) -> Status:
        """The worst of its parts; passed where one passed and the others are not required."""
        found = {part.status for part in self.parts}
        for status in (Status.FAILED, Status.NOT_EVALUATED, Status.PASSED):
            if status in found:
                return status
        return Status.NOT_REQUIRED

    def to_json(self) -> JsonObject:
        """Return the form that is shown."""
        return {
            "name": self.name.value,
            "status": self.status.value,
            "parts": [part.to_json() for part in self.parts],
            "establishes": self.establishes if self.status is Status.PASSED else "",
            "does_not_establish": self.does_not_establish,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a verifier answers, at the instant ``at``.

    ``claimed`` is what the subject asserts: the truth value of a receipt's question, ``None`` where
    the subject is evidence alone.
    """

    subject: Subject
    layers: tuple[Layer, ...]
    at: datetime
    claimed: bool | None

    def __post_init__(self) -> None:
        if tuple(layer.name for layer in self.layers) != LAYERS[self.subject]:
            raise ValueError(f"a verdict on {self.subject} has other layers than these")
        if self.at.tzinfo is None:
            raise ValueError("the instant of a verdict has a zone")
        if (self.claimed is None) != (self.subject is not Subject.RECEIPT):
            raise ValueError("a verdict has a claim where there was a question, and only there")

    @property
    def accepted(self) -> bool:
        """Whether every layer passed, or is not required by the policy, and one did pass."""
        found = {layer.status for layer in self.layers}
        return Status.PASSED in found and found <= {Status.PASSED, Status.NOT_REQUIRED}

    @property
    def answer(self) -> bool | None:
        """What was claimed, once it is accepted: a claim that is refused answers nothing."""
        return self.claimed if self.accepted else None

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """The findings of all parts that speak against acceptance, in the order of the layers."""
        return tuple(
            finding
            for layer in self.layers
            for part in layer.parts
            if part.status in {Status.FAILED, Status.NOT_EVALUATED}
            for finding in part.findings
        )

    def layer(self, name: LayerName) -> Layer:
        """Return the layer of that name; ``KeyError`` where the subject has none."""
        for layer in self.layers:
            if layer.name is name:
                return layer
        raise KeyError(name)

    def to_json(self) -> JsonObject:
        """Return the form that is shown, stored and compared."""
        return {
            "version": VERSION,
            "subject": self.subject.value,
            "accepted": self.accepted,
            "answer": self.answer,
            "at": exact(self.at),
            "layers": [layer.to_json() for layer in self.layers],
        }


LAYERS: Final[Mapping[Subject, tuple[LayerName, ...]]] = MappingProxyType(
    {
        Subject.EVIDENCE: (LayerName.EVIDENCE,),
        Subject.RECEIPT: (
            LayerName.EVIDENCE,
            LayerName.RECEIPT,
            LayerName.PROOF,
            LayerName.TRANSCRIPT,
        ),
        Subject.PROVING: (LayerName.EVIDENCE, LayerName.RECEIPT, LayerName.PROOF),
        Subject.COMMIT: (
            LayerName.EVIDENCE,
            LayerName.COMMIT,
            LayerName.CHAIN,
            LayerName.LOG,
        ),
    }
)
