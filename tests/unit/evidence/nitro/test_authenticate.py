import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import pytest
from tests.fakes.nitro import CHAIN, ES384_HEADER, NOW, REGISTERS, FakeNitro, changed

from adyton.crypto.path import (
    CertificateRejectedError,
    CertificateTimeRejectedError,
    PathCache,
    RootRejectedError,
)
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import MalformedError
from adyton.evidence.nitro import authenticate as module
from adyton.evidence.nitro.authenticate import authenticate
from adyton.model.claims import Claims, Platform, Technology
from adyton.model.window import Window

VENDOR = FakeNitro()


def claims_of(
    document: bytes | None = None, *, vendor: FakeNitro = VENDOR, at: datetime = NOW
) -> Claims:
    data = vendor.document() if document is None else document
    return authenticate(data, roots=vendor.roots, at=at)


def with_fields(**changes: Any) -> Claims:
    return claims_of(VENDOR.document(VENDOR.fields(**changes)))


def test_a_good_document_gives_its_claims() -> None:
    document = VENDOR.document()
    claims = claims_of(document)
    signed = cbor2.dumps(["Signature1", ES384_HEADER, b"", cbor2.loads(document)[2]])
    assert claims == Claims(
        technology=Technology.NITRO,
        platform=Platform.INSECURE,
        root="fake",
        root_sha256=VENDOR.root_sha256,
        instance="i-0123456789abcdef0-enc0123456789abcdef",
        measurements={f"pcr{index}": value for index, value in REGISTERS.items()},
        configuration=(),
        report_data=b"user data",
        nonce=b"nonce",
        public_key=b"public key",
        issued=datetime(2026, 11, 20, 11, 59, 0, 136000, tzinfo=UTC),
        first=CHAIN[-1].first,
        last=CHAIN[-1].last,
        windows=tuple(
            Window(name=f"certificate {item.name!r}", first=item.first, last=item.last)
            for item in CHAIN
        ),
        signed_sha256=hashlib.sha256(signed).digest(),
    )


# Step 1: the rest is in test_layout


def test_bytes_that_are_no_document_are_malformed() -> None:
    with pytest.raises(MalformedError):
        claims_of(b"document")


# Step 2: the rest is in test_path_es384


def test_another_vendor_is_refused() -> None:
    with pytest.raises(RootRejectedError):
        claims_of(FakeNitro().document())


def test_a_bundle_that_begins_elsewhere_is_refused() -> None:
    with pytest.raises(RootRejectedError):
        with_fields(cabundle=VENDOR.chain[-2::-1])


def test_a_bundle_with_a_gap_is_refused() -> None:
    with pytest.raises(CertificateRejectedError):
        with_fields(cabundle=[*VENDOR.chain[:2], VENDOR.chain[3]])


def test_a_certificate_that_may_not_sign_is_refused() -> None:
    vendor = FakeNitro(changed(4, signs_documents=False, signs_certificates=True))
    with pytest.raises(CertificateRejectedError, match="not for signatures"):
        claims_of(vendor=vendor)


@pytest.mark.parametrize("at", [NOW - timedelta(minutes=3), NOW + timedelta(hours=3, seconds=1)])
def test_a_document_is_refused_outside_of_its_certificates_validity(at: datetime) -> None:
    with pytest.raises(CertificateTimeRejectedError):
        claims_of(at=at)


# Step 3


def test_a_signature_by_another_key_is_refused() -> None:
    other = FakeNitro()
    signed = VENDOR.document(VENDOR.fields(), signature=other.sign(b"anything"))
    with pytest.raises(SignatureRejectedError):
        claims_of(signed)


def test_a_changed_payload_is_refused() -> None:
    parts = cbor2.loads(VENDOR.document())
    parts[2] = cbor2.dumps(VENDOR.fields(user_data=b"User data"))
    with pytest.raises(SignatureRejectedError):
        claims_of(cbor2.dumps(parts))


def test_a_signature_for_another_use_of_cose_is_refused() -> None:
    with pytest.raises(SignatureRejectedError):
        claims_of(VENDOR.document(context="Signature"))


# Step 4


def test_only_a_pinned_digest_makes_a_platform_genuine(monkeypatch: pytest.MonkeyPatch) -> None:
    document = VENDOR.document()
    called = authenticate(document, roots={"aws-nitro": VENDOR.root_sha256}, at=NOW)
    assert called.platform is Platform.INSECURE
    pinned = {"aws-nitro": VENDOR.root_sha256}
    monkeypatch.setattr(module, "NITRO_ROOTS", pinned)
    genuine = authenticate(document, roots={"by any name": VENDOR.root_sha256}, at=NOW)
    assert genuine.platform is Platform.NITRO
    tpm = VENDOR.document(VENDOR.fields(pcrs=..., nitrotpm_pcrs={0: bytes(48)}))
    assert authenticate(tpm, roots=VENDOR.roots, at=NOW).platform is Platform.NITRO_TPM


# Step 5


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("value", [..., bytes(48), bytes(32)])
def test_a_register_of_the_image_that_is_zero_or_absent_means_debug(index: int, value: Any) -> None:
    registers = {**REGISTERS, index: value}
    registers = {key: item for key, item in registers.items() if item is not ...}
    assert with_fields(pcrs=registers).is_debug


def test_other_registers_may_be_zero() -> None:
    assert not with_fields(pcrs={**REGISTERS, 3: bytes(48), 8: bytes(48)}).is_debug


def test_a_tpm_has_no_debug_mode_and_may_have_zero_registers() -> None:
    claims = with_fields(pcrs=..., nitrotpm_pcrs={index: bytes(48) for index in range(24)})
    assert claims.technology is Technology.NITRO_TPM
    assert not claims.is_debug


# What the claims are good for


def test_the_same_signed_body_is_the_same_evidence() -> None:
    # Signed twice and tagged, the file is another one; what is signed is not.
    one, other = VENDOR.document(), VENDOR.document(tag=18)
    assert one != other
    assert claims_of(one).signed_sha256 == claims_of(other).signed_sha256
    assert with_fields(nonce=b"else").signed_sha256 != claims_of(one).signed_sha256


def test_a_cache_changes_nothing_but_the_time() -> None:
    cache, document = PathCache(), VENDOR.document()
    cold = authenticate(document, roots=VENDOR.roots, at=NOW, cache=cache)
    assert authenticate(document, roots=VENDOR.roots, at=NOW, cache=cache) == cold
    other = cbor2.loads(document)
    other[3] = bytes(96)
    with pytest.raises(SignatureRejectedError):
        authenticate(cbor2.dumps(other), roots=VENDOR.roots, at=NOW, cache=cache)
    with pytest.raises(CertificateTimeRejectedError):
        authenticate(document, roots=VENDOR.roots, at=NOW + timedelta(days=1), cache=cache)
