import json
from typing import Any

import pytest
from tests.fakes.intel import FakeIntel

from adyton.errors import MalformedError
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.qe_identity import QeIdentity
from adyton.evidence.dcap.tcb_info import TcbInfo

VENDOR = FakeIntel()


def test_collateral_is_read_and_written() -> None:
    data = VENDOR.collateral()
    found = IntelCollateral.from_bytes(data)
    assert IntelCollateral.from_bytes(found.to_bytes()) == found
    assert json.loads(found.to_bytes()) == json.loads(data)
    assert found.tcb_info_issuer_chain == (VENDOR.der("tcb_signer"), VENDOR.der("root"))
    assert found.sha256 == IntelCollateral.from_bytes(data).sha256
    assert found.sha256 != IntelCollateral.from_bytes(VENDOR.collateral()).sha256


@pytest.mark.parametrize(
    "changes",
    [
        {"tcb_info": ...},
        {"another": ""},
        {"tcb_info": 1},
        {"tcb_info": "x" * (128 * 1024 + 1)},
        {"tcb_info_signature": "00" * 63},
        {"tcb_info_signature": "0" * 127},
        {"tcb_info_signature": "00 " * 64},
        {"qe_identity_signature": "zz" * 64},
        {"root_ca_crl": "0"},
        {"tcb_info_issuer_chain": VENDOR.pem("tcb_signer")},
        {"tcb_info_issuer_chain": VENDOR.pem("tcb_signer", "root", "root")},
        {"tcb_info_issuer_chain": "é"},
        {"tcb_info_issuer_chain": "-" * (16 * 1024 + 1)},
    ],
)
def test_each_broken_file_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        IntelCollateral.from_bytes(VENDOR.collateral(**changes))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}"])
def test_what_is_no_object_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        IntelCollateral.from_bytes(data)


def test_tcb_info_may_have_fields_that_are_new() -> None:
    info = TcbInfo.from_bytes(VENDOR.tcb_info(news={"a": 1}).encode())
    assert info.evaluation_number == 20
    assert [level.outcome.status for level in info.levels] == ["UpToDate", "OutOfDate"]
    assert [module.name for module in info.modules] == ["", "TDX_01", "TDX_03"]
    assert info.sgx_names[0] == "Early Microcode Update"
    assert info.module(2) is None


def test_the_first_modules_have_no_identity_of_their_own() -> None:
    info = TcbInfo.from_bytes(VENDOR.tcb_info(tdxModuleIdentities=...).encode())
    assert [module.name for module in info.modules] == [""]
    assert TcbInfo.from_bytes(VENDOR.tcb_info("sgx").encode()).modules == ()


def test_levels_may_be_missing_altogether() -> None:
    info = TcbInfo.from_bytes(VENDOR.tcb_info(tcbLevels=[]).encode())
    assert (info.levels, info.sgx_names) == ((), ())


GOOD_LEVEL = json.loads(VENDOR.tcb_info())["tcbLevels"][0]
MODULE = json.loads(VENDOR.tcb_info())["tdxModuleIdentities"][0]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "QE"},
        {"id": 1},
        {"version": 2},
        {"version": ...},
        {"tcbType": 1},
        {"tcbType": ...},
        {"fmspc": "90c06f0000"},
        {"fmspc": "90c06f00000g"},
        {"fmspc": "90 06f000000"},
        {"fmspc": ...},
        {"pceId": "00"},
        {"issueDate": "2026-11-10"},
        {"issueDate": "2026-11-10T12:00:00+00:00"},
        {"nextUpdate": "2026-13-10T12:00:00Z"},
        {"nextUpdate": ...},
        {"tcbEvaluationDataNumber": "20"},
        {"tcbEvaluationDataNumber": -1},
        {"tcbEvaluationDataNumber": True},
        {"tcbLevels": ...},
        {"tcbLevels": {}},
        {"tcbLevels": [1]},
        {"tcbLevels": [GOOD_LEVEL] * 257},
        {"tcbLevels": [{**GOOD_LEVEL, "tcbStatus": "Fine"}]},
        {"tcbLevels": [{**GOOD_LEVEL, "tcbStatus": "NotSupported"}]},
        {"tcbLevels": [{**GOOD_LEVEL, "tcbDate": ""}]},
        {"tcbLevels": [{**GOOD_LEVEL, "advisoryIDs": "INTEL-SA-1"}]},
        {"tcbLevels": [{**GOOD_LEVEL, "advisoryIDs": [1]}]},
        {"tcbLevels": [{**GOOD_LEVEL, "tcb": {}}]},
        {"tcbLevels": [{**GOOD_LEVEL, "tcb": {**GOOD_LEVEL["tcb"], "pcesvn": 65536}}]},
        {"tcbLevels": [{**GOOD_LEVEL, "tcb": {**GOOD_LEVEL["tcb"], "sgxtcbcomponents": []}}]},
        {
            "tcbLevels": [
                {
                    **GOOD_LEVEL,
                    "tcb": {**GOOD_LEVEL["tcb"], "tdxtcbcomponents": [{"svn": 256}] * 16},
                }
            ]
        },
        {"tdxModule": ...},
        {"tdxModule": {**MODULE, "mrsigner": "00" * 32}},
        {"tdxModuleIdentities": [MODULE, {**MODULE, "id": "tdx_01"}]},
        {"tdxModuleIdentities": [{**MODULE, "tcbLevels": [{"tcb": {"isvsvn": 65536}}]}]},
    ],
)
def test_each_broken_tcb_info_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        TcbInfo.from_bytes(VENDOR.tcb_info(**changes).encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "TDX"},
        {"version": 1},
        {"version": True},
        {"issueDate": ...},
        {"miscselect": "00"},
        {"attributes": "00"},
        {"attributesMask": 1},
        {"mrsigner": "00" * 48},
        {"isvprodid": 65536},
        {"isvprodid": ...},
        {"tcbLevels": ...},
    ],
)
def test_each_broken_identity_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        QeIdentity.from_bytes(VENDOR.qe_identity(**changes).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b'{"id": "TDX", "id": "TDX"}'])
def test_what_is_no_signed_object_is_malformed(data: bytes) -> None:
    for read in (TcbInfo.from_bytes, QeIdentity.from_bytes):
        with pytest.raises(MalformedError):
            read(data)
