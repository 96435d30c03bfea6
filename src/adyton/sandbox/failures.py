"""The cases that every vendor fails in alike: statuses, and answers that never quite arrive."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from adyton.sandbox.cases import Case
from adyton.sandbox.exchange import Answer, Delivery

__all__ = ["OVERSIZED_BYTES", "STATUSES", "disturbed"]

OVERSIZED_BYTES: Final = 64 * 1024 * 1024

STATUSES: Final = {Case.UNAUTHORIZED: 401, Case.RATE_LIMITED: 429, Case.BROKEN: 500}

_DELIVERIES: Final = {
    Case.SLOW: Delivery.SLOW,
    Case.DROPPED: Delivery.DROPPED,
    Case.OVERSIZED: Delivery.OVERSIZED,
    Case.TRUNCATED: Delivery.TRUNCATED,
    Case.WRONG_LENGTH: Delivery.WRONG_LENGTH,
    Case.CHUNKED: Delivery.CHUNKED,
}


def disturbed(case: Case, answer: Callable[[], Answer], error: Callable[[int], Answer]) -> Answer:
    """Return what a client gets to see in ``case`` of what would be the ``answer``."""
    if case in STATUSES:
        refusal = error(STATUSES[case])
        wait = (("Retry-After", "30"),) if case is Case.RATE_LIMITED else ()
        return replace(refusal, headers=refusal.headers + wait)
    good = answer()
    match case:
        case Case.REDIRECT:
            elsewhere = (("Location", "https://elsewhere.example/"),)
            return Answer(status=302, content_type="text/plain", headers=elsewhere)
        case Case.MALFORMED:
            return replace(good, body=b'{"broken": [1, 2' + good.body[:16] + b"\xff<&")
        case Case.GZIP:
            encoding = (("Content-Encoding", "gzip"),)
            return replace(good, body=gzip.compress(good.body, mtime=0), headers=encoding)
        case _:
            return replace(good, delivery=_DELIVERIES.get(case, Delivery.WHOLE))
