"""Offices that keep records: of degrees; and of taxes and licences, which have no such API."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adyton.sandbox.cases import Case, Token
from adyton.sandbox.exchange import Answer, Received, Route, Vendor, json_answer

__all__ = ["CLEARINGHOUSE", "DMV", "IRS"]

_Json = dict[str, Any]

_INCOMES: Final[dict[Case, object]] = {
    Case.LOW: 9600.0,
    Case.EMPTY: None,
    Case.NEGATIVE: -250.55,
    Case.FLOAT: 0.1 + 0.2,
    Case.HUGE: 10**15,
    Case.NOT_EXACT: 84200.505,
    Case.WRONG_TYPE: "a lot",
}


def _degrees(_received: Received, token: Token) -> Answer:
    if token.case is Case.ERROR_200:
        return json_answer({"status": {"code": "NOT_FOUND"}, "transactionId": "021450001"})
    degree: _Json = {
        "awardDate": "2015-05-16",
        "awardLevel": "2.1" if token.case is Case.LOW else "2.4",
        "degreeTitle": "BACHELOR OF SCIENCE",
        "majors": ["MATHEMATICS"],
        "nameOnDegree": f"ALBERTA {token.mark or 'CHARLESON'}",
        "schoolName": "UNIVERSITY OF PLATYPUS",
    }
    match token.case:
        case Case.MISSING_FIELD:
            del degree["awardLevel"]
        case Case.WRONG_TYPE:
            degree["awardDate"] = 20150516
        case Case.ENDED:
            degree["awardDate"] = None
    count = {Case.EMPTY: 0, Case.MANY: 9}.get(token.case, 1)
    body = {
        "degrees": [degree] * count,
        "status": {"code": "CONFIRMED", "severity": "Info"},
        "transactionId": "021450001",
    }
    return json_answer(body)


def _tax_return(_received: Received, token: Token) -> Answer:
    if token.case is Case.ERROR_200:
        return json_answer({"error": {"code": "NO_RETURN_ON_FILE"}})
    income = _INCOMES.get(token.case, token.amount(84200.5))
    record: _Json = {"agi": income, "filing_status": f"single {token.mark}".strip()}
    if token.case is Case.MISSING_FIELD:
        del record["agi"]
    return json_answer({"tax_return": record | {"tax_year": 2024}})


def _licences(received: Received, token: Token) -> Answer:
    if token.case is Case.ERROR_200:
        return json_answer({"error": {"code": "UNKNOWN_LICENSE"}})
    today = datetime.now(UTC).date()
    expiry = today + timedelta(days=-30 if token.case is Case.ENDED else 900)
    licence: _Json = {
        "class": "D",
        "expiration_date": expiry.isoformat(),
        "holder": {"name": f"Alberta {token.mark or 'Charleson'}"},
        "issue_date": "2021-08-02",
        "number": received.path.rpartition("/")[2],
        "status": "SUSPENDED" if token.case is Case.LOW else "VALID",
    }
    match token.case:
        case Case.MISSING_FIELD:
            del licence["expiration_date"]
        case Case.WRONG_TYPE:
            licence["expiration_date"] = "in three years"
    return json_answer({"licenses": [] if token.case is Case.EMPTY else [licence]})


def _error(status: int) -> Answer:
    return json_answer({"error": {"code": status, "message": "not processed"}}, status=status)


CLEARINGHOUSE: Final = Vendor(
    host="api.studentclearinghouse.org",
    routes=(
        Route(
            method="POST",
            path="/degreeverify/v1/verifications",
            token=Received.bearer,
            answer=_degrees,
        ),
    ),
    error=_error,
)
IRS: Final = Vendor(
    host="api.irs.gov",
    routes=(
        Route(method="POST", path="/v1/income/verify", token=Received.bearer, answer=_tax_return),
    ),
    error=_error,
)
DMV: Final = Vendor(
    host="dmv.state.example",
    routes=(Route(method="GET", path="/v1/licenses/*", token=Received.bearer, answer=_licences),),
    error=_error,
)
