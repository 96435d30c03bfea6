"""A statement: everything that is asserted about one answer, and the bytes that are signed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adyton.codec.json import (
    Json,
    JsonObject,
    as_boolean,
    as_digest,
    as_integer,
    as_object,
    as_string,
    canonical,
    check_keys,
)
from adyton.errors import MalformedError
from adyton.model.question import MAX_SEALED, PROOF_SYSTEM, Question
from adyton.model.transcript import Transcript
from adyton.model.value import DataSource
from adyton.model.window import LAST_SECOND

__all__ = ["Statement"]

VERSION: Final = "adyton/statement/v1"
# Money has few digits behind the point; no currency has more than four.
MAX_SCALE: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a worker asserts: this question, put to this source at this time, has this answer.

    ``sealed`` has the digest of each sealed value by its place: whoever sealed them can tell that
    the answer is about those, and not about what somebody else sealed for the same question.
    ``parameters`` are the circuit's, as its module writes them; ``scale`` is the one at which the
    question's amounts became integers. Digests are SHA-256: of the provider's canonical definition,
    of the verification key, of the proof, of the public inputs (each 32 bytes, big-endian), and of
    the canonical manifest. ``time`` is Unix time in seconds, by the worker's clock.
    """

    question: Question
    sealed: Mapping[str, bytes]
    answer: bool
    provider: str
    provider_digest: bytes
    source: DataSource
    circuit: str
    verification_key: bytes
    parameters: JsonObject
    scale: int
    time: int
    proof: bytes
    public_inputs: bytes
    transcript: Transcript
    manifest: bytes

    def to_json(self) -> JsonObject:
        """Return the form that is signed and shown."""
        return {
            "version": VERSION,
            "question": self.question.to_statement(),
            "sealed": {place: digest.hex() for place, digest in self.sealed.items()},
            "answer": self.answer,
            "provider": {"id": self.provider, "digest": self.provider_digest.hex()},
            "source": {"name": self.source.name, "institution": self.source.institution},
            "circuit": {"name": self.circuit, "verification_key": self.verification_key.hex()},
            "parameters": self.parameters,
            "scale": self.scale,
            "time": self.time,
            "proof_system": PROOF_SYSTEM,
            "proof": self.proof.hex(),
            "public_inputs": self.public_inputs.hex(),
            "transcript": self.transcript.to_json(),
            "manifest": self.manifest.hex(),
        }

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return canonical(self.to_json())

    @classmethod
    def from_json(cls, value: Json) -> "Statement":
        """Return the statement in ``value``, or raise ``MalformedError``."""
        record = as_object(value, "statement")
        check_keys(record, "statement", required=_KEYS, optional=frozenset())
        if record["version"] != VERSION:
            raise MalformedError(f'the statement\'s version is not "{VERSION}"')
        if record["proof_system"] != PROOF_SYSTEM:
            raise MalformedError(f'the statement\'s proof system is not "{PROOF_SYSTEM}"')
        provider = _pair(record["provider"], "provider", "id", "digest")
        source = _pair(record["source"], "source", "name", "institution")
        circuit = _pair(record["circuit"], "circuit", "name", "verification_key")
        return cls(
            question=Question.from_statement(record["question"]),
            sealed=_sealed(record["sealed"]),
            answer=as_boolean(record["answer"], "answer"),
            provider=provider[0],
            provider_digest=as_digest(provider[1], "provider.digest"),
            source=DataSource(name=source[0], institution=source[1]),
            circuit=circuit[0],
            verification_key=as_digest(circuit[1], "circuit.verification_key"),
            parameters=as_object(record["parameters"], "parameters"),
            scale=as_integer(record["scale"], "scale", high=MAX_SCALE),
            time=as_integer(record["time"], "time", high=LAST_SECOND),
            proof=as_digest(record["proof"], "proof"),
            public_inputs=as_digest(record["public_inputs"], "public_inputs"),
            transcript=Transcript.from_json(record["transcript"]),
            manifest=as_digest(record["manifest"], "manifest"),
        )


_KEYS: Final = frozenset(
    {
        "version",
        "question",
        "sealed",
        "answer",
        "provider",
        "source",
        "circuit",
        "parameters",
        "scale",
        "time",
        "proof_system",
        "proof",
        "public_inputs",
        "transcript",
        "manifest",
    }
)


def _pair(value: Json, where: str, first: str, second: str) -> tuple[str, str]:
    record = as_object(value, where)
    check_keys(record, where, required=frozenset({first, second}), optional=frozenset())
    return (
        as_string(record[first], f"{where}.{first}", limit=256),
        as_string(record[second], f"{where}.{second}", limit=256),
    )


def _sealed(value: Json) -> dict[str, bytes]:
    record = as_object(value, "sealed")
    if len(record) > MAX_SEALED:
        raise MalformedError(f"sealed has more than {MAX_SEALED} digests")
    return {place: as_digest(record[place], place) for place in record}
