"""The tokens that the sandbox knows: each plays one case, for every provider alike.

A token is ``sandbox-CASE``, in whichever credential a provider calls its access token. Anything
behind a dot is planted in the data (``sandbox-good.MARK``), so that a test can look for it later;
where MARK is digits, it is also the amount that the answer is about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["TOKENS", "TOKEN_PREFIX", "Case", "Token", "read_token"]

TOKEN_PREFIX: Final = "sandbox-"  # noqa: S105  # it opens nothing


class Case(StrEnum):
    """What a provider does when it is asked."""

    GOOD = "good"
    LOW = "low"
    EMPTY = "empty"
    NEGATIVE = "negative"
    FLOAT = "float"
    HUGE = "huge"
    MANY = "many"
    ENDED = "ended"
    FLAGGED = "flagged"
    PARTIAL = "partial"
    MISSING_FIELD = "missing-field"
    WRONG_TYPE = "wrong-type"
    NOT_EXACT = "not-exact"
    ERROR_200 = "error-200"
    UNAUTHORIZED = "unauthorized"
    RATE_LIMITED = "rate-limited"
    BROKEN = "broken"
    SLOW = "slow"
    DROPPED = "dropped"
    OVERSIZED = "oversized"
    REDIRECT = "redirect"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    WRONG_LENGTH = "wrong-length"
    CHUNKED = "chunked"
    GZIP = "gzip"


_MEANINGS: Final[Mapping[Case, str]] = {
    Case.GOOD: "a well-off, employed person with a degree, a good score and a clean history",
    Case.LOW: "the same with small numbers, so that questions are answered with false",
    Case.EMPTY: "no accounts, no transactions, no employment, no degree",
    Case.NEGATIVE: "an overdrawn account, negative amounts",
    Case.FLOAT: "0.1 + 0.2 as a computer adds them: 0.30000000000000004",
    Case.HUGE: "10^15",
    Case.MANY: "more rows than a circuit has room for",
    Case.ENDED: "employment that ended, a degree or licence that expired",
    Case.FLAGGED: "transactions in a casino",
    Case.PARTIAL: "fewer rows than the provider says that it has",
    Case.MISSING_FIELD: "an answer that lacks the value that counts",
    Case.WRONG_TYPE: "text where a number is, a number where text is",
    Case.NOT_EXACT: "a number with more decimal places than its currency has",
    Case.ERROR_200: "an error, with status 200",
    Case.UNAUTHORIZED: "401: the token is not accepted",
    Case.RATE_LIMITED: "429, with Retry-After",
    Case.BROKEN: "500",
    Case.SLOW: "the good answer after a long time",
    Case.DROPPED: "the connection is closed before any answer",
    Case.OVERSIZED: "an answer of 64 MiB",
    Case.REDIRECT: "302 to another host",
    Case.MALFORMED: "bytes that are not JSON or XML",
    Case.TRUNCATED: "the connection is closed in the middle of the body",
    Case.WRONG_LENGTH: "a Content-Length that is shorter than the body",
    Case.CHUNKED: "the good answer in chunks, without Content-Length",
    Case.GZIP: "the good answer compressed, although nobody asked for it",
}

TOKENS: Final[Mapping[str, str]] = {
    f"{TOKEN_PREFIX}{case}": meaning for case, meaning in _MEANINGS.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token that the sandbox knows."""

    case: Case
    mark: str

    def amount(self, otherwise: float) -> float:
        """Return the amount that the answer is about."""
        return int(self.mark) if self.mark.isdecimal() else otherwise


def read_token(text: str) -> Token | None:
    """Return what ``text`` asks for; ``None`` if no provider would know it."""
    name, _, mark = text.removeprefix(TOKEN_PREFIX).partition(".")
    if not text.startswith(TOKEN_PREFIX) or f"{TOKEN_PREFIX}{name}" not in TOKENS:
        return None
    return Token(case=Case(name), mark=mark)
