"""What questions look like, for ``/openapi.json`` and ``/docs`` only.

Nothing is parsed with these: ``model.question`` reads a question and the worker's modules its
predicate, once, and stricter than a schema can say. A test holds the examples against those.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from adyton.gateway.schemas import Absent, Amount, Document
from adyton.model.question import PROOF_SYSTEM, Endpoint

__all__ = ["EXAMPLES", "QUESTIONS"]

_Sealed = Annotated[str, Field(description="a sealed box in base64 (see docs/protocol.md)")]


class AtLeast(Document):
    """A balance of at least."""

    type: Literal["gte"]
    threshold: Amount
    currency: str | Absent = None


class AtMost(Document):
    """A balance of at most."""

    type: Literal["lte"]
    threshold: Amount
    currency: str | Absent = None


class Within(Document):
    """A balance from ... to."""

    type: Literal["range"]
    min: Amount
    max: Amount
    currency: str | Absent = None


class AnnualIncome(Document):
    """An income a year of at least, or at most."""

    type: Literal["annual_gte", "annual_lte"]
    threshold: Amount
    currency: str | Absent = None


class AnnualIncomeWithin(Document):
    """An income a year from ... to."""

    type: Literal["annual_range"]
    min: Amount
    max: Amount
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
    minimum: Amount | Absent = None
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
    threshold: Amount
    field: str | Absent = None


class ComparedWithin(Document):
    """A number or date from ... to."""

    type: Literal["range"]
    min: Amount
    max: Amount
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
