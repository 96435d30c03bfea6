from dataclasses import replace

import pytest
from tests.fakes.nvidia import FakeNvidia

from adyton.crypto.path import verify_path
from adyton.crypto.suites import ES384
from adyton.evidence.nvidia.device import Architecture, Device, DeviceRejectedError

VENDOR = FakeNvidia("hopper")
PATH = verify_path(VENDOR.chain, roots=VENDOR.roots, suite=ES384)


@pytest.mark.parametrize(
    ("chip", "architecture"),
    [
        ("GH100", Architecture.HOPPER),
        ("GB100", Architecture.BLACKWELL),
        ("GB202", Architecture.BLACKWELL),
        ("LS_10", Architecture.LS10),
    ],
)
def test_each_chip_is_of_its_generation(chip: str, architecture: Architecture) -> None:
    assert Architecture.of_chip(chip) is architecture


@pytest.mark.parametrize("chip", ["GA100", "GH1000", "gh100", "GH\u0661\u0660\u0660", "LS_1"])
def test_a_chip_of_no_generation_is_refused(chip: str) -> None:
    with pytest.raises(DeviceRejectedError):
        Architecture.of_chip(chip)


def test_a_device_is_read_off_its_certificates() -> None:
    found = Device.of_path(PATH)
    assert (found.architecture, found.chip) == (Architecture.HOPPER, "GH100")
    assert found.model == "GH100 A01 GSP BROM"


def test_a_path_that_is_shorter_than_a_devices_is_refused() -> None:
    with pytest.raises(DeviceRejectedError, match="4 certificates"):
        Device.of_path(replace(PATH, certificates=PATH.certificates[:4]))
