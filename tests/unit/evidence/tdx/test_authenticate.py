import pytest
from tests.fakes.intel import NOW, FakeIntel, td_report

from adyton.errors import MalformedError
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.endorsements import CollateralRejectedError
from adyton.evidence.tdx.authenticate import authenticate
from adyton.evidence.tdx.findings import findings

VENDOR = FakeIntel()


@pytest.mark.parametrize("version", [4, 5])
def test_a_good_quote_says_what_the_td_is(version: int) -> None:
    claims = authenticate(VENDOR.quote(version=version), roots=VENDOR.roots, at=NOW)
    report = claims.report
    assert claims.measurements["mr_td"] == report.mr_td
    assert [claims.measurements[f"rtmr{index}"] for index in range(4)] == list(report.rtmrs)
    assert ("mr_service_td" in claims.measurements) is (version == 5)
    assert len(claims.measurements) == 10 + (version == 5)
    assert claims.dcap.quote_version == version
    assert claims.dcap.tcb is None
    assert findings(report) == ()


def test_a_quote_about_an_enclave_is_not_read_as_one() -> None:
    with pytest.raises(MalformedError, match="not about a td"):
        authenticate(VENDOR.quote("sgx"), roots=VENDOR.roots, at=NOW)


def test_collateral_for_sgx_is_refused() -> None:
    collateral = IntelCollateral.from_bytes(VENDOR.collateral("sgx"))
    with pytest.raises(CollateralRejectedError, match="is about SGX, the quote about TDX"):
        authenticate(VENDOR.quote(), roots=VENDOR.roots, at=NOW, collateral=collateral)


def attributes(*bits: int) -> bytes:
    return sum(1 << bit for bit in bits).to_bytes(8, "little")


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({"td_attributes": attributes(28)}, []),
        ({"td_attributes": attributes(0, 28)}, ["debug-mode"]),
        # Whatever bit of the group: those without a name, too.
        ({"td_attributes": attributes(3, 28)}, ["debug-mode"]),
        ({"td_attributes": attributes(5, 28)}, ["debug-mode"]),
        ({"td_attributes": attributes()}, ["sept-ve-not-disabled"]),
        ({"td_attributes": attributes(28, 29)}, ["td-migratable"]),
        ({"td_attributes": attributes(28, 27, 30, 31, 62, 63)}, []),
        ({"mr_service_td": b"s" * 48}, ["service-td-bound"]),
        ({"mr_signer_seam": b"s" * 48}, ["tdx-module-foreign"]),
        ({"seam_attributes": b"\1" + bytes(7)}, ["tdx-module-attributes"]),
    ],
)
def test_what_speaks_against_a_td_is_found_and_not_raised(
    values: dict[str, bytes], codes: list[str]
) -> None:
    body = td_report(size=648, **values)
    claims = authenticate(VENDOR.quote(version=5, body=body), roots=VENDOR.roots, at=NOW)
    assert [finding.code for finding in findings(claims.report)] == codes
    assert claims.report.debug is ("debug-mode" in codes)
