"""Plaid's bank income: what came in, a month a sum."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from adyton.sandbox.cases import Case, Token

__all__ = ["bank_income"]

_Json = dict[str, Any]

_YEAR: Final = 12
_SUMS: Final[dict[Case, object]] = {
    Case.LOW: 800.0,
    Case.FLOAT: 0.1 + 0.2,
    Case.HUGE: 10**15,
    Case.NEGATIVE: -250.55,
    Case.NOT_EXACT: 5416.675,
    Case.WRONG_TYPE: "a lot",
}
_COUNTS: Final = {Case.EMPTY: 0, Case.PARTIAL: 5, Case.MANY: 24}


def bank_income(token: Token) -> list[_Json]:
    """Return the most recent report: by default twelve months at 5,416.67."""
    amount = _SUMS.get(token.case, token.amount(5416.67))
    months = [
        {
            "start_date": start.isoformat(),
            "end_date": end.isoformat(),
            "iso_currency_code": "USD",
            "total_amount": amount,
            "total_amounts": [_amount(amount)],
            "transactions": [],
            "unofficial_currency_code": None,
        }
        for start, end in _months(_COUNTS.get(token.case, _YEAR))
    ]
    if token.case is Case.MISSING_FIELD:
        months[-1]["total_amounts"] = []
    now = datetime.now(UTC).replace(microsecond=0)
    summary = {
        "historical_summary": months,
        "income_categories_count": 1,
        "income_sources_count": 1,
        "income_transactions_count": 2 * len(months),
        "iso_currency_code": "USD",
        "total_amounts": [_amount(amount)],
        "unofficial_currency_code": None,
    }
    return [
        {
            "bank_income_id": "abc123",
            "bank_income_summary": summary,
            "days_requested": 365,
            "generated_time": now.isoformat().replace("+00:00", "Z"),
            "items": [],
            "warnings": [],
        }
    ]


def _amount(amount: object) -> _Json:
    return {"amount": amount, "iso_currency_code": "USD", "unofficial_currency_code": None}


def _months(count: int) -> list[tuple[date, date]]:
    """Return the first and the last day of the last ``count`` months, this one included."""
    today = datetime.now(UTC).date()
    found = []
    end = today
    for _ in range(count):
        start = end.replace(day=1)
        found.append((start, end))
        end = start - timedelta(days=1)
    return found[::-1]
