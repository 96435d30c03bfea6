import hashlib
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA224, SHA256, SHA384
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.fakes.nvidia import NOW, Answer, FakeNvidia, der

from adyton.crypto.crl import CertificateRevokedError
from adyton.crypto.ocsp import (
    CertificateStatus,
    CertificateStatusUnknownError,
    OcspAnswer,
    OcspRejectedError,
    ocsp_request,
    ocsp_subject,
    verify_ocsp,
)
from adyton.crypto.path import verify_path
from adyton.crypto.suites import ES384
from adyton.errors import AdytonError, MalformedError

VENDOR = FakeNvidia("hopper")
PATH = verify_path(VENDOR.chain, roots=VENDOR.roots, suite=ES384)
ISSUER, BOOT = PATH.certificates[2], PATH.certificates[3]
GOOD = VENDOR.answer("boot")


# Two extensions, the second of which is given the name of the first one.
OTHER = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.9")
TWICE = (x509.OCSPNonce(b"nonce"), x509.UnrecognizedExtension(OTHER, b"\4\0"))
TWICE_NAMED = (bytes.fromhex("2b0601050507300109"), bytes.fromhex("2b0601050507300102"))


def verified(data: bytes) -> OcspAnswer:
    return verify_ocsp(data, certificate=BOOT, issuer=ISSUER, suite=ES384, where="the answer")


def made(**recipe: object) -> bytes:
    return VENDOR.answer("boot", Answer(**recipe))  # type: ignore[arg-type]  # as recipes are


def test_a_good_answer_is_read_in_all_its_parts() -> None:
    found = verified(GOOD)
    assert (found.status, found.serial) == (CertificateStatus.GOOD, BOOT.serial)
    assert found.responder == "OCSP Responder of line"
    assert (found.first, found.last) == (NOW - timedelta(hours=1), NOW + timedelta(hours=23))
    found.check_not_revoked(where="it")
    assert ocsp_subject(GOOD, where="it").is_about(BOOT, ISSUER)
    assert not ocsp_subject(GOOD, where="it").is_about(ISSUER, PATH.certificates[1])


@pytest.mark.parametrize("is_direct", [True, False])
@pytest.mark.parametrize("named", ["key", "name"])
def test_an_issuer_or_its_responder_may_answer(*, is_direct: bool, named: str) -> None:
    found = verified(made(is_direct=is_direct, named=named))
    assert found.responder == (ISSUER.common_name if is_direct else "OCSP Responder of line")


@pytest.mark.parametrize(
    ("recipe", "status", "reason"),
    [
        (
            {"status": ocsp.OCSPCertStatus.REVOKED},
            CertificateStatus.REVOKED,
            CertificateRevokedError,
        ),
        (
            {
                "status": ocsp.OCSPCertStatus.REVOKED,
                "reason": x509.ReasonFlags.key_compromise,
            },
            CertificateStatus.REVOKED,
            CertificateRevokedError,
        ),
        (
            {"status": ocsp.OCSPCertStatus.UNKNOWN},
            CertificateStatus.UNKNOWN,
            CertificateStatusUnknownError,
        ),
    ],
    ids=["revoked", "compromised", "unknown"],
)
def test_what_is_not_good_is_refused(
    recipe: dict[str, object], status: CertificateStatus, reason: type[AdytonError]
) -> None:
    found = verified(made(**recipe))
    assert found.status is status
    with pytest.raises(reason):
        found.check_not_revoked(where="it")


def test_a_hold_is_its_own_answer() -> None:
    held = made(status=ocsp.OCSPCertStatus.REVOKED, reason=x509.ReasonFlags.certificate_hold)
    found = verified(held)
    assert found.status is CertificateStatus.ON_HOLD
    found.check_not_revoked(where="it")


def test_an_answer_speaks_for_its_time_and_its_responders() -> None:
    found = verified(GOOD)
    for at in (found.first, found.last):
        found.check_valid(at, where="it")
    for at in (found.first - timedelta(seconds=1), found.last + timedelta(seconds=1)):
        with pytest.raises(OcspRejectedError):
            found.check_valid(at, where="it")
    short = made(responder={"last": NOW + timedelta(hours=1)})
    assert verified(short).last == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(lambda: made(last=None), MalformedError, id="1: no next update"),
        pytest.param(lambda: made(hash=SHA256()), OcspRejectedError, id="1: sha-256"),
        pytest.param(lambda: VENDOR.answer("line"), OcspRejectedError, id="2: another"),
        pytest.param(
            lambda: FakeNvidia("hopper", boot={"serial": 8}).answer("boot"),
            OcspRejectedError,
            id="2: serial number",
        ),
        pytest.param(
            lambda: made(responder={"signed_by_itself": True}),
            OcspRejectedError,
            id="3: not issued by the issuer",
        ),
        pytest.param(
            lambda: made(responder={"issuer": "NVIDIA"}), OcspRejectedError, id="3: issuer's name"
        ),
        pytest.param(
            lambda: made(responder={"purpose": None}), OcspRejectedError, id="3: no purpose"
        ),
        pytest.param(
            lambda: made(responder={"purpose": ExtendedKeyUsageOID.SERVER_AUTH}),
            OcspRejectedError,
            id="3: another purpose",
        ),
        pytest.param(
            lambda: made(responder={"is_authority": True}), OcspRejectedError, id="3: authority"
        ),
        pytest.param(
            lambda: made(responder={"signs_documents": False}), OcspRejectedError, id="3: usage"
        ),
        pytest.param(lambda: made(named="another"), OcspRejectedError, id="4: responder"),
        pytest.param(lambda: made(signed_by_another=True), OcspRejectedError, id="5: signature"),
        pytest.param(
            lambda: made(extensions=(x509.OCSPNonce(b"nonce"),), is_critical=True),
            OcspRejectedError,
            id="6: critical extension",
        ),
        pytest.param(
            lambda: der(0x30, der(0x0A, b"\3")),
            MalformedError,
            id="1: no answer",
        ),
        pytest.param(lambda: made(type=b"\x2a\x03"), MalformedError, id="1: another type"),
        pytest.param(lambda: made(unused_bits=1), MalformedError, id="1: unused bits"),
        pytest.param(lambda: made(names_by=SHA224()), MalformedError, id="2: hash"),
        pytest.param(
            lambda: made(named="name", replaced=(b"OCSP Responder", b"\xff" * 14)),
            MalformedError,
            id="4: a name that cannot be read",
        ),
        pytest.param(
            lambda: made(extensions=TWICE, replaced=TWICE_NAMED),
            MalformedError,
            id="6: an extension that cannot be read",
        ),
        pytest.param(lambda: GOOD + b"\0", MalformedError, id="1: behind it"),
        pytest.param(lambda: bytes(16 * 1024 + 1), MalformedError, id="1: large"),
        pytest.param(lambda: b"", MalformedError, id="1: nothing"),
    ],
)
def test_each_broken_step_is_refused(
    broken: Callable[[], bytes], reason: type[AdytonError]
) -> None:
    with pytest.raises(reason):
        verified(broken())


def test_an_extension_that_is_not_critical_does_no_harm() -> None:
    assert verified(made(extensions=(x509.OCSPNonce(b"nonce"),))).status is CertificateStatus.GOOD


def test_a_request_names_the_certificate_as_nvidias_responder_wants_it() -> None:
    request = ocsp.load_der_ocsp_request(ocsp_request(BOOT, ISSUER))
    assert request.serial_number == BOOT.serial
    assert isinstance(request.hash_algorithm, SHA384)
    assert request.issuer_name_hash == hashlib.sha384(ISSUER.subject).digest()
