import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import ocsp
from tests.fakes.nvidia import (
    CHIPS,
    COMPOSITE,
    DRIVER,
    FWID,
    KEYS,
    NONCE,
    NOW,
    TCB_INFO,
    VBIOS,
    Answer,
    FakeNvidia,
    Generation,
    Keys,
    composite,
    tcb_info,
)

from adyton.crypto.crl import CertificateRevokedError
from adyton.crypto.ocsp import CertificateStatus, CertificateStatusUnknownError, OcspRejectedError
from adyton.crypto.path import (
    CertificateRejectedError,
    CertificateTimeRejectedError,
    PathCache,
    RootRejectedError,
)
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import AdytonError, MalformedError
from adyton.evidence.nvidia.authenticate import FirmwareRejectedError, NvidiaClaims, authenticate
from adyton.evidence.nvidia.collateral import NvidiaCollateral
from adyton.evidence.nvidia.comparison import RimRejectedError
from adyton.evidence.nvidia.device import DeviceRejectedError
from adyton.evidence.nvidia.findings import findings
from adyton.evidence.nvidia.rim import RimKind

HOPPER = FakeNvidia("hopper")
BLACKWELL = FakeNvidia("blackwell")
SWITCH = FakeNvidia("ls10")
OTHER = Keys()
REVOKED = Answer(status=ocsp.OCSPCertStatus.REVOKED)
HELD = Answer(status=ocsp.OCSPCertStatus.REVOKED, reason=x509.ReasonFlags.certificate_hold)


def authenticated(
    vendor: FakeNvidia = HOPPER,
    transcript: bytes | None = None,
    *,
    collateral: NvidiaCollateral | None = None,
    **changes: Any,
) -> NvidiaClaims:
    arguments: dict[str, Any] = {
        "roots": vendor.roots,
        "rim_roots": vendor.rim_roots,
        "at": NOW,
        **changes,
    }
    return authenticate(
        vendor.evidence(transcript),
        collateral=vendor.collateral() if collateral is None else collateral,
        **arguments,
    )


def codes(claims: NvidiaClaims) -> list[str]:
    return [finding.code for finding in findings(claims)]


@pytest.mark.parametrize("generation", CHIPS)
def test_a_good_report_of_each_generation_is_authentic(generation: Generation) -> None:
    vendor = FakeNvidia(generation)
    claims = authenticated(vendor)
    assert claims.architecture == generation
    assert claims.is_switch is (generation == "ls10")
    assert claims.nonce == NONCE
    assert claims.vbios_version == VBIOS[generation]
    assert claims.driver_version == (None if claims.is_switch else DRIVER)
    assert claims.measurements["fwid"] == FWID
    assert claims.measurements["measurement_1"] == hashlib.sha384(b"measured 1").digest()
    assert len(claims.measurements) == vendor.count + 1
    assert (claims.root, claims.is_genuine) == ("fake", False)
    assert (claims.first, claims.last) == (
        vendor.recipes["leaf"].first,
        vendor.recipes["leaf"].last,
    )
    assert len(claims.windows) == 5 + 4 * len(claims.rims)
    assert claims.revocation.missing == ()
    assert set(claims.revocation.statuses.values()) == {CertificateStatus.GOOD}
    assert len(claims.revocation.windows) == 3 + 3 * len(claims.rims)
    assert claims.signed_sha256 == hashlib.sha256(vendor.body()).digest()
    assert (claims.device.serial, claims.device.ueid) == ("41431d48", str(0x53C22BA1))
    assert claims.comparison.matches
    assert findings(claims) == ()


def test_golden_values_are_called_as_nvidias_service_calls_them() -> None:
    hopper, blackwell, switch = map(authenticated, (HOPPER, BLACKWELL, SWITCH))
    assert hopper.driver_rim_id == "NV_GPU_DRIVER_GH100_590.48.01"
    assert hopper.vbios_rim_id == "NV_GPU_VBIOS_1010_0200_882_96009F0001"
    assert blackwell.driver_rim_id == "NV_GPU_CC_DRIVER_GB100_590.48.01"
    assert switch.driver_rim_id is None
    assert switch.vbios_rim_id == "NV_SWITCH_BIOS_5612_0002_890_9610550001"


def test_an_older_driver_does_not_repeat_the_firmwares_digest() -> None:
    report = HOPPER.transcript(opaque=HOPPER.opaque(f20=None, f21=None))
    claims = authenticated(HOPPER, report)
    assert claims.measurements["fwid"] == FWID
    assert findings(claims) == ()


def hopper(**recipes: Any) -> Callable[[], NvidiaClaims]:
    return lambda: authenticated(FakeNvidia("hopper", **recipes))


def blackwell(**recipes: Any) -> Callable[[], NvidiaClaims]:
    return lambda: authenticated(FakeNvidia("blackwell", **recipes))


def of(vendor: FakeNvidia, **changes: Any) -> Callable[[], NvidiaClaims]:
    return lambda: authenticated(vendor, vendor.transcript(**changes))


def given(vendor: FakeNvidia = HOPPER, **parts: Any) -> Callable[[], NvidiaClaims]:
    return lambda: authenticated(vendor, collateral=vendor.collateral(**parts))


def answered(vendor: FakeNvidia = HOPPER, **recipes: Answer) -> Callable[[], NvidiaClaims]:
    return given(vendor, ocsp=vendor.answers(**recipes))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(
            of(HOPPER, request=bytes.fromhex("12e001ff")), MalformedError, id="1: version"
        ),
        pytest.param(
            lambda: authenticated(roots=FakeNvidia("hopper").roots), RootRejectedError, id="2: root"
        ),
        pytest.param(
            lambda: authenticated(roots=HOPPER.rim_roots), RootRejectedError, id="2: rim root"
        ),
        pytest.param(
            hopper(family={"signed_by_itself": True}), CertificateRejectedError, id="2: family"
        ),
        pytest.param(
            hopper(boot={"signed_by_itself": True}), CertificateRejectedError, id="2: boot"
        ),
        pytest.param(
            hopper(leaf={"signed_by_itself": True}), CertificateRejectedError, id="2: leaf"
        ),
        pytest.param(hopper(leaf={"issuer": "GH100"}), CertificateRejectedError, id="2: issuer"),
        pytest.param(hopper(leaf={"hash": SHA256()}), CertificateRejectedError, id="2: sha-256"),
        pytest.param(
            hopper(boot={"is_authority": False}), CertificateRejectedError, id="2: no authority"
        ),
        pytest.param(
            hopper(leaf={"is_authority": True}), CertificateRejectedError, id="2: an authority"
        ),
        pytest.param(
            hopper(leaf={"signs_documents": False}), CertificateRejectedError, id="2: usage"
        ),
        pytest.param(
            hopper(boot={"last": NOW - timedelta(seconds=1)}),
            CertificateTimeRejectedError,
            id="2: expired",
        ),
        pytest.param(
            hopper(leaf={"first": NOW + timedelta(seconds=1)}),
            CertificateTimeRejectedError,
            id="2: not yet valid",
        ),
        pytest.param(
            hopper(family={"name": "NVIDIA BlueField"}), DeviceRejectedError, id="3: family"
        ),
        pytest.param(
            hopper(line={"name": "NVIDIA GB100 Provisioner ICA 1"}),
            DeviceRejectedError,
            id="3: line of another chip",
        ),
        pytest.param(hopper(boot={"name": "GH100 A01 GSP"}), DeviceRejectedError, id="3: boot"),
        pytest.param(
            hopper(leaf={"name": "GH100 A01 GSP FMC DEBUG"}), DeviceRejectedError, id="3: firmware"
        ),
        pytest.param(
            hopper(
                line={"name": "NVIDIA GX100 Provisioner ICA 1"},
                boot={"name": "GX100 A01 GSP BROM"},
                leaf={"name": "GX100 A01 GSP FMC LF"},
            ),
            DeviceRejectedError,
            id="3: chip",
        ),
        pytest.param(
            lambda: authenticated(
                transcript=HOPPER.body() + FakeNvidia(keys=OTHER).sign(HOPPER.body())
            ),
            SignatureRejectedError,
            id="4: another key",
        ),
        pytest.param(
            lambda: authenticated(transcript=HOPPER.body() + HOPPER.sign(HOPPER.body()[37:])),
            SignatureRejectedError,
            id="4: the response alone",
        ),
        pytest.param(
            lambda: authenticated(HOPPER, SWITCH.transcript()), MalformedError, id="5: a switch's"
        ),
        pytest.param(
            of(HOPPER, opaque=HOPPER.opaque(f3=None)), MalformedError, id="5: no driver version"
        ),
        pytest.param(
            of(HOPPER, opaque=HOPPER.opaque(f20=bytes(48))), FirmwareRejectedError, id="6: fwid"
        ),
        pytest.param(
            hopper(leaf={"extensions": {}}), MalformedError, id="6: no identity of the firmware"
        ),
        pytest.param(
            hopper(leaf={"extensions": {COMPOSITE: composite(OTHER.by_role["boot"])}}),
            FirmwareRejectedError,
            id="6: another boot code",
        ),
        pytest.param(
            blackwell(leaf={"extensions": {TCB_INFO: tcb_info(digest=bytes(48))}}),
            FirmwareRejectedError,
            id="6: fwid of blackwell",
        ),
        pytest.param(
            lambda: authenticated(rim_roots=FakeNvidia("hopper").rim_roots),
            RootRejectedError,
            id="7: root",
        ),
        pytest.param(
            lambda: authenticated(rim_roots=HOPPER.roots), RootRejectedError, id="7: device root"
        ),
        pytest.param(
            hopper(rim_leaf={"signed_by_itself": True}), CertificateRejectedError, id="7: leaf"
        ),
        pytest.param(
            hopper(rim_leaf={"last": NOW - timedelta(seconds=1)}),
            CertificateTimeRejectedError,
            id="7: expired",
        ),
        pytest.param(
            given(driver_rim=HOPPER.rim("driver", role="other")),
            SignatureRejectedError,
            id="7: signature",
        ),
        pytest.param(
            given(driver_rim=HOPPER.rim("driver", version="590.48.02")),
            RimRejectedError,
            id="7: driver version",
        ),
        pytest.param(
            given(vbios_rim=HOPPER.rim("vbios", version="96.00.9F.00.02")),
            RimRejectedError,
            id="7: vbios version",
        ),
        pytest.param(
            given(driver_rim=HOPPER.rim("vbios")), RimRejectedError, id="7: the other one"
        ),
        pytest.param(
            given(vbios_rim=HOPPER.rim("vbios", edition="SWITCH")),
            RimRejectedError,
            id="7: edition",
        ),
        pytest.param(
            given(SWITCH, driver_rim=HOPPER.rim("driver")),
            RimRejectedError,
            id="7: a driver of a switch",
        ),
        pytest.param(
            given(driver_rim=HOPPER.rim("driver", golden=HOPPER.golden("vbios"))),
            RimRejectedError,
            id="7: the same measurement in both",
        ),
        pytest.param(answered(boot=REVOKED), CertificateRevokedError, id="8: revoked gpu"),
        pytest.param(answered(line=REVOKED), CertificateRevokedError, id="8: revoked authority"),
        pytest.param(answered(rim_leaf=REVOKED), CertificateRevokedError, id="8: revoked rim"),
        pytest.param(
            answered(boot=Answer(status=ocsp.OCSPCertStatus.UNKNOWN)),
            CertificateStatusUnknownError,
            id="8: unknown gpu",
        ),
        pytest.param(
            answered(boot=Answer(last=NOW - timedelta(seconds=1))),
            OcspRejectedError,
            id="8: expired",
        ),
        pytest.param(
            answered(boot=Answer(signed_by_another=True)), OcspRejectedError, id="8: signature"
        ),
        pytest.param(
            given(ocsp=FakeNvidia("hopper", boot={"serial": 9}).answers()),
            OcspRejectedError,
            id="8: another device",
        ),
        pytest.param(
            given(ocsp=(*HOPPER.answers(), HOPPER.answer("boot", REVOKED))),
            CertificateRevokedError,
            id="8: good and revoked",
        ),
        pytest.param(given(ocsp=(b"",)), MalformedError, id="8: not an answer"),
    ],
)
def test_each_broken_step_is_refused(
    broken: Callable[[], NvidiaClaims], reason: type[AdytonError]
) -> None:
    with pytest.raises(reason) as caught:
        broken()
    assert caught.type is reason


def test_no_golden_values_and_wrong_ones_are_different_answers() -> None:
    missing = authenticated(collateral=HOPPER.collateral(driver_rim=None, vbios_rim=None, ocsp=()))
    assert missing.comparison.missing == (RimKind.DRIVER, RimKind.VBIOS)
    assert not missing.comparison.matches
    assert codes(missing) == [
        "rim-missing",
        "rim-missing",
        "debug-mode",
        "confidential-computing-off",
    ]
    values = HOPPER.values()
    values[40] = hashlib.sha384(b"devtools").digest()
    wrong = authenticated(HOPPER, HOPPER.transcript(values=values))
    (difference,) = wrong.comparison.differences
    assert (difference.kind, difference.index, difference.found) == (
        RimKind.DRIVER,
        40,
        values[40],
    )
    assert HOPPER.values()[40] in difference.accepted
    assert f"driver measurement 40 (Measurement_40) is {values[40].hex()}, not " in str(difference)
    assert codes(wrong) == ["golden-value-differs", "debug-mode", "confidential-computing-off"]


def test_a_measurement_that_is_left_out_is_a_difference() -> None:
    claims = authenticated(HOPPER, HOPPER.transcript(values=HOPPER.values()[:-1]))
    (difference,) = claims.comparison.differences
    assert (difference.index, difference.found) == (63, None)
    assert "is absent" in str(difference)


def test_many_differences_are_told_in_few_words() -> None:
    claims = authenticated(HOPPER, HOPPER.transcript(values=[bytes(48)] * 64))
    assert len(claims.comparison.differences) > 9
    assert codes(claims).count("golden-value-differs") == 9
    assert "measurements more" in findings(claims)[8].message


def test_the_measurement_of_a_decoder_that_is_off_is_left_out() -> None:
    values = HOPPER.values()
    values[35] = hashlib.sha384(b"anything").digest()
    off = HOPPER.opaque(f11=b"\x55")
    assert authenticated(HOPPER, HOPPER.transcript(values=values, opaque=off)).comparison.matches
    on = authenticated(HOPPER, HOPPER.transcript(values=values))
    assert [each.index for each in on.comparison.differences] == [35]


def test_a_measurement_without_a_golden_value_is_named() -> None:
    golden = HOPPER.golden("driver")
    del golden[40]
    collateral = HOPPER.collateral(driver_rim=HOPPER.rim("driver", golden=golden))
    claims = authenticated(collateral=collateral)
    assert claims.comparison.unreferenced == (40,)
    assert claims.comparison.matches


@pytest.mark.parametrize(
    ("opaque", "expected"),
    [
        ({"f36": b"\2\0"}, ["protected-pcie"]),
        ({"f21": b"\xaa"}, ["protected-pcie"]),
        ({"f36": b"\3\0"}, ["gpu-mode-unknown"]),
        ({"f36": b"\0\0"}, []),
        ({"f200": b"new"}, ["opaque-field-unknown"]),
    ],
)
def test_each_thing_that_a_report_says_against_a_device_is_a_finding(
    opaque: dict[str, bytes], expected: list[str]
) -> None:
    report = HOPPER.transcript(opaque=HOPPER.opaque(**opaque))
    assert codes(authenticated(HOPPER, report)) == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (0x80000001, []),
        (0x10000001, ["debug-mode"]),
        (0x40000001, ["firmware-not-secure"]),
        (0x20000001, ["firmware-in-recovery"]),
    ],
)
def test_each_flag_in_a_certificate_of_blackwell_is_a_finding(
    flags: int, expected: list[str]
) -> None:
    leaf = {"extensions": {TCB_INFO: tcb_info(flags=flags)}}
    assert codes(authenticated(FakeNvidia("blackwell", leaf=leaf))) == expected


@pytest.mark.parametrize("role", ["family", "line", "boot", "rim_family", "rim_line", "rim_leaf"])
def test_a_certificate_on_hold_is_a_finding(role: str) -> None:
    claims = authenticated(collateral=HOPPER.collateral(ocsp=HOPPER.answers(**{role: HELD})))
    assert set(codes(claims)) == {"certificate-on-hold"}
    name = HOPPER.recipes[role].name
    assert all(name in held for held in claims.revocation.on_hold)


def test_a_good_answer_does_not_outweigh_a_hold() -> None:
    for answers in (
        (HOPPER.answer("boot", HELD), HOPPER.answer("boot")),
        (HOPPER.answer("boot"), HOPPER.answer("boot", HELD)),
    ):
        claims = authenticated(collateral=HOPPER.collateral(ocsp=answers))
        assert claims.revocation.on_hold == ("device: GH100 A01 GSP BROM",)


def test_certificates_about_which_nobody_was_asked_are_named() -> None:
    answers = tuple(HOPPER.answer(role) for role in ("family", "line"))
    claims = authenticated(collateral=HOPPER.collateral(driver_rim=None, ocsp=answers))
    assert claims.revocation.missing == (
        "device: GH100 A01 GSP BROM",
        "vbios rim: NVIDIA Reference Value GH100 CA",
        "vbios rim: NVIDIA Reference Value L3 GH100 001",
        "vbios rim: HCC RIM L4 Signer",
    )


def test_a_certificate_is_missed_where_another_of_its_name_is_not() -> None:
    vendor = FakeNvidia("hopper", rim_line={"name": "HCC RIM L4 Signer"})
    answers = tuple(vendor.answer(role) for role in ("family", "line", "boot", "rim_family"))
    answers += (vendor.answer("rim_leaf"),)
    claims = authenticated(vendor, collateral=vendor.collateral(driver_rim=None, ocsp=answers))
    assert claims.revocation.missing == ("vbios rim: HCC RIM L4 Signer",)


def test_a_root_is_genuine_by_its_digest_and_not_by_its_name() -> None:
    claims = authenticated(roots={"nvidia-device": HOPPER.roots["fake"]})
    assert (claims.root, claims.is_genuine) == ("nvidia-device", False)


def test_a_cache_changes_nothing() -> None:
    cache, report, collateral = PathCache(), HOPPER.transcript(), HOPPER.collateral()
    first = authenticated(transcript=report, collateral=collateral, cache=cache)
    for again in (cache, None):
        assert authenticated(transcript=report, collateral=collateral, cache=again) == first
    with pytest.raises(CertificateTimeRejectedError):
        authenticated(cache=cache, at=NOW + timedelta(days=400))


@pytest.mark.parametrize(
    "parts",
    [
        {"vbios_rim": bytes(256 * 1024 + 1)},
        {"ocsp": (bytes(16 * 1024 + 1),)},
        {"ocsp": (b"",) * 17},
    ],
    ids=["rim", "answer", "answers"],
)
def test_collateral_has_limits(parts: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        HOPPER.collateral(**parts)


def test_the_keys_of_the_fake_are_different() -> None:
    assert len({key.private_numbers().private_value for key in KEYS.by_role.values()}) == 11
