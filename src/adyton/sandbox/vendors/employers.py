"""Who knows about employment and pay: ADP, Gusto and LinkedIn."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from adyton.sandbox.cases import Case, Token
from adyton.sandbox.exchange import Answer, Received, Route, Vendor, json_answer

__all__ = ["ADP", "GUSTO", "LINKEDIN"]

_Json = dict[str, Any]

_HIRED: Final = date(2019, 3, 4)
_LEFT: Final = date(2023, 6, 30)
_FORTNIGHTS: Final = 26
_PAY: Final[dict[Case, object]] = {
    Case.LOW: "400.00",
    Case.NEGATIVE: "-250.55",
    Case.FLOAT: str(0.1 + 0.2),
    Case.HUGE: "1000000000000000.00",
    Case.NOT_EXACT: "2500.005",
    Case.WRONG_TYPE: "a lot",
}


def _hired(token: Token) -> date:
    """Return the day of hire: years ago, or last month where tenures are to be short."""
    if token.case is Case.LOW:
        return datetime.now(UTC).date() - timedelta(days=40)
    return _HIRED


def _worker(_received: Received, token: Token) -> Answer:
    if token.case is Case.ERROR_200:
        return json_answer({"confirmMessage": {"processMessages": [{"messageID": "no access"}]}})
    count = {Case.EMPTY: 0, Case.MANY: 17}.get(token.case, 1)
    assignment: _Json = {
        "actualStartDate": _hired(token).isoformat(),
        "assignmentStatus": {"statusCode": {"codeValue": "A", "shortName": "Active"}},
        "hireDate": _hired(token).isoformat(),
        "itemID": "33325352N",
        "jobTitle": "Engineer",
        "payrollGroupCode": f"94N{token.mark}",
        "primaryIndicator": True,
    }
    dates: _Json = {"originalHireDate": _hired(token).isoformat()}
    match token.case:
        case Case.ENDED:
            dates["terminationDate"] = assignment["terminationDate"] = _LEFT.isoformat()
        case Case.MISSING_FIELD:
            del assignment["hireDate"]
        case Case.WRONG_TYPE:
            assignment["hireDate"] = 20190304
    worker = {
        "associateOID": "G3349PZGBADQY8H8",
        "person": {"legalName": {"formattedName": "Charleson, Alberta"}},
        "workAssignments": [assignment] * count,
        "workerDates": dates,
        "workerID": {"idValue": "CM2UQZLLN"},
        "workerStatus": {"statusCode": {"codeValue": "Active"}},
    }
    return json_answer({"workers": [worker]})


def _adp_error(status: int) -> Answer:
    message = {"codeValue": str(status), "messageTxt": "the request was not processed"}
    body = {"confirmMessage": {"processMessages": [{"userMessage": message}]}}
    return json_answer(body, status=status)


def _pay_stubs(_received: Received, token: Token) -> Answer:
    if token.case is Case.ERROR_200:
        return json_answer(_gusto_body("not_found"))
    today = datetime.now(UTC).date()
    gross = _PAY.get(token.case, f"{token.amount(2500.0):.2f}")
    stubs = [
        {
            "check_amount": "1900.00",
            "check_date": (today - timedelta(weeks=2 * number)).isoformat(),
            "gross_pay": gross,
            "net_pay": "1900.00",
            "payroll_uuid": f"b50e611d-8f3d-4f24-b001-{number:012}",
            "uuid": f"a50e611d-8f3d-4f24-b001-{number:012}",
        }
        for number in range({Case.EMPTY: 0, Case.MANY: 100}.get(token.case, _FORTNIGHTS))
    ]
    if token.case is Case.MISSING_FIELD:
        del stubs[0]["gross_pay"]
    return json_answer(stubs)


def _gusto_body(category: str) -> _Json:
    return {"errors": [{"category": category, "error_key": "request", "message": "not processed"}]}


def _gusto_error(status: int) -> Answer:
    return json_answer(_gusto_body("invalid_request"), status=status)


def _profile(_received: Received, token: Token) -> Answer:
    if token.case is Case.ERROR_200:
        return json_answer({"serviceErrorCode": 100, "message": "Not enough permissions"})
    hired = _hired(token)
    position: _Json = {
        "companyName": {
            "localized": {"en_US": f"Platypus {token.mark}".strip()},
            "preferredLocale": {"country": "US", "language": "en"},
        },
        "id": 1,
        "startMonthYear": {"month": hired.month, "year": hired.year},
        "title": {"localized": {"en_US": "Engineer"}},
    }
    earlier = position | {
        "endMonthYear": {"month": 2, "year": 2019},
        "startMonthYear": {"month": 7, "year": 2015},
    }
    match token.case:
        case Case.ENDED:
            position["endMonthYear"] = {"month": _LEFT.month, "year": _LEFT.year}
        case Case.MISSING_FIELD:
            del position["startMonthYear"]
        case Case.WRONG_TYPE:
            position["startMonthYear"] = "March 2019"
    positions = {"1": position, "2": earlier}
    if token.case is Case.EMPTY:
        positions = {}
    if token.case is Case.MANY:
        positions = {str(number): position for number in range(17)}
    return json_answer({"id": "yrZCpj2Z12", "positions": positions})


def _linkedin_error(status: int) -> Answer:
    body = {"message": "the request was not processed", "serviceErrorCode": 65600, "status": status}
    return json_answer(body, status=status)


ADP: Final = Vendor(
    host="api.adp.com",
    routes=(Route(method="GET", path="/hr/v2/workers/*", token=Received.bearer, answer=_worker),),
    error=_adp_error,
)
GUSTO: Final = Vendor(
    host="api.gusto.com",
    routes=(
        Route(
            method="GET",
            path="/v1/employees/*/pay_stubs",
            token=Received.bearer,
            answer=_pay_stubs,
        ),
    ),
    error=_gusto_error,
)
LINKEDIN: Final = Vendor(
    host="api.linkedin.com",
    routes=(Route(method="GET", path="/v2/me", token=Received.bearer, answer=_profile),),
    error=_linkedin_error,
)
