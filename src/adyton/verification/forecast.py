"""What will become of a verdict: the day on which each thing that it rests on ends, and what then.

Operators are otherwise surprised when a vendor raises the bar, or a certificate runs out. A pure
function like the verdict itself: what it says of tomorrow is what a verifier says tomorrow, if it
is given the same evidence, collateral and policy.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adyton.appraisal.document import Choice
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.appraisal.tcb import grace_ends
from adyton.codec.json import JsonObject
from adyton.evidence.collateral import Collateral
from adyton.model.claims import Claims
from adyton.model.verdict import Finding, Verdict, shown
from adyton.model.window import later
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.pipeline import verify_evidence

__all__ = ["End", "Forecast", "Outlook", "forecast"]

# What of a state ends by itself, and how it is named.
_AGE: Final = "the evidence's age"
_GRACE: Final = "the grace for firmware that is out of date"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The last instant at which something that the verdict rests on still holds."""

    what: str
    last: datetime

    def to_json(self) -> JsonObject:
        """Return the form that is shown."""
        return {"what": self.what, "last": shown(self.last)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A verdict under some collateral, the vendor's evaluation it is of, and what falls short."""

    verdict: Verdict
    evaluation_number: int | None
    status: str | None
    shortfalls: tuple[Finding, ...]

    def to_json(self) -> JsonObject:
        """Return the form that is shown."""
        return {
            "accepted": self.verdict.accepted,
            "evaluation_number": self.evaluation_number,
            "status": self.status,
            "shortfalls": [item.to_json() for item in self.shortfalls],
            "reasons": [item.to_json() for item in self.verdict.reasons],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The verdict now, the same under newer collateral, and all that ends, soonest first."""

    at: datetime
    now: Outlook
    newer: tuple[Outlook, ...]
    ends: tuple[End, ...]

    @property
    def until(self) -> datetime | None:
        """The last instant of today's verdict if it is good and nothing is renewed."""
        return self.ends[0].last if self.now.verdict.accepted and self.ends else None

    def to_json(self) -> JsonObject:
        """Return the form that is shown."""
        return {
            "at": shown(self.at),
            "now": self.now.to_json(),
            "newer": [outlook.to_json() for outlook in self.newer],
            "until": None if self.until is None else shown(self.until),
            "ends": [end.to_json() for end in self.ends],
        }


def forecast(
    evidence: bytes,
    *,
    policy: Policy,
    expected: Expected,
    at: datetime,
    collateral: Collateral,
    newer: Sequence[Collateral] = (),
    cache: EvidenceCache | None = None,
) -> Forecast:
    """Return what will become of the verdict on ``evidence`` from the instant ``at`` on.

    1. The verdict at ``at`` under ``collateral``, and under each of ``newer``.
    2. What ends after ``at``: certificates, lists and signed texts; the policy's grace for firmware
       that is out of date; the age that the policy allows.

    Nothing is known about evidence that is not authentic: it has no ends.
    """
    cache = cache or EvidenceCache()

    def outlook(found: Collateral) -> tuple[Outlook, Claims | None]:
        verdict, claims = verify_evidence(
            evidence, policy=policy, expected=expected, at=at, collateral=found, cache=cache
        )
        tcb = None if claims is None else claims.tcb
        return Outlook(
            verdict=verdict,
            evaluation_number=None if tcb is None else tcb.evaluation_number,
            status=None if tcb is None else tcb.status,
            shortfalls=() if tcb is None else tcb.shortfalls,
        ), claims

    # Step 1
    now, claims = outlook(collateral)
    # Step 2
    ends = () if claims is None else _ends(claims, policy)
    return Forecast(
        at=at,
        now=now,
        newer=tuple(outlook(found)[0] for found in newer),
        ends=tuple(sorted((end for end in ends if end.last >= at), key=lambda end: end.last)),
    )


def _ends(claims: Claims, policy: Policy) -> Iterator[End]:
    windows = claims.windows if claims.tcb is None else (*claims.windows, *claims.tcb.windows)
    for window in windows:
        yield End(what=window.name, last=window.last)
    if not windows:
        yield End(what="the evidence's certificates", last=claims.last)
    accepted = policy.platforms.get(claims.platform)
    if accepted is not None and not isinstance(accepted.tcb, Choice) and claims.tcb is not None:
        grace = grace_ends(claims.tcb, accepted.tcb)
        if grace is not None:
            yield End(what=_GRACE, last=grace)
    limit = policy.evidence.maximum_age
    if claims.issued is not None and not isinstance(limit, Choice):
        yield End(what=_AGE, last=later(claims.issued, limit))
