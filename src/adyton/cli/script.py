"""What the demonstration asks, and what must come of it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from adyton.codec.json import JsonObject
from adyton.proofs.account_ownership import name_hash

__all__ = ["BUDGET", "Mischief", "Step", "steps"]

# Different questions about one credential before the worker refuses: few, to see it happen.
BUDGET: Final = 3
_OWNER: Final = "Alberta Bobbeth Charleson"
_PLAID: Final[Mapping[str, str]] = {"client_id": "demonstration", "secret": "sandbox"}
_GOOD: Final[Mapping[str, str]] = {**_PLAID, "access_token": "sandbox-good"}


class Mischief(StrEnum):
    """What goes wrong on the way: the host is the adversary."""

    NONE = "none"
    THRESHOLD = "threshold"
    REPLAY = "replay"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One question, and what must come of it: a truth value, or the code of a refusal.

    ``name`` is for files, ``title`` for people.
    """

    name: str
    title: str
    endpoint: str
    predicate: JsonObject
    credentials: Mapping[str, str] = field(repr=False)
    expected: bool | str
    provider: str | None = None
    months: int | None = None
    mischief: Mischief = Mischief.NONE


def steps() -> tuple[Step, ...]:
    """Return the questions in their order."""
    return (
        _balance("balance", "a balance of at least 10,000", 10_000, expected=True),
        _balance("balance-false", "a balance of at least 1,000,000", 1_000_000, expected=False),
        _balance("balance-again", "a balance of at least 11,000", 11_000, expected=True),
        _balance(
            "budget", "at least 12,000: a question too many", 12_000, expected="budget-exhausted"
        ),
        Step(
            name="income",
            title="5 months of income: 50,000 a year",
            endpoint="income",
            predicate={"type": "annual_gte", "threshold": 50_000},
            credentials={**_PLAID, "user_token": "sandbox-partial"},
            months=5,
            expected=True,
        ),
        Step(
            name="transactions",
            title="no gambling in the last 90 days",
            endpoint="transactions",
            predicate={"type": "no_gambling", "lookbackDays": 90},
            credentials={**_PLAID, "access_token": "sandbox-flagged"},
            expected=False,
        ),
        Step(
            name="employment",
            title="employed for at least a year",
            endpoint="employment",
            predicate={"type": "tenure_gte", "value": 365},
            credentials={"access_token": "sandbox-good", "associate_oid": "G3349PZGBADQY8H8"},
            provider="adp-employment",
            expected=True,
        ),
        Step(
            name="education",
            title="a bachelor's degree, or more",
            endpoint="education",
            predicate={"type": "has_degree", "degreeLevel": "bachelors"},
            credentials={
                "access_token": "sandbox-good",
                "first_name": "Alberta",
                "last_name": "Charleson",
                "date_of_birth": "1990-01-02",
            },
            expected=True,
        ),
        _ownership(),
        *(_refused(*case) for case in _REFUSED),
    )


def _balance(name: str, title: str, threshold: int, *, expected: bool | str) -> Step:
    return Step(
        name=name,
        title=title,
        endpoint="balance",
        predicate={"type": "gte", "threshold": threshold},
        credentials=_GOOD,
        expected=expected,
    )


def _ownership() -> Step:
    salt = secrets.token_hex(16)
    return Step(
        name="ownership",
        title="the account's owner, by salted hash",
        endpoint="custom",
        predicate={"type": "owns", "name_hash": f"0x{name_hash(salt, _OWNER):064x}"},
        # Another token, so that this is another credential to the budget.
        credentials={**_PLAID, "access_token": "sandbox-good.owner", "salt": salt},
        provider="plaid-identity",
        expected=True,
    )


_REFUSED: Final = (
    (Mischief.THRESHOLD, "the host lowers the threshold", "seal-rejected"),
    (Mischief.REPLAY, "the host sends a question again", "replayed"),
    (Mischief.STRANGER, "the policy accepts AWS Nitro only", "worker-rejected"),
)


def _refused(mischief: Mischief, title: str, code: str) -> Step:
    return Step(
        name=mischief.value,
        title=title,
        endpoint="balance",
        predicate={"type": "gte", "threshold": 1_000_000},
        credentials={"access_token": "sandbox-good"},
        provider="yodlee-balance",
        expected=code,
        mischief=mischief,
    )
