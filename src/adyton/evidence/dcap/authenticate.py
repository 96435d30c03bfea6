"""A quote to a platform and its claims: proves where a quote comes from, not what it says.

Follows the description of quote verification in Intel's "SGX ECDSA Quote Library Reference" and of
its quote verification library. Pure functions of the quote, the trusted roots, the collateral and
the instant; a cache changes how long they take, and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adyton.crypto.ecdsa import Es256PublicKey
from adyton.crypto.hashing import sha256
from adyton.crypto.path import CertificateRejectedError, Path, PathCache, verify_path
from adyton.crypto.suites import ES256
from adyton.errors import MalformedError, RejectedError
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.endorsements import (
    PCK_AUTHORITIES,
    DcapCache,
    authenticate_collateral,
)
from adyton.evidence.dcap.layout import Quote
from adyton.evidence.dcap.pck import SGX_EXTENSION, SgxExtension
from adyton.evidence.dcap.platform import ModuleReport, QuotedPlatform
from adyton.evidence.dcap.qe_identity import check_is_intels
from adyton.evidence.dcap.roots import INTEL_ROOTS
from adyton.evidence.dcap.tcb import TcbState, evaluate
from adyton.model.window import Window

__all__ = [
    "AttestationKeyRejectedError",
    "AuthenticQuote",
    "DcapClaims",
    "QuoteVendorRejectedError",
    "authenticate_quote",
    "claims_of",
]

_PCK: Final = "Intel SGX PCK Certificate"
# "QE Vendor ID" of Intel, in the table "Quote Header".
_INTEL: Final = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")


class QuoteVendorRejectedError(RejectedError):
    """The quote was made by another vendor's quoting enclave."""

    code = "quote-vendor-rejected"

    def __init__(self, *, found: bytes) -> None:
        super().__init__(f"the quoting enclave is of the vendor {found.hex()}, not of intel")
        self.found = found


class AttestationKeyRejectedError(RejectedError):
    """The quoting enclave does not vouch for the key that signed the quote."""

    code = "attestation-key-rejected"

    def __init__(self) -> None:
        super().__init__("the quoting enclave's report is over another attestation key")


@dataclass(frozen=True, slots=True, kw_only=True)
class DcapClaims:
    """What SGX and TDX quotes say alike, beside their bodies.

    ``root`` is the name of the anchor; ``is_genuine`` says whether it is Intel's, whatever it is
    called. ``pck`` describes the platform. ``first`` and ``last`` bound the time in which the
    quote's certificates are valid, and ``windows`` have each one's; a quote has no time of its own.
    ``signed_sha256`` is over header and body: two quotes are the same where this is. ``tcb`` is
    ``None`` where no collateral was given: then nobody knows how old the platform's firmware is, or
    whether its key was revoked.
    """

    quote_version: int
    root: str
    root_sha256: bytes
    is_genuine: bool
    pck: SgxExtension
    pck_serial: int
    pck_authority: str
    qe_svn: int
    user_data: bytes
    signed_sha256: bytes
    first: datetime
    last: datetime
    windows: tuple[Window, ...]
    tcb: TcbState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticQuote:
    """A quote that comes from where it says, and the path to the key of its platform."""

    quote: Quote
    path: Path
    extension: SgxExtension


def authenticate_quote(
    data: bytes,
    *,
    roots: Mapping[str, bytes],
    at: datetime,
    cache: DcapCache | None = None,
) -> AuthenticQuote:
    """Return the quote in ``data``, once it is shown to come from under one of ``roots``.

    1. The quote is well formed, as ``Quote.from_bytes`` has it, and made by Intel's software.
    2. Its certificates lead from a root in ``roots`` (a name to SHA-256 of its DER) to the
       platform's: the steps of ``verify_path``. All are valid at ``at``.
    3. The platform's is a PCK certificate, issued by an authority for such: by their names, and by
       the extension that describes the platform.
    4. The quoting enclave's report is signed by the platform's key.
    5. The quoting enclave is Intel's, by signer and product, and not in debug mode.
    6. Its report is over the attestation key and the authentication data.
    7. The signature over header and body is by the attestation key.

    Not established: that the platform is up to date or not revoked, that the code in the
    measurements is good, that the quote is recent, or that it was made for whoever presents it.
    Raises ``MalformedError`` or a ``RejectedError``.
    """
    # Step 1
    quote = Quote.from_bytes(data)
    if quote.qe_vendor_id != _INTEL:
        raise QuoteVendorRejectedError(found=quote.qe_vendor_id)
    # Step 2
    path = _path(quote, roots, cache.paths if cache is not None else None)
    path.check_valid(at)
    # Step 3
    extension = _extension(path)
    # Step 4
    path.leaf.key.check(
        quote.qe_report_bytes, quote.qe_report_signature, domain="the quoting enclave's report"
    )
    # Step 5: the platform's key signs reports of other enclaves, too.
    check_is_intels(quote.qe_report, quote.tee_type)
    # Step 6
    bound = sha256(quote.attestation_key + quote.qe_authentication_data)
    if quote.qe_report.report_data != bound + bytes(32):
        raise AttestationKeyRejectedError
    # Step 7
    key = Es256PublicKey.from_point(quote.attestation_key, where="the attestation key")
    key.check(quote.signed_bytes, quote.signature, domain="the quote")
    return AuthenticQuote(quote=quote, path=path, extension=extension)


def claims_of(
    authentic: AuthenticQuote,
    *,
    module: ModuleReport | None,
    collateral: IntelCollateral | None,
    roots: Mapping[str, bytes],
    at: datetime,
    cache: DcapCache | None = None,
) -> DcapClaims:
    """Return the claims of an authentic quote.

    With ``collateral``: the steps of ``authenticate_collateral`` and of ``evaluate``; a reason
    against the collateral is raised, the state that it finds is in the claims.
    """
    quote, path = authentic.quote, authentic.path
    root, authority, pck = path.certificates
    tcb = None
    if collateral is not None:
        platform = QuotedPlatform(
            tee_type=quote.tee_type,
            root=root,
            authority=authority,
            pck=pck,
            extension=authentic.extension,
            qe_report=quote.qe_report,
            module=module,
        )
        endorsements = authenticate_collateral(collateral, roots=roots, cache=cache)
        tcb = evaluate(platform, endorsements, at=at)
    return DcapClaims(
        quote_version=quote.version,
        root=path.root,
        root_sha256=path.root_sha256,
        # By digest. A policy may call its own root whatever it likes.
        is_genuine=path.root_sha256 in INTEL_ROOTS.values(),
        pck=authentic.extension,
        pck_serial=pck.serial,
        pck_authority=authority.common_name,
        qe_svn=quote.qe_report.isv_svn,
        user_data=quote.user_data,
        signed_sha256=sha256(quote.signed_bytes),
        first=path.first,
        last=path.last,
        windows=path.windows,
        tcb=tcb,
    )


def _path(quote: Quote, roots: Mapping[str, bytes], cache: PathCache | None) -> Path:
    leaf, *above = quote.pck_chain
    # Intel has the root last. Genuine quotes of 2020 have it in the middle; the order is part of no
    # signature, and every certificate has to verify in the order that comes out.
    if sha256(above[0]) in roots.values():
        above.reverse()
    authority, root = above
    return verify_path((root, authority, leaf), roots=roots, suite=ES256, cache=cache)


def _extension(path: Path) -> SgxExtension:
    _, authority, pck = path.certificates
    if authority.common_name not in PCK_AUTHORITIES:
        raise CertificateRejectedError(
            position=1, reason=f"is {authority.common_name!r}, no authority of pck certificates"
        )
    if pck.common_name != _PCK:
        raise CertificateRejectedError(
            position=2, reason=f"is {pck.common_name!r}, no pck certificate"
        )
    if SGX_EXTENSION not in pck.extensions:
        raise MalformedError("the pck certificate does not describe its platform")
    return SgxExtension.from_bytes(pck.extensions[SGX_EXTENSION])
