import pytest
from tests.fakes.intel import (
    COMPONENTS,
    FMSPC,
    PCE_ID,
    der,
    extension,
    extension_pairs,
    integer,
    pair,
    tcb_pairs,
)

from adyton.errors import MalformedError
from adyton.evidence.dcap.pck import PlatformType, SgxExtension

TRUE = der(0x01, b"\xff")


def test_a_scalable_platform_is_described() -> None:
    found = SgxExtension.from_bytes(extension())
    assert found == SgxExtension(
        ppid=b"platform 16 byte",
        components=COMPONENTS,
        pce_svn=13,
        cpu_svn=COMPONENTS,
        pce_id=PCE_ID,
        fmspc=FMSPC,
        platform_type=PlatformType.SCALABLE,
        platform_instance_id=b"instance 16 byte",
        dynamic_platform=True,
        cached_keys=True,
        smt_enabled=True,
    )


def test_a_standard_platform_has_no_instance_and_no_configuration() -> None:
    pairs = extension_pairs(type=pair([5], integer(0, tag=0x0A)), instance=b"", configuration=b"")
    found = SgxExtension.from_bytes(der(0x30, *pairs.values()))
    assert found.platform_type is PlatformType.STANDARD
    assert found.platform_instance_id is None
    assert (found.dynamic_platform, found.cached_keys, found.smt_enabled) == (None, None, None)


def test_a_configuration_may_leave_things_open() -> None:
    half = pair([7], der(0x30, pair([7, 2], der(0x01, b"\x00"))))
    found = SgxExtension.from_bytes(extension(configuration=half))
    assert (found.dynamic_platform, found.cached_keys, found.smt_enabled) == (None, False, None)


def test_components_have_a_whole_byte() -> None:
    found = SgxExtension.from_bytes(
        extension(tcb=pair([2], der(0x30, *tcb_pairs(bytes([255]) * 16, 65535))))
    )
    assert (found.components, found.pce_svn) == (bytes([255]) * 16, 65535)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x30\x00",
        extension() + b"\0",
        extension()[:-1],
        extension(ppid=b""),
        extension(tcb=b""),
        extension(pce_id=b""),
        extension(fmspc=b""),
        extension(type=b""),
        extension(fmspc=pair([4], der(0x04, b"12345"))),
        extension(fmspc=pair([4], der(0x0C, b"123456"))),
        extension(fmspc=pair([4], der(0x04, b"123456") + b"\x05\x00")),
        extension(fmspc=der(0x31, b"")),
        extension(type=pair([5], integer(3, tag=0x0A))),
        extension(type=pair([5], integer(0))),
        extension(ppid=pair([3], der(0x04, PCE_ID))),
        extension(instance=pair([8], der(0x04, b"16 bytes of some"))),
        extension(instance=pair([6, 1], der(0x04, b"16 bytes of some"))),
        extension(tcb=pair([2], der(0x30, *tcb_pairs()[:-1]))),
        extension(tcb=pair([2], der(0x30, *tcb_pairs()[1:]))),
        extension(tcb=pair([2], der(0x30, *tcb_pairs(), pair([2, 19], integer(0))))),
        extension(tcb=pair([2], der(0x30, pair([2, 1], integer(256)), *tcb_pairs()[1:]))),
        extension(tcb=pair([2], der(0x30, pair([2, 1], der(2, b"\xff")), *tcb_pairs()[1:]))),
        extension(tcb=pair([2], der(0x30, pair([2, 1], der(2, b"\0\1")), *tcb_pairs()[1:]))),
        extension(tcb=pair([2], der(0x30, pair([2, 1], der(2, b"")), *tcb_pairs()[1:]))),
        extension(tcb=pair([2], der(0x30, *tcb_pairs(pce_svn=65536)))),
        extension(configuration=pair([7], der(0x30, pair([7, 1], der(0x01, b"\x01"))))),
        extension(configuration=pair([7], der(0x30, pair([7, 4], TRUE)))),
        extension(configuration=pair([7], TRUE)),
        # Lengths that are not der: indefinite, too long, three bytes.
        b"\x30\x80" + extension()[4:] + b"\0\0",
        b"\x30\x81\x05\x30\x03\x06\x01\x00",
        b"\x30\x82\x00\x05\x30\x03\x06\x01\x00",
        b"\x30\x83\x00\x00\x05\x30\x03\x06\x01\x00",
        der(0x30, der(0x30, der(0x06), der(0x04))),
    ],
)
def test_each_broken_extension_is_malformed(broken: bytes) -> None:
    with pytest.raises(MalformedError):
        SgxExtension.from_bytes(broken)


def test_an_extension_that_is_cut_anywhere_is_malformed() -> None:
    good = extension()
    for size in range(len(good)):
        with pytest.raises(MalformedError):
            SgxExtension.from_bytes(good[:size])
