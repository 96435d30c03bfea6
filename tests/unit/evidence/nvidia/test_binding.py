import hashlib
from dataclasses import replace

import pytest
from tests.fakes.nvidia import NOW, FakeNvidia, Generation

from adyton.evidence.nvidia.authenticate import authenticate
from adyton.evidence.nvidia.binding import (
    BindingForm,
    DeviceBindingRejectedError,
    check_binding,
    commitment_of,
    device_nonce,
)
from adyton.evidence.nvidia.claims import claims_of
from adyton.model.claims import Claims, Technology

REPORT_DATA = hashlib.sha512(b"report data").digest()
SHORT = hashlib.sha256(b"nonce of the processor").digest()


def claims(generation: Generation = "hopper", *, nonce: bytes, serial: int = 7) -> Claims:
    vendor = FakeNvidia(generation, boot={"serial": serial})
    return claims_of(
        authenticate(
            vendor.evidence(vendor.transcript(nonce=nonce)),
            collateral=vendor.collateral(driver_rim=None, vbios_rim=None, ocsp=()),
            roots=vendor.roots,
            rim_roots=vendor.rim_roots,
            at=NOW,
        )
    )


def test_a_nonce_is_derived_as_documented() -> None:
    text = b"adyton/nvidia/nonce/v1"
    parts = (len(text).to_bytes(8, "little"), text, (64).to_bytes(8, "little"), REPORT_DATA)
    assert device_nonce(REPORT_DATA) == hashlib.sha256(b"".join(parts)).digest()


def test_devices_are_bound_by_a_derived_nonce() -> None:
    nonce = device_nonce(REPORT_DATA)
    devices = [claims(nonce=nonce), claims("ls10", nonce=nonce, serial=8)]
    found = check_binding(devices, commitment=REPORT_DATA)
    assert (found.form, found.devices) == (BindingForm.DERIVED, ("7", "8"))
    assert found.commitment == REPORT_DATA
    other = check_binding(devices[::-1], commitment=REPORT_DATA)
    assert other.signed_sha256 != found.signed_sha256


@pytest.mark.parametrize("commitment", [SHORT, SHORT + bytes(32)], ids=["32 bytes", "padded"])
def test_devices_are_bound_by_the_same_nonce(commitment: bytes) -> None:
    found = check_binding([claims(nonce=SHORT)], commitment=commitment)
    assert found.form is BindingForm.EQUAL


@pytest.mark.parametrize(
    ("devices", "commitment"),
    [
        pytest.param([claims(nonce=SHORT)], REPORT_DATA, id="another nonce"),
        pytest.param([claims(nonce=REPORT_DATA[:32])], REPORT_DATA, id="a part of it"),
        pytest.param([claims(nonce=SHORT[:31] + b"\0")], SHORT[:31], id="short"),
        pytest.param([claims(nonce=bytes(32))], bytes(64), id="zeros"),
        pytest.param(
            [claims(nonce=SHORT), claims("ls10", nonce=device_nonce(SHORT), serial=8)],
            SHORT,
            id="two forms",
        ),
        pytest.param([claims(nonce=SHORT), claims(nonce=SHORT)], SHORT, id="one device twice"),
        pytest.param([replace(claims(nonce=SHORT), nonce=None)], SHORT, id="no nonce"),
        pytest.param(
            [replace(claims(nonce=SHORT), technology=Technology.NITRO)], SHORT, id="a processor"
        ),
    ],
)
def test_what_is_not_bound_is_refused(devices: list[Claims], commitment: bytes) -> None:
    with pytest.raises(DeviceBindingRejectedError):
        check_binding(devices, commitment=commitment)


def test_a_processor_commits_to_its_report_data_or_to_its_nonce() -> None:
    processor = replace(claims(nonce=SHORT), technology=Technology.TDX, report_data=REPORT_DATA)
    assert commitment_of(processor) == REPORT_DATA
    assert commitment_of(replace(processor, report_data=None)) == SHORT
    assert commitment_of(replace(processor, report_data=None, nonce=None)) == b""


def test_no_devices_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no devices"):
        check_binding([], commitment=SHORT)
