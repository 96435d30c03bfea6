"""Evidence of every technology goes one way: found, authenticated, appraised under one policy."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, NamedTuple

import pytest
from tests.fakes.amd import FakeAmd, table
from tests.fakes.amd import List as AmdList
from tests.fakes.amd_azure import FakeAzureSnp
from tests.fakes.intel import FakeIntel, td_report
from tests.fakes.intel import List as IntelList
from tests.fakes.intel_azure import FakeAzure
from tests.fakes.nitro import NOW, FakeNitro
from tests.fakes.nvidia import FakeNvidia
from tests.fakes.tokens import FakeService

from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError
from adyton.evidence.collateral import (
    NO_COLLATERAL,
    Collateral,
)
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.formats import Format, detect
from adyton.evidence.token.services import GOOGLE as GOOGLE_ISSUER
from adyton.evidence.token.services import INTEL as INTEL_ISSUER
from adyton.evidence.token.services import NVIDIA as NVIDIA_ISSUER
from adyton.evidence.token.services import Issuer, Service
from adyton.model.claims import Claims, Platform, Technology
from adyton.model.verdict import Status, Verdict
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.pipeline import verify_evidence

INTEL, AMD, NITRO = FakeIntel(), FakeAmd(), FakeNitro()
GPU, SWITCH = FakeNvidia("hopper"), FakeNvidia("ls10")


def token_service(service: Service, name: str) -> FakeService:
    made = FakeService(service)
    made.issuer = Issuer(service=service, name=name)
    return made


ITA = token_service(Service.INTEL_TRUST_AUTHORITY, INTEL_ISSUER.name)
AZURE = token_service(Service.AZURE_ATTESTATION, "https://sharedweu.weu.attest.azure.net")
GOOGLE = token_service(Service.GOOGLE_CONFIDENTIAL_SPACE, GOOGLE_ISSUER.name)
NRAS = token_service(Service.NVIDIA_NRAS, NVIDIA_ISSUER.name)
POLICY: Final = Policy.from_json(
    {
        "version": "adyton/policy/v1",
        "roots": {"fake": "ab" * 32},
        "platforms": {
            name: {"debug": "refused", "tcb": "not-required", "measurements": "not-required"}
            for name in ("insecure", "intel-trust-authority", "azure-attestation")
        },
        "evidence": {
            "maximum_age_seconds": "not-required",
            "challenge": "not-required",
            "binding": "not-required",
        },
    }
)


def intel_collateral(tee: Any, **changes: Any) -> Collateral:
    return Collateral(intel=IntelCollateral.from_bytes(INTEL.collateral(tee, **changes)))


def amd_collateral(**changes: bytes | None) -> Collateral:
    return Collateral(amd=AMD.collateral(**changes))


def extended_report(*more: tuple[str, bytes]) -> bytes:
    parts = AMD.collateral()
    named = [("vcek", AMD.vek_der), ("ask", parts.authority), ("ark", parts.ark), *more]
    return AMD.report() + table(named)


class Case(NamedTuple):
    """One piece of evidence, and what it needs."""

    format: Format
    technology: Technology
    evidence: bytes
    roots: dict[str, bytes]
    collateral: Collateral = NO_COLLATERAL


CASES: Final = (
    Case(Format.NITRO, Technology.NITRO, NITRO.document(), NITRO.roots),
    Case(Format.SGX_QUOTE, Technology.SGX, INTEL.quote("sgx"), INTEL.roots),
    Case(
        Format.SGX_QUOTE,
        Technology.SGX,
        INTEL.quote("sgx"),
        INTEL.roots,
        intel_collateral("sgx"),
    ),
    Case(
        Format.TDX_QUOTE, Technology.TDX, INTEL.quote("tdx"), INTEL.roots, intel_collateral("tdx")
    ),
    Case(
        Format.AZURE_TDX,
        Technology.AZURE_TDX,
        FakeAzure(INTEL).bundle(),
        INTEL.roots,
        intel_collateral("tdx"),
    ),
    Case(Format.SNP_REPORT, Technology.SEV_SNP, AMD.report(), AMD.roots, amd_collateral()),
    Case(Format.SNP_EXTENDED_REPORT, Technology.SEV_SNP, extended_report(), AMD.roots),
    *(
        Case(
            Format.NVIDIA_DEVICE,
            technology,
            vendor.file(),
            {**vendor.roots, **vendor.rim_roots},
            Collateral(nvidia=vendor.collateral()),
        )
        for technology, vendor in (
            (Technology.NVIDIA_GPU, GPU),
            (Technology.NVIDIA_SWITCH, SWITCH),
        )
    ),
    *(
        Case(
            Format.TOKEN,
            technology,
            service.mint(),
            service.roots if service.chain else {service.issuer.name: sha256(service.jwks())},
            Collateral(token=service.collateral()),
        )
        for technology, service in (
            (Technology.INTEL_TRUST_AUTHORITY, ITA),
            (Technology.AZURE_ATTESTATION, AZURE),
            (Technology.GOOGLE_CONFIDENTIAL_SPACE, GOOGLE),
            (Technology.NVIDIA_NRAS, NRAS),
        )
    ),
    Case(
        Format.AZURE_SEV_SNP,
        Technology.AZURE_SEV_SNP,
        FakeAzureSnp(AMD).bundle(),
        AMD.roots,
        amd_collateral(vek=None),
    ),
)


KEY_SETS: Final = {Technology.INTEL_TRUST_AUTHORITY, Technology.AZURE_ATTESTATION}


def name_of(case: Case) -> str:
    """Return the name of a case, which is also that of its test."""
    return f"{case.technology} {case.format}"


def judged(
    evidence: bytes,
    roots: dict[str, bytes],
    collateral: Collateral = NO_COLLATERAL,
    *,
    cache: EvidenceCache | None = None,
) -> tuple[Verdict, Claims | None]:
    return verify_evidence(
        evidence,
        policy=replace(POLICY, named_roots=roots),
        expected=Expected(),
        at=NOW,
        collateral=collateral,
        cache=cache,
    )


def codes(verdict: Verdict) -> dict[str, list[str]]:
    (layer,) = verdict.layers
    return {
        part.name: [finding.code for finding in part.findings]
        for part in layer.parts
        if part.status in {Status.FAILED, Status.NOT_EVALUATED}
    }


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_every_format_is_found_and_its_good_evidence_accepted(case: Case) -> None:
    assert detect(case.evidence) is case.format
    verdict, claims = judged(case.evidence, case.roots, case.collateral)
    assert codes(verdict) == {}
    assert verdict.accepted
    assert claims is not None
    assert claims.technology is case.technology
    # The fakes are nobody's hardware, and no name makes them somebody's. Of a key set, the policy's
    # word is all that there is.
    assert (claims.platform is Platform.INSECURE) is (case.technology not in KEY_SETS)
    assert claims.windows


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_no_format_is_accepted_from_under_another_root(case: Case) -> None:
    verdict, claims = judged(case.evidence, {"fake": bytes(32)}, case.collateral)
    assert not verdict.accepted
    assert claims is None
    is_named = case.technology in KEY_SETS
    assert codes(verdict)["authenticity"] == ["token-key-rejected" if is_named else "root-rejected"]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_the_claims_are_shown_as_json_alone(case: Case) -> None:
    _, claims = judged(case.evidence, case.roots, case.collateral)
    assert claims is not None
    shown = claims.to_json()
    assert shown["signed_sha256"] == claims.signed_sha256.hex()
    assert shown["debug"] is False


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_one_cache_for_all_technologies_changes_no_verdict(case: Case) -> None:
    cache = EvidenceCache()
    first = judged(case.evidence, case.roots, case.collateral, cache=cache)
    assert judged(case.evidence, case.roots, case.collateral, cache=cache) == first
    assert not judged(case.evidence, {"fake": bytes(32)}, case.collateral, cache=cache)[0].accepted


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"{}", b"[]", b"{", b"\x05\x00\x09\x00", b"\xff" * 64]
)
def test_what_begins_like_nothing_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        detect(data)
    verdict, claims = judged(data, INTEL.roots)
    assert claims is None
    assert not verdict.accepted


def test_collateral_that_revokes_a_platform_is_the_tcbs_reason_and_not_the_evidences() -> None:
    revoked = intel_collateral("tdx", pck_list=IntelList(revoked=(INTEL.serial("pck"),)))
    verdict, claims = judged(INTEL.quote("tdx"), INTEL.roots, revoked)
    assert codes(verdict) == {"tcb": ["certificate-revoked"]}
    assert claims is not None


def test_collateral_of_another_kind_is_not_ignored() -> None:
    verdict, _ = judged(INTEL.quote("tdx"), INTEL.roots, intel_collateral("sgx"))
    assert codes(verdict) == {"tcb": ["collateral-rejected"]}


def test_bad_evidence_is_not_excused_by_bad_collateral() -> None:
    quote = bytearray(INTEL.quote("tdx"))
    quote[100] ^= 1
    verdict, claims = judged(bytes(quote), INTEL.roots, intel_collateral("sgx"))
    assert claims is None
    assert codes(verdict)["authenticity"] == ["signature-rejected"]


def test_a_list_that_revokes_amds_authority_is_the_tcbs_reason() -> None:
    crl = AMD.crl(AmdList(revoked=(AMD.authority.serial,)))
    verdict, _ = judged(AMD.report(), AMD.roots, amd_collateral(crl=crl))
    assert codes(verdict) == {"tcb": ["certificate-revoked"]}
    bundle = FakeAzureSnp(AMD).bundle()
    verdict, _ = judged(bundle, AMD.roots, amd_collateral(vek=None, crl=crl))
    assert codes(verdict) == {"tcb": ["certificate-revoked"]}


def test_the_verifiers_list_counts_before_the_one_that_the_host_put_beside() -> None:
    bad = AMD.crl(AmdList(revoked=(AMD.authority.serial,)))
    evidence = extended_report(("crl", AMD.crl()))
    assert judged(evidence, AMD.roots)[0].accepted
    verdict, _ = judged(evidence, AMD.roots, amd_collateral(vek=None, crl=bad))
    assert codes(verdict) == {"tcb": ["certificate-revoked"]}


def test_a_list_that_the_host_put_beside_its_report_can_only_speak_against_it() -> None:
    revoking = AMD.crl(AmdList(revoked=(AMD.authority.serial,)))
    verdict, _ = judged(extended_report(("crl", revoking)), AMD.roots)
    assert codes(verdict) == {"tcb": ["certificate-revoked"]}
    evidence = extended_report(("crl", AMD.crl()))
    for collateral, is_checked in (
        (NO_COLLATERAL, False),
        (amd_collateral(vek=None), False),
        (amd_collateral(vek=None, crl=AMD.crl()), True),
    ):
        _, claims = judged(evidence, AMD.roots, collateral)
        assert claims is not None
        assert claims.tcb is not None
        assert claims.tcb.is_revocation_checked is is_checked


@pytest.mark.parametrize(
    ("evidence", "collateral"),
    [
        (AMD.report(), NO_COLLATERAL),
        (AMD.report(), amd_collateral(vek=None)),
        (FakeAzureSnp(AMD).bundle(), NO_COLLATERAL),
    ],
    ids=["a report alone", "no key", "a vm alone"],
)
def test_a_report_without_its_certificates_is_not_accepted(
    evidence: bytes, collateral: Collateral
) -> None:
    verdict, claims = judged(evidence, AMD.roots, collateral)
    assert claims is None
    assert codes(verdict)["authenticity"] == ["collateral-missing"]


def test_golden_values_of_somebody_else_are_the_tcbs_reason() -> None:
    others = FakeNvidia("hopper", rim_leaf={"name": "another"}).collateral()
    stranger = {**GPU.roots, "fake-rim": bytes(32)}
    verdict, claims = judged(GPU.file(), stranger, Collateral(nvidia=others))
    assert codes(verdict)["tcb"] == ["root-rejected"]
    assert claims is not None


def test_a_file_of_several_devices_has_no_one_verdict() -> None:
    device = json.loads(GPU.file())[0]
    verdict, claims = judged(json.dumps([device, device]).encode(), GPU.roots)
    assert claims is None
    assert codes(verdict)["authenticity"] == ["malformed"]


@pytest.mark.parametrize("service", [ITA, AZURE], ids=["intel", "azure"])
def test_a_key_set_speaks_for_the_issuer_that_its_root_is_named_after(service: FakeService) -> None:
    roots = {"https://sharedneu.neu.attest.azure.net": sha256(service.jwks())}
    beside = Collateral(token=service.collateral())
    verdict, claims = judged(service.mint(), roots, beside)
    assert claims is None
    assert codes(verdict)["authenticity"] == ["token-issuer-rejected"]


def test_instances_that_share_their_keys_may_all_be_named() -> None:
    keys = sha256(AZURE.jwks())
    for others in ({"https://sharedeus.eus.attest.azure.net": keys}, {"https://z.example": keys}):
        verdict, claims = judged(
            AZURE.mint(),
            {**others, AZURE.issuer.name: keys},
            Collateral(token=AZURE.collateral()),
        )
        assert claims is not None
        assert (verdict.accepted, claims.root) == (True, AZURE.issuer.name)


def test_a_token_without_its_key_set_is_not_accepted() -> None:
    verdict, _ = judged(ITA.mint(), {ITA.issuer.name: sha256(ITA.jwks())})
    assert codes(verdict)["authenticity"] == ["token-key-rejected"]


def test_a_token_of_nobody_known_is_malformed() -> None:
    stranger = FakeService(Service.INTEL_TRUST_AUTHORITY)
    verdict, _ = judged(stranger.mint(), stranger.pinned(), Collateral(token=stranger.collateral()))
    assert codes(verdict)["authenticity"] == ["malformed"]


def test_a_debug_td_is_refused_unless_the_policy_says_otherwise() -> None:
    quote = INTEL.quote("tdx", body=td_report(td_attributes=b"\1\0\0\x10" + bytes(4)))
    verdict, claims = judged(quote, INTEL.roots)
    assert codes(verdict) == {"configuration": ["debug-mode"]}
    assert claims is not None
    assert claims.is_debug


def test_expired_evidence_is_refused_later() -> None:
    later = NOW + timedelta(days=365 * 60)
    for case in CASES:
        verdict, _ = verify_evidence(
            case.evidence,
            policy=replace(POLICY, named_roots=case.roots),
            expected=Expected(),
            at=later,
            collateral=case.collateral,
        )
        assert not verdict.accepted


def test_collateral_is_written_and_read_again() -> None:
    both = replace(intel_collateral("tdx"), amd=amd_collateral(crl=AMD.crl()).amd)
    assert Collateral.from_bytes(both.to_bytes()) == both
    assert Collateral.from_bytes(NO_COLLATERAL.to_bytes()) == NO_COLLATERAL
    # As it is commonly passed on.
    assert both.intel is not None
    assert Collateral.from_bytes(both.intel.to_bytes()) == replace(both, amd=None)


@pytest.mark.parametrize(
    "data",
    [
        b'{"version":"adyton/collateral/v2"}',
        b'{"version":"adyton/collateral/v1","other":{}}',
        b'{"version":"adyton/collateral/v1","amd":{"ark":""}}',
        b'{"version":"adyton/collateral/v1","amd":{"ark":"AA==","authority":"A"}}',
        b'{"version":"adyton/collateral/v1","intel":{}}',
        b"[]",
    ],
)
def test_collateral_that_is_not_like_its_format_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        Collateral.from_bytes(data)
