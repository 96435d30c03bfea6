"""What answers look like, and what all forms have in common, for ``/openapi.json`` and ``/docs``.

Nothing is parsed with these.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, SkipJsonSchema
from pydantic_core import core_schema

__all__ = [
    "ANSWERS",
    "Absent",
    "Amount",
    "AnswerDocument",
    "AttestationDocument",
    "Base64",
    "CircuitList",
    "Document",
    "HealthDocument",
    "PlainSchema",
    "ProblemDocument",
    "ProviderList",
    "VerdictDocument",
    "VerificationDocument",
]


class PlainSchema(GenerateJsonSchema):
    """Says of an optional field that it may be left out, not that it may be null: it may not."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema without a default that is only Python's way to say "left out"."""
        made = super().default_schema(schema)
        if made.get("default", ...) is None:
            del made["default"]
        return made


class Document(BaseModel):
    """A form without other fields than these."""

    model_config = ConfigDict(extra="forbid")


Amount = Annotated[
    int | str, Field(description='an integer, or a decimal number in a string: `"99.95"`')
]
Absent = SkipJsonSchema[None]
Base64 = Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]


class AnswerSummary(BaseModel):
    """What the answer says, for people: a verifier derives it from the statement."""

    predicate_satisfied: bool
    predicate_type: str
    data_source: str
    timestamp: int
    nonce_hash: str
    threshold: Amount | Absent = None
    min: Amount | Absent = None
    max: Amount | Absent = None
    institution_id: str | Absent = None


class ReceiptDocument(Document):
    """The statement and its signature, and what a verifier needs beside the proof."""

    statement: dict[str, Any]
    signature: Base64
    manifest: dict[str, Any]
    challenge: Base64
    public_inputs: list[str]


class AnswerDocument(Document):
    """RFC-0023's answer with the receipt added: the file that `adyton verify` reads."""

    proof: Base64
    public_inputs: AnswerSummary
    tee_attestation: Base64
    proof_system: Literal["noir-ultrahonk"]
    verification_key: Base64
    receipt: ReceiptDocument


class VerificationDocument(AnswerDocument):
    """An answer, and the policy to hold it against."""

    policy: dict[str, Any]


class VerdictDocument(BaseModel):
    """The verdict by layer; what each establishes is in docs/protocol.md."""

    model_config = ConfigDict(extra="allow")


class AttestationDocument(Document):
    """What the worker is, and the key to seal credentials to, once the evidence is checked."""

    enclave_public_key: Base64
    attestation_document: Base64
    pcr_values: dict[str, str]
    manifest: dict[str, Any]
    platform: str
    challenge: Base64


class WorkerHealthDocument(Document):
    """How the worker is."""

    ready: bool
    cells: dict[str, int]
    queue: int


class HealthDocument(Document):
    """Whether questions can be answered now."""

    status: Literal["ok", "unavailable"]
    version: str
    code: str | Absent = None
    worker: WorkerHealthDocument | Absent = None


class ProviderList(Document):
    """The providers of the worker."""

    providers: list[dict[str, Any]]


class CircuitList(Document):
    """The circuits of the worker, with their verification keys."""

    circuits: list[dict[str, Any]]


class ProblemDocument(Document):
    """RFC 9457 problem details. `code` is stable; the texts may improve at any time."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    error: str = Field(description="the same as `detail`")


ANSWERS: Final[dict[int, str]] = {
    400: "the request cannot be understood: `code` and `detail` say what is wrong",
    401: "no valid API key",
    403: "well formed, and the answer is no: a missing scope, an unsealed credential, "
    "a box that does not open, an exhausted budget",
    408: "the body did not arrive in time",
    413: "the body is too large",
    415: "the body is not application/json",
    429: "the key has reached a limit; `Retry-After` says when to come back",
    503: "no answer can be had now; `Retry-After` says when to come back",
}
