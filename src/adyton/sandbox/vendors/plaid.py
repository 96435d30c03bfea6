"""Plaid (API version 2020-09-14), as its reference describes requests, answers and errors."""

import secrets
from collections.abc import Callable
from typing import Any, Final

from adyton.sandbox.cases import Case, Token
from adyton.sandbox.exchange import Answer, Received, Route, Vendor, json_answer
from adyton.sandbox.vendors.plaid_accounts import accounts, item, owned_accounts
from adyton.sandbox.vendors.plaid_income import bank_income
from adyton.sandbox.vendors.plaid_transactions import transactions

__all__ = ["PLAID"]

_Json = dict[str, Any]

_PAGE: Final = 100
_MAX_PAGE: Final = 500
# The error's type, code and message by status.
_ERRORS: Final = {
    400: ("INVALID_INPUT", "INVALID_ACCESS_TOKEN", "could not find matching access token"),
    401: ("INVALID_INPUT", "INVALID_API_KEYS", "invalid client_id or secret provided"),
    404: ("INVALID_REQUEST", "NOT_FOUND", "the requested resource was not found"),
    429: ("RATE_LIMIT_EXCEEDED", "BALANCE_LIMIT", "rate limit exceeded for attempts to access it"),
    500: ("API_ERROR", "INTERNAL_SERVER_ERROR", "an unexpected error occurred"),
}


def _balance(_received: Received, token: Token) -> Answer:
    return _answer({"accounts": accounts(token), "item": item()})


def _identity(_received: Received, token: Token) -> Answer:
    return _answer({"accounts": owned_accounts(token), "item": item()})


def _income(_received: Received, token: Token) -> Answer:
    return _answer({"bank_income": bank_income(token)})


def _get_transactions(received: Received, token: Token) -> Answer:
    request = received.json()
    options = request.get("options") or {}
    found = transactions(token, str(request["start_date"]), str(request["end_date"]))
    offset = int(options.get("offset", 0))
    count = min(int(options.get("count", _PAGE)), _MAX_PAGE)
    missing = 1 if token.case is Case.PARTIAL else 0
    return _answer(
        {
            "accounts": accounts(Token(case=Case.GOOD, mark=""))[:1],
            "item": item(),
            "total_transactions": len(found) + missing,
            "transactions": found[offset : offset + count],
        }
    )


def _sync_transactions(received: Received, token: Token) -> Answer:
    request = received.json()
    start = int(request.get("cursor") or 0)
    end = start + min(int(request.get("count", _PAGE)), _MAX_PAGE)
    found = transactions(token, "", "")
    return _answer(
        {
            "accounts": accounts(Token(case=Case.GOOD, mark=""))[:1],
            "added": found[start:end],
            "has_more": end < len(found),
            "modified": [],
            "next_cursor": str(min(end, len(found))),
            "removed": [],
            "transactions_update_status": "HISTORICAL_UPDATE_COMPLETE",
        }
    )


def _answer(value: _Json) -> Answer:
    return json_answer(value | {"request_id": secrets.token_hex(8)[:15]})


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
        "request_id": secrets.token_hex(8)[:15],
        "suggested_action": None,
    }


def _post(
    path: str, answer: Callable[[Received, Token], Answer], *, credential: str = "access_token"
) -> Route:
    def answered(received: Received, known: Token) -> Answer:
        if known.case is Case.ERROR_200:
            # Plaid sends these with 400; a proxy in between may not.
            return json_answer(
                _error_body("ITEM_ERROR", "ITEM_LOGIN_REQUIRED", "the login details have changed")
            )
        return answer(received, known)

    return Route(
        method="POST",
        path=path,
        token=lambda received: str(received.json().get(credential, "")),
        answer=answered,
    )


PLAID: Final = Vendor(
    host="production.plaid.com",
    routes=(
        _post("/accounts/balance/get", _balance),
        _post("/transactions/get", _get_transactions),
        _post("/transactions/sync", _sync_transactions),
        _post("/identity/get", _identity),
        _post("/credit/bank_income/get", _income, credential="user_token"),
    ),
    error=_error,
    unknown_token_status=400,
)
