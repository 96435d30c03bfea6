"""Yodlee (API version 1.1): accounts with their balances."""

from typing import Any, Final

from adyton.sandbox.cases import Case, Token
from adyton.sandbox.exchange import Answer, Received, Route, Vendor, json_answer

__all__ = ["YODLEE"]

_Json = dict[str, Any]

_MESSAGES: Final = {
    401: ("Y020", "Invalid token in authorization header"),
    404: ("Y801", "Invalid length for a site search"),
    429: ("Y904", "API rate limit exceeded"),
    500: ("Y500", "Technical error"),
}
_BALANCES: Final[dict[Case, object]] = {
    Case.LOW: 44.78,
    Case.NEGATIVE: -250.55,
    Case.FLOAT: 0.1 + 0.2,
    Case.HUGE: 10**15,
    Case.NOT_EXACT: 9044.785,
    Case.WRONG_TYPE: "a lot",
}


def _accounts(_received: Received, token: Token) -> Answer:
    if token.case is Case.ERROR_200:
        return json_answer({"errorCode": "Y807", "errorMessage": "Resource not found"})
    return json_answer({"account": _found(token)})


def _found(token: Token) -> list[_Json]:
    if token.case is Case.EMPTY:
        return []
    if token.case is Case.MANY:
        return [_account(number, 100.0 + number) for number in range(1, 18)]
    good = [
        _account(1, _BALANCES.get(token.case, token.amount(9044.78)), mark=token.mark),
        _account(2, 7563.59, container="creditCard"),
    ]
    if token.case is Case.MISSING_FIELD:
        del good[0]["balance"]["amount"]
    return good


def _account(number: int, balance: object, *, container: str = "bank", mark: str = "") -> _Json:
    return {
        "CONTAINER": container,
        "accountName": f"Savings {mark or number}",
        "accountNumber": f"xxxx{number:04}",
        "accountStatus": "ACTIVE",
        "accountType": "SAVINGS" if container == "bank" else "OTHER",
        "aggregationSource": "USER",
        "balance": {"amount": balance, "currency": "USD"},
        "id": 10000000 + number,
        "isAsset": container == "bank",
        "lastUpdated": "2026-01-05T08:30:00Z",
        "providerAccountId": 10000000,
        "providerId": "16441",
        "providerName": "Dag Site",
    }


def _error(status: int) -> Answer:
    code, message = _MESSAGES[status]
    body = {"errorCode": code, "errorMessage": message, "referenceCode": "s1496812337612"}
    return json_answer(body, status=status)


YODLEE: Final = Vendor(
    host="production.api.yodlee.com",
    routes=(Route(method="GET", path="/ysl/accounts", token=Received.bearer, answer=_accounts),),
    error=_error,
)
