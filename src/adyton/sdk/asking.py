"""What a client does around its requests, without doing any: one logic for both kinds of client.

First the worker's evidence is judged, then the secrets are sealed to the key that it is over, and
what comes back is verified against the question that was asked.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from adyton.codec.json import Json, JsonObject
from adyton.errors import RejectedError
from adyton.model.question import SEALED_MARK, TOKEN_LOCATION
from adyton.model.receipt import Receipt
from adyton.model.verdict import Verdict

__all__ = ["Answer", "ReceiptRejectedError", "Stopwatch", "question_body"]


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
