"""Real reports of NVIDIA's devices: what the manifest does not say about them."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from tests.vectors.manifest import MANIFEST, NO_VECTORS, VECTORS, content
from tests.vectors.nvidia import (
    WHOLE,
    answer,
    authenticated,
    device_of,
    named,
    reports,
    rim,
)

from adyton.codec.pem import read_chain
from adyton.crypto.ocsp import OcspRejectedError
from adyton.crypto.path import CertificateTimeRejectedError, PathCache
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import AdytonError
from adyton.evidence.nvidia.authenticate import authenticate
from adyton.evidence.nvidia.collateral import NvidiaCollateral
from adyton.evidence.nvidia.comparison import RimRejectedError
from adyton.evidence.nvidia.findings import findings
from adyton.evidence.nvidia.opaque import GpuMode
from adyton.evidence.nvidia.roots import NVIDIA_RIM_ROOTS, NVIDIA_ROOTS
from adyton.evidence.nvidia.serialized import read_evidence

REPORTS: Final = reports()
AUTHENTIC: Final = [entry for entry in REPORTS if "badsig" not in entry["file"]]
# The day of the answers about the device.
DEVICE_DAY: Final = datetime(2025, 8, 21, 12, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason=NO_VECTORS)


def test_what_only_some_generations_say_is_read() -> None:
    hopper = authenticated(named("nvidia/hopper-590.12.evidence.json"))
    assert (hopper.opaque.mode, hopper.opaque.protected_pcie) == (GpuMode.PPCIE, True)
    several = authenticated(named("nvidia/blackwell-mpt-590.48.01.evidence.json"))
    assert (several.opaque.mode, several.opaque.chip_info) == (GpuMode.MPT, "GB100")
    assert several.firmware.flags == frozenset()
    assert several.driver_rim_id == "NV_GPU_CC_DRIVER_GB100_590.48.01"
    switch = authenticated(named("nvidia/nvswitch-ls10.evidence.json"))
    assert (switch.is_switch, switch.driver_version) == (True, None)
    assert switch.opaque.fields["device_pdi"].hex() == "203eb31ad9ed0008"
    assert switch.comparison.compared == 31
    assert switch.vbios_rim_id == "NV_SWITCH_BIOS_5612_0002_890_9610550001"


def test_a_report_with_all_its_golden_values_has_nothing_against_it() -> None:
    claims = authenticated(named(WHOLE))
    assert claims.comparison.matches
    # Measurement 35 is left out: this GPU's decoder is off.
    assert (claims.comparison.compared, claims.comparison.unreferenced) == (32, ())
    assert findings(claims) == ()
    assert claims.driver_rim_id == "NV_GPU_DRIVER_GH100_550.90.07"
    assert claims.vbios_rim_id == "NV_GPU_VBIOS_1010_0200_882_96009F0001"
    # As NVIDIA's service calls the device in its token about it.
    assert claims.device.ueid == "478176379286082186618948445787393647364802107249"


def test_a_measurement_that_is_no_golden_value_is_named() -> None:
    claims = authenticated(named("nvidia/hopper-535.86.09.evidence.json"))
    (difference,) = claims.comparison.differences
    assert (difference.index, difference.name) == (9, "Measurement_9")
    assert difference.found == claims.measurements["measurement_9"]


def test_golden_values_that_somebody_changed_are_refused() -> None:
    changed = rim("neg-NV_GPU_DRIVER_GH100_535.86.09_measurement_mismatch")
    with pytest.raises(SignatureRejectedError):
        authenticated(named("nvidia/hopper-535.86.09.evidence.json"), driver_rim=changed)


def test_golden_values_of_another_version_are_refused() -> None:
    entry = named("nvidia/hopper-590.12.evidence.json")
    with pytest.raises(RimRejectedError, match="version"):
        authenticated(entry, driver_rim=rim("NV_GPU_DRIVER_GH100_550.90.07"))


def test_golden_values_are_refused_outside_of_their_certificates_validity() -> None:
    with pytest.raises(CertificateTimeRejectedError):
        authenticated(named(WHOLE), at=datetime(2026, 2, 23, 12, tzinfo=UTC))


def test_answers_about_a_device_count_at_their_time_and_for_that_device() -> None:
    answers = tuple(answer(f"certificate_l{n}") for n in (2, 3, 4))
    alone: dict[str, Any] = {"driver_rim": None, "vbios_rim": None, "ocsp": answers}
    claims = authenticated(named(WHOLE), at=DEVICE_DAY, **alone)
    assert claims.revocation.missing == ()
    assert {f"{window.last:%Y-%m-%d}" for window in claims.revocation.windows} == {"2025-08-22"}
    with pytest.raises(OcspRejectedError):
        authenticated(named(WHOLE), **alone)
    with pytest.raises(OcspRejectedError):
        authenticated(named("nvidia/hopper-590.12.evidence.json"), at=DEVICE_DAY, ocsp=answers)


def test_one_cache_for_all_reports_gives_the_same_claims() -> None:
    cache = PathCache()
    for entry in AUTHENTIC:
        first = authenticated(entry, cache=cache)
        assert authenticated(entry, cache=cache) == first == authenticated(entry)


def test_no_report_goes_with_another_ones_certificates() -> None:
    for entry in AUTHENTIC:
        for other in REPORTS:
            chain = device_of(other).chain
            if device_of(entry).chain != chain:
                with pytest.raises(AdytonError):
                    authenticated(entry, device=replace(device_of(entry), chain=chain))


def test_no_seventh_bit_of_a_real_report_can_be_flipped() -> None:
    entry, cache = named("nvidia/nvswitch-ls10.evidence.json"), PathCache()
    device = device_of(entry)
    for bit in range(0, 8 * len(device.transcript), 7):
        broken = bytearray(device.transcript)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AdytonError):
            authenticate(
                replace(device, transcript=bytes(broken)),
                collateral=NvidiaCollateral(),
                roots=NVIDIA_ROOTS,
                rim_roots=NVIDIA_RIM_ROOTS,
                at=DEVICE_DAY,
                cache=cache,
            )


def test_a_file_with_several_devices_is_read() -> None:
    both = [json.loads(content(entry))[0] for entry in REPORTS[:2]]
    found = read_evidence(json.dumps({"evidences": both, "result_code": 0}).encode())
    assert list(found) == [device_of(entry) for entry in REPORTS[:2]]


def test_the_pins_are_those_of_the_genuine_certificates() -> None:
    for name, pinned in (
        ("nvidia_device_root", NVIDIA_ROOTS["nvidia-device"]),
        ("nvidia_rim_root", NVIDIA_RIM_ROOTS["nvidia-rim"]),
    ):
        pem = (VECTORS / "nvidia" / "certs" / f"{name}.pem").read_bytes()
        (der,) = read_chain(pem, name, size=1)
        assert hashlib.sha256(der).digest() == pinned
