from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from tests.fakes.intel import (
    AUTHORITY,
    COMPONENTS,
    NOW,
    PCE_SVN,
    PCK,
    TCB_SIGNER,
    TEE_TCB_SVN,
    FakeIntel,
    List,
    certificate,
    der,
    extension,
    level,
    pair,
    svn_levels,
    tcb_pairs,
    td_report,
)

from adyton.crypto.crl import CertificateRevokedError
from adyton.errors import AdytonError
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.endorsements import CollateralRejectedError
from adyton.evidence.dcap.qe_identity import QuotingEnclaveRejectedError
from adyton.evidence.dcap.status import TcbStatus
from adyton.evidence.dcap.tcb import (
    CollateralTimeRejectedError,
    TcbState,
    TdxModuleRejectedError,
)
from adyton.evidence.sgx.authenticate import authenticate as authenticate_sgx
from adyton.evidence.tdx.authenticate import authenticate as authenticate_tdx

VENDOR = FakeIntel()
S = TcbStatus


def tcb_of(
    quote: bytes, collateral: bytes, *, vendor: FakeIntel = VENDOR, tee: str = "tdx", at: Any = NOW
) -> TcbState:
    authenticate: Any = {"sgx": authenticate_sgx, "tdx": authenticate_tdx}[tee]
    claims = authenticate(
        quote, roots=vendor.roots, at=at, collateral=IntelCollateral.from_bytes(collateral)
    )
    found: TcbState = claims.dcap.tcb
    return found


def judged(*, info: Any = None, identity: Any = None, tee: Any = "tdx", **quote: Any) -> TcbState:
    data = VENDOR.quote(tee, **quote)
    return tcb_of(data, VENDOR.collateral(tee, info=info, identity=identity), tee=tee)


@pytest.mark.parametrize("tee", ["sgx", "tdx"])
def test_a_platform_that_has_everything_new_is_up_to_date(tee: Any) -> None:
    tcb = judged(tee=tee)
    assert tcb.status is S.UP_TO_DATE
    assert (tcb.advisories, tcb.shortfalls) == ((), ())
    assert tcb.evaluation_number == 20
    assert f"{tcb.date:%Y-%m-%d}" == "2026-03-01"
    assert max(window.first for window in tcb.windows) == NOW - timedelta(days=10)
    assert min(window.last for window in tcb.windows) == NOW + timedelta(days=20)
    assert tcb.module_status is (S.UP_TO_DATE if tee == "tdx" else None)
    assert tcb.current is None


def module(name: str, *, levels: Any = None, **changes: str) -> dict[str, Any]:
    return {
        "id": name,
        "mrsigner": "00" * 48,
        "attributes": "00" * 8,
        "attributesMask": "FF" * 8,
        "tcbLevels": svn_levels(7, 5) if levels is None else levels,
        **changes,
    }


def old_list() -> List:
    return List(last=NOW - timedelta(seconds=1))


def expired(**recipes: Any) -> Callable[[], bytes]:
    return lambda: VENDOR.collateral(**recipes)


@pytest.mark.parametrize(
    ("collateral", "reason"),
    [
        # Step 1
        (expired(info={"nextUpdate": "2026-11-20T11:59:59Z"}), CollateralTimeRejectedError),
        (expired(info={"issueDate": "2026-11-20T12:00:01Z"}), CollateralTimeRejectedError),
        (expired(identity={"nextUpdate": "2026-11-20T11:59:59Z"}), CollateralTimeRejectedError),
        (expired(identity={"issueDate": "2026-11-20T12:00:01Z"}), CollateralTimeRejectedError),
        (expired(root_list=old_list()), CollateralTimeRejectedError),
        (expired(pck_list=old_list()), CollateralTimeRejectedError),
        # Step 3
        (expired(pck_list=List(revoked=(VENDOR.serial("pck"),))), CertificateRevokedError),
        # Step 4
        (expired(tee="sgx"), CollateralRejectedError),
        (expired(info={"fmspc": "00906ed50000"}), CollateralRejectedError),
        (expired(info={"pceId": "0100"}), CollateralRejectedError),
        # Step 5
        (expired(identity={"mrsigner": "00" * 32}), QuotingEnclaveRejectedError),
        (expired(identity={"isvprodid": 3}), QuotingEnclaveRejectedError),
        (expired(identity={"attributes": "10" + "00" * 15}), QuotingEnclaveRejectedError),
        (expired(identity={"miscselect": "01000000"}), QuotingEnclaveRejectedError),
        # Step 6
        (expired(info={"tdxModuleIdentities": [module("TDX_03")]}), TdxModuleRejectedError),
        (expired(info={"tdxModuleIdentities": ...}), TdxModuleRejectedError),
        (
            expired(info={"tdxModuleIdentities": [module("TDX_01", mrsigner="11" * 48)]}),
            TdxModuleRejectedError,
        ),
        (
            expired(info={"tdxModuleIdentities": [module("TDX_01", attributes="01" + "00" * 7)]}),
            TdxModuleRejectedError,
        ),
    ],
)
def test_each_broken_piece_of_collateral_is_refused(
    collateral: Callable[[], bytes], reason: type[AdytonError]
) -> None:
    with pytest.raises(reason):
        tcb_of(VENDOR.quote(), collateral())


@pytest.mark.parametrize(
    ("recipes", "name"),
    [
        ({"tcb_signer": replace(TCB_SIGNER, last=NOW - timedelta(seconds=1))}, "tcb signer"),
        ({"tcb_signer": replace(TCB_SIGNER, first=NOW + timedelta(seconds=1))}, "tcb signer"),
    ],
)
def test_a_signer_that_is_not_valid_is_refused(recipes: Any, name: str) -> None:
    vendor = FakeIntel(**recipes)
    with pytest.raises(CollateralTimeRejectedError, match=name):
        tcb_of(vendor.quote(), vendor.collateral(), vendor=vendor)


def test_a_signer_may_be_rotated() -> None:
    # Another certificate of the same name, with another key, under the same root.
    old, new = FakeIntel(), FakeIntel()
    new.keys["tcb_signer"], new.certificates["tcb_signer"] = (
        old.keys["tcb_signer"],
        old.certificates["tcb_signer"],
    )
    with pytest.raises(AdytonError):
        tcb_of(new.quote(), new.collateral(), vendor=new)
    assert tcb_of(old.quote(), old.collateral(), vendor=old).status is S.UP_TO_DATE


def test_the_windows_are_closed_at_both_ends() -> None:
    quote, collateral = VENDOR.quote(), VENDOR.collateral()
    for at in (NOW - timedelta(days=10), NOW + timedelta(days=20)):
        assert tcb_of(quote, collateral, at=at).status is S.UP_TO_DATE
    with pytest.raises(CollateralTimeRejectedError):
        tcb_of(quote, collateral, at=NOW + timedelta(days=20, seconds=1))


def test_collateral_of_another_authority_or_root_is_refused() -> None:
    # Step 2: genuine lists, of an authority that did not issue this platform's certificate.
    other = FakeIntel()
    roots = {**VENDOR.roots, "other": other.roots["fake"]}
    with pytest.raises(CollateralRejectedError, match="Intel SGX Root CA"):
        authenticate_tdx(
            VENDOR.quote(),
            roots=roots,
            at=NOW,
            collateral=IntelCollateral.from_bytes(other.collateral()),
        )
    second = FakeIntel(authority=replace(AUTHORITY, name="Intel SGX PCK Processor CA"))
    for name in ("root", "tcb_signer"):
        second.keys[name] = VENDOR.keys[name]
        second.certificates[name] = VENDOR.certificates[name]
    second.certificates["authority"] = certificate(
        second.recipes["authority"],
        "Intel SGX Root CA",
        second.keys["authority"],
        VENDOR.keys["root"],
    )
    with pytest.raises(CollateralRejectedError, match="by 'Intel SGX PCK Processor CA', not by"):
        tcb_of(VENDOR.quote(), second.collateral())


def test_a_revoked_authority_is_refused_in_every_certificate_of_its_key() -> None:
    # Step 3: the quote's chain has another certificate of the authority than the collateral has.
    second = certificate(
        AUTHORITY, "Intel SGX Root CA", VENDOR.keys["authority"], VENDOR.keys["root"]
    )
    pem = second.public_bytes(Encoding.PEM).decode()
    quote = VENDOR.quote(chain=(VENDOR.pem("pck") + pem + VENDOR.pem("root")).encode())
    assert tcb_of(quote, VENDOR.collateral()).status is S.UP_TO_DATE
    revoked = VENDOR.collateral(root_list=List(revoked=(second.serial_number,)))
    with pytest.raises(CertificateRevokedError, match="PCK Platform CA"):
        tcb_of(quote, revoked)


@pytest.mark.parametrize("index", range(16))
def test_one_component_below_a_level_does_not_reach_it(index: int) -> None:
    for kind in ("sgx", "tdx"):
        own = COMPONENTS if kind == "sgx" else TEE_TCB_SVN
        changes: Any = {kind: {index: own[index] + 1}}
        levels = [level("tdx", **changes), level("tdx", status="OutOfDate", why=["INTEL-SA-9"])]
        tcb = judged(info={"tcbLevels": levels})
        # The module's own versions are compared with its identity.
        if kind == "tdx" and index < 2:
            assert (tcb.status, tcb.shortfalls) == (S.UP_TO_DATE, ())
            continue
        assert tcb.status is tcb.platform_status is S.OUT_OF_DATE
        assert tcb.advisories == ("INTEL-SA-9",)
        (short,) = tcb.shortfalls
        assert short.component.startswith(f"{kind} component {index + 1}")
        assert (short.found, short.newest) == (own[index], own[index] + 1)


def test_the_pce_is_compared_too() -> None:
    levels = [level("sgx", pce_svn=PCE_SVN + 1), level("sgx", status="Revoked")]
    tcb = judged(tee="sgx", info={"tcbLevels": levels})
    assert tcb.status is S.REVOKED
    assert [short.component for short in tcb.shortfalls] == ["pce"]


def test_a_platform_below_every_level_is_not_supported_and_no_error() -> None:
    tcb = judged(info={"tcbLevels": [level("tdx", sgx={0: 255})]})
    assert tcb.status is tcb.platform_status is S.NOT_SUPPORTED
    assert tcb.qe_status is S.UP_TO_DATE
    nothing = judged(info={"tcbLevels": []}, identity={"tcbLevels": []})
    assert nothing.status is nothing.qe_status is S.NOT_SUPPORTED
    assert nothing.shortfalls == ()


@pytest.mark.parametrize(
    "status",
    [
        status
        for status in S
        if "RelaunchAdvised" not in status.value and status is not S.NOT_SUPPORTED
    ],
)
def test_every_state_of_a_level_comes_through(status: TcbStatus) -> None:
    info = {"tcbLevels": [level("sgx", status=status.value, why=["INTEL-SA-1", "INTEL-SA-2"])]}
    tcb = judged(tee="sgx", info=info)
    assert tcb.status is status
    assert tcb.advisories == ("INTEL-SA-1", "INTEL-SA-2")


@pytest.mark.parametrize(
    ("svn", "status", "advisories"),
    [
        (9, S.UP_TO_DATE, ()),
        (8, S.UP_TO_DATE, ()),
        (7, S.OUT_OF_DATE, ("INTEL-SA-6",)),
        (5, S.NOT_SUPPORTED, ()),
    ],
)
def test_an_old_quoting_enclave_makes_the_platform_old(
    svn: int, status: TcbStatus, advisories: tuple[str, ...]
) -> None:
    tcb = judged(qe_report={"isv_svn": svn.to_bytes(2, "little")})
    assert (tcb.status, tcb.qe_status, tcb.advisories) == (status, status, advisories)
    assert tcb.platform_status is S.UP_TO_DATE
    assert [short.component for short in tcb.shortfalls] == ["quoting enclave"] * (svn < 8)


@pytest.mark.parametrize(
    ("minor", "status", "advisories"),
    [
        (8, S.UP_TO_DATE, ()),
        (7, S.UP_TO_DATE, ()),
        (6, S.OUT_OF_DATE, ("INTEL-SA-5",)),
        (4, S.NOT_SUPPORTED, ()),
    ],
)
def test_an_old_module_makes_the_platform_old(
    minor: int, status: TcbStatus, advisories: tuple[str, ...]
) -> None:
    body = td_report(tee_tcb_svn=bytes([minor]) + TEE_TCB_SVN[1:])
    tcb = judged(body=body)
    assert (tcb.status, tcb.module_status, tcb.advisories) == (status, status, advisories)
    assert [short.component for short in tcb.shortfalls] == ["tdx module"] * (minor < 7)


def test_the_first_modules_are_compared_with_the_platforms_levels() -> None:
    first = bytes([3, 0, 5]) + bytes(13)
    levels = [
        level("tdx", tdx={0: 4, 1: 0}),
        level("tdx", tdx={0: 3, 1: 0}, status="OutOfDate"),
    ]
    tcb = judged(body=td_report(tee_tcb_svn=first), info={"tcbLevels": levels})
    assert (tcb.status, tcb.module_status) == (S.OUT_OF_DATE, None)
    assert [short.component for short in tcb.shortfalls] == [
        "tdx component 1 (Early Microcode Update)"
    ]
    # Their signer stands in another place.
    other = {"tdxModule": module("", mrsigner="22" * 48)}
    with pytest.raises(TdxModuleRejectedError, match="is signed by 0000"):
        judged(body=td_report(tee_tcb_svn=first), info=other)


def test_a_module_by_somebody_else_is_refused() -> None:
    with pytest.raises(TdxModuleRejectedError, match="is signed by 11"):
        judged(body=td_report(mr_signer_seam=b"\x11" * 48))
    with pytest.raises(TdxModuleRejectedError, match="has attributes 01"):
        judged(body=td_report(seam_attributes=b"\x01" + bytes(7)))


@pytest.mark.parametrize(
    ("launch", "current", "status"),
    [
        (7, 7, S.UP_TO_DATE),
        (6, 7, S.TD_RELAUNCH_ADVISED),
        (6, 6, S.OUT_OF_DATE),
        (7, 6, S.OUT_OF_DATE),
    ],
)
def test_a_module_that_was_updated_under_a_td_is_told(
    launch: int, current: int, status: TcbStatus
) -> None:
    body = td_report(
        size=648,
        tee_tcb_svn=bytes([launch]) + TEE_TCB_SVN[1:],
        tee_tcb_svn2=bytes([current]) + TEE_TCB_SVN[1:],
    )
    tcb = judged(version=5, body=body)
    assert tcb.status is status
    assert tcb.current is (S.UP_TO_DATE if current == 7 else S.OUT_OF_DATE)


def test_a_module_of_a_major_version_that_is_not_listed_runs_unsupported() -> None:
    body = td_report(size=648, tee_tcb_svn2=bytes([1, 9]) + TEE_TCB_SVN[2:])
    tcb = judged(version=5, body=body)
    assert tcb.status is tcb.current is S.NOT_SUPPORTED


def test_the_lower_evaluation_number_counts() -> None:
    assert judged(info={"tcbEvaluationDataNumber": 17}).evaluation_number == 17
    assert judged(identity={"tcbEvaluationDataNumber": 18}).evaluation_number == 18


def test_the_oldest_level_dates_the_whole() -> None:
    tcb = judged(qe_report={"isv_svn": b"\x07\x00"})
    assert f"{tcb.date:%Y-%m-%d}" == "2024-01-01"


def test_advisories_are_named_once_in_the_order_of_platform_and_parts() -> None:
    info = {"tcbLevels": [level("tdx", status="OutOfDate", why=["INTEL-SA-6", "INTEL-SA-1"])]}
    body = td_report(tee_tcb_svn=bytes([6]) + TEE_TCB_SVN[1:])
    tcb = judged(info=info, body=body, qe_report={"isv_svn": b"\x07\x00"})
    assert tcb.advisories == ("INTEL-SA-6", "INTEL-SA-1", "INTEL-SA-5")


def test_a_platform_is_judged_by_its_certificate_and_not_by_what_it_reports() -> None:
    # The report's CPUSVN is another's: what Intel certified of this platform counts.
    old = bytes([3]) + COMPONENTS[1:]
    pck = replace(PCK, extension=extension(tcb=pair([2], der(0x30, *tcb_pairs(old)))))
    vendor = FakeIntel(pck=pck)
    tcb = tcb_of(vendor.quote(), vendor.collateral(), vendor=vendor)
    assert (tcb.status, tcb.advisories) == (S.OUT_OF_DATE, ("INTEL-SA-1",))
