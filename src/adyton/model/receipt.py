"""A receipt: a statement and its signature, with all that a verifier needs to check them offline.

The same JSON is the answer to a question over HTTP, in RFC-0023's shape with the receipt added, and
the file that ``adyton verify`` reads. RFC-0023's summary fields are not signed; they are derived
from the statement, and a reader refuses a file in which they say something else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adyton.codec.json import Json, JsonObject, as_base64, as_object, canonical, check_keys, loads
from adyton.codec.text import to_base64
from adyton.errors import MalformedError
from adyton.model.manifest import Manifest
from adyton.model.public_inputs import public_input_texts, read_public_inputs
from adyton.model.question import PROOF_SYSTEM
from adyton.model.statement import Statement

__all__ = ["MAX_RECEIPT_BYTES", "SIGNATURE_DOMAIN", "Receipt", "summary"]

SIGNATURE_DOMAIN: Final = "adyton/receipt/v1"
MAX_RECEIPT_BYTES: Final = 1024 * 1024
_MAX_PROOF_BYTES: Final = 64 * 1024
_MAX_EVIDENCE_BYTES: Final = 64 * 1024
_MAX_PUBLIC_INPUTS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An answer, and everything that speaks for it.

    ``public_inputs`` are field elements, the last one the answer; ``evidence`` is the document of
    the worker's platform over ``manifest`` and ``challenge`` (empty where the asker sent none).
    """

    statement: Statement
    signature: bytes
    manifest: Manifest
    evidence: bytes
    challenge: bytes
    proof: bytes
    public_inputs: tuple[int, ...]
    verification_key: bytes

    def to_json(self) -> JsonObject:
        """Return RFC-0023's answer with the receipt added."""
        return {
            "proof": to_base64(self.proof),
            "public_inputs": summary(self.statement, self.public_inputs),
            "tee_attestation": to_base64(self.evidence),
            "proof_system": PROOF_SYSTEM,
            "verification_key": to_base64(self.verification_key),
            "receipt": {
                "statement": self.statement.to_json(),
                "signature": to_base64(self.signature),
                "manifest": self.manifest.to_json(),
                "challenge": to_base64(self.challenge),
                "public_inputs": [*public_input_texts(self.public_inputs)],
            },
        }

    @classmethod
    def from_bytes(cls, data: bytes) -> "Receipt":
        """Return the receipt in a file, or raise ``MalformedError``."""
        return cls.from_json(loads(data, limit_bytes=MAX_RECEIPT_BYTES))

    @classmethod
    def from_json(cls, value: Json) -> "Receipt":
        """Return the receipt in ``value``, or raise ``MalformedError``."""
        record = as_object(value, "the answer")
        check_keys(record, "the answer", required=_KEYS, optional=frozenset())
        inner = as_object(record["receipt"], "receipt")
        check_keys(inner, "receipt", required=_RECEIPT_KEYS, optional=frozenset())
        statement = Statement.from_json(inner["statement"])
        if record["proof_system"] != PROOF_SYSTEM:
            raise MalformedError(f'proof_system is not "{PROOF_SYSTEM}"')
        inputs = read_public_inputs(inner["public_inputs"], limit=_MAX_PUBLIC_INPUTS)
        # Readers look at the summary: what nobody signed must not say anything of its own.
        if canonical(record["public_inputs"]) != canonical(summary(statement, inputs)):
            raise MalformedError("public_inputs do not say what the statement says")
        return cls(
            statement=statement,
            signature=as_base64(inner["signature"], "signature", limit_bytes=64),
            manifest=Manifest.from_json(inner["manifest"]),
            evidence=as_base64(
                record["tee_attestation"], "tee_attestation", limit_bytes=_MAX_EVIDENCE_BYTES
            ),
            challenge=as_base64(inner["challenge"], "challenge", limit_bytes=64),
            proof=as_base64(record["proof"], "proof", limit_bytes=_MAX_PROOF_BYTES),
            public_inputs=inputs,
            verification_key=as_base64(
                record["verification_key"], "verification_key", limit_bytes=64 * 1024
            ),
        )


def summary(statement: Statement, public_inputs: Sequence[int]) -> JsonObject:
    """Return RFC-0023's ``public_inputs``: for people, and nothing in it that goes unchecked."""
    predicate = statement.question.predicate
    result: JsonObject = {
        "predicate_satisfied": statement.answer,
        "predicate_type": f"{statement.question.endpoint}_{predicate.get('type', '')}",
        "data_source": statement.source.name,
        "timestamp": statement.time,
    }
    if public_inputs:
        # The first of every circuit's public inputs is the nonce, hashed to the field.
        result["nonce_hash"] = public_input_texts(public_inputs[:1])[0]
    for key in _SHOWN:
        if key in predicate:
            result[key] = predicate[key]
    if statement.source.institution:
        result["institution_id"] = statement.source.institution
    return result


_SHOWN: Final = ("threshold", "min", "max")
_KEYS: Final = frozenset(
    {
        "proof",
        "public_inputs",
        "tee_attestation",
        "proof_system",
        "verification_key",
        "receipt",
    }
)
_RECEIPT_KEYS: Final = frozenset(
    {"statement", "signature", "manifest", "challenge", "public_inputs"}
)
