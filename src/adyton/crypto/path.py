"""Certificate paths from a pinned root to the key that signed: RFC 5280, section 6, narrowed.

Narrowed to what attestation roots do: one path, given root first, with one kind of key and
signature, which is the suite (``suites``); no names, policies or constraints to interpret, so that
a critical extension that is not understood is refused. Revocation is a separate check (``crl``):
AWS asks verifiers to leave it out, and others want it.

Time is not part of a path: ``Path.check_valid`` is for every use of it. A root is trusted by
SHA-256 of its DER, never by its name, and each certificate is read only after the signature over it
was verified.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from adyton.crypto.fields import (
    BASIC_CONSTRAINTS,
    CRL_SIGN,
    DIGITAL_SIGNATURE,
    EXTENDED_KEY_USAGE,
    KEY_CERT_SIGN,
    KEY_USAGE,
    BasicConstraints,
    Extension,
    Fields,
    basic_constraints,
    common_name,
    key_usage,
    purposes,
)
from adyton.crypto.hashing import sha256
from adyton.crypto.signing import SignatureRejectedError
from adyton.crypto.suites import PublicKey, Suite
from adyton.errors import MalformedError, RejectedError
from adyton.model.window import Window

__all__ = [
    "Certificate",
    "CertificateRejectedError",
    "CertificateTimeRejectedError",
    "Path",
    "PathCache",
    "RootRejectedError",
    "verify_issued",
    "verify_path",
]

# A root and what it signed.
MIN_CERTIFICATES: Final = 2
MAX_CERTIFICATES: Final = 10
_CACHED: Final = 1024
_UNDERSTOOD: Final = frozenset({BASIC_CONSTRAINTS, KEY_USAGE})


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
class Certificate:
    """A certificate whose place in a path was verified, whatever the time.

    ``subject`` and ``public_key_info`` are the DER of these fields (RFC 5280, section 4.1): the
    same name or key has the same bytes. ``extensions`` has those that a path does not depend on, by
    their object identifier. ``below`` is how many more authorities may follow; ``None`` is without
    limit.
    """

    subject: bytes
    common_name: str
    public_key_info: bytes
    key: PublicKey = field(compare=False)
    signs_crls: bool
    extensions: Mapping[str, bytes]
    below: int | None
    serial: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A verified path, root first, and the time in which all of it is valid."""

    certificates: tuple[Certificate, ...]
    root: str
    root_sha256: bytes
    first: datetime
    last: datetime

    @property
    def leaf(self) -> Certificate:
        """The certificate that the path is about."""
        return self.certificates[-1]

    @property
    def windows(self) -> tuple[Window, ...]:
        """When each of the certificates is valid, by their names."""
        return tuple(
            Window(name=f"certificate {item.common_name!r}", first=item.first, last=item.last)
            for item in self.certificates
        )

    def check_valid(self, at: datetime) -> None:
        """Raise unless every certificate, the root included, is valid at ``at``."""
        for position, item in enumerate(self.certificates):
            if not item.first <= at <= item.last:
                raise CertificateTimeRejectedError(
                    position=position, at=at, first=item.first, last=item.last
                )


class PathCache:
    """Certificates that were verified before, so that the same are not verified again.

    Found by the digest of the whole path down to them, root included, of their role and of the
    suite: what holds under one root says nothing under another. Time is no part of what is
    remembered. With this cache and without it, the answer is the same.
    """

    def __init__(self, *, limit: int = _CACHED) -> None:
        self._limit = limit
        self._found: dict[bytes, Certificate] = {}
        self._lock = Lock()

    def find(self, path: bytes) -> Certificate | None:
        """Return the certificate at the end of ``path``, if it is remembered."""
        with self._lock:
            return self._found.get(path)

    def keep(self, path: bytes, certificate: Certificate) -> None:
        """Remember ``certificate``; the one that has been here longest gives way."""
        with self._lock:
            if len(self._found) >= self._limit:
                del self._found[next(iter(self._found))]
            self._found[path] = certificate


def verify_path(
    certificates: Sequence[bytes],
    *,
    roots: Mapping[str, bytes],
    suite: Suite,
    to_authority: bool = False,
    cache: PathCache | None = None,
) -> Path:
    """Return the path in ``certificates``, which begin at the root, or raise.

    1. The first certificate is byte for byte one of ``roots`` (a name to SHA-256 of the DER).
    2. Each certificate after it is signed by the one before, in its name, as ``suite`` has it.
    3. Every certificate but the last is a certification authority: basic constraints, critical, and
       the key usage keyCertSign.
    4. No authority has more authorities below it than its path length allows.
    5. The last certificate is none, and its key usage is digitalSignature. With ``to_authority``,
       it is one like the others.
    6. No certificate has a critical extension that is not understood here.

    Whether it is valid at some time is for ``Path.check_valid``, whether it is revoked for a list.
    """
    if not MIN_CERTIFICATES <= len(certificates) <= MAX_CERTIFICATES:
        raise MalformedError(
            f"the chain has {len(certificates)} certificates,"
            f" not {MIN_CERTIFICATES} to {MAX_CERTIFICATES}"
        )
    # Step 1
    root_sha256 = sha256(certificates[0])
    root = next((name for name, digest in roots.items() if digest == root_sha256), None)
    if root is None:
        raise RootRejectedError(found=root_sha256)
    verified: list[Certificate] = []
    digest = suite.name.encode()
    for position, der in enumerate(certificates):
        is_leaf = position == len(certificates) - 1 and not to_authority
        found = None
        if cache is not None:
            digest = sha256(digest + sha256(der) + bytes([is_leaf]))
            found = cache.find(digest)
        if found is None:
            issuer = verified[-1] if verified else None
            found = _verify(der, issuer=issuer, suite=suite, position=position, is_leaf=is_leaf)
            if cache is not None:
                cache.keep(digest, found)
        verified.append(found)
    return Path(
        certificates=tuple(verified),
        root=root,
        root_sha256=root_sha256,
        first=max(item.first for item in verified),
        last=min(item.last for item in verified),
    )


def verify_issued(der: bytes, *, issuer: Certificate, suite: Suite, position: int) -> Certificate:
    """Return the certificate of a signer that ``issuer`` itself issued, or raise.

    The steps of ``verify_path`` for the last certificate, where the path down to ``issuer`` was
    verified before. ``position`` is for messages.
    """
    return _verify(der, issuer=issuer, suite=suite, position=position, is_leaf=True)


def _verify(
    der: bytes, *, issuer: Certificate | None, suite: Suite, position: int, is_leaf: bool
) -> Certificate:
    where = f"certificate {position} of the chain"
    fields = Fields.from_bytes(der, where=where)
    # RFC 5280, section 4.1.2.2.
    lowest_serial = 0 if is_leaf and not suite.leaf_has_serial else 1
    if fields.serial < lowest_serial:
        raise MalformedError(f"{where} has a serial number that is not positive")
    # Step 2: the root needs no signature, its bytes are pinned.
    if issuer is not None:
        _check_issued(fields, issuer, suite, position)
    # Only now is anything in it read.
    try:
        public_key = load_der_public_key(fields.public_key_info)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError(f"{where} has a key that cannot be read") from error
    read_key = suite.read_leaf_key if is_leaf else suite.read_key
    key = read_key(public_key, where=f"the key of {where}")
    first, last = fields.window(where)
    extensions = fields.extensions(where)
    purpose = suite.leaf_purpose if is_leaf else None
    basic, usage = _understood(extensions, where, position=position, purpose=purpose)
    if is_leaf:
        _check_leaf(basic, usage, suite=suite, position=position)
    return Certificate(
        subject=fields.subject,
        common_name=common_name(fields.subject, where=where),
        public_key_info=fields.public_key_info,
        key=key,
        signs_crls=usage is not None and bool(usage & CRL_SIGN),
        extensions=MappingProxyType(
            {name: item.value for name, item in extensions.items() if name not in _UNDERSTOOD}
        ),
        below=0 if is_leaf else _below(basic, usage, issuer=issuer, position=position),
        serial=fields.serial,
        first=first,
        last=last,
    )


def _check_issued(fields: Fields, issuer: Certificate, suite: Suite, position: int) -> None:
    signed, beside = fields.algorithms
    if signed != beside or signed not in suite.algorithms:
        raise CertificateRejectedError(position=position, reason=f"is not signed with {suite.name}")
    # Byte for byte: stricter than RFC 5280's comparison of names, and what every vendor does.
    if fields.issuer != issuer.subject:
        raise CertificateRejectedError(
            position=position, reason="is not issued in the name of the one before it"
        )
    try:
        issuer.key.check_der(fields.signed, fields.signature, domain="a certificate")
    except SignatureRejectedError as error:
        raise CertificateRejectedError(
            position=position, reason="is not signed by the one before it"
        ) from error


def _understood(
    extensions: Mapping[str, Extension],
    where: str,
    *,
    position: int,
    purpose: x509.ObjectIdentifier | None,
) -> tuple[BasicConstraints | None, int | None]:
    """Return basic constraints and key usage, if all that is critical is understood (step 6).

    With ``purpose``, the extended key usage is understood as well, and must name it.
    """
    understood = _UNDERSTOOD if purpose is None else _UNDERSTOOD | {EXTENDED_KEY_USAGE}
    if any(item.critical and name not in understood for name, item in extensions.items()):
        raise CertificateRejectedError(
            position=position, reason="has a critical extension that is not understood"
        )
    basic, usage = None, None
    if (found := extensions.get(BASIC_CONSTRAINTS)) is not None:
        basic = basic_constraints(found.value, where=where)
        # RFC 5280, section 4.2.1.9: an authority must mark it critical.
        if basic.is_authority and not found.critical:
            raise CertificateRejectedError(
                position=position, reason="has basic constraints that are not critical"
            )
    if (found := extensions.get(KEY_USAGE)) is not None:
        usage = key_usage(found.value, where=where)
    if purpose is not None:
        found = extensions.get(EXTENDED_KEY_USAGE)
        if found is None or purpose.dotted_string not in purposes(found.value, where=where):
            raise CertificateRejectedError(
                position=position, reason="has a key that is not for this purpose"
            )
    return basic, usage


def _check_leaf(
    basic: BasicConstraints | None, usage: int | None, *, suite: Suite, position: int
) -> None:
    """Raise unless the certificate is a signer's (step 5)."""
    if basic is not None and basic.is_authority:
        raise CertificateRejectedError(
            position=position, reason="is an authority's, and stands where a signer's should"
        )
    is_signer = not suite.leaf_has_usage if usage is None else usage & DIGITAL_SIGNATURE
    if not is_signer:
        raise CertificateRejectedError(
            position=position, reason="has a key that is not for signatures"
        )


def _below(
    basic: BasicConstraints | None,
    usage: int | None,
    *,
    issuer: Certificate | None,
    position: int,
) -> int | None:
    """Return how many authorities may follow this certificate, which is one (steps 3 and 4)."""
    if basic is None or not basic.is_authority:
        raise CertificateRejectedError(position=position, reason="is not an authority's")
    if usage is None or not usage & KEY_CERT_SIGN:
        raise CertificateRejectedError(
            position=position, reason="has a key that is not for signing certificates"
        )
    own = basic.path_length
    if issuer is None or issuer.below is None:
        return own
    if issuer.below == 0:
        raise CertificateRejectedError(
            position=position, reason="is one authority more than the path length allows"
        )
    left = issuer.below - 1
    return left if own is None else min(own, left)
