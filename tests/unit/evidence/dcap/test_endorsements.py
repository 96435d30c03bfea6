from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.fakes.intel import (
    AUTHORITY,
    NOW,
    ROOT,
    TCB_SIGNER,
    FakeIntel,
    List,
    certificate,
)

from adyton.crypto.crl import CertificateRevokedError, CrlRejectedError
from adyton.crypto.path import CertificateRejectedError, RootRejectedError
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import AdytonError, MalformedError
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.endorsements import (
    CollateralRejectedError,
    DcapCache,
    Endorsements,
    authenticate_collateral,
)

VENDOR = FakeIntel()
OTHER = FakeIntel()


def authenticated(
    data: bytes, vendor: FakeIntel = VENDOR, *, cache: DcapCache | None = None
) -> Endorsements:
    return authenticate_collateral(
        IntelCollateral.from_bytes(data), roots=vendor.roots, cache=cache
    )


@pytest.mark.parametrize("tee", ["sgx", "tdx"])
def test_good_collateral_says_what_was_signed(tee: Any) -> None:
    found = authenticated(VENDOR.collateral(tee))
    assert found.tcb_info.evaluation_number == found.qe_identity.evaluation_number == 20
    assert found.pck_authority.common_name == AUTHORITY.name
    assert len(found.windows) == 7
    assert all(window.first <= NOW <= window.last for window in found.windows)


def test_a_processor_authority_is_one_too() -> None:
    vendor = FakeIntel(authority=replace(AUTHORITY, name="Intel SGX PCK Processor CA"))
    found = authenticated(vendor.collateral(), vendor)
    assert found.pck_authority.common_name == "Intel SGX PCK Processor CA"


def chain(key: str, *names: str, vendor: FakeIntel = VENDOR) -> Callable[[], bytes]:
    changes: Any = {key: vendor.pem(*names)}
    return lambda: VENDOR.collateral(**changes)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        # Step 1
        (chain("tcb_info_issuer_chain", "tcb_signer", "root", vendor=OTHER), RootRejectedError),
        (chain("pck_crl_issuer_chain", "authority", "root", vendor=OTHER), RootRejectedError),
        (chain("qe_identity_issuer_chain", "tcb_signer", "root", vendor=OTHER), RootRejectedError),
        (chain("tcb_info_issuer_chain", "root", "tcb_signer"), RootRejectedError),
        (chain("tcb_info_issuer_chain", "pck", "root"), CertificateRejectedError),
        # Step 2
        (chain("tcb_info_issuer_chain", "authority", "root"), CertificateRejectedError),
        (chain("pck_crl_issuer_chain", "tcb_signer", "root"), CertificateRejectedError),
        # Step 3
        (
            lambda: VENDOR.collateral(root_list=List(revoked=(VENDOR.serial("authority"),))),
            CertificateRevokedError,
        ),
        (
            lambda: VENDOR.collateral(root_list=List(revoked=(VENDOR.serial("tcb_signer"),))),
            CertificateRevokedError,
        ),
        (lambda: VENDOR.collateral(root_ca_crl=OTHER.crl("root").hex()), CrlRejectedError),
        (lambda: VENDOR.collateral(root_ca_crl=VENDOR.crl("authority").hex()), CrlRejectedError),
        # Step 4
        (lambda: VENDOR.collateral(pck_crl=OTHER.crl("authority").hex()), CrlRejectedError),
        (lambda: VENDOR.collateral(pck_crl=VENDOR.crl("root").hex()), CrlRejectedError),
        # Step 5
        (lambda: VENDOR.collateral(tcb_info_signature="11" * 64), SignatureRejectedError),
        (lambda: VENDOR.collateral(qe_identity_signature="11" * 64), SignatureRejectedError),
        (lambda: VENDOR.collateral(tcb_info=VENDOR.tcb_info() + " "), SignatureRejectedError),
        (lambda: VENDOR.collateral(qe_identity=VENDOR.qe_identity() + " "), SignatureRejectedError),
        (lambda: VENDOR.collateral(tcb_info="not json"), SignatureRejectedError),
        # Step 6
        (lambda: VENDOR.collateral(info={"version": 2}), MalformedError),
        (lambda: VENDOR.collateral(identity={"version": 1}), MalformedError),
        (lambda: VENDOR.collateral(identity={"id": "QE"}), CollateralRejectedError),
    ],
)
def test_each_broken_piece_is_refused(data: Callable[[], bytes], reason: type[AdytonError]) -> None:
    with pytest.raises(reason):
        authenticated(data())


def test_a_signer_by_another_name_is_refused() -> None:
    vendor = FakeIntel(tcb_signer=replace(TCB_SIGNER, name="Intel SGX PCK Certificate"))
    with pytest.raises(CertificateRejectedError, match="not Intel SGX TCB Signing"):
        authenticated(vendor.collateral(), vendor)
    vendor = FakeIntel(authority=replace(AUTHORITY, name="Intel SGX Other CA"))
    with pytest.raises(CertificateRejectedError, match="'Intel SGX Other CA', not Intel SGX PCK"):
        authenticated(vendor.collateral(), vendor)


def test_a_signer_that_a_platform_made_is_refused() -> None:
    # The platform's key chains to the root, and signs for whoever asks it.
    info = VENDOR.tcb_info()
    data = VENDOR.collateral(
        tcb_info=info,
        tcb_info_signature=VENDOR.sign("pck", info.encode()).hex(),
        tcb_info_issuer_chain=VENDOR.pem("pck", "authority"),
    )
    with pytest.raises(RootRejectedError):
        authenticated(data)


def test_chains_from_different_roots_do_not_belong_together() -> None:
    info = OTHER.tcb_info()
    data = VENDOR.collateral(
        tcb_info=info,
        tcb_info_signature=OTHER.sign("tcb_signer", info.encode()).hex(),
        tcb_info_issuer_chain=OTHER.pem("tcb_signer", "root"),
    )
    roots = {**VENDOR.roots, "other": OTHER.roots["fake"]}
    with pytest.raises(CollateralRejectedError, match="different roots"):
        authenticate_collateral(IntelCollateral.from_bytes(data), roots=roots)


def rotated() -> FakeIntel:
    """Return the vendor after it got a new key, and a new certificate, for signing collateral."""
    vendor = copy(VENDOR)
    key = ec.generate_private_key(ec.SECP256R1())
    made = certificate(TCB_SIGNER, ROOT.name, key, VENDOR.keys["root"])
    vendor.keys = {**VENDOR.keys, "tcb_signer": key}
    vendor.certificates = {**VENDOR.certificates, "tcb_signer": made}
    return vendor


def test_a_new_signer_of_collateral_is_as_good_as_the_old_one() -> None:
    new, cache = rotated(), DcapCache()
    assert authenticated(VENDOR.collateral(), cache=cache).tcb_info.evaluation_number == 20
    assert authenticated(new.collateral(), cache=cache).tcb_info.evaluation_number == 20


@pytest.mark.parametrize("part", ["tcb_info", "qe_identity"])
def test_what_another_signer_signed_is_refused_under_a_new_one(part: str) -> None:
    new = rotated()
    chains: Any = {f"{part}_issuer_chain": new.pem("tcb_signer", "root")}
    with pytest.raises(SignatureRejectedError):
        authenticated(VENDOR.collateral(**chains))
    old: Any = {f"{part}_issuer_chain": VENDOR.pem("tcb_signer", "root")}
    with pytest.raises(SignatureRejectedError):
        authenticated(new.collateral(**old))


def test_an_old_signer_that_was_revoked_is_refused_and_the_new_one_is_not() -> None:
    new, old = rotated(), List(revoked=(VENDOR.serial("tcb_signer"),))
    assert authenticated(new.collateral(root_list=old)).tcb_info.evaluation_number == 20
    with pytest.raises(CertificateRevokedError):
        authenticated(VENDOR.collateral(root_list=old))
    # One of two is enough.
    with pytest.raises(CertificateRevokedError):
        authenticated(
            new.collateral(root_list=old, qe_identity_issuer_chain=VENDOR.pem("tcb_signer", "root"))
        )


def test_a_chain_of_another_length_is_malformed() -> None:
    good = IntelCollateral.from_bytes(VENDOR.collateral())
    for chain_ in (good.pck_crl_issuer_chain[:1], (*good.pck_crl_issuer_chain, b"")):
        with pytest.raises(MalformedError, match="not 2"):
            authenticate_collateral(replace(good, pck_crl_issuer_chain=chain_), roots=VENDOR.roots)


def test_a_cache_gives_the_same_and_never_under_other_roots() -> None:
    cache = DcapCache(limit=1)
    data = VENDOR.collateral()
    first = authenticated(data, cache=cache)
    assert authenticated(data, cache=cache) is first
    with pytest.raises(RootRejectedError):
        authenticated(data, OTHER, cache=cache)
    # Another one takes its place.
    authenticated(VENDOR.collateral("sgx"), cache=cache)
    assert len(cache._found) == 1
    assert authenticated(data, cache=cache) is not first
