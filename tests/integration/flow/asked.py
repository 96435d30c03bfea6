"""For every built-in provider, questions whose answers in the sandbox are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adyton.codec.json import Json, JsonObject
from adyton.proofs.account_ownership import name_hash
from adyton.sources import ProviderDefinition

SALT: Final = "5f" * 16
# Which of a provider's credentials the sandbox reads its case from.
_TOKENS: Final = {
    "plaid-income": "user_token",
    "transunion-credit": "system_password",
    "irs-income": "oauth_token",
}
_VALUES: Final = {"tax_year": "2024", "date_of_birth": "1990-02-03"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question to one provider, and the sandbox's answer."""

    provider: str
    endpoint: str
    predicate: JsonObject
    answer: bool
    case: str = "good"
    more: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        kind = self.predicate["type"]
        return f"{self.provider} {kind} {self.case} {'yes' if self.answer else 'no'}"


def credentials(definition: ProviderDefinition, token: str) -> dict[str, str]:
    """Return every credential that a built-in provider takes; one of them is the sandbox's."""
    names = [item.name for item in definition.request.credentials]
    bearer = _TOKENS.get(definition.id, "access_token")
    return {name: token if name == bearer else _VALUES.get(name, "some text") for name in names}


def owner(name: str) -> JsonObject:
    """Return the question whether an account is ``name``'s."""
    return {"type": "owns", "name_hash": f"0x{name_hash(SALT, name):064x}"}


def _both(
    provider: str,
    endpoint: str,
    yes: JsonObject,
    no: JsonObject,
    *,
    more: Mapping[str, str] | None = None,
) -> list[Asked]:
    return [
        Asked(
            provider=provider,
            endpoint=endpoint,
            predicate=predicate,
            answer=answer,
            more=more or {},
        )
        for predicate, answer in ((yes, True), (no, False))
    ]


def _gte(kind: str, threshold: Json) -> JsonObject:
    return {"type": kind, "threshold": threshold}


_TENURE: Final[JsonObject] = {"type": "tenure_gte", "value": 365}
_AGES: Final[JsonObject] = {"type": "tenure_gte", "value": 30_000}
_EMPLOYED: Final[JsonObject] = {"type": "currently_employed"}

ASKED: Final = (
    *_both("plaid-balance", "balance", _gte("gte", 10_000), _gte("gte", 1_000_000)),
    *_both("yodlee-balance", "balance", _gte("gte", 9_000), _gte("gte", 9_045)),
    *_both("plaid-income", "income", _gte("annual_gte", 60_000), _gte("annual_gte", 70_000)),
    *_both("gusto-payroll", "income", _gte("annual_gte", 50_000), _gte("annual_gte", 200_000)),
    *_both("irs-income", "income", _gte("annual_gte", "84200.50"), _gte("annual_gte", 84_201)),
    *_both("adp-employment", "employment", _TENURE, _AGES),
    *_both("linkedin-employment", "employment", _TENURE, _AGES),
    Asked(
        provider="adp-employment",
        endpoint="employment",
        predicate=_EMPLOYED,
        case="ended",
        answer=False,
    ),
    *_both(
        "clearinghouse-education",
        "education",
        {"type": "has_degree", "degreeLevel": "bachelors"},
        {"type": "has_degree", "degreeLevel": "doctorate"},
    ),
    *_both("experian-credit", "credit", _gte("score_gte", 700), _gte("score_gte", 800)),
    *_both("equifax-credit", "credit", _gte("score_gte", 700), _gte("score_gte", 800)),
    *_both("transunion-credit", "credit", _gte("score_gte", 700), _gte("score_gte", 800)),
    *_both(
        "plaid-transactions",
        "transactions",
        {"type": "no_gambling", "lookbackDays": 90},
        {"type": "regular_income", "lookbackDays": 90, "minimum": 1_000_000},
    ),
    Asked(
        provider="plaid-transactions",
        endpoint="transactions",
        predicate={"type": "no_gambling", "lookbackDays": 90},
        case="flagged",
        answer=False,
    ),
    *_both(
        "plaid-identity",
        "custom",
        owner("alberta bobbeth CHARLESON"),
        owner("Nobody Else"),
        more={"salt": SALT},
    ),
    Asked(provider="state-dmv", endpoint="custom", predicate={"type": "is_valid"}, answer=True),
    Asked(
        provider="state-dmv",
        endpoint="custom",
        predicate={"type": "is_valid"},
        case="ended",
        answer=False,
    ),
)
