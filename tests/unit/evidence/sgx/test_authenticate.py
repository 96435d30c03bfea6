import pytest
from tests.fakes.intel import NOW, FakeIntel, enclave_report

from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import MalformedError
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.endorsements import CollateralRejectedError
from adyton.evidence.sgx.authenticate import authenticate
from adyton.evidence.sgx.findings import findings

VENDOR = FakeIntel()


@pytest.mark.parametrize("version", [3, 4, 5])
def test_a_good_quote_says_what_the_enclave_is(version: int) -> None:
    body = enclave_report(config_id=b"c" * 64, isv_family_id=b"f" * 16, isv_ext_prod_id=b"e" * 16)
    claims = authenticate(
        VENDOR.quote("sgx", version=version, body=body), roots=VENDOR.roots, at=NOW
    )
    assert claims.report.to_bytes() == body
    assert (claims.report.isv_prod_id, claims.report.isv_svn) == (7, 3)
    assert claims.measurements == {
        "mr_enclave": body[64:96],
        "mr_signer": body[128:160],
        "config_id": b"c" * 64,
        "isv_family_id": b"f" * 16,
        "isv_ext_prod_id": b"e" * 16,
    }
    assert claims.dcap.quote_version == version
    assert claims.dcap.tcb is None
    assert findings(claims.report) == ()


def test_a_quote_about_a_td_is_not_read_as_one() -> None:
    with pytest.raises(MalformedError, match="not about an sgx enclave"):
        authenticate(VENDOR.quote("tdx"), roots=VENDOR.roots, at=NOW)


def test_a_forged_quote_is_refused_before_its_body_is_read() -> None:
    body = enclave_report(reserved_1=b"1" * 12)
    with pytest.raises(SignatureRejectedError):
        authenticate(VENDOR.quote("sgx", body=body, signer="pck"), roots=VENDOR.roots, at=NOW)
    with pytest.raises(MalformedError, match="reserved"):
        authenticate(VENDOR.quote("sgx", body=body), roots=VENDOR.roots, at=NOW)


def test_collateral_for_tdx_is_refused() -> None:
    collateral = IntelCollateral.from_bytes(VENDOR.collateral("tdx"))
    with pytest.raises(CollateralRejectedError, match="is about TDX, the quote about SGX"):
        authenticate(VENDOR.quote("sgx"), roots=VENDOR.roots, at=NOW, collateral=collateral)


@pytest.mark.parametrize(
    ("first", "codes"),
    [
        (0x05, []),
        (0x07, ["debug-mode"]),
        (0x04, ["enclave-not-initialised"]),
        (0x15, ["provisioning-key-allowed"]),
        (0x16, ["debug-mode", "enclave-not-initialised", "provisioning-key-allowed"]),
        (0xE5, []),
    ],
)
def test_what_speaks_against_an_enclave_is_found_and_not_raised(
    first: int, codes: list[str]
) -> None:
    body = enclave_report(attributes=bytes([first]) + bytes(15))
    claims = authenticate(VENDOR.quote("sgx", body=body), roots=VENDOR.roots, at=NOW)
    assert [finding.code for finding in findings(claims.report)] == codes
