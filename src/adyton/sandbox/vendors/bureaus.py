"""The credit bureaus: Experian and Equifax in JSON, TransUnion in XML."""

import re
from typing import Any, Final
from xml.sax.saxutils import escape

from adyton.sandbox.cases import Case, Token
from adyton.sandbox.exchange import Answer, Received, Route, Vendor, json_answer

__all__ = ["EQUIFAX", "EXPERIAN", "TRANSUNION"]

_Json = dict[str, Any]

# None: the file holds no score.
_SCORES: Final[dict[Case, int | None]] = {Case.LOW: 512, Case.EMPTY: None, Case.MISSING_FIELD: None}
# What a bureau writes in a score's place when there is none.
_NO_SCORE: Final = 9002


def _score(token: Token) -> int | None:
    if token.case is Case.PARTIAL:
        return _NO_SCORE
    return _SCORES.get(token.case, int(token.amount(783)))


def _experian(_received: Received, token: Token) -> Answer:
    if token.case is Case.ERROR_200:
        return json_answer(_experian_body("no record was found"))
    score = _score(token)
    models: list[_Json] = []
    if score is not None:
        text = "n/a" if token.case is Case.WRONG_TYPE else f"{score:04}"
        factors = [{"code": "68", "importance": "1"}]
        model = {"evaluation": "P", "modelIndicator": "V4", "score": text, "scoreFactors": factors}
        models = [model] * (2 if token.case is Case.MANY else 1)
    name = {"firstName": "ALBERTA", "surname": token.mark.upper() or "CHARLESON", "type": "N"}
    profile = {"consumerIdentity": {"name": [name]}, "riskModel": models, "tradeline": []}
    return json_answer({"creditProfile": [profile]})


def _experian_body(message: str) -> _Json:
    return {"errors": [{"errorType": "App Error", "message": message}], "success": False}


def _experian_error(status: int) -> Answer:
    return json_answer(_experian_body("the request was not processed"), status=status)


def _equifax(_received: Received, token: Token) -> Answer:
    if token.case is Case.ERROR_200:
        return json_answer({"status": "failed", "consumers": {}})
    score = _score(token)
    model: _Json = {"identifier": "05143", "type": "FICO"}
    if score is None:
        model["rejects"] = [{"code": "A", "description": "deceased"}]
    else:
        model["score"] = "n/a" if token.case is Case.WRONG_TYPE else score
    report = {
        "identifier": "Individual Report 1",
        "models": [model] * (2 if token.case is Case.MANY else 1),
        "subjectName": {"firstName": "ALBERTA", "lastName": token.mark or "CHARLESON"},
    }
    consumers = {"equifaxUSConsumerCreditReport": [report]}
    return json_answer({"status": "completed", "consumers": consumers})


def _equifax_error(status: int) -> Answer:
    body = {"code": status, "description": "the request was not processed", "efxErrorCode": "000"}
    return json_answer(body, status=status)


def _transunion(_received: Received, token: Token) -> Answer:
    if token.case is Case.ERROR_200:
        return _xml(
            "<product><error><code>033</code><description>no</description></error></product>"
        )
    score = _score(token)
    if score is None:
        inner = "<score><noScoreReason>subjectDeceased</noScoreReason></score>"
    else:
        text = "n/a" if token.case is Case.WRONG_TYPE else f"+{score}"
        inner = f"<score><results>{text}</results></score>"
    product = f"<addOnProduct><code>00V60</code><scoreModel>{inner}</scoreModel></addOnProduct>"
    products = product * (2 if token.case is Case.MANY else 1)
    name = escape(token.mark or "CHARLESON")
    return _xml(
        f"<product><code>07000</code><subject><number>1</number><subjectRecord><indicative><name>"
        f"<person><first>ALBERTA</first><last>{name}</last></person></name></indicative>"
        f"{products}</subjectRecord></subject></product>"
    )


def _xml(product: str, *, status: int = 200) -> Answer:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<xmlresponse xmlns="http://www.netaccess.transunion.com/namespace">'
        '<creditBureau xmlns="http://www.transunion.com/namespace">'
        f"<document>response</document><version>2.33</version>{product}"
        "</creditBureau></xmlresponse>"
    )
    return Answer(status=status, content_type="text/xml; charset=utf-8", body=body.encode())


def _transunion_error(status: int) -> Answer:
    return _xml(f"<product><error><code>{status}</code></error></product>", status=status)


def _system_password(received: Received) -> str:
    found = re.search(rb"<systemPassword>([^<]*)</systemPassword>", received.body)
    return "" if found is None else found[1].decode()


EXPERIAN: Final = Vendor(
    host="us-api.experian.com",
    routes=(
        Route(
            method="POST",
            path="/consumerservices/credit-profile/v2/credit-report",
            token=Received.bearer,
            answer=_experian,
        ),
    ),
    error=_experian_error,
)
EQUIFAX: Final = Vendor(
    host="api.equifax.com",
    routes=(
        Route(
            method="POST",
            path="/business/consumer-credit/v1/reports/credit-report",
            token=Received.bearer,
            answer=_equifax,
        ),
    ),
    error=_equifax_error,
)
TRANSUNION: Final = Vendor(
    host="netaccess.transunion.com",
    routes=(Route(method="POST", path="/", token=_system_password, answer=_transunion),),
    error=_transunion_error,
)
