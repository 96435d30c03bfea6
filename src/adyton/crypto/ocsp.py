"""Answers about one certificate's revocation: RFC 6960, narrowed.

Narrowed to what attestation services answer: one certificate in each answer, a time until which it
speaks, signed by the certificate's issuer or by a responder to whom that issuer delegated it. A
nonce is not looked at: an answer that was kept is as good as its time.

An answer that nobody gave is never read as good, and neither is "unknown".
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from adyton.codec.der import DerReader, Tag
from adyton.crypto.crl import CertificateRevokedError
from adyton.crypto.path import Certificate, CertificateRejectedError, verify_issued
from adyton.crypto.signing import SignatureRejectedError
from adyton.crypto.suites import Suite
from adyton.errors import MalformedError, RejectedError

__all__ = [
    "MAX_OCSP_BYTES",
    "CertificateStatus",
    "CertificateStatusUnknownError",
    "OcspAnswer",
    "OcspRejectedError",
    "OcspSubject",
    "ocsp_request",
    "ocsp_subject",
    "verify_ocsp",
]

MAX_OCSP_BYTES: Final = 16 * 1024
# What issuers are named by: RFC 6960, section 4.1.1. The names are only looked up, so that the
# oldest of them does no harm: what is believed is signed.
_HASHES: Final = frozenset({"sha1", "sha256", "sha384", "sha512"})


class OcspRejectedError(RejectedError):
    """An answer about a certificate is not what the issuer or its responder would have signed."""

    code = "ocsp-rejected"

    def __init__(self, *, where: str, reason: str) -> None:
        super().__init__(f"{where} {reason}")
        self.where, self.reason = where, reason


class CertificateStatusUnknownError(RejectedError):
    """The responder does not know the certificate: nobody says that it is good."""

    code = "certificate-status-unknown"

    def __init__(self, *, where: str, serial: int) -> None:
        super().__init__(
            f"{where}, serial number {serial:x}, is not known to its issuer's responder"
        )
        self.where, self.serial = where, serial


class CertificateStatus(StrEnum):
    """What a responder says of a certificate. A revocation that can be undone is ``ON_HOLD``."""

    GOOD = "good"
    ON_HOLD = "on-hold"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspSubject:
    """The certificate that an answer claims to be about; nothing of it is verified."""

    algorithm: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int

    def is_about(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Return whether it names ``certificate``, which ``issuer`` issued."""
        # The number first: of several answers, it tells nearly all others.
        return (
            self.serial == certificate.serial
            and self.issuer_name_hash == hashlib.new(self.algorithm, issuer.subject).digest()
            and self.issuer_key_hash == hashlib.new(self.algorithm, _key_bits(issuer)).digest()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspAnswer:
    """An answer that was verified: what it says, and from when to when it speaks.

    The time is also that of the responder's certificate. ``responder`` is its common name.
    """

    status: CertificateStatus
    serial: int
    responder: str
    first: datetime
    last: datetime

    def check_valid(self, at: datetime, *, where: str) -> None:
        """Raise unless the answer speaks for the instant ``at``: both ends belong to it."""
        if not self.first <= at <= self.last:
            raise OcspRejectedError(
                where=where,
                reason=(
                    f"is valid from {self.first:%Y-%m-%dT%H:%M:%SZ} to"
                    f" {self.last:%Y-%m-%dT%H:%M:%SZ}, not at {at:%Y-%m-%dT%H:%M:%SZ}"
                ),
            )

    def check_not_revoked(self, *, where: str) -> None:
        """Raise if the certificate is revoked for good, or unknown.

        One that is on hold is left to the caller: its issuer may release it, or has not yet
        decided.
        """
        match self.status:
            case CertificateStatus.REVOKED:
                raise CertificateRevokedError(where=where, serial=self.serial)
            case CertificateStatus.UNKNOWN:
                raise CertificateStatusUnknownError(where=where, serial=self.serial)
            case CertificateStatus.GOOD | CertificateStatus.ON_HOLD:
                return


def ocsp_subject(der: bytes, *, where: str) -> OcspSubject:
    """Return the certificate that the answer in ``der`` claims to be about."""
    return _subject(_load(der, where), where)


def verify_ocsp(
    der: bytes, *, certificate: Certificate, issuer: Certificate, suite: Suite, where: str
) -> OcspAnswer:
    """Return the answer in ``der`` about ``certificate``, which ``issuer`` issued, or raise.

    1. It is a successful basic response with one answer and a time of the next update, signed as
       ``suite`` has it.
    2. It is about the certificate: by its serial number, and its issuer's name and key.
    3. It is signed by the issuer, or by a responder whose certificate the issuer itself issued for
       this purpose (id-kp-OCSPSigning), and which comes with it.
    4. The responder that it names is the one that signed.
    5. The signature is by that key.
    6. No extension of it is critical.

    Whether it is current is for ``OcspAnswer.check_valid``, at every use.
    """
    # Step 1
    found = _load(der, where)
    frame = _frame(der, where)
    if frame.algorithm not in suite.algorithms:
        raise OcspRejectedError(where=where, reason=f"is not signed with {suite.name}")
    # Step 2
    if not _subject(found, where).is_about(certificate, issuer):
        raise OcspRejectedError(where=where, reason="is about another certificate")
    # Step 3
    responder = _responder(frame.certificates, issuer=issuer, suite=suite, where=where)
    # Step 4
    if not _is_named(found, responder, where):
        raise OcspRejectedError(where=where, reason="names another responder than it comes with")
    # Step 5
    try:
        responder.key.check_der(frame.signed, frame.signature, domain=where)
    except SignatureRejectedError as error:
        raise OcspRejectedError(where=where, reason="is not signed by the responder") from error
    # Step 6: only now is anything of it believed.
    return _answer(found, responder, where)


def ocsp_request(certificate: Certificate, issuer: Certificate) -> bytes:
    """Return the request (RFC 6960, section 4.1) for the status of ``certificate``, in DER."""
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        hashlib.sha384(issuer.subject).digest(),
        hashlib.sha384(_key_bits(issuer)).digest(),
        certificate.serial,
        SHA384(),
    )
    return builder.build().public_bytes(Encoding.DER)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The parts of an answer as they stand (RFC 6960, section 4.2.1)."""

    signed: bytes
    algorithm: bytes
    signature: bytes
    certificates: tuple[bytes, ...]


def _frame(der: bytes, where: str) -> _Frame:
    outer = DerReader(der, where=where)
    response = outer.enter(Tag.SEQUENCE, "the response")
    outer.finish()
    # That it is a success, and of the one type that there is, the library has looked at.
    response.take(Tag.ENUMERATED, "the status")
    explicit = response.enter(Tag.VERSION, "the response's bytes")
    response.finish()
    typed = explicit.enter(Tag.SEQUENCE, "the response's bytes")
    explicit.finish()
    typed.take(Tag.OBJECT_IDENTIFIER, "the response's type")
    content = DerReader(typed.take(Tag.OCTET_STRING, "the basic response"), where=where)
    typed.finish()
    basic = content.enter(Tag.SEQUENCE, "the basic response")
    content.finish()
    signed = basic.element(Tag.SEQUENCE, "the part that is signed")
    algorithm = basic.element(Tag.SEQUENCE, "the signature's algorithm")
    signature = basic.whole_bytes("the signature")
    certificates: tuple[bytes, ...] = ()
    if basic.has(Tag.VERSION):
        explicit = basic.enter(Tag.VERSION, "the certificates")
        several = explicit.enter(Tag.SEQUENCE, "the certificates")
        explicit.finish()
        certificates = (several.element(Tag.SEQUENCE, "the responder's certificate"),)
        # More than one is more than anybody verifies here.
        several.finish()
    basic.finish()
    return _Frame(
        signed=signed, algorithm=algorithm, signature=signature, certificates=certificates
    )


def _load(der: bytes, where: str) -> ocsp.OCSPResponse:
    if len(der) > MAX_OCSP_BYTES:
        raise MalformedError(f"{where} has {len(der)} bytes, limit {MAX_OCSP_BYTES}")
    try:
        found = ocsp.load_der_ocsp_response(der)
        is_answer = found.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
        count = len(list(found.responses)) if is_answer else 0
    except ValueError as error:
        raise MalformedError(f"{where} is not an ocsp response") from error
    if count != 1:
        raise MalformedError(f"{where} has {count} answers, not one")
    return found


def _subject(found: ocsp.OCSPResponse, where: str) -> OcspSubject:
    try:
        algorithm = found.hash_algorithm.name
        subject = OcspSubject(
            algorithm=algorithm,
            issuer_name_hash=found.issuer_name_hash,
            issuer_key_hash=found.issuer_key_hash,
            serial=found.serial_number,
        )
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError(f"{where} does not name a certificate") from error
    if algorithm not in _HASHES:
        raise MalformedError(f"{where} names a certificate by the hash {algorithm}")
    return subject


def _responder(
    certificates: tuple[bytes, ...], *, issuer: Certificate, suite: Suite, where: str
) -> Certificate:
    if not certificates:
        return issuer
    try:
        return verify_issued(
            certificates[0],
            issuer=issuer,
            suite=replace(suite, leaf_purpose=ExtendedKeyUsageOID.OCSP_SIGNING),
            position=0,
        )
    except CertificateRejectedError as error:
        raise OcspRejectedError(
            where=where, reason=f"comes with a responder's certificate that {error.reason}"
        ) from error


def _is_named(found: ocsp.OCSPResponse, responder: Certificate, where: str) -> bool:
    try:
        name, key_hash = found.responder_name, found.responder_key_hash
    except ValueError as error:
        raise MalformedError(f"{where} does not name its responder") from error
    if name is not None:
        return name.public_bytes() == responder.subject
    # RFC 6960, section 4.2.1: KeyHash is SHA-1. Whose key it is, the signature says.
    return key_hash == hashlib.sha1(_key_bits(responder), usedforsecurity=False).digest()


def _answer(found: ocsp.OCSPResponse, responder: Certificate, where: str) -> OcspAnswer:
    try:
        first, last = found.this_update_utc, found.next_update_utc
        status, reason = found.certificate_status, found.revocation_reason
        extensions = (*found.extensions, *found.single_extensions)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise MalformedError(f"{where} has a part that cannot be read") from error
    if last is None:
        raise MalformedError(f"{where} has no time of the next update")
    if any(extension.critical for extension in extensions):
        raise OcspRejectedError(where=where, reason="has a critical extension")
    return OcspAnswer(
        status=_status(status, reason),
        serial=found.serial_number,
        responder=responder.common_name,
        first=max(first, responder.first),
        last=min(last, responder.last),
    )


def _status(status: ocsp.OCSPCertStatus, reason: x509.ReasonFlags | None) -> CertificateStatus:
    match status:
        case ocsp.OCSPCertStatus.GOOD:
            return CertificateStatus.GOOD
        case ocsp.OCSPCertStatus.UNKNOWN:
            return CertificateStatus.UNKNOWN
        case ocsp.OCSPCertStatus.REVOKED:
            is_on_hold = reason is x509.ReasonFlags.certificate_hold
            return CertificateStatus.ON_HOLD if is_on_hold else CertificateStatus.REVOKED


def _key_bits(certificate: Certificate) -> bytes:
    """Return the key without its algorithm: what responders hash (RFC 6960, section 4.1.1)."""
    outer = DerReader(certificate.public_key_info, where="the issuer's key")
    info = outer.enter(Tag.SEQUENCE, "the key")
    info.element(Tag.SEQUENCE, "the key's algorithm")
    return info.whole_bytes("the key")
