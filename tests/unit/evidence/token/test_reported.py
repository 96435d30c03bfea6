"""What each service's claims are read as, and what of them speaks against an environment."""

import hashlib
from typing import Any

import pytest
from tests.fakes.tokens import ABSENT, HELD, NONCE, NOW, SERVICES, snp, td

from adyton.errors import MalformedError
from adyton.evidence.token.authenticate import TokenClaims, authenticate
from adyton.evidence.token.reported import Reported, Tee
from adyton.evidence.token.services import Service

INTEL, AZURE, GOOGLE, NVIDIA = Service


def claims_of(service: Service, kind: str = "", **changes: Any) -> TokenClaims:
    fake = SERVICES[service]
    return authenticate(
        fake.mint(kind, **changes),
        issuer=fake.issuer,
        collateral=fake.collateral(),
        roots={**fake.pinned(), **fake.roots},
        at=NOW,
    )


def reported(service: Service, kind: str = "", **changes: Any) -> Reported:
    return claims_of(service, kind, **changes).reported


def nras(**device: Any) -> TokenClaims:
    return claims_of(NVIDIA, devices={"GPU-0": SERVICES[NVIDIA].device("GPU-0", **device)})


def digest(name: str, size: int) -> bytes:
    return hashlib.shake_256(name.encode()).digest(size)


def test_intel_reports_a_trust_domain() -> None:
    found = reported(INTEL, "TDX")
    assert (found.tee, found.tcb_status) == (Tee.TDX, "OutOfDate")
    assert found.advisories == ("INTEL-SA-00001", "INTEL-SA-00002")
    assert found.tcb_date is not None
    assert found.tcb_date.isoformat() == "2026-08-12T00:00:00+00:00"
    assert found.measurements["mr_td"] == digest("mrtd", 48)
    assert found.measurements["rtmr3"] == digest("rtmr3", 48)
    assert (found.nonces, found.held_data, found.svns) == ((NONCE,), HELD, {"seam_svn": 4})


def test_intel_reports_an_enclave() -> None:
    found = reported(INTEL, "SGX")
    assert found.tee is Tee.SGX
    assert found.measurements == {
        "mr_enclave": digest("mrenclave", 32),
        "mr_signer": digest("mrsigner", 32),
    }
    assert found.svns == {"isv_prod_id": 7, "isv_svn": 3}


def test_azure_reports_a_machine_and_the_hardware_below_it() -> None:
    found = reported(AZURE)
    assert (found.tee, found.instance, found.nonces) == (Tee.SEV_SNP, "machine", (NONCE,))
    assert found.measurements["measurement"] == digest("measurement", 48)
    assert found.svns == {"guest_svn": 4, "vmpl": 0}
    assert found.report_data == digest("report data", 64)
    below = reported(AZURE, "", **{"x-ms-isolation-tee": td()})
    assert (below.tee, below.tcb_status) == (Tee.TDX, "UpToDate")


def test_google_reports_a_machine_and_its_container() -> None:
    claims = claims_of(GOOGLE)
    found = claims.reported
    assert (found.tee, found.measurements) == (Tee.TDX, {"image_digest": digest("image", 32)})
    assert claims.audience == ("https://relying.example",)
    assert found.nonces == (NONCE.hex().encode(), b"another nonce")
    assert found.facts["support_attributes"] == "LATEST,STABLE,USABLE"
    assert found.facts["project_id"] == "project"


def test_nvidia_reports_each_device_and_all_together() -> None:
    claims = claims_of(NVIDIA)
    assert claims.reported.tee is Tee.NVIDIA_GPU
    assert sorted(claims.devices) == ["GPU-0", "GPU-1"]
    device = claims.devices["GPU-0"]
    assert device.facts == {"hwmodel": "FAKE", "driver_version": "1.2.3"}
    assert device.nonces == claims.reported.nonces == (NONCE,)
    assert reported(NVIDIA, "SWITCH").tee is Tee.NVIDIA_SWITCH


@pytest.mark.parametrize("status", ["disabled-since-boot", "disabled-fully-and-permanently"])
def test_every_word_for_no_debugging_is_understood(status: str) -> None:
    assert not reported(INTEL, dbgstat=status).debug


@pytest.mark.parametrize(
    ("found", "codes"),
    [
        pytest.param(reported(INTEL, dbgstat="enabled"), ["debug-mode"], id="intel: dbgstat"),
        pytest.param(reported(INTEL, dbgstat="off"), ["debug-mode"], id="intel: unknown word"),
        pytest.param(
            reported(INTEL, tdx_is_debuggable=True), ["debug-mode"], id="intel: debuggable"
        ),
        pytest.param(
            reported(INTEL, "SGX", sgx_is_debuggable=True), ["debug-mode"], id="intel: enclave"
        ),
        pytest.param(
            reported(INTEL, attester_held_data="AAAA"), ["held-data-unbound"], id="intel: held data"
        ),
        pytest.param(
            reported(INTEL, "SGX", verifier_nonce=ABSENT),
            ["held-data-unbound"],
            id="intel: nonce taken out",
        ),
        pytest.param(
            reported(AZURE, "sgx", **{"x-ms-sgx-is-debuggable": True}),
            ["debug-mode"],
            id="azure: enclave",
        ),
        pytest.param(
            reported(AZURE, "snp", **{"x-ms-sevsnpvm-is-debuggable": True}),
            ["debug-mode"],
            id="azure: guest",
        ),
        pytest.param(
            reported(AZURE, "snp", **{"x-ms-sevsnpvm-migration-allowed": True}),
            ["guest-migratable"],
            id="azure: migration",
        ),
        pytest.param(
            reported(AZURE, "tdx", **{"x-ms-compliance-status": ABSENT}),
            ["service-check-failed"],
            id="azure: not as azure sets it up",
        ),
        pytest.param(
            reported(AZURE, "tdx", tdx_td_attributes_debug=True), ["debug-mode"], id="azure: td"
        ),
        pytest.param(
            reported(AZURE, "", **{"x-ms-azurevm-kerneldebug-enabled": True}),
            ["debug-mode"],
            id="azure: debugger of the kernel",
        ),
        pytest.param(
            reported(AZURE, "", **{"x-ms-azurevm-bootdebug-enabled": ABSENT}),
            ["debug-mode"],
            id="azure: nothing said of a debugger",
        ),
        pytest.param(
            reported(AZURE, "", **{"x-ms-azurevm-debuggersdisabled": ABSENT}),
            ["debug-mode"],
            id="azure: nothing said of debuggers",
        ),
        pytest.param(
            reported(
                AZURE, "", **{"x-ms-isolation-tee": {**snp(), "x-ms-sevsnpvm-is-debuggable": True}}
            ),
            ["debug-mode"],
            id="azure: guest below the machine",
        ),
        pytest.param(
            reported(AZURE, secureboot=False), ["secure-boot-off"], id="azure: secure boot"
        ),
        pytest.param(
            reported(AZURE, secureboot=ABSENT),
            ["secure-boot-off"],
            id="azure: nothing said of secure boot",
        ),
        pytest.param(
            reported(AZURE, "", **{"x-ms-isolation-tee": ABSENT}),
            ["debug-mode", "service-check-failed"],
            id="azure: no isolation",
        ),
        pytest.param(
            reported(AZURE, "", **{"x-ms-isolation-tee": {"x-ms-attestation-type": "azurevm"}}),
            ["debug-mode", "service-check-failed"],
            id="azure: a machine in a machine",
        ),
        pytest.param(reported(GOOGLE, dbgstat="enabled"), ["debug-mode"], id="google: debug image"),
        pytest.param(reported(GOOGLE, dbgstat=ABSENT), ["debug-mode"], id="google: nothing said"),
        pytest.param(reported(GOOGLE, secboot=False), ["secure-boot-off"], id="google: boot"),
        pytest.param(reported(GOOGLE, swname="GCE"), ["service-check-failed"], id="google: image"),
        pytest.param(
            reported(GOOGLE, hwmodel="GCP_SHIELDED_VM"),
            ["service-check-failed"],
            id="google: no isolation",
        ),
        pytest.param(
            reported(NVIDIA, "", **{"x-nvidia-overall-att-result": False}),
            ["service-check-failed"],
            id="nvidia: overall",
        ),
        pytest.param(nras(dbgstat="enabled").reported, ["debug-mode"], id="nvidia: debug"),
        pytest.param(nras(secboot=False).reported, ["secure-boot-off"], id="nvidia: boot"),
        pytest.param(nras(measres="fail").reported, ["service-check-failed"], id="nvidia: measres"),
        pytest.param(
            nras(**{"x-nvidia-attestation-warning": "old"}).reported,
            ["service-warning"],
            id="nvidia: warning",
        ),
        pytest.param(
            nras(**{"kind_attestation-report-nonce-match": False}).reported,
            ["service-check-failed"],
            id="nvidia: nonce",
        ),
        pytest.param(
            nras(**{"kind_attestation-report-signature-verified": ABSENT}).reported,
            ["service-check-failed"],
            id="nvidia: nothing said of the signature",
        ),
        pytest.param(
            nras(**{"kind_a-check-of-tomorrow": False}).reported,
            ["service-check-failed"],
            id="nvidia: a check that nobody knows",
        ),
        pytest.param(
            nras(
                **{
                    "kind_vbios-rim-cert-chain": {
                        "x-nvidia-cert-status": "valid",
                        "x-nvidia-cert-ocsp-status": "revoked",
                    }
                }
            ).reported,
            ["service-check-failed"],
            id="nvidia: revoked",
        ),
    ],
)
def test_what_a_service_has_against_an_environment_is_a_finding(
    found: Reported, codes: list[str]
) -> None:
    assert [finding.code for finding in found.findings] == codes


@pytest.mark.parametrize(
    ("service", "kind", "changes"),
    [
        (INTEL, "", {"ver": "2.0.0"}),
        (INTEL, "", {"ver": ABSENT}),
        (INTEL, "", {"tdx_mrtd": "00"}),
        (INTEL, "", {"tdx_mrtd": "zz" * 48}),
        (INTEL, "", {"tdx_mrtd": ABSENT}),
        (INTEL, "", {"tdx_rtmr1": 1}),
        (INTEL, "", {"tdx_report_data": ABSENT}),
        (INTEL, "", {"tdx_is_debuggable": "false"}),
        (INTEL, "", {"attester_held_data": "not base64"}),
        (INTEL, "", {"attester_tcb_status": ABSENT}),
        (INTEL, "", {"attester_tcb_date": "yesterday"}),
        (INTEL, "", {"attester_tcb_date": "2026-13-01T00:00:00Z"}),
        (INTEL, "", {"attester_advisory_ids": [1]}),
        (INTEL, "", {"attester_advisory_ids": ["a"] * 257}),
        (INTEL, "", {"verifier_nonce": []}),
        (INTEL, "SGX", {"sgx_isvsvn": -1}),
        (INTEL, "SGX", {"sgx_mrenclave": ABSENT}),
        (AZURE, "", {"x-ms-attestation-type": "tpm"}),
        (AZURE, "", {"x-ms-isolation-tee": "snp"}),
        (AZURE, "snp", {"x-ms-sevsnpvm-launchmeasurement": ABSENT}),
        (AZURE, "snp", {"x-ms-sevsnpvm-is-debuggable": ABSENT}),
        (AZURE, "snp", {"x-ms-sevsnpvm-migration-allowed": ABSENT}),
        (AZURE, "tdx", {"dbgstat": ABSENT}),
        (AZURE, "sgx", {"x-ms-sgx-is-debuggable": ABSENT}),
        (GOOGLE, "", {"hwmodel": "GCP_UNHEARD_OF"}),
        (GOOGLE, "", {"sub": ABSENT}),
        (GOOGLE, "", {"secboot": ABSENT}),
        (GOOGLE, "", {"eat_nonce": ["n"] * 7}),
        (GOOGLE, "", {"eat_nonce": "n" * 89}),
        (GOOGLE, "", {"submods": {"container": {"image_digest": "sha512:" + "00" * 64}}}),
        (GOOGLE, "", {"aud": 1}),
        (GOOGLE, "", {"submods": {"gce": {str(n): "" for n in range(257)}}}),
        (NVIDIA, "", {"x-nvidia-ver": "4.0"}),
        (NVIDIA, "", {"x-nvidia-overall-att-result": "true"}),
        (NVIDIA, "", {"eat_nonce": "00"}),
        (NVIDIA, "CPU", {}),
    ],
    ids=lambda value: None if isinstance(value, dict) else str(value),
)
def test_claims_of_another_form_are_malformed(
    service: Service, kind: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(MalformedError):
        claims_of(service, kind, **changes)


def test_a_token_over_devices_of_two_kinds_is_malformed() -> None:
    fake = SERVICES[NVIDIA]
    devices = {name: fake.device(name) for name in ("GPU-0", "SWITCH-0")}
    with pytest.raises(MalformedError, match="both kinds"):
        claims_of(NVIDIA, devices=devices)


def test_the_year_after_the_last_has_no_number() -> None:
    with pytest.raises(MalformedError):
        claims_of(INTEL, exp=253402300800)
