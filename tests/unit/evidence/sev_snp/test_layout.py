from typing import Any

import pytest
from tests.fakes.amd import FakeAmd

from adyton.errors import MalformedError
from adyton.evidence.sev_snp.layout import (
    FirmwareVersion,
    GuestPolicy,
    PlatformInfo,
    Report,
    SigningKey,
)
from adyton.evidence.sev_snp.product import Generation, TcbVersion

VENDOR = FakeAmd("Genoa")


def test_every_field_is_where_the_table_has_it() -> None:
    report = Report.from_bytes(VENDOR.report(vmpl=2, key_info=1, author_key_digest=b"\7" * 48))
    assert (report.version, report.guest_svn, report.vmpl) == (5, 2, 2)
    assert report.policy == 0x1F | GuestPolicy.SMT | GuestPolicy.RESERVED_ONE
    assert report.abi == (0, 31)
    assert not report.debug
    assert report.family_id == b"family" + bytes(10)
    assert report.image_id == b"image" + bytes(11)
    assert report.platform_info == (
        PlatformInfo.SMT_EN | PlatformInfo.ECC_EN | PlatformInfo.ALIAS_CHECK_COMPLETE
    )
    assert report.author_key_en
    assert not report.mask_chip_key
    assert report.signing_key is SigningKey.VCEK
    assert report.author_key_digest == b"\7" * 48
    assert report.report_id_ma == b"\xff" * 32
    assert report.processor == (0x19, 0x11, 1)
    assert report.current_version == FirmwareVersion(major=1, minor=55, build=35)
    assert str(report.committed_version) == "1.55.29"
    assert (report.launch_mit_vector, report.current_mit_vector) == (3, 7)
    assert len(report.signed_bytes) == 0x2A0
    assert len(report.signature) == 96


def test_old_reports_do_not_say_what_is_new() -> None:
    second, third, fourth = (
        Report.from_bytes(VENDOR.report(version=version)) for version in (2, 3, 4)
    )
    assert second.processor is None
    assert third.processor == fourth.processor == (0x19, 0x11, 1)
    assert {item.launch_mit_vector for item in (second, third, fourth)} == {None}
    assert {item.current_mit_vector for item in (second, third, fourth)} == {None}


def test_unknown_properties_of_a_platform_are_kept() -> None:
    assert Report.from_bytes(VENDOR.report(platform_info=0x65)).platform_info == 0x65


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 1}, "version 1, not 2 to 5"),
        ({"version": 6}, "version 6"),
        ({"policy": 0x10000}, "bit 17"),
        ({"vmpl": 4}, "privilege level 4"),
        ({"signature_algo": 0}, "algorithm 0"),
        ({"signature_algo": 2}, "algorithm 2"),
        ({"key_info": 1 << 5}, "unknown bits beside the signing key"),
        ({"reserved_1": 1}, "behind the signing key"),
        ({"reserved_2": b"\1" + bytes(20)}, "behind the processor's stepping"),
        ({"version": 2, "processor": b"\x19\x11\1"}, "behind REPORTED_TCB"),
        ({"reserved_3": 1}, "behind the version of the firmware"),
        ({"reserved_4": 1}, "behind the version of the firmware"),
        ({"version": 4, "launch_mit_vector": 1}, "vector of mitigations"),
        ({"version": 3, "current_mit_vector": 1}, "vector of mitigations"),
        ({"reserved_5": bytes(151) + b"\1"}, "behind its last field"),
    ],
)
def test_a_report_that_breaks_the_table_is_malformed(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        Report.from_bytes(VENDOR.report(**changes))


@pytest.mark.parametrize("offset", [48, 71, 72 + 48, 143, 144, 511])
def test_nothing_stands_around_the_numbers_of_a_signature(offset: int) -> None:
    report = bytearray(VENDOR.report())
    report[0x2A0 + offset] = 1
    with pytest.raises(MalformedError, match="around its signature"):
        Report.from_bytes(bytes(report))


@pytest.mark.parametrize("size", [0, 1183, 1185])
def test_a_report_has_one_size(size: int) -> None:
    with pytest.raises(MalformedError, match="not 1184"):
        Report.from_bytes(VENDOR.report().ljust(1185, b"\0")[:size])


@pytest.mark.parametrize("generation", Generation)
def test_versions_of_firmware_have_eight_bytes_and_no_others(generation: Generation) -> None:
    for data in (b"", bytes(7), bytes(9)):
        with pytest.raises(MalformedError, match="not 8"):
            TcbVersion.from_bytes(data, generation)
    reserved = (4, 5, 6) if generation is Generation.TURIN else (2, 3, 4, 5)
    for index in range(8):
        data = bytes(index) + b"\1" + bytes(7 - index)
        if index in reserved:
            with pytest.raises(MalformedError, match=f"none of {generation}"):
                TcbVersion.from_bytes(data, generation)
        else:
            assert "1" in str(TcbVersion.from_bytes(data, generation))
