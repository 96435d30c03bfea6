"""Certificate chains from a pinned root to the key that signed: RFC 5280, section 6, narrowed.

Narrowed to what attestation roots do: one path, given root first; P-384 keys and ecdsa-with-SHA384;
no names, policies or other extensions to interpret, so that a critical one is refused. Revocation
is not part of it: AWS asks verifiers to leave it out, and where a vendor wants it, it is a separate
check.

A root is trusted by SHA-256 of its DER, never by its name. Each certificate is read only after the
signature over it was verified, so that a stranger's bytes meet as little code as possible.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtensionOID

from adyton.codec.der import DerReader, Tag
from adyton.crypto.ecdsa import Es384PublicKey
from adyton.crypto.hashing import sha256
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import MalformedError, RejectedError

__all__ = [
    "CertificateRejectedError",
    "CertificateTimeRejectedError",
    "Chain",
    "ChainCache",
    "RootRejectedError",
    "verify_chain",
]

# A root and what it signed.
MIN_CERTIFICATES: Final = 2
MAX_CERTIFICATES: Final = 10
_CACHED_LINKS: Final = 1024
# AlgorithmIdentifier, without parameters: RFC 5758, section 3.2.
_ECDSA_WITH_SHA384: Final = bytes.fromhex("300a06082a8648ce3d040303")


class RootRejectedError(RejectedError):
    """The chain begins at a root that the verifier was not told to trust."""

    code = "root-rejected"

    def __init__(self, *, found: bytes) -> None:
        super().__init__(f"the root certificate {found.hex()} is not one that is trusted here")
        self.found = found


class CertificateRejectedError(RejectedError):
    """A certificate of the chain was not issued for this place in it."""

    code = "certificate-rejected"

    def __init__(self, *, position: int, reason: str) -> None:
        super().__init__(f"certificate {position} of the chain {reason}")
        self.position, self.reason = position, reason


class CertificateTimeRejectedError(RejectedError):
    """A certificate of the chain is not valid at the time in question."""

    code = "certificate-not-valid-at-this-time"

    def __init__(self, *, position: int, at: datetime, first: datetime, last: datetime) -> None:
        super().__init__(
            f"certificate {position} of the chain is valid from {first:%Y-%m-%dT%H:%M:%SZ}"
            f" to {last:%Y-%m-%dT%H:%M:%SZ}, not at {at:%Y-%m-%dT%H:%M:%SZ}"
        )
        self.position, self.at, self.first, self.last = position, at, first, last


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A verified chain: the last certificate's key, and where the trust in it comes from.

    ``first`` and ``last`` bound the time in which every certificate of it is valid.
    """

    key: Es384PublicKey
    root: str
    root_sha256: bytes
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """A certificate whose signature and constraints hold, whatever the time.

    ``below`` is how many more certification authorities may follow; ``None`` is without limit.
    """

    subject: bytes
    key: Es384PublicKey
    below: int | None
    first: datetime
    last: datetime


class ChainCache:
    """Links that were verified before, so that the same authorities are not verified again.

    A link is found by the digest of the whole path down to it, root included, and of its role: what
    holds under one root says nothing under another. Validity is not part of what is remembered; it
    is checked at every use. With this cache and without it, the answer is the same.
    """

    def __init__(self, *, limit: int = _CACHED_LINKS) -> None:
        self._limit = limit
        self._links: dict[bytes, _Link] = {}
        self._lock = Lock()

    def find(self, path: bytes) -> _Link | None:
        """Return the link at the end of ``path``, if it is remembered."""
        with self._lock:
            return self._links.get(path)

    def keep(self, path: bytes, link: _Link) -> None:
        """Remember ``link``; the one that has been here longest gives way."""
        with self._lock:
            if len(self._links) >= self._limit:
                del self._links[next(iter(self._links))]
            self._links[path] = link


def verify_chain(
    certificates: Sequence[bytes],
    *,
    roots: Mapping[str, bytes],
    at: datetime,
    cache: ChainCache | None = None,
) -> Chain:
    """Return the key of the last of ``certificates``, which begin at the root, or raise.

    1. The first certificate is byte for byte one of ``roots`` (a name to SHA-256 of the DER).
    2. Each certificate after it is signed by the one before, in its name, with ecdsa-with-SHA384,
       and has a P-384 key.
    3. Every certificate but the last is a certification authority: basic constraints, critical, and
       the key usage keyCertSign.
    4. No authority has more authorities below it than its path length allows.
    5. The last certificate is none, and its key usage is digitalSignature.
    6. No certificate has a critical extension that is not understood here.
    7. Every certificate, the root included, is valid at ``at``.

    What the last key signed is for the caller to check.
    """
    if not MIN_CERTIFICATES <= len(certificates) <= MAX_CERTIFICATES:
        raise MalformedError(
            f"the chain has {len(certificates)} certificates,"
            f" not {MIN_CERTIFICATES} to {MAX_CERTIFICATES}"
        )
    # Step 1
    root_sha256 = sha256(certificates[0])
    name = next((name for name, digest in roots.items() if digest == root_sha256), None)
    if name is None:
        raise RootRejectedError(found=root_sha256)
    links: list[_Link] = []
    path = b""
    for position, der in enumerate(certificates):
        is_leaf = position == len(certificates) - 1
        path = sha256(path + sha256(der) + bytes([is_leaf]))
        link = cache.find(path) if cache is not None else None
        if link is None:
            issuer = links[-1] if links else None
            link = _verify_link(der, issuer=issuer, position=position, is_leaf=is_leaf)
            if cache is not None:
                cache.keep(path, link)
        # Step 7: at every use, also of what was remembered.
        if not link.first <= at <= link.last:
            raise CertificateTimeRejectedError(
                position=position, at=at, first=link.first, last=link.last
            )
        links.append(link)
    return Chain(
        key=links[-1].key,
        root=name,
        root_sha256=root_sha256,
        first=max(link.first for link in links),
        last=min(link.last for link in links),
    )


def _verify_link(der: bytes, *, issuer: _Link | None, position: int, is_leaf: bool) -> _Link:
    """Return the certificate in ``der``, whose issuer was verified (or which is a pinned root)."""
    where = f"certificate {position} of the chain"
    frame = _frame(der, where)
    try:
        certificate = x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as error:
        raise MalformedError(f"{where} is not an x.509 certificate") from error
    if certificate.version is not x509.Version.v3:
        raise MalformedError(f"{where} is not of version 3")
    # Step 2: the root needs no signature, its bytes are pinned.
    if issuer is not None:
        _check_issued(certificate, frame, issuer, position)
    try:
        key = Es384PublicKey(certificate.public_key(), where=f"the key of {where}")
        extensions = certificate.extensions
    except (
        ValueError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise MalformedError(f"{where} has a key or an extension that cannot be read") from error
    below = _check_constraints(extensions, issuer=issuer, position=position, is_leaf=is_leaf)
    return _Link(
        subject=frame.subject,
        key=key,
        below=below,
        first=certificate.not_valid_before_utc,
        last=certificate.not_valid_after_utc,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """What of a certificate is compared byte for byte (RFC 5280, section 4.1).

    ``algorithms`` has the one in the part that is signed, and the one beside the signature.
    """

    algorithms: tuple[bytes, bytes]
    issuer: bytes
    subject: bytes


def _frame(der: bytes, where: str) -> _Frame:
    outer = DerReader(der, where=where)
    certificate = outer.enter(Tag.SEQUENCE, "the certificate")
    outer.finish()
    body = certificate.enter(Tag.SEQUENCE, "the part that is signed")
    algorithm = certificate.element(Tag.SEQUENCE, "the signature's algorithm")
    # X.690, section 8.6.2.2: the first byte says how many bits at the end are unused. With another
    # number there, the library would read the same signature from other bytes.
    if certificate.take(Tag.BIT_STRING, "the signature")[:1] != b"\0":
        raise MalformedError(f"{where} has a signature that is not whole bytes")
    certificate.finish()
    if body.has(Tag.VERSION):
        body.take(Tag.VERSION, "version")
    # The library warns about a serial number that is not positive, and reads on. RFC 5280, section
    # 4.1.2.2, forbids it, and a warning is not an answer.
    if body.integer("serial number") <= 0:
        raise MalformedError(f"{where} has a serial number that is not positive")
    signed_algorithm = body.element(Tag.SEQUENCE, "the algorithm")
    issuer = body.element(Tag.SEQUENCE, "the issuer")
    body.take(Tag.SEQUENCE, "the validity")
    subject = body.element(Tag.SEQUENCE, "the subject")
    return _Frame(algorithms=(signed_algorithm, algorithm), issuer=issuer, subject=subject)


def _check_issued(
    certificate: x509.Certificate, frame: _Frame, issuer: _Link, position: int
) -> None:
    if frame.algorithms != (_ECDSA_WITH_SHA384, _ECDSA_WITH_SHA384):
        raise CertificateRejectedError(
            position=position, reason="is not signed with ecdsa and sha-384"
        )
    # Byte for byte: stricter than RFC 5280's comparison of names, and what every vendor does.
    if frame.issuer != issuer.subject:
        raise CertificateRejectedError(
            position=position, reason="is not issued in the name of the one before it"
        )
    try:
        issuer.key.check_der(
            certificate.tbs_certificate_bytes, certificate.signature, domain="a certificate"
        )
    except SignatureRejectedError as error:
        raise CertificateRejectedError(
            position=position, reason="is not signed by the one before it"
        ) from error


_UNDERSTOOD: Final = frozenset({ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE})


def _check_constraints(
    extensions: x509.Extensions, *, issuer: _Link | None, position: int, is_leaf: bool
) -> int | None:
    """Return how many authorities may follow this certificate (steps 3 to 6)."""
    basic: x509.BasicConstraints | None = None
    usage: x509.KeyUsage | None = None
    for extension in extensions:
        # Step 6
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise CertificateRejectedError(
                position=position, reason="has a critical extension that is not understood"
            )
        if isinstance(extension.value, x509.BasicConstraints):
            basic = extension.value
            # RFC 5280, section 4.2.1.9: an authority must mark it critical.
            if basic.ca and not extension.critical:
                raise CertificateRejectedError(
                    position=position, reason="has basic constraints that are not critical"
                )
        elif isinstance(extension.value, x509.KeyUsage):
            usage = extension.value
    if is_leaf:
        _check_leaf(basic, usage, position=position)
        return 0
    _check_authority(basic, usage, position=position)
    return _below(basic, issuer=issuer, position=position)


def _check_leaf(
    basic: x509.BasicConstraints | None, usage: x509.KeyUsage | None, *, position: int
) -> None:
    # Step 5
    if basic is not None and basic.ca:
        raise CertificateRejectedError(
            position=position, reason="is an authority's, and stands where a signer's should"
        )
    if usage is None or not usage.digital_signature:
        raise CertificateRejectedError(
            position=position, reason="has a key that is not for signatures"
        )


def _check_authority(
    basic: x509.BasicConstraints | None, usage: x509.KeyUsage | None, *, position: int
) -> None:
    # Step 3
    if basic is None or not basic.ca:
        raise CertificateRejectedError(position=position, reason="is not an authority's")
    if usage is None or not usage.key_cert_sign:
        raise CertificateRejectedError(
            position=position, reason="has a key that is not for signing certificates"
        )


def _below(
    basic: x509.BasicConstraints | None, *, issuer: _Link | None, position: int
) -> int | None:
    """Return the tighter of an authority's own limit and of what its issuer left (step 4)."""
    own = None if basic is None else basic.path_length
    if issuer is None or issuer.below is None:
        return own
    if issuer.below == 0:
        raise CertificateRejectedError(
            position=position, reason="is one authority more than the path length allows"
        )
    left = issuer.below - 1
    return left if own is None else min(own, left)
