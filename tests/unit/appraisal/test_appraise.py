from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.nitro import NOW
from tests.unit.appraisal.policies import GOOD, changed

from adyton.appraisal.appraise import appraise, refuse
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.crypto.path import RootRejectedError
from adyton.evidence.token.services import Service
from adyton.model.claims import DEBUG_MODE, Claims, Platform, Technology
from adyton.model.verdict import EVIDENCE_PARTS, Layer, Status, finding
from adyton.model.window import CLOCK_TOLERANCE

POLICY = Policy.from_json(GOOD)
CLAIMS = Claims(
    technology=Technology.NITRO,
    platform=Platform.NITRO,
    root="aws-nitro",
    root_sha256=bytes(32),
    instance="i-1",
    measurements={"pcr0": b"\x0a" * 48, "pcr1": b"\x0b" * 48, "pcr2": b"\x0c" * 48},
    configuration=(),
    report_data=b"report data",
    nonce=None,
    public_key=b"key",
    issued=NOW - timedelta(minutes=5),
    first=NOW - timedelta(hours=1),
    last=NOW + timedelta(hours=1),
    signed_sha256=bytes(32),
)
INSECURE = replace(
    CLAIMS, platform=Platform.INSECURE, root="laptop", root_sha256=b"\xab" * 32, measurements={}
)
EXPECTED = Expected(report_data=b"report data", nonce=b"", public_key=b"key")
DEBUG = (finding(DEBUG_MODE, "anybody can look inside"),)


def layer_of(
    claims: Claims = CLAIMS, *, policy: Policy = POLICY, expected: Expected = EXPECTED
) -> Layer:
    return appraise(claims, policy=policy, expected=expected, at=NOW)


def codes(layer: Layer, status: Status = Status.FAILED) -> dict[str, list[str]]:
    """Return the codes of the findings of the parts that have ``status``."""
    return {
        part.name: [finding.code for finding in part.findings]
        for part in layer.parts
        if part.status is status
    }


def test_good_claims_pass_and_say_what_they_rest_on() -> None:
    layer = layer_of()
    assert layer.status is Status.PASSED
    assert codes(layer, Status.PASSED) == {
        "authenticity": ["root-accepted"],
        "configuration": [],
        "identity": ["measurements-accepted"],
        "freshness": [],
    }
    assert codes(layer, Status.NOT_REQUIRED) == {"tcb": ["tcb-not-required"]}
    assert "worker-0.1.0" in layer.parts[3].findings[0].message


def test_development_evidence_passes_and_says_that_nobody_vouches_for_it() -> None:
    layer = layer_of(INSECURE)
    assert layer.status is Status.PASSED
    assert codes(layer, Status.PASSED)["authenticity"] == ["root-accepted", "insecure-platform"]
    assert codes(layer, Status.NOT_REQUIRED)["identity"] == ["measurements-not-required"]
    assert "genuine" not in layer.establishes
    assert "no vendor" in layer.does_not_establish


def test_a_token_is_a_services_word_and_the_verdict_says_so() -> None:
    for platform in Platform:
        layer = layer_of(replace(CLAIMS, platform=platform))
        is_service = platform.value in {service.value for service in Service}
        assert platform.is_service is is_service
        assert ("service says" in layer.establishes) is is_service
        assert ("hardware says" in layer.does_not_establish) is is_service
        found = [item.code for item in layer.parts[0].findings]
        assert ("service-vouches" in found) is is_service


def test_what_is_not_authentic_says_nothing_else() -> None:
    layer = refuse(RootRejectedError(found=bytes(32)))
    assert codes(layer) == {"authenticity": ["root-rejected"]}
    unseen = codes(layer, Status.NOT_EVALUATED)
    assert unseen == {name: ["not-authentic"] for name in EVIDENCE_PARTS[1:]}
    assert layer.to_json()["establishes"] == ""


@pytest.mark.parametrize(
    ("claims", "part", "code"),
    [
        pytest.param(replace(CLAIMS, root="else"), "authenticity", "root-rejected", id="1"),
        pytest.param(
            replace(CLAIMS, root="laptop"), "authenticity", "root-rejected", id="1: digest"
        ),
        pytest.param(replace(CLAIMS, configuration=DEBUG), "configuration", "debug-mode", id="3"),
        pytest.param(
            replace(CLAIMS, measurements={**CLAIMS.measurements, "pcr2": bytes(48)}),
            "identity",
            "measurement-rejected",
            id="4: differs",
        ),
        pytest.param(
            replace(CLAIMS, measurements={"pcr0": b"\x0a" * 48, "pcr1": b"\x0b" * 48}),
            "identity",
            "measurement-rejected",
            id="4: absent",
        ),
        pytest.param(
            replace(CLAIMS, measurements={**CLAIMS.measurements, "pcr1": b"\x0b" * 32}),
            "identity",
            "measurement-rejected",
            id="4: shorter",
        ),
        pytest.param(
            replace(CLAIMS, report_data=b"else"), "freshness", "report-data-mismatch", id="5: data"
        ),
        pytest.param(
            replace(CLAIMS, report_data=None), "freshness", "report-data-mismatch", id="5: no data"
        ),
        pytest.param(
            replace(CLAIMS, nonce=b"n"), "freshness", "evidence-nonce-mismatch", id="5: nonce"
        ),
        pytest.param(
            replace(CLAIMS, public_key=None), "freshness", "public-key-mismatch", id="5: key"
        ),
        pytest.param(
            replace(CLAIMS, issued=NOW - timedelta(seconds=3601)),
            "freshness",
            "evidence-too-old",
            id="5: age",
        ),
        pytest.param(
            replace(CLAIMS, issued=NOW + timedelta(seconds=61)),
            "freshness",
            "evidence-from-the-future",
            id="5: future",
        ),
    ],
)
def test_each_broken_claim_fails_in_its_part_alone(claims: Claims, part: str, code: str) -> None:
    layer = layer_of(claims)
    assert layer.status is Status.FAILED
    assert codes(layer) == {part: [code]}


def test_ages_at_the_bounds_pass() -> None:
    for issued in (NOW - timedelta(hours=1), NOW + CLOCK_TOLERANCE):
        assert layer_of(replace(CLAIMS, issued=issued)).status is Status.PASSED


def test_an_age_that_is_not_required_is_not_looked_at() -> None:
    policy = Policy.from_json(changed("evidence/maximum_age_seconds", "not-required"))
    old = replace(CLAIMS, issued=NOW - timedelta(days=4000))
    assert layer_of(old, policy=policy).status is Status.PASSED
    # The future is never acceptable.
    future = replace(CLAIMS, issued=NOW + timedelta(hours=1))
    assert layer_of(future, policy=policy).status is Status.FAILED


def test_debug_mode_passes_where_the_policy_accepts_it_and_is_reported() -> None:
    layer = layer_of(replace(INSECURE, configuration=DEBUG))
    assert layer.status is Status.PASSED
    assert codes(layer, Status.PASSED)["configuration"] == ["debug-mode"]


def test_a_platform_that_the_policy_leaves_out_is_refused() -> None:
    layer = layer_of(replace(CLAIMS, platform=Platform.NITRO_TPM))
    assert codes(layer) == {"configuration": ["platform-rejected"]}
    assert codes(layer, Status.NOT_EVALUATED) == {
        "tcb": ["platform-not-in-policy"],
        "identity": ["platform-not-in-policy"],
    }


def test_what_is_said_of_the_insecure_platform_is_not_said_of_a_genuine_one() -> None:
    # The development platform's measurements are free in this policy; AWS's are not.
    layer = layer_of(replace(CLAIMS, measurements={}))
    assert codes(layer)["identity"] == ["measurement-rejected"] * 2


def test_a_refused_measurement_names_the_nearest_reference_and_what_differs() -> None:
    found = {"pcr0": b"\x0a" * 48, "pcr1": b"\x0b" * 48, "pcr2": b"\xff" * 48, "pcr8": b"\x0d" * 48}
    (finding,) = layer_of(replace(CLAIMS, measurements=found)).parts[3].findings
    assert finding.message == (
        f"pcr2 is {'ff' * 48}; the nearest accepted, 'worker-0.1.0', has {'0c' * 48}"
    )


def test_another_reference_matches_too() -> None:
    found = {"pcr0": b"\x1a" * 48, "pcr8": b"\x0d" * 48}
    assert layer_of(replace(CLAIMS, measurements=found)).status is Status.PASSED


REQUIRED = Policy.from_json(changed("evidence/challenge", "required"))
CHALLENGED = replace(CLAIMS, nonce=b"challenge")


@pytest.mark.parametrize("policy", [POLICY, REQUIRED])
def test_a_challenge_that_was_asked_and_answered_passes(policy: Policy) -> None:
    expected = replace(EXPECTED, nonce=b"challenge", challenge=b"challenge", asked=b"challenge")
    assert layer_of(CHALLENGED, policy=policy, expected=expected).status is Status.PASSED


@pytest.mark.parametrize("policy", [POLICY, REQUIRED])
@pytest.mark.parametrize("asked", [b"another", b""])
def test_an_answer_to_another_challenge_is_refused(policy: Policy, asked: bytes) -> None:
    expected = replace(EXPECTED, nonce=b"challenge", challenge=b"challenge", asked=asked)
    layer = layer_of(CHALLENGED, policy=policy, expected=expected)
    assert codes(layer) == {"freshness": ["challenge-mismatch"]}


def test_evidence_without_the_challenge_that_was_asked_is_refused() -> None:
    layer = layer_of(expected=replace(EXPECTED, asked=b"challenge"))
    assert codes(layer) == {"freshness": ["challenge-mismatch"]}


def test_evidence_is_judged_for_the_last_instant_that_there_is() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    layer = appraise(CLAIMS, policy=POLICY, expected=EXPECTED, at=last)
    assert codes(layer) == {"freshness": ["evidence-too-old"]}


@pytest.mark.parametrize("policy", [POLICY, REQUIRED])
def test_a_challenge_that_only_stands_beside_the_evidence_was_not_evaluated(policy: Policy) -> None:
    repeated = Expected(public_key=b"key", challenge=b"challenge", asked=b"challenge")
    layer = layer_of(policy=policy, expected=repeated)
    assert codes(layer, Status.NOT_EVALUATED) == {"freshness": ["challenge-unbound"]}


@pytest.mark.parametrize(
    ("claims", "changes"),
    [
        (CHALLENGED, {"nonce": b"challenge", "challenge": b"challenge", "asked": None}),
        (CLAIMS, {"challenge": b"", "asked": None}),
        (CLAIMS, {"challenge": b"", "asked": b""}),
    ],
)
def test_a_required_challenge_that_nobody_asked_was_not_evaluated(
    claims: Claims, changes: dict[str, Any]
) -> None:
    layer = layer_of(claims, policy=REQUIRED, expected=replace(EXPECTED, **changes))
    assert codes(layer, Status.NOT_EVALUATED) == {"freshness": ["challenge-missing"]}
    assert layer.status is Status.NOT_EVALUATED
