"""Certificate revocation lists: RFC 5280, sections 5 and 6.3, narrowed.

Narrowed to complete lists that an authority signs for its own certificates with its own key: delta
and indirect lists say so in critical extensions, and every critical extension is refused.
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from adyton.codec.der import DerReader, Tag
from adyton.crypto.path import Certificate
from adyton.crypto.signing import SignatureRejectedError
from adyton.crypto.suites import Suite
from adyton.errors import MalformedError, RejectedError

__all__ = ["CertificateRevokedError", "Crl", "CrlRejectedError", "verify_crl"]


class CrlRejectedError(RejectedError):
    """A revocation list is not what the authority in question would have signed."""

    code = "crl-rejected"

    def __init__(self, *, where: str, reason: str) -> None:
        super().__init__(f"{where} {reason}")
        self.where, self.reason = where, reason


class CertificateRevokedError(RejectedError):
    """A certificate's issuer has taken it back."""

    code = "certificate-revoked"

    def __init__(self, *, where: str, serial: int) -> None:
        super().__init__(f"{where}, serial number {serial:x}, is revoked by its issuer")
        self.where, self.serial = where, serial


@dataclass(frozen=True, slots=True, kw_only=True)
class Crl:
    """A list that was verified: who signed it, from when to when it speaks, and what it revokes."""

    issuer: Certificate
    revoked: x509.CertificateRevocationList
    first: datetime
    last: datetime

    def check_valid(self, at: datetime, *, where: str) -> None:
        """Raise unless the list speaks for the instant ``at``: both ends belong to it."""
        if not self.first <= at <= self.last:
            raise CrlRejectedError(
                where=where,
                reason=(
                    f"is valid from {self.first:%Y-%m-%dT%H:%M:%SZ} to"
                    f" {self.last:%Y-%m-%dT%H:%M:%SZ}, not at {at:%Y-%m-%dT%H:%M:%SZ}"
                ),
            )

    def check_not_revoked(self, certificate: Certificate, *, where: str) -> None:
        """Raise if the list has ``certificate``, which its issuer must have issued."""
        if self.revoked.get_revoked_certificate_by_serial_number(certificate.serial) is not None:
            raise CertificateRevokedError(where=where, serial=certificate.serial)


def verify_crl(der: bytes, *, issuer: Certificate, suite: Suite, where: str) -> Crl:
    """Return the list in ``der``, or raise.

    1. It is a list with a time of the next update, signed as ``suite`` has it.
    2. It is in the name of ``issuer``, whose key usage allows it to sign lists (cRLSign).
    3. The signature is by the issuer's key.
    4. No extension of the list is critical: it is complete, and about its issuer's certificates.

    Whether it is current is for ``Crl.check_valid``, at every use.
    """
    # Step 1
    frame = _frame(der, where)
    try:
        found = x509.load_der_x509_crl(der)
        first, last = found.last_update_utc, found.next_update_utc
    except ValueError as error:
        raise MalformedError(f"{where} is not a certificate revocation list") from error
    if last is None:
        raise MalformedError(f"{where} has no time of the next update")
    signed, beside = frame.algorithms
    if signed != beside or signed not in suite.algorithms:
        raise CrlRejectedError(where=where, reason=f"is not signed with {suite.name}")
    # Step 2
    if frame.issuer != issuer.subject:
        raise CrlRejectedError(where=where, reason="is not in the name of the authority")
    if not issuer.signs_crls:
        raise CrlRejectedError(where=where, reason="is by an authority that may not sign lists")
    # Step 3
    try:
        issuer.key.check_der(frame.signed, frame.signature, domain=where)
    except SignatureRejectedError as error:
        raise CrlRejectedError(where=where, reason="is not signed by the authority") from error
    # Step 4: only now is anything of it believed, the extensions included.
    try:
        has_critical = any(extension.critical for extension in found.extensions)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise MalformedError(f"{where} has an extension that cannot be read") from error
    if has_critical:
        raise CrlRejectedError(where=where, reason="has a critical extension")
    return Crl(issuer=issuer, revoked=found, first=first, last=last)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The parts of a list as they stand (RFC 5280, section 5.1)."""

    signed: bytes
    signature: bytes
    algorithms: tuple[bytes, bytes]
    issuer: bytes


def _frame(der: bytes, where: str) -> _Frame:
    outer = DerReader(der, where=where)
    crl = outer.enter(Tag.SEQUENCE, "the list")
    outer.finish()
    signed = crl.element(Tag.SEQUENCE, "the part that is signed")
    body = DerReader(signed, where=where).enter(Tag.SEQUENCE, "the part that is signed")
    algorithm = crl.element(Tag.SEQUENCE, "the signature's algorithm")
    signature = crl.whole_bytes("the signature")
    crl.finish()
    # Version 2, which is written as 1.
    if body.integer("version") != 1:
        raise MalformedError(f"{where} is not of version 2")
    return _Frame(
        signed=signed,
        signature=signature,
        algorithms=(body.element(Tag.SEQUENCE, "the algorithm"), algorithm),
        issuer=body.element(Tag.SEQUENCE, "the issuer"),
    )
