"""The second part of an appraisal: how old the firmware is, and whether its keys were taken back.

The vendor's words are compared as they are: nothing here ranks one above another.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from adyton.appraisal.document import Choice, NotRequired
from adyton.appraisal.platforms import TcbPolicy
from adyton.model.claims import Claims, Tcb
from adyton.model.verdict import (
    Finding,
    Part,
    Status,
    failed,
    finding,
    not_evaluated,
    not_required,
    passed,
)
from adyton.model.window import later

__all__ = ["NAME", "grace_ends", "weigh_tcb"]

NAME: Final = "tcb"
# The one state that the vendors know nothing against.
_BEST: Final = "UpToDate"
# What time cures nothing of, and a policy may forgive for a while: updates need days to arrive.
_GRACED: Final = frozenset({"OutOfDate", "OutOfDateConfigurationNeeded"})


def weigh_tcb(claims: Claims, policy: TcbPolicy | NotRequired, *, at: datetime) -> Part:
    """Return the part for the TCB of ``claims`` at the instant ``at``.

    1. No collateral that was given speaks against the evidence, or is false.
    2. The vendor's status is one that the policy accepts, or the level's grace has not ended.
    3. So are all advisories that the platform is subject to.
    4. The collateral is of a late enough evaluation of the vendor's.
    5. No security version is below the policy's.
    6. Lists of what was revoked were there, and had nothing of this evidence.

    What the claims do not say is not evaluated: silence passes nothing. A policy that asks for
    none of them but the first does without the part, as if it had said so.
    """
    tcb = claims.tcb
    # Step 1: whatever the policy asks for.
    if tcb is not None and tcb.refused:
        return failed(NAME, *tcb.refused)
    if isinstance(policy, Choice) or not _asks(policy):
        return _not_required(claims)
    if tcb is None:
        text = f"{claims.technology} evidence says nothing about firmware, and the policy asks"
        return not_evaluated(NAME, "tcb-unknown", text)
    against = [
        *_status(tcb, policy, at),
        *_evaluation(tcb, policy),
        *_versions(claims, policy),
    ]
    if against:
        return failed(NAME, *against, *tcb.shortfalls)
    missing = [*_missing(tcb, policy), *_missing_versions(claims, policy)]
    if missing:
        return Part(name=NAME, status=Status.NOT_EVALUATED, findings=tuple(missing))
    return passed(NAME, *_accepted(tcb, policy, at))


def _not_required(claims: Claims) -> Part:
    text = (
        f"{claims.technology} evidence has no firmware versions, and no revocation is checked"
        if claims.tcb is None
        else "the policy asks neither how old the firmware is, nor what was revoked"
    )
    return not_required(NAME, "tcb-not-required", text)


def _asks(policy: TcbPolicy) -> bool:
    limits = (policy.statuses, policy.advisories, policy.minimum_evaluation_number)
    return (
        not all(isinstance(limit, Choice) for limit in limits)
        or bool(policy.minimum_versions)
        or policy.revocation is Choice.REQUIRED
    )


def grace_ends(tcb: Tcb, policy: TcbPolicy) -> datetime | None:
    """Return until when the policy forgives this platform's age; ``None`` is "not at all"."""
    if tcb.status not in _GRACED or tcb.date is None or not policy.grace:
        return None
    return later(tcb.date, policy.grace)


def _is_graced(tcb: Tcb, policy: TcbPolicy, at: datetime) -> bool:
    end = grace_ends(tcb, policy)
    return end is not None and at <= end


def _status(tcb: Tcb, policy: TcbPolicy, at: datetime) -> Iterator[Finding]:
    if tcb.status is None or _is_graced(tcb, policy, at):
        return
    # Step 2
    if not isinstance(policy.statuses, Choice) and tcb.status not in policy.statuses:
        text = f"the platform is {tcb.status}, which the policy does not accept"
        yield finding("tcb-status-rejected", text)
    # Step 3
    if not isinstance(policy.advisories, Choice):
        for name in tcb.advisories:
            if name not in policy.advisories:
                text = f"the platform is subject to {name}, which the policy does not accept"
                yield finding("advisory-rejected", text)


def _evaluation(tcb: Tcb, policy: TcbPolicy) -> Iterator[Finding]:
    # Step 4
    wanted = policy.minimum_evaluation_number
    if isinstance(wanted, Choice) or tcb.evaluation_number is None:
        return
    if tcb.evaluation_number < wanted:
        text = (
            f"the collateral is of evaluation {tcb.evaluation_number},"
            f" the policy wants at least {wanted}"
        )
        yield finding("evaluation-number-rejected", text)


def _versions(claims: Claims, policy: TcbPolicy) -> Iterator[Finding]:
    # Step 5
    for name, minimum in policy.minimum_versions.items():
        found = claims.numbers.get(name)
        if found is not None and found < minimum:
            text = f"{name} is {found}, {minimum - found} below the {minimum} that the policy wants"
            yield finding("version-rejected", text)


def _missing(tcb: Tcb, policy: TcbPolicy) -> Iterator[Finding]:
    asked = not isinstance(policy.statuses, Choice) or not isinstance(policy.advisories, Choice)
    if asked and tcb.status is None:
        text = "nobody knows the platform's status: give the vendor's collateral"
        yield finding("tcb-status-missing", text)
    if not isinstance(policy.minimum_evaluation_number, Choice) and tcb.evaluation_number is None:
        text = "nobody knows which evaluation of the vendor's applies: give its collateral"
        yield finding("evaluation-number-missing", text)
    # Step 6
    if policy.revocation is Choice.REQUIRED and not tcb.is_revocation_checked:
        text = "no list of what the vendor took back was given, and the policy wants one"
        yield finding("revocation-not-checked", text)


def _missing_versions(claims: Claims, policy: TcbPolicy) -> Iterator[Finding]:
    for name in policy.minimum_versions:
        if name not in claims.numbers:
            text = f"the evidence has no {name}, and the policy wants one"
            yield finding("version-missing", text)


def _accepted(tcb: Tcb, policy: TcbPolicy, at: datetime) -> Iterator[Finding]:
    if tcb.status is not None:
        advisories = f", subject to {', '.join(tcb.advisories)}" if tcb.advisories else ""
        text = f"the platform is {tcb.status}{advisories}"
        if tcb.status == _BEST and not tcb.advisories:
            yield finding("tcb-status", text)
        else:
            yield finding("tcb-status-weak", text)
    end = grace_ends(tcb, policy)
    if end is not None and _is_graced(tcb, policy, at):
        yield finding("tcb-in-grace", f"the policy forgives its age until {end:%Y-%m-%d}")
    if not tcb.is_revocation_checked:
        text = "nothing was looked up in lists of what was revoked"
        yield finding("revocation-not-required", text)
