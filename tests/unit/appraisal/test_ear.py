"""Verdicts as attestation results: what each part becomes, and that nothing affirms by silence."""

import itertools
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adyton.appraisal.ear import (
    PROFILE,
    Ear,
    EarRejectedError,
    Tier,
    VerifierId,
    issue_ear,
    verify_ear,
)
from adyton.crypto.ecdsa import Es256Key
from adyton.crypto.ed25519 import Ed25519Key
from adyton.crypto.jwk import JwkSet
from adyton.crypto.jws import TokenSigner
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import AdytonError, MalformedError
from adyton.model.verdict import (
    EVIDENCE_PARTS,
    Finding,
    Layer,
    LayerName,
    Part,
    Status,
    Subject,
    Verdict,
    finding,
)

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
VERIFIER = VerifierId(developer="https://adyton.example", build="adyton 0.1.0")
NONCE = bytes(range(32))
SIGNERS = {"ES256": TokenSigner(Es256Key()), "EdDSA": TokenSigner(Ed25519Key(bytes(32)))}
SIGNER = SIGNERS["ES256"]
KEYS = JwkSet.from_bytes(SIGNER.public_set)
OTHER = {**TokenSigner(Es256Key()).public_jwk, "kid": SIGNER.key_id}
OTHER_KEYS = JwkSet.from_bytes(json.dumps({"keys": [OTHER]}).encode())
ANY = finding("any", "a reason")


def part(name: str, status: Status, *codes: str) -> Part:
    findings: tuple[Finding, ...] = tuple(finding(code, "a reason") for code in codes)
    if status is not Status.PASSED and not findings:
        findings = (ANY,)
    return Part(name=name, status=status, findings=findings)


def evidence(statuses: Mapping[str, Status], codes: Mapping[str, str]) -> Layer:
    return Layer(
        name=LayerName.EVIDENCE,
        parts=tuple(
            part(name, statuses.get(name, Status.PASSED), *([codes[name]] if name in codes else []))
            for name in EVIDENCE_PARTS
        ),
        establishes="",
        does_not_establish="",
    )


def verdict(codes: Mapping[str, str] | None = None, **statuses: Status) -> Verdict:
    layers = (evidence(statuses, codes or {}),)
    return Verdict(subject=Subject.EVIDENCE, layers=layers, at=NOW, claimed=None)


def ear_of(found: Verdict, **changes: Any) -> Ear:
    return Ear.from_verdict(found, name="worker", verifier=VERIFIER, **changes)


def seen(found: Verdict) -> tuple[str, dict[str, int]]:
    ear = ear_of(found)
    return ear.statuses["worker"].value, {**ear.vectors["worker"]}


FAILED, SILENT, SKIPPED = Status.FAILED, Status.NOT_EVALUATED, Status.NOT_REQUIRED
GOOD = {"hardware": 2, "configuration": 2, "executables": 3}


@pytest.mark.parametrize(
    ("found", "status", "vector"),
    [
        pytest.param(verdict(), "affirming", GOOD, id="all passed"),
        pytest.param(
            verdict({"tcb": "tcb-status-weak"}), "warning", {**GOOD, "hardware": 32}, id="weak"
        ),
        pytest.param(verdict(tcb=SKIPPED), "affirming", {**GOOD, "hardware": -2}, id="of any age"),
        pytest.param(
            verdict({"authenticity": "insecure-platform"}),
            "warning",
            {**GOOD, "hardware": -33},
            id="development",
        ),
        pytest.param(
            verdict({"authenticity": "service-vouches"}),
            "affirming",
            {"configuration": 2, "executables": 3},
            id="a service's word",
        ),
        pytest.param(
            verdict({"configuration": "debug-mode"}),
            "warning",
            {**GOOD, "configuration": 32},
            id="debug mode that is accepted",
        ),
        pytest.param(
            verdict({"configuration": "debug-mode"}, configuration=FAILED),
            "contraindicated",
            {**GOOD, "configuration": 96, "runtime-opaque": 96},
            id="debug mode",
        ),
        pytest.param(
            verdict({"authenticity": "root-rejected"}, authenticity=FAILED),
            "contraindicated",
            {**GOOD, "hardware": 97},
            id="unknown root",
        ),
        pytest.param(
            verdict(authenticity=FAILED),
            "contraindicated",
            {**GOOD, "hardware": 99},
            id="not authentic",
        ),
        pytest.param(
            verdict(tcb=FAILED), "contraindicated", {**GOOD, "hardware": 96}, id="old firmware"
        ),
        pytest.param(
            verdict(identity=FAILED),
            "contraindicated",
            {**GOOD, "executables": 96},
            id="other code",
        ),
        pytest.param(verdict(freshness=FAILED), "contraindicated", GOOD, id="stale"),
        pytest.param(
            verdict(identity=SKIPPED),
            "affirming",
            {"hardware": 2, "configuration": 2},
            id="any code",
        ),
        pytest.param(
            verdict(tcb=SILENT), "none", {"configuration": 2, "executables": 3}, id="unknown age"
        ),
        pytest.param(verdict(freshness=SILENT), "none", GOOD, id="nobody asked for freshness"),
    ],
)
def test_each_part_becomes_a_claim(found: Verdict, status: str, vector: dict[str, int]) -> None:
    assert seen(found) == (status, vector)


def test_nothing_affirms_that_is_not_accepted_and_nothing_that_was_not_evaluated() -> None:
    concerns = {"authenticity": "hardware", "tcb": "hardware", "identity": "executables"}
    for statuses in itertools.product(Status, repeat=len(EVIDENCE_PARTS)):
        by_name = dict(zip(EVIDENCE_PARTS, statuses, strict=True))
        found = verdict(None, **by_name)
        ear = ear_of(found)
        assert found.accepted or ear.status is not Tier.AFFIRMING
        for name, status in by_name.items():
            if status in {SILENT, FAILED} and name != "freshness":
                value = ear.vectors["worker"].get(concerns.get(name, name))
                assert value is None or Tier.of(value) is not Tier.AFFIRMING
        assert (FAILED in statuses) <= (ear.status is Tier.CONTRAINDICATED)


def test_a_receipt_that_does_not_hold_affirms_nothing_of_its_evidence() -> None:
    others = tuple(
        Layer(
            name=name,
            parts=(part("all", SILENT if name is LayerName.PROOF else Status.PASSED),),
            establishes="",
            does_not_establish="",
        )
        for name in (LayerName.RECEIPT, LayerName.PROOF, LayerName.TRANSCRIPT)
    )
    found = Verdict(
        subject=Subject.RECEIPT, layers=(evidence({}, {}), *others), at=NOW, claimed=True
    )
    assert seen(found) == ("none", GOOD)


@pytest.mark.parametrize(
    ("tier", "values"),
    [
        (Tier.NONE, (-1, 0, 1)),
        (Tier.AFFIRMING, (2, 31, -2, -32)),
        (Tier.WARNING, (32, 95, -33, -96)),
        (Tier.CONTRAINDICATED, (96, 127, -97, -128)),
    ],
)
def test_every_value_lies_in_one_tier(tier: Tier, values: tuple[int, ...]) -> None:
    assert [Tier.of(value) for value in values] == [tier] * len(values)


@pytest.mark.parametrize("name", SIGNERS)
def test_a_result_is_signed_and_verified(name: str) -> None:
    ear = ear_of(verdict(), policy="sha-256:00", nonce=NONCE, expires=NOW + timedelta(hours=1))
    token = issue_ear(ear, signer=SIGNERS[name])
    keys = JwkSet.from_bytes(SIGNERS[name].public_set)
    assert verify_ear(token, keys=keys, at=NOW, nonce=NONCE) == ear
    assert verify_ear(token, keys=keys, at=NOW).policies == {"worker": ("sha-256:00",)}


def test_another_implementation_reads_the_draft_in_it() -> None:
    token = issue_ear(ear_of(verdict(), policy="mine"), signer=SIGNER)
    claims = jwt.decode(
        token, key=jwt.PyJWK(SIGNER.public_jwk), algorithms=["ES256"], options={"verify_iat": False}
    )
    assert claims == {
        "eat_profile": "tag:ietf.org,2026:rats/ear#04",
        "iat": int(NOW.timestamp()),
        "ear_status": "affirming",
        "ear_verifier_id": {"developer": "https://adyton.example", "build": "adyton 0.1.0"},
        "submods": {
            "worker": {
                "ear_status": "affirming",
                "ear_trustworthiness_vector": GOOD,
                "ear_appraisal_policy_ids": ["mine"],
            }
        },
    }
    assert jwt.get_unverified_header(token)["typ"] == "eat+jwt"


def test_the_worst_submodule_counts() -> None:
    good, bad = ear_of(verdict()), ear_of(verdict(identity=FAILED))
    both = replace(
        good,
        statuses={"cpu": good.status, "gpu": bad.status},
        vectors={"cpu": good.vectors["worker"], "gpu": bad.vectors["worker"]},
        policies={},
    )
    assert both.status is Tier.CONTRAINDICATED
    token = issue_ear(both, signer=SIGNER)
    assert verify_ear(token, keys=KEYS, at=NOW).status is Tier.CONTRAINDICATED


@pytest.mark.parametrize("size", [0, 7, 65])
def test_a_nonce_has_a_size(size: int) -> None:
    with pytest.raises(ValueError, match="8 to 64"):
        ear_of(verdict(), nonce=bytes(size))


CLAIMS: dict[str, Any] = ear_of(verdict()).to_json()


def minted(**changes: Any) -> Callable[[], Ear]:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ...}
    token = SIGNER.sign(claims, kind="eat+jwt")
    return lambda: verify_ear(token, keys=KEYS, at=NOW)


def submodule(**changes: Any) -> Callable[[], Ear]:
    return minted(submods={"worker": {**CLAIMS["submods"]["worker"], **changes}})


def forged(algorithm: str, key: Any, **header: Any) -> Callable[[], Ear]:
    headers = {"kid": SIGNER.key_id, "typ": "eat+jwt", **header}
    token = jwt.encode(CLAIMS, key, algorithm=algorithm, headers=headers)
    return lambda: verify_ear(token, keys=KEYS, at=NOW)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(lambda: verify_ear("a.b", keys=KEYS, at=NOW), MalformedError, id="1: parts"),
        pytest.param(forged("none", None), EarRejectedError, id="1: none"),
        pytest.param(forged("HS256", "x" * 32), EarRejectedError, id="1: shared secret"),
        pytest.param(
            lambda: verify_ear(
                issue_ear(ear_of(verdict()), signer=SIGNERS["EdDSA"]), keys=KEYS, at=NOW
            ),
            EarRejectedError,
            id="1: other key",
        ),
        pytest.param(
            lambda: verify_ear(SIGNER.sign(CLAIMS, kind="at+jwt"), keys=KEYS, at=NOW),
            MalformedError,
            id="1: other type",
        ),
        pytest.param(
            lambda: verify_ear(
                issue_ear(ear_of(verdict()), signer=SIGNER), keys=OTHER_KEYS, at=NOW
            ),
            SignatureRejectedError,
            id="2: other key under the name",
        ),
        pytest.param(minted(eat_profile=PROFILE[:-1]), MalformedError, id="3: profile"),
        pytest.param(minted(iat=...), MalformedError, id="3: no time"),
        pytest.param(minted(iat=str(CLAIMS["iat"])), MalformedError, id="3: time as text"),
        pytest.param(minted(ear_verifier_id=...), MalformedError, id="3: no verifier"),
        pytest.param(minted(submods={}), MalformedError, id="3: no submodule"),
        pytest.param(minted(eat_nonce="?"), MalformedError, id="3: nonce"),
        pytest.param(submodule(ear_status="fine"), MalformedError, id="3: no tier"),
        pytest.param(
            submodule(ear_trustworthiness_vector={"hardware": 128}), MalformedError, id="3: value"
        ),
        pytest.param(minted(iat=CLAIMS["iat"] + 61), EarRejectedError, id="4: of the future"),
        pytest.param(minted(exp=CLAIMS["iat"]), EarRejectedError, id="4: expired"),
        pytest.param(
            submodule(ear_trustworthiness_vector={"hardware": 2, "executables": 96}),
            EarRejectedError,
            id="5: better than its claims",
        ),
        pytest.param(
            submodule(ear_status="warning"), EarRejectedError, id="5: better than its submodule"
        ),
        pytest.param(
            lambda: verify_ear(
                issue_ear(ear_of(verdict(), nonce=NONCE[::-1]), signer=SIGNER),
                keys=KEYS,
                at=NOW,
                nonce=NONCE,
            ),
            EarRejectedError,
            id="6: other nonce",
        ),
        pytest.param(
            lambda: verify_ear(
                issue_ear(ear_of(verdict()), signer=SIGNER), keys=KEYS, at=NOW, nonce=NONCE
            ),
            EarRejectedError,
            id="6: no nonce",
        ),
    ],
)
def test_each_broken_step_is_refused(broken: Callable[[], Ear], reason: type[AdytonError]) -> None:
    with pytest.raises(reason):
        broken()


def test_what_nobody_knows_in_a_result_is_passed_over() -> None:
    assert minted(something="else")().status is Tier.AFFIRMING
    vector = {"hardware": 2, "of-tomorrow": 3}
    assert submodule(ear_trustworthiness_vector=vector)().vectors["worker"] == vector
    assert minted(ear_status=...)().status is Tier.AFFIRMING


TOKEN = issue_ear(ear_of(verdict(), nonce=NONCE), signer=SIGNER)


def test_no_flipped_bit_of_a_result_is_accepted() -> None:
    for bit in range(8 * len(TOKEN)):
        changed = bytearray(TOKEN.encode())
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AdytonError):
            verify_ear(changed.decode("latin-1"), keys=KEYS, at=NOW)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*CLAIMS, "exp", "eat_nonce"]),
        st.none()
        | st.integers(-(2**53) + 1, 2**53 - 1)
        | st.text(max_size=8)
        | st.dictionaries(st.text(max_size=3), st.booleans()),
    )
)
def test_any_claims_that_are_signed_are_read_or_refused(changes: dict[str, Any]) -> None:
    with suppress(AdytonError):
        minted(**changes)()
