"""Step ``authenticate``: whose hardware the evidence comes from, and what it says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

from adyton.appraisal.policy import Policy
from adyton.crypto.path import PathCache
from adyton.errors import AdytonError, MalformedError, RejectedError
from adyton.evidence.azure.claims import claims_of_azure_snp, claims_of_azure_tdx
from adyton.evidence.azure.snp import authenticate as authenticate_azure_snp
from adyton.evidence.azure.tdx import authenticate as authenticate_azure_tdx
from adyton.evidence.collateral import Collateral
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.endorsements import DcapCache
from adyton.evidence.formats import Format, detect
from adyton.evidence.nitro.authenticate import authenticate as authenticate_nitro
from adyton.evidence.nvidia.authenticate import authenticate as authenticate_nvidia
from adyton.evidence.nvidia.claims import claims_of as claims_of_nvidia
from adyton.evidence.nvidia.collateral import NvidiaCollateral
from adyton.evidence.nvidia.roots import report_roots, rim_roots
from adyton.evidence.nvidia.serialized import one_device
from adyton.evidence.roots import trusted_roots
from adyton.evidence.sev_snp.authenticate import authenticate as authenticate_snp
from adyton.evidence.sev_snp.claims import claims_of as claims_of_snp
from adyton.evidence.sev_snp.collateral import AmdCollateral
from adyton.evidence.sev_snp.table import ExtendedReport
from adyton.evidence.sgx.authenticate import authenticate as authenticate_sgx
from adyton.evidence.sgx.claims import claims_of as claims_of_sgx
from adyton.evidence.tdx.authenticate import authenticate as authenticate_tdx
from adyton.evidence.tdx.claims import claims_of as claims_of_tdx
from adyton.evidence.token.authenticate import TokenIssuerRejectedError
from adyton.evidence.token.authenticate import authenticate as authenticate_token
from adyton.evidence.token.claims import claims_of as claims_of_token
from adyton.evidence.token.collateral import TokenCollateral
from adyton.evidence.token.detection import unverified_issuer
from adyton.evidence.token.services import GOOGLE, NVIDIA
from adyton.model.claims import Claims, Tcb
from adyton.model.verdict import Finding

__all__ = ["EvidenceCache", "authenticate"]


# Issuers whose keys have certificates.
_CHAINED: Final = (GOOGLE, NVIDIA)


@dataclass(frozen=True, slots=True)
class EvidenceCache:
    """What was verified before, of all technologies. It changes how long things take, no more."""

    dcap: DcapCache = field(default_factory=DcapCache)

    @property
    def paths(self) -> PathCache:
        """The certificates, by their paths."""
        return self.dcap.paths


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """Under which roots, at what instant, and with which memory evidence is authenticated."""

    roots: Mapping[str, bytes]
    at: datetime
    cache: EvidenceCache


def authenticate(
    evidence: bytes,
    *,
    collateral: Collateral,
    policy: Policy,
    at: datetime,
    cache: EvidenceCache | None,
) -> Claims:
    """Return what ``evidence`` says, under a root that ``policy`` accepts, at the instant ``at``.

    1. Its format is one that is read here.
    2. It is authentic: the steps of its technology's ``authenticate``.
    3. Collateral about firmware and revocation that does not hold, or takes the platform back, says
       nothing against where the evidence comes from: the reason is in the claims' ``tcb``.

    Not established: that the claims are acceptable. Raises ``MalformedError`` or
    ``RejectedError``.
    """
    setting = _Setting(
        roots=trusted_roots(policy.vendor_roots, named=policy.named_roots),
        at=at,
        cache=cache or EvidenceCache(),
    )
    intel, amd = collateral.intel, collateral.amd
    # Step 1
    match detect(evidence):
        # Steps 2 and 3
        case Format.NITRO:
            claims = authenticate_nitro(
                evidence, roots=setting.roots, at=at, cache=setting.cache.paths
            )
        case Format.SGX_QUOTE:
            claims = _with_collateral(partial(_sgx, evidence, setting), intel)
        case Format.TDX_QUOTE:
            claims = _with_collateral(partial(_tdx, evidence, setting), intel)
        case Format.AZURE_TDX:
            claims = _with_collateral(partial(_azure_tdx, evidence, setting), intel)
        case Format.SNP_REPORT:
            claims = _snp(evidence, amd, setting)
        case Format.SNP_EXTENDED_REPORT:
            claims = _extended(evidence, amd, setting)
        case Format.AZURE_SEV_SNP:
            claims = _azure_snp(evidence, amd, setting)
        case Format.NVIDIA_DEVICE:
            claims = _nvidia(evidence, collateral.nvidia or NvidiaCollateral(), setting)
        case Format.TOKEN:
            claims = _token(evidence, collateral.token, setting)
    return claims


def _with_collateral(
    read: Callable[[IntelCollateral | None], Claims], collateral: IntelCollateral | None
) -> Claims:
    if collateral is None:
        return read(None)
    try:
        return read(collateral)
    except (MalformedError, RejectedError) as error:
        # Once more without: what is wrong with the evidence itself is raised by this.
        return _refused(read(None), error)


def _refused(claims: Claims, error: AdytonError) -> Claims:
    return replace(claims, tcb=Tcb(refused=(Finding.from_error(error),)))


def _sgx(evidence: bytes, setting: _Setting, collateral: IntelCollateral | None) -> Claims:
    return claims_of_sgx(
        authenticate_sgx(
            evidence,
            roots=setting.roots,
            at=setting.at,
            collateral=collateral,
            cache=setting.cache.dcap,
        )
    )


def _tdx(evidence: bytes, setting: _Setting, collateral: IntelCollateral | None) -> Claims:
    return claims_of_tdx(
        authenticate_tdx(
            evidence,
            roots=setting.roots,
            at=setting.at,
            collateral=collateral,
            cache=setting.cache.dcap,
        )
    )


def _azure_tdx(evidence: bytes, setting: _Setting, collateral: IntelCollateral | None) -> Claims:
    return claims_of_azure_tdx(
        authenticate_azure_tdx(
            evidence,
            roots=setting.roots,
            at=setting.at,
            collateral=collateral,
            cache=setting.cache.dcap,
        )
    )


def _extended(evidence: bytes, amd: AmdCollateral | None, setting: _Setting) -> Claims:
    extended = ExtendedReport.from_bytes(evidence)
    if not extended.parts:
        return _snp(extended.report, amd, setting)
    found = AmdCollateral.from_extended_report(extended)
    if amd is not None and amd.crl is not None:
        return _snp(extended.report, replace(found, crl=amd.crl), setting)
    claims = _snp(extended.report, found, setting)
    # AMD's lists last a year, and the host chose this one: from before the day on which something
    # was taken back, perhaps. What it revokes is revoked, and that it revokes nothing says nothing.
    tcb = None if claims.tcb is None else replace(claims.tcb, is_revocation_checked=False)
    return replace(claims, tcb=tcb)


def _snp(report: bytes, amd: AmdCollateral | None, setting: _Setting) -> Claims:
    read = partial(
        authenticate_snp, report, roots=setting.roots, at=setting.at, cache=setting.cache.paths
    )
    try:
        return claims_of_snp(read(collateral=amd))
    except (MalformedError, RejectedError) as error:
        if amd is None or amd.crl is None:
            raise
        return _refused(claims_of_snp(read(collateral=replace(amd, crl=None))), error)


def _azure_snp(evidence: bytes, amd: AmdCollateral | None, setting: _Setting) -> Claims:
    read = partial(
        authenticate_azure_snp,
        evidence,
        roots=setting.roots,
        at=setting.at,
        cache=setting.cache.paths,
    )
    try:
        return claims_of_azure_snp(read(collateral=amd))
    except (MalformedError, RejectedError) as error:
        if amd is None or amd.crl is None:
            raise
        return _refused(claims_of_azure_snp(read(collateral=replace(amd, crl=None))), error)


def _nvidia(evidence: bytes, full: NvidiaCollateral, setting: _Setting) -> Claims:
    read = partial(
        authenticate_nvidia,
        one_device(evidence),
        roots=report_roots(setting.roots),
        rim_roots=rim_roots(setting.roots),
        at=setting.at,
        cache=setting.cache.paths,
    )
    bare = NvidiaCollateral()
    try:
        return claims_of_nvidia(read(collateral=full))
    except (MalformedError, RejectedError) as error:
        if full == bare:
            raise
        return _refused(claims_of_nvidia(read(collateral=bare)), error)


def _token(evidence: bytes, collateral: TokenCollateral | None, setting: _Setting) -> Claims:
    """Return the claims of a token by the issuer that it names, and that a root is for.

    A key set is one issuer's, and its root has that issuer's name: with another, whoever runs one
    of Azure's instances could speak for all of them. Chains lead to the services themselves.
    """
    issuer = unverified_issuer(evidence)
    # Instances that share their keys share a digest: the root of this one comes first.
    first = sorted(setting.roots.items(), key=lambda item: item[0] != issuer.name)
    claims = authenticate_token(
        evidence,
        issuer=issuer,
        collateral=collateral or TokenCollateral(jwks=None, root=None),
        roots=dict(first),
        at=setting.at,
        cache=setting.cache.paths,
    )
    if claims.root != issuer.name and (claims.is_key_set or issuer not in _CHAINED):
        raise TokenIssuerRejectedError(found=issuer.name, wanted=claims.root)
    return claims_of_token(claims)
