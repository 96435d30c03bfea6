"""Plaid's transactions: a wage every two weeks, and what it is spent on.

Plaid's amounts are positive when money leaves the account.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from adyton.sandbox.cases import Case, Token

__all__ = ["transactions"]

_Json = dict[str, Any]

_WAGE: Final = -2500.0
_HISTORY: Final = timedelta(days=730)
_MANY: Final = 700


def transactions(token: Token, first_day: str, last_day: str) -> list[_Json]:
    """Return the transactions in a window (YYYY-MM-DD; all where it is empty), the latest first."""
    today = datetime.now(UTC).date()
    last = date.fromisoformat(last_day) if last_day else today
    first = date.fromisoformat(first_day) if first_day else today - _HISTORY
    found = [entry for entry in _history(token, last) if first.isoformat() <= entry["date"]]
    _disturb(token.case, found)
    return found


def _history(token: Token, last: date) -> Iterator[_Json]:
    if token.case is Case.EMPTY:
        return
    if token.case is Case.MANY:
        for number in range(_MANY):
            yield _entry(number, last, 1.0, "FOOD_AND_DRINK_COFFEE", "Coffee")
        return
    wage = -token.amount(-_WAGE) if token.case is not Case.LOW else -20.0
    for week in range(_HISTORY // timedelta(weeks=1)):
        day = last - timedelta(weeks=week)
        yield _entry(
            4 * week, day, 84.5, "FOOD_AND_DRINK_GROCERIES", f"Grocer {token.mark}".strip()
        )
        if week % 2 == 0:
            yield _entry(4 * week + 1, day, wage, "INCOME_WAGES", "Payroll")
        if week % 4 == 0:
            yield _entry(4 * week + 2, day, 1400.0, "RENT_AND_UTILITIES_RENT", "Rent")
        if token.case is Case.FLAGGED and week % 3 == 0:
            yield _entry(4 * week + 3, day, 50.0, "ENTERTAINMENT_CASINOS_AND_GAMBLING", "Casino")


def _disturb(case: Case, found: list[_Json]) -> None:
    """Spoil the latest transaction."""
    if not found:
        return
    match case:
        case Case.MISSING_FIELD:
            found[0]["personal_finance_category"] = None
        case Case.WRONG_TYPE:
            found[0]["amount"] = "84.5 dollars"
        case Case.NOT_EXACT:
            found[0]["amount"] = 84.505
        case Case.FLOAT:
            found[0]["amount"] = 0.1 + 0.2
        case Case.HUGE:
            found[0]["amount"] = 10**15
        case Case.NEGATIVE:
            found[0]["amount"] = -250.55
        case _:
            return


def _entry(number: int, day: date, amount: float, category: str, name: str) -> _Json:
    location = dict.fromkeys(
        ("address", "city", "country", "lat", "lon", "postal_code", "region", "store_number")
    )
    payment = dict.fromkeys(
        (
            "by_order_of",
            "payee",
            "payer",
            "payment_method",
            "payment_processor",
            "ppd_id",
            "reason",
            "reference_number",
        )
    )
    return {
        "account_id": "BxBXxLj1m4HMXBm9WZZmCWVbPjX16EHwv0001",
        "account_owner": None,
        "amount": amount,
        "authorized_date": day.isoformat(),
        "authorized_datetime": None,
        "category": None,
        "category_id": None,
        "check_number": None,
        "date": day.isoformat(),
        "datetime": None,
        "iso_currency_code": "USD",
        "location": location,
        "merchant_name": name,
        "name": name,
        "payment_channel": "in store",
        "payment_meta": payment,
        "pending": False,
        "pending_transaction_id": None,
        "personal_finance_category": {
            "confidence_level": "VERY_HIGH",
            "detailed": category,
            "primary": category.partition("_")[0],
        },
        "transaction_code": None,
        "transaction_id": f"lPNjeW1nR6CDn5okmGQ6hEpMo4lLNoSrz{number:05}",
        "transaction_type": "place",
        "unofficial_currency_code": None,
    }
