"""SEV-SNP evidence to claims: proves where a report comes from, and nothing about what it says.

Follows "VCEK Certificate and KDS Interface Specification" (AMD 57230), chapters 2 and 3, and "SEV
Secure Nested Paging Firmware ABI Specification" (AMD 56860), section "Attestation". A pure function
of the report, the collateral, the trusted roots and the instant; a cache changes how long it takes,
and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from adyton.crypto.crl import Crl, verify_crl
from adyton.crypto.hashing import sha256
from adyton.crypto.path import CertificateRejectedError, Path, PathCache, verify_path
from adyton.crypto.suites import PS384_AMD
from adyton.errors import RejectedError
from adyton.evidence.sev_snp.collateral import CHAIN, AmdCollateral, CollateralMissingError
from adyton.evidence.sev_snp.layout import Report, SigningKey
from adyton.evidence.sev_snp.product import Generation, ProductRejectedError, TcbVersion
from adyton.evidence.sev_snp.roots import AMD_ROOTS
from adyton.evidence.sev_snp.vek import Vek
from adyton.model.window import Window

__all__ = [
    "ChipRejectedError",
    "SigningKeyRejectedError",
    "SnpClaims",
    "TcbMismatchError",
    "authenticate",
]

_LIST: Final = "the revocation list"
# Whose key it is, by the names of its certificate and of the authority that issued it.
_NAMES: Final[Mapping[SigningKey, tuple[str, str]]] = MappingProxyType(
    {SigningKey.VCEK: ("SEV-VCEK", "SEV-{}"), SigningKey.VLEK: ("SEV-VLEK", "SEV-VLEK-{}")}
)


class SigningKeyRejectedError(RejectedError):
    """The report is not signed, or by a key of another kind than the certificate is for."""

    code = "signing-key-rejected"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the report {reason}")
        self.reason = reason


class TcbMismatchError(RejectedError):
    """The certificate is for a key of other versions of the firmware than the report is about."""

    code = "tcb-mismatch"

    def __init__(self, *, found: TcbVersion, wanted: TcbVersion) -> None:
        super().__init__(f"the certificate is for {found}, the report is about {wanted}")
        self.found, self.wanted = found, wanted


class ChipRejectedError(RejectedError):
    """The certificate is another chip's, or names none where it should."""

    code = "chip-rejected"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the chip's certificate {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpClaims:
    """What an authentic report says, and of which processor.

    ``root`` is the name of the anchor; ``is_genuine`` says whether it is AMD's, whatever it is
    called. ``vek`` is what the certificate of the key that signed says; of a chip it has the name,
    also where the report's is masked. The four versions are those of the report: ``reported`` is
    what the key is for, and what a policy compares; firmware cannot go back behind ``committed``.

    ``first`` and ``last`` bound the time in which the certificates are valid; a report has no time
    of its own. ``windows`` has each one's, and ``crl`` that of the revocation list, ``None`` where
    none was given: then nobody knows whether a certificate was revoked. ``signed_sha256`` is over
    the part that is signed: two reports are the same where this is.
    """

    report: Report
    root: str
    root_sha256: bytes
    is_genuine: bool
    generation: Generation
    signing_key: SigningKey
    vek: Vek
    vek_sha256: bytes
    reported: TcbVersion
    current: TcbVersion
    committed: TcbVersion
    launch: TcbVersion
    first: datetime
    last: datetime
    windows: tuple[Window, ...]
    crl: Window | None
    signed_sha256: bytes

    @property
    def measurements(self) -> Mapping[str, bytes]:
        """What identifies the code and its configuration, by AMD's names."""
        report = self.report
        return {
            "measurement": report.measurement,
            "host_data": report.host_data,
            "id_key_digest": report.id_key_digest,
            "author_key_digest": report.author_key_digest,
            "family_id": report.family_id,
            "image_id": report.image_id,
        }


def authenticate(
    report: bytes,
    *,
    collateral: AmdCollateral | None,
    roots: Mapping[str, bytes],
    at: datetime,
    cache: PathCache | None = None,
) -> SnpClaims:
    """Return what ``report`` says, once it is shown to come from under one of ``roots``.

    1. The report is well formed, as ``Report.from_bytes`` has it.
    2. The certificates were given, and lead from a root in ``roots`` (a name to SHA-256 of its
       DER) to the key that signed: the steps of ``verify_path``. All are valid at ``at``.
    3. They are those of one generation and of one kind of key, by their names: a chip's own key, or
       an operator's.
    4. The report says that it is signed by a key of this kind, and that it is not masked.
    5. What the certificate says of the processor is well formed, and of this generation; and so is
       what the report says of it, if it does.
    6. A chip's certificate names a chip, and an operator's an operator. The chip is the report's,
       unless the host had that masked (zeros).
    7. The versions of the firmware that the key is for are those that the report is about.
    8. The signature is by the certificate's key.
    9. With a revocation list: it is the root's, valid at ``at``, and has none of the certificates.
       (AMD gives all chips the number zero, which no list can name: what it takes back is an
       authority. A chip's key is left behind by newer firmware, which has another.)
    10. All versions of the firmware in the report are well formed.

    Not established: that the firmware is recent, that the code in the measurement is good, that the
    report is recent, or that it was made for whoever presents it. Raises ``MalformedError`` or a
    ``RejectedError``. Debug mode and other decisions of a guest's owner are findings, not errors:
    see ``findings``.
    """
    # Step 1
    parsed = Report.from_bytes(report)
    # Step 2
    if collateral is None or collateral.vek is None:
        raise CollateralMissingError(names=CHAIN if collateral is None else CHAIN[:1])
    path = verify_path(
        (collateral.ark, collateral.authority, collateral.vek),
        roots=roots,
        suite=PS384_AMD,
        cache=cache,
    )
    path.check_valid(at)
    # Step 3
    generation, signing_key = _kind(path)
    # Step 4
    _check_signing_key(parsed, signing_key)
    # Step 5
    vek = Vek.from_extensions(path.leaf.extensions)
    _check_generation(parsed, vek, generation)
    # Step 6
    _check_chip(parsed, vek, signing_key)
    # Step 7
    reported = TcbVersion.from_bytes(parsed.reported_tcb, generation)
    if vek.tcb != reported:
        raise TcbMismatchError(found=vek.tcb, wanted=reported)
    # Step 8
    path.leaf.key.check(parsed.signed_bytes, parsed.signature, domain="the report")
    # Step 9
    crl = None if collateral.crl is None else _crl(collateral.crl, path, at)
    # Step 10
    current, committed, launch = (
        TcbVersion.from_bytes(data, generation)
        for data in (parsed.current_tcb, parsed.committed_tcb, parsed.launch_tcb)
    )
    return SnpClaims(
        report=parsed,
        root=path.root,
        root_sha256=path.root_sha256,
        # By digest. A policy may call its own root whatever it likes.
        is_genuine=path.root_sha256 in AMD_ROOTS.values(),
        generation=generation,
        signing_key=signing_key,
        vek=vek,
        vek_sha256=sha256(collateral.vek),
        reported=reported,
        current=current,
        committed=committed,
        launch=launch,
        first=path.first,
        last=path.last,
        windows=path.windows,
        crl=None if crl is None else Window(name=_LIST, first=crl.first, last=crl.last),
        signed_sha256=sha256(parsed.signed_bytes),
    )


def _kind(path: Path) -> tuple[Generation, SigningKey]:
    root, authority, vek = path.certificates
    for generation in Generation:
        for key, (name, issuer) in _NAMES.items():
            names = (f"ARK-{generation}", issuer.format(generation), name)
            if names == (root.common_name, authority.common_name, vek.common_name):
                return generation, key
    raise CertificateRejectedError(
        position=2,
        reason=(
            f"is {vek.common_name!r} of {authority.common_name!r} of {root.common_name!r},"
            " which is no key that signs reports"
        ),
    )


def _check_signing_key(report: Report, signing_key: SigningKey) -> None:
    if report.mask_chip_key or report.signing_key is None:
        raise SigningKeyRejectedError(reason="is not signed: the host had the chip's key masked")
    if report.signing_key is not signing_key:
        raise SigningKeyRejectedError(
            reason=f"is signed by a {report.signing_key.name}, the certificate of a"
            f" {signing_key.name} came with it"
        )


def _check_generation(report: Report, vek: Vek, generation: Generation) -> None:
    if vek.generation is not generation:
        raise ProductRejectedError(
            reason=f"is {vek.product!r}, the certificates are {generation}'s"
        )
    if report.processor is None:
        return
    family, model, _ = report.processor
    if (found := Generation.of_processor(family, model)) is not generation:
        raise ProductRejectedError(reason=f"is of {found}, the certificates are {generation}'s")


def _check_chip(report: Report, vek: Vek, signing_key: SigningKey) -> None:
    if signing_key is SigningKey.VLEK:
        if vek.csp_id is None or vek.hwid is not None:
            raise ChipRejectedError(reason="is an operator's, and does not name one")
        return
    if vek.hwid is None or vek.csp_id is not None:
        raise ChipRejectedError(reason="does not name a chip")
    wanted = vek.hwid.ljust(len(report.chip_id), b"\0")
    if any(report.chip_id) and report.chip_id != wanted:
        raise ChipRejectedError(reason="is another chip's than the report")


def _crl(data: bytes, path: Path, at: datetime) -> Crl:
    root, authority, vek = path.certificates
    crl = verify_crl(data, issuer=root, suite=PS384_AMD, where=_LIST)
    crl.check_valid(at, where=_LIST)
    crl.check_not_revoked(authority, where=f"{authority.common_name!r}")
    # A chip with a number of its own would be looked up; zero is everybody's.
    if vek.serial:
        crl.check_not_revoked(vek, where=f"{vek.common_name!r}")
    return crl
