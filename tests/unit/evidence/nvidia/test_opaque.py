import pytest
from tests.fakes.nvidia import DRIVER, VBIOS, FakeNvidia

from adyton.errors import MalformedError
from adyton.evidence.layouts import unverified_fields
from adyton.evidence.nvidia.opaque import GpuMode, OpaqueData

HOPPER, BLACKWELL, SWITCH = (FakeNvidia(name) for name in ("hopper", "blackwell", "ls10"))


def test_a_gpus_fields_are_read_by_nvidias_names() -> None:
    found = OpaqueData.of_gpu(dict(BLACKWELL.opaque()))
    assert (found.driver_version, found.vbios_version) == (DRIVER, VBIOS["blackwell"])
    assert (found.project, found.project_sku, found.chip_sku) == ("1010", "0200", "882")
    assert (found.chip_info, found.mode) == ("GB100", GpuMode.MPT)
    assert (found.protected_pcie, found.nvdec0, found.mode_unknown) == (False, True, False)
    assert found.unknown == ()
    assert {"driver_version", "fwid", "opaque_data_version"} <= found.fields.keys()


def test_a_switch_has_other_names_for_the_same_numbers() -> None:
    found = OpaqueData.of_switch(dict(SWITCH.opaque()))
    assert found.fields.keys() == {"vbios_version", "device_pdi", "switch_lock_status"}
    assert (found.driver_version, found.vbios_version) == (None, VBIOS["ls10"])
    assert "switch_pdi" in OpaqueData.of_gpu(dict(HOPPER.opaque(f22=bytes(8)))).fields


def test_a_report_is_shown_by_nvidias_names() -> None:
    for vendor in (BLACKWELL, SWITCH):
        shown = unverified_fields(vendor.file())["device_0"]
        assert isinstance(shown, dict)
        found = shown["opaque_data"]
        assert isinstance(found, dict)
        assert found["vbios_version"] == VBIOS[vendor.generation]
        assert found["driver_version"] == (None if vendor is SWITCH else DRIVER)


def test_an_older_driver_has_fewer_fields() -> None:
    found = OpaqueData.of_gpu(dict(HOPPER.opaque(f11=None, f20=None, f21=None)))
    assert (found.mode, found.mode_unknown, found.protected_pcie) == (None, False, False)
    # Where it is not said that a decoder is off, its measurement is compared.
    assert found.nvdec0


def test_what_nobody_knows_is_kept_by_its_number() -> None:
    found = OpaqueData.of_gpu(dict(HOPPER.opaque(f77=b"new", f36=b"\x09\0")))
    assert found.unknown == (77,)
    assert (found.mode, found.mode_unknown) == (None, True)
    assert OpaqueData.of_switch(dict(SWITCH.opaque(f36=b"\0\0"))).unknown == (36,)


@pytest.mark.parametrize(
    "broken",
    [
        {"f3": None},
        {"f6": None},
        {"f15": None},
        {"f17": None},
        {"f18": None},
        {"f3": b"590\n"},
        {"f3": b"5\x009"},
        {"f3": "590.é".encode()},
        {"f3": b"5" * 65},
        {"f6": bytes(7)},
        {"f6": bytes(5) + b"\1\0\0"},
        {"f11": b"\0"},
        {"f21": b"\xaa\xaa"},
        {"f36": b"\1"},
    ],
    ids=[
        *("no driver", "no vbios", "no chip sku", "no project", "no project sku", "control"),
        *("zero inside", "not ascii", "long", "short vbios", "behind vbios", "decoder", "pcie"),
        "flag",
    ],
)
def test_a_field_of_another_form_is_malformed(broken: dict[str, bytes | None]) -> None:
    with pytest.raises(MalformedError):
        OpaqueData.of_gpu(dict(HOPPER.opaque(**broken)))


def test_a_switch_without_a_version_is_malformed() -> None:
    with pytest.raises(MalformedError):
        OpaqueData.of_switch(dict(SWITCH.opaque(f6=None)))
