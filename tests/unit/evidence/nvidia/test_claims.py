import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from tests.fakes.nvidia import CHIPS, DRIVER, NONCE, NOW, Answer, FakeNvidia, Generation

from adyton.codec.json import canonical
from adyton.evidence.nvidia.authenticate import authenticate
from adyton.evidence.nvidia.claims import claims_of
from adyton.evidence.nvidia.roots import NVIDIA_RIM_ROOTS, NVIDIA_ROOTS
from adyton.evidence.roots import VENDOR_ROOTS
from adyton.model.claims import Claims, Platform, Technology, VendorRoot


def claims(vendor: FakeNvidia, **parts: object) -> Claims:
    return claims_of(
        authenticate(
            vendor.evidence(),
            collateral=vendor.collateral(**parts),
            roots=vendor.roots,
            rim_roots=vendor.rim_roots,
            at=NOW,
        )
    )


@pytest.mark.parametrize("generation", CHIPS)
def test_a_good_report_becomes_claims_without_a_finding(generation: Generation) -> None:
    vendor = FakeNvidia(generation)
    found = claims(vendor)
    is_switch = generation == "ls10"
    assert found.technology is (Technology.NVIDIA_SWITCH if is_switch else Technology.NVIDIA_GPU)
    # A fake root is nobody's.
    assert found.platform is Platform.INSECURE
    assert (found.nonce, found.report_data, found.issued) == (NONCE, None, None)
    assert (found.instance, found.is_debug, found.configuration) == ("41431d48", False, ())
    assert found.tcb is not None
    assert found.tcb.is_revocation_checked
    assert len(found.tcb.windows) == (6 if is_switch else 9)
    assert found.details["driver_version"] == (None if is_switch else DRIVER)
    assert canonical(found.to_json())


def test_what_is_missing_counts_against_a_device() -> None:
    found = claims(FakeNvidia("hopper"), driver_rim=None, ocsp=())
    assert found.is_debug
    assert found.tcb is not None
    assert not found.tcb.is_revocation_checked
    golden = found.details["golden_values"]
    assert isinstance(golden, dict)
    assert (golden["matches"], golden["missing"]) == (False, ["driver"])


def test_a_difference_is_told_value_by_value() -> None:
    vendor = FakeNvidia("blackwell")
    golden = vendor.golden("driver")
    golden[40] = golden[40][:1]
    answers = vendor.answers(
        boot=Answer(status=ocsp.OCSPCertStatus.REVOKED, reason=x509.ReasonFlags.certificate_hold)
    )
    found = claims(vendor, driver_rim=vendor.rim("driver", golden=golden), ocsp=answers)
    told = found.details["golden_values"]
    assert isinstance(told, dict)
    assert told["differences"] == [
        {
            "kind": "driver",
            "index": 40,
            "name": "Measurement_40",
            "found": vendor.values()[40].hex(),
            "accepted": [golden[40][0].hex()],
        }
    ]
    assert {finding.code for finding in found.configuration} == {
        "golden-value-differs",
        "debug-mode",
        "confidential-computing-off",
        "certificate-on-hold",
    }
    assert canonical(found.to_json())


def test_the_pinned_roots_go_by_their_names() -> None:
    assert {
        root.value: VENDOR_ROOTS[root.value]
        for root in (VendorRoot.NVIDIA_DEVICE, VendorRoot.NVIDIA_RIM)
    } == {**NVIDIA_ROOTS, **NVIDIA_RIM_ROOTS}
