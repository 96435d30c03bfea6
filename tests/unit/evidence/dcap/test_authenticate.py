from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.intel import AUTHORITY, NOW, PCK, FakeIntel, enclave_report

from adyton.crypto.hashing import sha256
from adyton.crypto.path import (
    CertificateRejectedError,
    CertificateTimeRejectedError,
    RootRejectedError,
)
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import AdytonError, MalformedError
from adyton.evidence.dcap.authenticate import (
    AttestationKeyRejectedError,
    QuoteVendorRejectedError,
    authenticate_quote,
    claims_of,
)
from adyton.evidence.dcap.endorsements import DcapCache
from adyton.evidence.dcap.qe_identity import QuotingEnclaveRejectedError
from adyton.evidence.dcap.roots import INTEL_ROOTS

VENDOR = FakeIntel()
OTHER = FakeIntel()


def authenticated(data: bytes, vendor: FakeIntel = VENDOR, at: Any = NOW) -> None:
    found = authenticate_quote(data, roots=vendor.roots, at=at)
    assert data.startswith(found.quote.signed_bytes)


@pytest.mark.parametrize(
    ("tee", "version"), [("sgx", 3), ("sgx", 4), ("sgx", 5), ("tdx", 4), ("tdx", 5)]
)
def test_a_good_quote_is_authentic(tee: Any, version: int) -> None:
    authenticated(VENDOR.quote(tee, version=version))


def test_the_root_may_stand_in_the_middle_of_the_chain() -> None:
    authenticated(VENDOR.quote(chain=VENDOR.pem("pck", "root", "authority").encode()))


def quote(**changes: Any) -> Callable[[], bytes]:
    return lambda: VENDOR.quote(**changes)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        # Step 1
        (quote(key_type=3), MalformedError),
        (quote(vendor=bytes(16)), QuoteVendorRejectedError),
        # Step 2
        (quote(chain=OTHER.pem("pck", "authority", "root").encode()), RootRejectedError),
        (quote(chain=VENDOR.pem("root", "authority", "pck").encode()), RootRejectedError),
        (quote(chain=VENDOR.pem("authority", "pck", "root").encode()), CertificateRejectedError),
        (
            quote(chain=(OTHER.pem("pck") + VENDOR.pem("authority", "root")).encode()),
            CertificateRejectedError,
        ),
        (
            quote(chain=(VENDOR.pem("pck") + OTHER.pem("authority") + VENDOR.pem("root")).encode()),
            CertificateRejectedError,
        ),
        # Step 4
        (quote(qe_signer="attestation"), SignatureRejectedError),
        (quote(qe_signer="authority"), SignatureRejectedError),
        # Step 5
        (quote(qe_report={"mr_signer": bytes(32)}), QuotingEnclaveRejectedError),
        (quote(qe_report={"isv_prod_id": b"\1\0"}), QuotingEnclaveRejectedError),
        (
            quote(qe_report={"attributes": bytes([0x17]) + bytes(15)}),
            QuotingEnclaveRejectedError,
        ),
        # Step 6
        (quote(qe_report={"report_data": bytes(64)}), AttestationKeyRejectedError),
        (quote(attestation_key=OTHER.point()), AttestationKeyRejectedError),
        (
            quote(
                qe_report={
                    "report_data": sha256(VENDOR.point() + bytes(range(32))) + b"\1" + bytes(31)
                }
            ),
            AttestationKeyRejectedError,
        ),
        # Step 7
        (quote(signer="pck"), SignatureRejectedError),
        (quote(signed=b"something else"), SignatureRejectedError),
        (
            quote(
                attestation_key=bytes(64),
                qe_report={"report_data": sha256(bytes(64) + bytes(range(32))) + bytes(32)},
            ),
            MalformedError,
        ),
    ],
)
def test_each_broken_step_is_refused(data: Callable[[], bytes], reason: type[AdytonError]) -> None:
    with pytest.raises(reason):
        authenticated(data())


def test_an_enclave_of_the_other_technology_quotes_for_its_own_only() -> None:
    # The enclave that quotes for SGX is genuine, and vouches for no TD.
    sgx = {
        "mr_signer": bytes.fromhex(
            "8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff"
        )
    }
    with pytest.raises(QuotingEnclaveRejectedError, match="mrsigner"):
        authenticated(VENDOR.quote("tdx", qe_report=sgx))


def test_an_application_enclave_that_the_platform_certified_is_refused() -> None:
    # Anybody's enclave may get its report signed by the platform's key.
    application = {"mr_signer": enclave_report()[128:160], "isv_prod_id": b"\2\0"}
    with pytest.raises(QuotingEnclaveRejectedError, match="mrsigner"):
        authenticated(VENDOR.quote("tdx", qe_report=application))


@pytest.mark.parametrize("seconds", [-1, 1])
def test_a_quote_is_refused_outside_its_certificates_validity(seconds: int) -> None:
    at = PCK.first if seconds < 0 else PCK.last
    authenticated(VENDOR.quote(), at=at)
    with pytest.raises(CertificateTimeRejectedError):
        authenticated(VENDOR.quote(), at=at + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("recipes", "reason"),
    [
        # Step 3
        ({"pck": replace(PCK, name="Intel SGX TCB Signing")}, "no pck certificate"),
        ({"authority": replace(AUTHORITY, name="Intel SGX Root CA")}, "no authority of pck"),
    ],
)
def test_a_certificate_for_something_else_is_refused(recipes: Any, reason: str) -> None:
    vendor = FakeIntel(**recipes)
    with pytest.raises(CertificateRejectedError, match=reason):
        authenticated(vendor.quote(), vendor)


@pytest.mark.parametrize("extension", [None, b"\x05\x00"])
def test_a_pck_certificate_that_describes_no_platform_is_malformed(extension: bytes) -> None:
    vendor = FakeIntel(pck=replace(PCK, extension=extension))
    with pytest.raises(MalformedError):
        authenticated(vendor.quote(), vendor)


def test_claims_tell_a_vendors_root_from_one_that_is_called_so() -> None:
    roots = {"intel-sgx": VENDOR.roots["fake"]}
    found = authenticate_quote(VENDOR.quote(), roots=roots, at=NOW)
    claims = claims_of(found, module=None, collateral=None, roots=roots, at=NOW)
    assert claims.root == "intel-sgx"
    assert not claims.is_genuine
    assert claims.root_sha256 not in INTEL_ROOTS.values()
    assert claims.tcb is None
    assert claims.pck_serial == VENDOR.serial("pck")
    assert claims.signed_sha256 == sha256(found.quote.signed_bytes)
    assert (claims.first, claims.last) == (PCK.first, PCK.last)
    assert claims.qe_svn == 8


def test_a_cache_gives_the_same() -> None:
    cache = DcapCache()
    data = VENDOR.quote()
    first = authenticate_quote(data, roots=VENDOR.roots, at=NOW, cache=cache)
    assert authenticate_quote(data, roots=VENDOR.roots, at=NOW, cache=cache) == first
    assert authenticate_quote(data, roots=VENDOR.roots, at=NOW) == first
    with pytest.raises(CertificateTimeRejectedError):
        authenticate_quote(data, roots=VENDOR.roots, at=PCK.last + timedelta(1), cache=cache)
