import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.fakes.nvidia import COMPOSITE, FWID, KEYS, TCB_INFO, composite, der, fwid, tcb_info

from adyton.errors import MalformedError
from adyton.evidence.nvidia.dice import DiceFlag, FirmwareIdentity

BOOT = KEYS.by_role["boot"]
INFO = BOOT.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_each_form_has_the_firmwares_digest() -> None:
    older = FirmwareIdentity.from_extensions({COMPOSITE: composite(BOOT)})
    assert (older.fwid, older.device_key, older.flags) == (FWID, INFO, None)
    newer = FirmwareIdentity.from_extensions({TCB_INFO: tcb_info()})
    assert (newer.fwid, newer.device_key, newer.flags) == (FWID, None, frozenset())


@pytest.mark.parametrize("flag", DiceFlag)
def test_each_flag_has_its_bit(flag: DiceFlag) -> None:
    found = FirmwareIdentity.from_extensions({TCB_INFO: tcb_info(flags=1 << 31 - flag)})
    assert found.flags == frozenset({flag})


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({}, id="none"),
        pytest.param({COMPOSITE: composite(BOOT), TCB_INFO: tcb_info()}, id="both"),
        pytest.param({COMPOSITE: composite(BOOT, version=2)}, id="version"),
        pytest.param({COMPOSITE: composite(BOOT, digest=FWID[:47])}, id="size"),
        pytest.param({COMPOSITE: composite(BOOT) + b"\0"}, id="behind it"),
        pytest.param({COMPOSITE: composite(BOOT)[:-1]}, id="cut"),
        pytest.param(
            {COMPOSITE: der(0x30, b"\2\1\1", INFO, fwid(oid="608648016503040201"))}, id="hash"
        ),
        pytest.param({COMPOSITE: der(0x30, b"\2\1\1", INFO, fwid(), fwid())}, id="a second digest"),
        pytest.param({TCB_INFO: tcb_info(behind=der(0x8C, b"\0"))}, id="an unknown field"),
        pytest.param({TCB_INFO: der(0x30, der(0xA6, fwid()))}, id="no flags"),
        pytest.param({TCB_INFO: der(0x30, der(0x87, bytes(5)))}, id="no digest"),
        pytest.param(
            {TCB_INFO: der(0x30, der(0xA6, fwid() * 10), der(0x87, bytes(5)))}, id="many digests"
        ),
        pytest.param(
            {TCB_INFO: der(0x30, der(0xA6, fwid()), der(0x87, b"\1\0"))}, id="unused bits"
        ),
        pytest.param({TCB_INFO: der(0x30, der(0xA6, fwid()), der(0x87, b"\0"))}, id="no bits"),
        pytest.param({TCB_INFO: der(0x30, der(0xA6, fwid()), der(0x87, bytes(6)))}, id="many bits"),
    ],
)
def test_an_identity_of_another_form_is_malformed(broken: dict[str, bytes]) -> None:
    with pytest.raises(MalformedError):
        FirmwareIdentity.from_extensions(broken)
