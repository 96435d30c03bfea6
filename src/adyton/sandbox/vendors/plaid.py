"""Plaid (API version 2020-09-14), as its reference describes requests, answers and errors."""

import secrets
from collections.abc import Callable
from typing import Any, Final

from adyton.sandbox.cases import Case, Token
from adyton.sandbox.exchange import Answer, Received, Route, Vendor, json_answer

__all__ = ["PLAID"]

_Json = dict[str, Any]

# Status, type, code and message of Plaid's errors.
_ERRORS: Final = {
    400: ("INVALID_INPUT", "INVALID_ACCESS_TOKEN", "could not find matching access token"),
    401: ("INVALID_INPUT", "INVALID_API_KEYS", "invalid client_id or secret provided"),
    404: ("INVALID_REQUEST", "NOT_FOUND", "the requested resource was not found"),
    429: ("RATE_LIMIT_EXCEEDED", "BALANCE_LIMIT", "rate limit exceeded for attempts to access it"),
    500: ("API_ERROR", "INTERNAL_SERVER_ERROR", "an unexpected error occurred"),
}


def _error(status: int) -> Answer:
    kind, code, message = _ERRORS[status]
    return json_answer(_error_body(kind, code, message), status=status)


def _error_body(kind: str, code: str, message: str) -> _Json:
    return {
        "display_message": None,
        "documentation_url": "https://plaid.com/docs/?ref=error",
        "error_code": code,
        "error_message": message,
        "error_type": kind,
        "request_id": _request_id(),
        "suggested_action": None,
    }


def _request_id() -> str:
    return secrets.token_hex(8)[:15]


def _token(received: Received) -> str:
    return str(received.json().get("access_token", ""))


def _item() -> _Json:
    return {
        "available_products": ["assets", "signal"],
        "billed_products": ["auth", "balance", "identity", "transactions"],
        "consent_expiration_time": None,
        "error": None,
        "institution_id": "ins_109508",
        "institution_name": "First Platypus Bank",
        "item_id": "DWVAAPWq4RHGlEaNyGKRTAnPLaEmo8Cvq7na6",
        "update_type": "background",
        "webhook": "https://www.example.com/webhook",
    }


def _account(number: int, balance: object, *, kind: str = "depository", name: str = "") -> _Json:
    subtypes = {"depository": "checking", "investment": "401k", "credit": "credit card"}
    return {
        "account_id": f"BxBXxLj1m4HMXBm9WZZmCWVbPjX16EHwv{number:04}",
        "balances": {
            "available": balance if kind == "depository" else None,
            "current": balance,
            "iso_currency_code": "USD",
            "limit": 2000 if kind == "credit" else None,
            "unofficial_currency_code": None,
        },
        "holder_category": "personal",
        "mask": f"{number:04}",
        "name": name or f"Plaid account {number}",
        "official_name": "Plaid Gold Standard 0% Interest Checking",
        "subtype": subtypes[kind],
        "type": kind,
    }


# The one balance of the cases that are about a number.
_BALANCES: Final[dict[Case, object]] = {
    Case.NEGATIVE: -250.55,
    Case.FLOAT: 0.1 + 0.2,
    Case.HUGE: 10**15,
    Case.WRONG_TYPE: "a lot",
}


def _accounts(token: Token) -> list[_Json]:
    name = f"Checking {token.mark}" if token.mark else ""
    good = [
        _account(1, token.amount(12345.67), name=name),
        _account(2, 23631.9805, kind="investment"),
        _account(3, 410.0, kind="credit"),
    ]
    match token.case:
        case case if case in _BALANCES:
            return [_account(1, _BALANCES[case], name=name)]
        case Case.EMPTY:
            return []
        case Case.LOW:
            # The debt is larger than most thresholds, and is nobody's balance.
            return [_account(1, 110.0, name=name), _account(2, 56302.06, kind="credit")]
        case Case.MANY:
            return [_account(number, 100.0 + number) for number in range(1, 18)]
        case Case.NOT_EXACT:
            return good[1:2]
        case Case.MISSING_FIELD:
            del good[0]["balances"]["current"]
    return good


def _balance(_received: Received, token: Token) -> Answer:
    return json_answer({"accounts": _accounts(token), "item": _item(), "request_id": _request_id()})


def _post(path: str, answer: Callable[[Received, Token], Answer]) -> Route:
    def answered(received: Received, token: Token) -> Answer:
        if token.case is Case.ERROR_200:
            return json_answer(
                _error_body("ITEM_ERROR", "ITEM_LOGIN_REQUIRED", "the login details have changed")
            )
        return answer(received, token)

    return Route(method="POST", path=path, token=_token, answer=answered)


PLAID: Final = Vendor(
    host="production.plaid.com",
    routes=(_post("/accounts/balance/get", _balance),),
    error=_error,
    unknown_token_status=400,
)
