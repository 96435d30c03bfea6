"""Asking, as a conversation: one logic for both kinds of client.

First the worker's evidence is judged, then the secrets are sealed to the key that it is over, and
what comes back is verified against the question that was asked.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from adyton.appraisal.policy import Choice
from adyton.codec.json import Json, JsonObject, canonical
from adyton.errors import RejectedError
from adyton.model.question import SEALED_MARK, TOKEN_LOCATION, Endpoint
from adyton.model.receipt import Receipt
from adyton.model.verdict import Verdict
from adyton.sdk.sealing import sealed_question
from adyton.sdk.session import Session, challenge_query, fresh_challenge, now
from adyton.sdk.transport import Call, Conversation, GatewayRejectedError
from adyton.verification.bind import Expectation

__all__ = ["Answer", "ReceiptRejectedError", "Stopwatch", "ask", "question_body"]


class ReceiptRejectedError(RejectedError):
    """What the worker gave back does not hold under the policy: there is no answer."""

    code = "receipt-rejected"

    def __init__(self, verdict: Verdict, receipt: Receipt) -> None:
        reasons = "; ".join(finding.message for finding in verdict.reasons)
        super().__init__(f"the receipt is not acceptable: {reasons}")
        self.verdict, self.receipt = verdict, receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that was verified: its truth value, the receipt that shows it, and the verdict.

    ``timings`` are milliseconds by step, as the client saw them.
    """

    answer: bool
    receipt: Receipt
    verdict: Verdict
    timings: Mapping[str, float]


@dataclass(slots=True)
class Stopwatch:
    """Milliseconds by step."""

    timings: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    def lap(self, step: str) -> None:
        """Count the time since the last lap to ``step``."""
        now = time.perf_counter()
        self.timings[step] = (now - self._since) * 1000
        self._since = now


def question_body(
    predicate: JsonObject,
    *,
    nonce: str,
    provider: str | JsonObject | None,
    credentials: Mapping[str, str],
    audience: str,
    extra: Mapping[str, Json],
) -> tuple[JsonObject, dict[str, Json]]:
    """Return the body with marks where secrets go, and the secrets by place.

    Every credential is sealed, also those that the provider would take in the clear.
    """
    body: JsonObject = {"predicate": predicate, "nonce": nonce, **extra}
    if audience:
        body["audience"] = audience
    match provider:
        case str():
            body["provider_id"] = provider
        case dict():
            body["provider"] = provider
        case None:
            pass
    secrets: dict[str, Json] = {}
    if credentials:
        body[TOKEN_LOCATION[1:]] = SEALED_MARK
        secrets[TOKEN_LOCATION] = dict(credentials)
    return body, secrets


def ask(
    session: Session, endpoint: Endpoint, body: JsonObject, secrets: Mapping[str, Json]
) -> Conversation[Answer]:
    """Return the verified answer to the question in ``body``, whose ``secrets`` go sealed."""
    watch = Stopwatch()
    worker = yield from session.worker()
    watch.lap("evidence")
    question, sealed = sealed_question(
        endpoint,
        body,
        secrets=secrets,
        public_key=worker.sealing_key(session.suite),
        suite=session.suite,
        now=now(),
    )
    watch.lap("seal")
    path, challenge = f"/v1/verify/{endpoint.value}", None
    if session.policy.evidence.challenge is Choice.REQUIRED:
        challenge = fresh_challenge()
        path += f"?{challenge_query(challenge)}"
    try:
        data = yield Call(method="POST", path=path, body=canonical(sealed))
    except GatewayRejectedError as error:
        if error.code == "seal-rejected":
            session.forget_worker()
        raise
    watch.lap("answer")
    receipt = Receipt.from_bytes(data)
    verdict = session.verifier.verify(
        receipt,
        policy=session.policy,
        expectation=Expectation(question=question, challenge=challenge),
        at=now(),
    )
    watch.lap("verify")
    if verdict.answer is None:
        raise ReceiptRejectedError(verdict, receipt)
    return Answer(answer=verdict.answer, receipt=receipt, verdict=verdict, timings=watch.timings)
