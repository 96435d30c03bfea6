"""The disclosure budget: how many different questions one credential may be asked in a window.

Each answer gives away a bit, and a few dozen thresholds find a balance exactly. The same question
again gives nothing new away and costs nothing. A credential is known here by a digest that the cell
makes; digests and counts live as long as the process.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adyton.errors import RejectedError, UnavailableError

__all__ = ["BudgetExhaustedError", "BudgetFullError", "DisclosureBudget"]


class BudgetExhaustedError(RejectedError):
    """This credential was asked as many different questions as it may be for now."""

    code = "budget-exhausted"

    def __init__(self, *, limit: int, window: timedelta) -> None:
        hours = window / timedelta(hours=1)
        super().__init__(
            f"this credential was asked {limit} different questions within {hours:g} hours; "
            f"each answer gives something away"
        )
        self.limit, self.window = limit, window


class BudgetFullError(UnavailableError):
    """No more credentials can be counted for now."""

    code = "overloaded"

    def __init__(self) -> None:
        super().__init__("the worker counts as many credentials as it can; ask again later")


@dataclass(slots=True)
class _Account:
    questions: dict[bytes, datetime] = field(default_factory=dict)


class DisclosureBudget:
    """Counts different questions per credential, in a sliding window."""

    def __init__(self, *, limit: int, window: timedelta, credentials: int) -> None:
        self._limit, self._window, self._credentials = limit, window, credentials
        self._accounts: dict[bytes, _Account] = {}

    def spend(self, credential: bytes, question: bytes, *, now: datetime) -> None:
        """Count ``question`` against ``credential``, or raise ``BudgetExhaustedError``."""
        account = self._accounts.get(credential)
        if account is None:
            account = self._open(credential, now)
        _expire(account, now - self._window)
        if question in account.questions:
            return
        if len(account.questions) >= self._limit:
            raise BudgetExhaustedError(limit=self._limit, window=self._window)
        account.questions[question] = now

    def _open(self, credential: bytes, now: datetime) -> _Account:
        if len(self._accounts) >= self._credentials:
            for key, account in list(self._accounts.items()):
                _expire(account, now - self._window)
                if not account.questions:
                    del self._accounts[key]
        if len(self._accounts) >= self._credentials:
            # To forget a credential that still counts would give its questions away again.
            raise BudgetFullError
        return self._accounts.setdefault(credential, _Account())


def _expire(account: _Account, before: datetime) -> None:
    for question, asked in list(account.questions.items()):
        if asked <= before:
            del account.questions[question]
