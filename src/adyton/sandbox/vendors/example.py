"""An API of nobody's, for questions that bring their own provider: JSON, XML, a page and text."""

from typing import Any, Final

from adyton.sandbox.cases import Case, Token
from adyton.sandbox.exchange import Answer, Answering, Received, Route, Vendor, json_answer

__all__ = ["EXAMPLE"]

_BALANCES: Final[dict[Case, object]] = {
    Case.LOW: 12.5,
    Case.NEGATIVE: -250.55,
    Case.FLOAT: 0.1 + 0.2,
    Case.HUGE: 10**15,
    Case.NOT_EXACT: 1234.565,
    Case.WRONG_TYPE: "a lot",
    Case.EMPTY: None,
}


def _balance(token: Token) -> object:
    return _BALANCES.get(token.case, token.amount(1234.56))


def _data(_received: Received, token: Token) -> Answer:
    if token.case is Case.ERROR_200:
        return json_answer({"error": "something went wrong"})
    data: dict[str, Any] = {
        "active": True,
        "balance": _balance(token),
        "name": f"Alberta {token.mark}".strip(),
        "since": "2019-03-04",
    }
    if token.case is Case.MISSING_FIELD:
        del data["balance"]
    return json_answer({"data": data})


def _employee(_received: Received, token: Token) -> Answer:
    status = {Case.ENDED: "former", Case.LOW: "on leave"}.get(token.case, "active")
    employment: dict[str, Any] = {"status": 1 if token.case is Case.WRONG_TYPE else status}
    if token.case in {Case.EMPTY, Case.MISSING_FIELD}:
        employment = {}
    return json_answer({"employment": employment | {"note": token.mark}})


def _xml(_received: Received, token: Token) -> Answer:
    body = f"<data><balance currency='USD'>{_balance(token)}</balance></data>"
    return Answer(content_type="application/xml", body=body.encode())


def _page(_received: Received, token: Token) -> Answer:
    body = f"<!doctype html><title>Bank</title><p class=balance>{_balance(token)}<p>Thank you"
    return Answer(content_type="text/html; charset=utf-8", body=body.encode())


def _text(_received: Received, token: Token) -> Answer:
    return Answer(content_type="text/plain", body=f"balance: {_balance(token)}\n".encode())


def _error(status: int) -> Answer:
    return json_answer({"error": f"status {status}"}, status=status)


def _route(path: str, answer: Answering) -> Route:
    return Route(method="GET", path=path, token=Received.bearer, answer=answer)


EXAMPLE: Final = Vendor(
    host="api.example.com",
    routes=(
        _route("/data", _data),
        Route(method="POST", path="/data", token=Received.bearer, answer=_data),
        _route("/employee/status", _employee),
        _route("/data.xml", _xml),
        _route("/page.html", _page),
        _route("/data.txt", _text),
    ),
    error=_error,
)
