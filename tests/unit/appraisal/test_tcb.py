from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.nitro import NOW
from tests.unit.appraisal.policies import GOOD, changed
from tests.unit.appraisal.test_appraise import CLAIMS, codes

from adyton.appraisal.appraise import appraise
from adyton.appraisal.document import Choice
from adyton.appraisal.freshness import Expected
from adyton.appraisal.platforms import TcbPolicy
from adyton.appraisal.policy import Policy
from adyton.appraisal.tcb import grace_ends, weigh_tcb
from adyton.model.claims import Claims, Platform, Tcb, Technology
from adyton.model.verdict import Layer, Status, finding

POLICY = Policy.from_json(GOOD)
TCB = Tcb(
    status="SWHardeningNeeded",
    advisories=("INTEL-SA-00615",),
    date=NOW - timedelta(days=200),
    evaluation_number=17,
    is_revocation_checked=True,
)
TD = replace(
    CLAIMS,
    technology=Technology.TDX,
    platform=Platform.TDX,
    root="intel-sgx",
    measurements={"mr_td": b"\x0f" * 48, "rtmr0": b"\xaa" * 48},
    numbers={"isv_svn": 2, "pce_svn": 11},
    tcb=TCB,
    issued=None,
    nonce=None,
    public_key=None,
)
FRESH = Expected(report_data=b"report data", challenge=b"c", asked=b"c")


def accepted_tcb() -> TcbPolicy:
    tcb = POLICY.platforms[Platform.TDX].tcb
    assert isinstance(tcb, TcbPolicy)
    return tcb


def weighed(claims: Claims, **changes: Any) -> tuple[Status, list[str]]:
    part = weigh_tcb(claims, replace(accepted_tcb(), **changes), at=NOW)
    return part.status, [item.code for item in part.findings]


def layer_of(claims: Claims, policy: Policy = POLICY, expected: Expected = FRESH) -> Layer:
    return appraise(claims, policy=policy, expected=expected, at=NOW)


def with_tcb(**changes: Any) -> Claims:
    return replace(TD, tcb=replace(TCB, **changes))


def test_a_platform_that_the_policy_describes_passes_and_says_its_state() -> None:
    layer = layer_of(TD)
    assert layer.status is Status.PASSED
    (state,) = layer.parts[1].findings
    assert state.message == "the platform is SWHardeningNeeded, subject to INTEL-SA-00615"
    assert state.code == "tcb-status-weak"


@pytest.mark.parametrize(
    ("advisories", "code"), [((), "tcb-status"), (("INTEL-SA-00615",), "tcb-status-weak")]
)
def test_what_the_vendor_knows_against_a_platform_has_a_code(
    advisories: tuple[str, ...], code: str
) -> None:
    claims = with_tcb(status="UpToDate", advisories=advisories)
    assert weighed(claims) == (Status.PASSED, [code])


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        (with_tcb(status="ConfigurationNeeded"), "tcb-status-rejected"),
        (with_tcb(status="Revoked"), "tcb-status-rejected"),
        (with_tcb(status="OutOfDate"), "tcb-status-rejected"),
        (with_tcb(advisories=("INTEL-SA-00615", "INTEL-SA-00001")), "advisory-rejected"),
        (with_tcb(evaluation_number=16), "evaluation-number-rejected"),
        (replace(TD, numbers={"pce_svn": 10}), "version-rejected"),
    ],
)
def test_each_state_that_the_policy_does_not_accept_is_refused(claims: Claims, code: str) -> None:
    assert weighed(claims) == (Status.FAILED, [code])


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        (replace(TD, tcb=None), "tcb-unknown"),
        (with_tcb(status=None), "tcb-status-missing"),
        (with_tcb(evaluation_number=None), "evaluation-number-missing"),
        (with_tcb(is_revocation_checked=False), "revocation-not-checked"),
        (replace(TD, numbers={}), "version-missing"),
    ],
)
def test_what_nobody_knows_is_not_evaluated_and_never_passes(claims: Claims, code: str) -> None:
    assert weighed(claims) == (Status.NOT_EVALUATED, [code])


def test_the_shortfalls_stand_beside_a_status_that_is_refused() -> None:
    short = finding("tcb-shortfall", "pce is at 10, 1 below the newest, 11")
    claims = with_tcb(status="OutOfDate", shortfalls=(short,))
    assert weighed(claims) == (Status.FAILED, ["tcb-status-rejected", "tcb-shortfall"])


def test_what_is_out_of_date_passes_until_its_grace_ends() -> None:
    young = with_tcb(status="OutOfDate", date=NOW - timedelta(days=30), advisories=("X",))
    assert weighed(young) == (Status.PASSED, ["tcb-status-weak", "tcb-in-grace"])
    old = with_tcb(status="OutOfDate", date=NOW - timedelta(days=30, seconds=1))
    assert weighed(old) == (Status.FAILED, ["tcb-status-rejected"])
    assert weighed(young, grace=timedelta(0))[0] is Status.FAILED
    assert young.tcb is not None
    assert grace_ends(young.tcb, accepted_tcb()) == NOW


def test_grace_from_the_end_of_time_on_has_an_end() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    claims = with_tcb(status="OutOfDate", date=last)
    assert weighed(claims)[0] is Status.PASSED
    assert claims.tcb is not None
    assert grace_ends(claims.tcb, accepted_tcb()) == last


@pytest.mark.parametrize("status", ["Revoked", "NotSupported", "ConfigurationNeeded"])
def test_no_grace_is_given_for_anything_but_age(status: str) -> None:
    claims = with_tcb(status=status, date=NOW)
    assert weighed(claims) == (Status.FAILED, ["tcb-status-rejected"])


def test_each_of_its_wishes_can_be_dropped() -> None:
    unknown = replace(TD, tcb=Tcb(), numbers={})
    wishes: dict[str, Any] = {
        "statuses": Choice.NOT_REQUIRED,
        "advisories": Choice.ANY,
        "minimum_evaluation_number": Choice.NOT_REQUIRED,
        "minimum_versions": {},
        "revocation": Choice.NOT_REQUIRED,
    }
    # A part that looked at nothing has not passed.
    assert weighed(unknown, **wishes) == (Status.NOT_REQUIRED, ["tcb-not-required"])
    for name in wishes:
        left = {other: wish for other, wish in wishes.items() if other != name}
        assert weighed(unknown, **left)[0] is Status.NOT_EVALUATED


def test_advisories_of_an_unknown_state_are_unknown_too() -> None:
    claims = with_tcb(status=None, advisories=())
    assert weighed(claims, statuses=Choice.NOT_REQUIRED)[0] is Status.NOT_EVALUATED


def test_collateral_that_speaks_against_evidence_counts_whatever_the_policy_asks() -> None:
    revoked = finding("certificate-revoked", "the platform's certificate was revoked")
    claims = replace(TD, tcb=Tcb(refused=(revoked,)))
    assert codes(layer_of(claims)) == {"tcb": ["certificate-revoked"]}
    careless = Policy.from_json(changed("platforms/tdx/tcb", "not-required"))
    assert codes(layer_of(claims, careless)) == {"tcb": ["certificate-revoked"]}


def test_a_finding_about_the_configuration_needs_the_policys_word() -> None:
    accepted = finding("sept-ve-not-disabled", "the host can inject faults")
    other = finding("td-migratable", "the td may be moved")
    assert layer_of(replace(TD, configuration=(accepted,))).status is Status.PASSED
    layer = layer_of(replace(TD, configuration=(accepted, other)))
    assert codes(layer) == {"configuration": ["td-migratable"]}


def test_one_of_several_values_is_enough_and_a_number_has_to_be_the_same() -> None:
    other = replace(TD, measurements={**TD.measurements, "mr_td": b"\x0e" * 48})
    assert layer_of(other).status is Status.PASSED
    layer = layer_of(replace(TD, numbers={"isv_svn": 3, "pce_svn": 11}))
    (found,) = layer.parts[3].findings
    assert found.message == "isv_svn is 3; the nearest accepted, 'td', has 2"


def test_evidence_without_a_time_is_as_young_as_the_challenge_in_it() -> None:
    unasked = replace(FRESH, asked=None)
    assert codes(layer_of(TD, expected=unasked), Status.NOT_EVALUATED) == {
        "freshness": ["evidence-age-unknown"]
    }
    ageless = Policy.from_json(changed("evidence/maximum_age_seconds", "not-required"))
    assert layer_of(TD, ageless, unasked).status is Status.PASSED


def test_evidence_over_nothing_that_anybody_named_is_not_evaluated() -> None:
    ageless = changed("evidence/maximum_age_seconds", "not-required")
    nothing = Expected()
    layer = layer_of(TD, Policy.from_json(ageless), nothing)
    assert codes(layer, Status.NOT_EVALUATED) == {"freshness": ["binding-missing"]}
    ageless["evidence"] |= {"binding": "not-required"}  # type: ignore[operator]
    layer = layer_of(TD, Policy.from_json(ageless), nothing)
    assert codes(layer, Status.PASSED)["freshness"] == ["binding-not-required"]


@pytest.mark.parametrize(
    ("binding", "expected", "code"),
    [
        ({"report_data": "ab"}, FRESH, "report-data-mismatch"),
        ({"nonce": "ab"}, FRESH, "evidence-nonce-mismatch"),
        ({"public_key": "ab"}, FRESH, "public-key-mismatch"),
        ({"manifests": ["ab" * 32]}, FRESH, "manifest-rejected"),
        ({"manifests": ["ab" * 32]}, replace(FRESH, manifest=bytes(32)), "manifest-rejected"),
    ],
)
def test_the_policy_adds_to_what_evidence_has_to_be_over(
    binding: Any, expected: Expected, code: str
) -> None:
    policy = Policy.from_json(changed("evidence/binding", binding))
    assert codes(layer_of(TD, policy, expected)) == {"freshness": [code]}


def test_what_the_policy_wants_bound_passes_where_it_is() -> None:
    binding = {"report_data": b"report data".hex(), "manifests": ["ab" * 32]}
    policy = Policy.from_json(changed("evidence/binding", binding))
    expected = replace(FRESH, manifest=b"\xab" * 32)
    assert layer_of(TD, policy, expected).status is Status.PASSED
