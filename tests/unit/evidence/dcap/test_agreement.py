"""Our evaluation beside that of ``dcap-qvl``, where it is installed: the same answer, or a reason.

Not needed to run Adyton. Two programs that share no code, and disagree, have found a mistake.
"""

import json
from typing import Any

import pytest
from tests.fakes.intel import (
    COMPONENTS,
    NOW,
    PCE_SVN,
    TEE_TCB_SVN,
    FakeIntel,
    List,
    level,
    svn_levels,
    td_report,
)

from adyton.errors import AdytonError
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.status import TcbStatus
from adyton.evidence.sgx.authenticate import authenticate as authenticate_sgx
from adyton.evidence.tdx.authenticate import authenticate as authenticate_tdx

dcap_qvl = pytest.importorskip("dcap_qvl", reason="dcap-qvl is not installed")

VENDOR = FakeIntel()
STATUSES = [
    status.value
    for status in TcbStatus
    if "RelaunchAdvised" not in status.value and status is not TcbStatus.NOT_SUPPORTED
]


def theirs(quote: bytes, collateral: bytes) -> tuple[str, set[str]] | None:
    try:
        found = dcap_qvl.verify_with_root_ca(
            quote,
            dcap_qvl.QuoteCollateralV3.from_json(collateral.decode()),
            VENDOR.der("root"),
            int(NOW.timestamp()),
        )
    except ValueError:
        return None
    return found.status, set(found.advisory_ids)


def ours(quote: bytes, collateral: bytes, tee: str) -> tuple[str, set[str]] | None:
    authenticate: Any = {"sgx": authenticate_sgx, "tdx": authenticate_tdx}[tee]
    try:
        claims = authenticate(
            quote, roots=VENDOR.roots, at=NOW, collateral=IntelCollateral.from_bytes(collateral)
        )
    except AdytonError:
        return None
    tcb = claims.dcap.tcb
    # What they refuse is a state of ours.
    if tcb.status in {TcbStatus.NOT_SUPPORTED, TcbStatus.REVOKED}:
        return None
    return tcb.status, set(tcb.advisories)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("svn", [8, 7, 5])
@pytest.mark.parametrize("tee", ["sgx", "tdx"])
def test_states_of_platform_and_quoting_enclave(tee: Any, svn: int, status: str) -> None:
    # They read no later version about an enclave.
    version = 3 if tee == "sgx" else 4
    quote = VENDOR.quote(tee, version=version, qe_report={"isv_svn": svn.to_bytes(2, "little")})
    levels = [level(tee, status=status, why=["INTEL-SA-7"])]
    collateral = VENDOR.collateral(tee, info={"tcbLevels": levels})
    assert ours(quote, collateral, tee) == theirs(quote, collateral)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("minor", [8, 6, 4])
def test_states_of_platform_and_module(minor: int, status: str) -> None:
    quote = VENDOR.quote(body=td_report(tee_tcb_svn=bytes([minor]) + TEE_TCB_SVN[1:]))
    levels = [level("tdx", status=status, why=["INTEL-SA-7"])]
    collateral = VENDOR.collateral(info={"tcbLevels": levels})
    assert ours(quote, collateral, "tdx") == theirs(quote, collateral)


@pytest.mark.parametrize("index", range(16))
@pytest.mark.parametrize("kind", ["sgx", "tdx"])
def test_every_component_counts_alike(kind: str, index: int) -> None:
    own = COMPONENTS if kind == "sgx" else TEE_TCB_SVN
    changes: Any = {kind: {index: own[index] + 1}}
    levels = [level("tdx", **changes), level("tdx", status="OutOfDate", why=["INTEL-SA-9"])]
    quote, collateral = VENDOR.quote(), VENDOR.collateral(info={"tcbLevels": levels})
    assert ours(quote, collateral, "tdx") == theirs(quote, collateral) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"info": {"tcbLevels": [level("tdx", pce_svn=PCE_SVN + 1)]}},
        {"info": {"tcbLevels": []}},
        {"info": {"fmspc": "00906ed50000"}},
        {"info": {"nextUpdate": "2026-11-20T11:59:59Z"}},
        {"info": {"id": "SGX"}},
        {"identity": {"nextUpdate": "2026-11-20T11:59:59Z"}},
        {"identity": {"mrsigner": "00" * 32}},
        {"identity": {"isvprodid": 1}},
        {"identity": {"tcbLevels": svn_levels(9)}},
        {"pck_list": List(revoked=(VENDOR.serial("pck"),))},
        {"root_list": List(revoked=(VENDOR.serial("authority"),))},
        {"root_list": List(revoked=(VENDOR.serial("tcb_signer"),))},
        {"tcb_info_signature": "11" * 64},
        {"qe_identity_signature": "11" * 64},
        {"tdx": "json"},
    ],
)
def test_collateral_that_is_wrong(changes: dict[str, Any]) -> None:
    quote = VENDOR.quote()
    collateral = VENDOR.collateral(**changes)
    if "tdx" in changes:
        collateral = json.dumps({}).encode()
    assert ours(quote, collateral, "tdx") == theirs(quote, collateral)
    assert (ours(quote, collateral, "tdx") is not None) is (changes == {})


@pytest.mark.parametrize(
    "changes",
    [
        {"signer": "pck"},
        {"qe_signer": "attestation"},
        {"attestation_key": VENDOR.point("pck")},
        {"qe_report": {"report_data": bytes(64)}},
        {"signed": b""},
        {"vendor": bytes(16)},
    ],
)
def test_quotes_that_are_wrong(changes: dict[str, Any]) -> None:
    quote, collateral = VENDOR.quote(**changes), VENDOR.collateral()
    assert ours(quote, collateral, "tdx") == theirs(quote, collateral) is None
