from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.intel import PCE_SVN, level
from tests.fakes.nitro import NOW
from tests.unit.verification.test_evidence import (
    CASES,
    POLICY,
    Case,
    codes,
    intel_collateral,
    name_of,
)

from adyton.appraisal.document import Choice
from adyton.appraisal.freshness import Expected
from adyton.appraisal.platforms import TcbPolicy
from adyton.appraisal.policy import Policy
from adyton.evidence.collateral import Collateral
from adyton.verification.forecast import Forecast, forecast
from adyton.verification.pipeline import verify_evidence


def under(roots: dict[str, bytes], **platform: Any) -> Policy:
    accepted = {name: replace(item, **platform) for name, item in POLICY.platforms.items()}
    return replace(POLICY, named_roots=roots, platforms=accepted)


def foreseen(case: Case, policy: Policy, **changes: Any) -> Forecast:
    given: dict[str, Any] = {"at": NOW, "collateral": case.collateral, **changes}
    return forecast(case.evidence, policy=policy, expected=Expected(), **given)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_verdict_holds_until_the_first_end_and_not_longer(case: Case) -> None:
    policy = under(case.roots)
    seen = foreseen(case, policy)
    assert seen.now.verdict.accepted
    assert seen.until is not None
    assert seen.ends == tuple(sorted(seen.ends, key=lambda end: end.last))
    for at, is_accepted in ((seen.until, True), (seen.until + timedelta(seconds=1), False)):
        verdict, _ = verify_evidence(
            case.evidence,
            policy=policy,
            expected=Expected(),
            at=at,
            collateral=case.collateral,
        )
        assert verdict.accepted is is_accepted


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_every_end_makes_the_verdict_fail(case: Case) -> None:
    policy = under(case.roots)
    for end in foreseen(case, policy).ends:
        verdict, _ = verify_evidence(
            case.evidence,
            policy=policy,
            expected=Expected(),
            at=end.last + timedelta(seconds=1),
            collateral=case.collateral,
        )
        assert not verdict.accepted, end


STRICT = TcbPolicy(
    statuses=frozenset({"UpToDate"}),
    advisories=Choice.ANY,
    grace=timedelta(0),
    minimum_evaluation_number=Choice.NOT_REQUIRED,
    minimum_versions={},
    revocation=Choice.REQUIRED,
)
TDX = CASES[3]


def evaluation(number: int, **components: Any) -> Collateral:
    """Return collateral of a later evaluation: a newer level, and the platform's, out of date."""
    levels = [
        level("tdx", **components, date="2026-10-01"),
        level("tdx", date="2026-03-01", status="OutOfDate", why=["INTEL-SA-2"]),
    ]
    newer = {"tcbEvaluationDataNumber": number}
    return intel_collateral("tdx", info={**newer, "tcbLevels": levels}, identity=newer)


def test_a_newer_evaluation_shows_what_it_would_refuse_and_what_falls_short() -> None:
    newer = evaluation(21, pce_svn=PCE_SVN + 2)
    seen = foreseen(TDX, under(TDX.roots, tcb=STRICT), newer=[newer])
    assert seen.now.verdict.accepted
    assert (seen.now.evaluation_number, seen.now.status) == (20, "UpToDate")
    (outlook,) = seen.newer
    assert (outlook.evaluation_number, outlook.status) == (21, "OutOfDate")
    assert codes(outlook.verdict)["tcb"][0] == "tcb-status-rejected"
    (short,) = outlook.shortfalls
    assert short.message == f"pce is at {PCE_SVN}, 2 below the newest, {PCE_SVN + 2}"


def test_the_end_of_the_grace_is_foreseen() -> None:
    days = (NOW - datetime(2026, 3, 1, tzinfo=UTC)).days + 5
    policy = under(TDX.roots, tcb=replace(STRICT, grace=timedelta(days=days)))
    seen = foreseen(TDX, policy, collateral=evaluation(21, pce_svn=PCE_SVN + 2))
    assert seen.now.verdict.accepted
    end = seen.ends[0]
    assert (end.what, end.last) == (
        "the grace for firmware that is out of date",
        datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=days),
    )
    after = foreseen(
        TDX,
        policy,
        collateral=evaluation(21, pce_svn=PCE_SVN + 2),
        at=end.last + timedelta(seconds=1),
    )
    assert codes(after.now.verdict)["tcb"][0] == "tcb-status-rejected"


def test_the_age_of_evidence_with_a_time_is_an_end() -> None:
    case = CASES[0]
    policy = under(case.roots)
    limited = replace(policy, evidence=replace(policy.evidence, maximum_age=timedelta(minutes=15)))
    assert foreseen(case, limited).ends[0].what == "the evidence's age"


def test_what_is_refused_has_no_day_until_which_it_holds() -> None:
    seen = foreseen(TDX, under({"fake": bytes(32)}))
    assert (seen.until, seen.ends) == (None, ())
    assert seen.to_json()["until"] is None
