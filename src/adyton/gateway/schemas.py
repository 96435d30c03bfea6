"""What requests and answers look like, for ``/openapi.json`` and ``/docs`` only.

Nothing is parsed with these: ``model.question`` reads a question and the worker's modules its
predicate, once, and stricter than a schema can say. A test holds the examples against those.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, SkipJsonSchema
from pydantic_core import core_schema

from adyton.model.question import PROOF_SYSTEM, Endpoint

__all__ = [
    "ANSWERS",
    "EXAMPLES",
    "QUESTIONS",
    "Absent",
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


_Amount = Annotated[
    int | str, Field(description='an integer, or a decimal number in a string: `"99.95"`')
]
Absent = SkipJsonSchema[None]
_Sealed = Annotated[str, Field(description="a sealed box in base64 (see docs/protocol.md)")]
Base64 = Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]


class AtLeast(Document):
    """A balance of at least."""

    type: Literal["gte"]
    threshold: _Amount
    currency: str | Absent = None


class AtMost(Document):
    """A balance of at most."""

    type: Literal["lte"]
    threshold: _Amount
    currency: str | Absent = None


class Within(Document):
    """A balance from ... to."""

    type: Literal["range"]
    min: _Amount
    max: _Amount
    currency: str | Absent = None


class AnnualIncome(Document):
    """An income a year of at least, or at most."""

    type: Literal["annual_gte", "annual_lte"]
    threshold: _Amount
    currency: str | Absent = None


class AnnualIncomeWithin(Document):
    """An income a year from ... to."""

    type: Literal["annual_range"]
    min: _Amount
    max: _Amount
    currency: str | Absent = None


class Employed(Document):
    """Employed now."""

    type: Literal["currently_employed"]


class Tenure(Document):
    """Employed now, and for so many days."""

    type: Literal["tenure_gte"]
    value: int = Field(description="days")


class Degree(Document):
    """A degree, of at least this level."""

    type: Literal["has_degree"]
    degree_level: Literal["associate", "bachelors", "masters", "doctorate"] | Absent = Field(
        None, alias="degreeLevel"
    )


class Valid(Document):
    """A credential that has been issued and has not expired."""

    type: Literal["is_valid"]


class Score(Document):
    """A score of at least, or at most."""

    type: Literal["score_gte", "score_lte"]
    threshold: int


class ScoreWithin(Document):
    """A score from ... to."""

    type: Literal["score_range"]
    min: int
    max: int


class NoSuch(Document):
    """No transaction of the built-in categories."""

    type: Literal["no_gambling", "no_suspicious"]
    lookback_days: int = Field(alias="lookbackDays")


class NoneOf(Document):
    """No transaction of these categories."""

    type: Literal["none_of"]
    categories: list[str]
    lookback_days: int = Field(alias="lookbackDays")


class RegularIncome(Document):
    """A credit in each period."""

    type: Literal["regular_income"]
    lookback_days: int = Field(alias="lookbackDays")
    minimum: _Amount | Absent = None
    currency: str | Absent = None
    periods: int | Absent = Field(None, description="how many 30-day periods, counted back")


class Equal(Document):
    """A value that is this one."""

    type: Literal["eq"]
    expected: bool | int | str
    field: str | Absent = None


class OneOf(Document):
    """A value that is one of these."""

    type: Literal["membership"]
    set: list[int | str]
    field: str | Absent = None


class Exists(Document):
    """A value that is there."""

    type: Literal["exists"]
    field: str | Absent = None


class Compared(Document):
    """A number or date of at least, or at most."""

    type: Literal["gte", "lte"]
    threshold: _Amount
    field: str | Absent = None


class ComparedWithin(Document):
    """A number or date from ... to."""

    type: Literal["range"]
    min: _Amount
    max: _Amount
    field: str | Absent = None


class Owns(Document):
    """An account with this owner, this number, or both."""

    type: Literal["owns"]
    name_hash: str | Absent = None
    number_hash: str | Absent = None


class _Question(Document):
    nonce: str = Field(min_length=1, max_length=256, description="chosen by the asker")
    encrypted_access_token: _Sealed | Absent = None
    credentials: dict[str, str] | Absent = Field(
        None, description="by name: in the clear, or `encrypted:` and a sealed box in base64"
    )
    provider_id: str | Absent = Field(
        None, description="which provider; else the default of the endpoint"
    )
    audience: str | Absent = Field(None, max_length=256, description="whom the answer is for")
    proof_system: Literal["noir-ultrahonk"] = "noir-ultrahonk"


class BalanceQuestion(_Question):
    """Whether a balance is at least, at most, or within."""

    predicate: AtLeast | AtMost | Within


class IncomeQuestion(_Question):
    """Whether the income of a year is at least, at most, or within."""

    predicate: AnnualIncome | AnnualIncomeWithin
    months: int | Absent = Field(None, ge=1, le=12, description="how many months to look at")


class EmploymentQuestion(_Question):
    """Whether somebody is employed now, and for how long."""

    predicate: Employed | Tenure


class EducationQuestion(_Question):
    """Whether there is a degree of at least this level, or a valid licence."""

    predicate: Degree | Valid


class CreditQuestion(_Question):
    """Whether the credit score is at least, at most, or within."""

    predicate: Score | ScoreWithin


class TransactionsQuestion(_Question):
    """Whether no transaction is of a kind, or income is regular."""

    predicate: NoSuch | NoneOf | RegularIncome


class InlineProvider(Document):
    """A data source that comes with the question."""

    url: str
    method: Literal["GET", "POST", "PUT", "PATCH"]
    headers: dict[str, str] | Absent = None
    body: str | Absent = None


class Extraction(Document):
    """What to take from the answer of a named generic provider."""

    path: str
    type: str = Field(description="Integer, Decimal, String, Boolean or Date")
    scale: int | Absent = None
    method: Literal["jsonPath", "xpath", "regex"] | Absent = None
    response_type: str | Absent = None


class ResponseExtraction(Document):
    """What to take from the answer of an inline provider."""

    type: Literal["jsonPath", "xpath", "regex"]
    pattern: str
    data_type: str | Absent = None
    scale: int | Absent = None
    response_type: str | Absent = None


class CustomQuestion(_Question):
    """Any question to any source: a provider by name, or one that comes with the question."""

    predicate: Compared | ComparedWithin | Equal | OneOf | Exists | Owns | dict[str, Any]
    provider: InlineProvider | Absent = None
    extraction: Extraction | Absent = None
    response_extraction: ResponseExtraction | Absent = None


class AnswerSummary(BaseModel):
    """What the answer says, for people: a verifier derives it from the statement."""

    predicate_satisfied: bool
    predicate_type: str
    data_source: str
    timestamp: int
    nonce_hash: str
    threshold: _Amount | Absent = None
    min: _Amount | Absent = None
    max: _Amount | Absent = None
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


QUESTIONS: Final[dict[Endpoint, type[BaseModel]]] = {
    Endpoint.BALANCE: BalanceQuestion,
    Endpoint.INCOME: IncomeQuestion,
    Endpoint.EMPLOYMENT: EmploymentQuestion,
    Endpoint.EDUCATION: EducationQuestion,
    Endpoint.CREDIT: CreditQuestion,
    Endpoint.TRANSACTIONS: TransactionsQuestion,
    Endpoint.CUSTOM: CustomQuestion,
}

# Not a box that anybody could open: it shows where one goes.
_BOX: Final = "AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
_COMMON: Final[dict[str, Any]] = {
    "encrypted_access_token": _BOX,
    "nonce": "unique-client-nonce-123",
    "proof_system": PROOF_SYSTEM,
}

EXAMPLES: Final[dict[Endpoint, dict[str, dict[str, Any]]]] = {
    Endpoint.BALANCE: {
        "at least": {"predicate": {"type": "gte", "threshold": 10000}, **_COMMON},
        "within": {
            "predicate": {"type": "range", "min": "99.95", "max": 5000, "currency": "USD"},
            "credentials": {
                "access_token": f"encrypted:{_BOX}",
                "secret": f"encrypted:{_BOX}",
                "client_id": "my-client",
            },
            "provider_id": "plaid-balance",
            "audience": "https://lender.example",
            "nonce": "unique-client-nonce-123",
        },
    },
    Endpoint.INCOME: {
        "a year": {"predicate": {"type": "annual_gte", "threshold": 50000}, "months": 12, **_COMMON}
    },
    Endpoint.EMPLOYMENT: {
        "employed now": {"predicate": {"type": "currently_employed"}, **_COMMON},
        "for two years": {"predicate": {"type": "tenure_gte", "value": 730}, **_COMMON},
    },
    Endpoint.EDUCATION: {
        "a degree": {"predicate": {"type": "has_degree", "degreeLevel": "bachelors"}, **_COMMON}
    },
    Endpoint.CREDIT: {
        "at least": {"predicate": {"type": "score_gte", "threshold": 700}, **_COMMON},
    },
    Endpoint.TRANSACTIONS: {
        "no gambling": {"predicate": {"type": "no_gambling", "lookbackDays": 90}, **_COMMON},
        "regular income": {
            "predicate": {
                "type": "regular_income",
                "lookbackDays": 90,
                "minimum": 2000,
                "periods": 3,
            },
            **_COMMON,
        },
    },
    Endpoint.CUSTOM: {
        "a provider by name": {
            "provider_id": "generic-http",
            "credentials": {
                "url": "https://api.example.com/data",
                "method": "GET",
                "headers": f"encrypted:{_BOX}",
            },
            "extraction": {"path": "$.data.balance", "type": "Decimal", "scale": 2},
            "predicate": {"type": "gte", "threshold": 1000},
            "nonce": "unique-client-nonce-123",
        },
        "a provider of one's own": {
            "provider": {
                "url": "https://api.example.com/data",
                "method": "GET",
                "headers": {"Authorization": f"encrypted:{_BOX}"},
            },
            "response_extraction": {"type": "jsonPath", "pattern": "$.data.balance"},
            "predicate": {"type": "gte", "field": "balance", "threshold": 1000},
            "nonce": "unique-client-nonce-123",
        },
    },
}

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
