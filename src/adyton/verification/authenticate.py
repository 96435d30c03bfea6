"""Step ``authenticate``: whose hardware the evidence comes from, and what it says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar

from adyton.appraisal.policy import Policy
from adyton.crypto.path import PathCache
from adyton.errors import MalformedError, RejectedError
from adyton.evidence.azure.claims import claims_of_azure_snp, claims_of_azure_tdx
from adyton.evidence.azure.snp import authenticate as authenticate_azure_snp
from adyton.evidence.azure.tdx import authenticate as authenticate_azure_tdx
from adyton.evidence.collateral import Collateral
from adyton.evidence.dcap.endorsements import DcapCache
from adyton.evidence.formats import Format, detect
from adyton.evidence.nitro.authenticate import authenticate as authenticate_nitro
from adyton.evidence.nvidia.authenticate import NvidiaClaims
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


# What is given beside evidence, a technology's memory, and its own form of what is authentic.
_Given = TypeVar("_Given")
_Given_contra = TypeVar("_Given_contra", contravariant=True)
_Cache = TypeVar("_Cache")
_Cache_contra = TypeVar("_Cache_contra", contravariant=True)
_Authentic = TypeVar("_Authentic")
_Authentic_co = TypeVar("_Authentic_co", covariant=True)

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
    roots = trusted_roots(policy.vendor_roots, named=policy.named_roots)
    cache = cache or EvidenceCache()
    reading = _Reading(evidence=evidence, roots=roots, at=at)
    intel = _Beside(collateral.intel, without=None)
    nvidia = _Beside(collateral.nvidia or NvidiaCollateral(), without=NvidiaCollateral())
    # Step 1
    match detect(evidence):
        # Steps 2 and 3
        case Format.NITRO:
            claims = authenticate_nitro(evidence, roots=roots, at=at, cache=cache.paths)
        case Format.SGX_QUOTE:
            claims = reading.claims(authenticate_sgx, claims_of_sgx, intel, cache.dcap)
        case Format.TDX_QUOTE:
            claims = reading.claims(authenticate_tdx, claims_of_tdx, intel, cache.dcap)
        case Format.AZURE_TDX:
            claims = reading.claims(authenticate_azure_tdx, claims_of_azure_tdx, intel, cache.dcap)
        case Format.SNP_REPORT:
            claims = _snp(reading, collateral.amd, cache.paths)
        case Format.SNP_EXTENDED_REPORT:
            claims = _extended(reading, collateral.amd, cache.paths)
        case Format.AZURE_SEV_SNP:
            amd = _of_amd(collateral.amd)
            claims = reading.claims(authenticate_azure_snp, claims_of_azure_snp, amd, cache.paths)
        case Format.NVIDIA_DEVICE:
            claims = reading.claims(_nvidia, claims_of_nvidia, nvidia, cache.paths)
        case Format.TOKEN:
            claims = _token(reading, collateral.token, cache.paths)
    return claims


@dataclass(frozen=True, slots=True)
class _Beside(Generic[_Given]):
    """What was given beside evidence, and what is left of it ``without`` what may not hold."""

    given: _Given
    without: _Given


class _Authenticate(Protocol[_Given_contra, _Cache_contra, _Authentic_co]):
    """The step of a technology whose evidence is verified with collateral."""

    def __call__(
        self,
        evidence: bytes,
        /,
        *,
        collateral: _Given_contra,
        roots: Mapping[str, bytes],
        at: datetime,
        cache: _Cache_contra,
    ) -> _Authentic_co:
        """Return what ``evidence`` says, once it is shown to be authentic."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One piece of evidence, read under ``roots`` at the instant ``at``."""

    evidence: bytes
    roots: Mapping[str, bytes]
    at: datetime

    def claims(
        self,
        authenticate: _Authenticate[_Given, _Cache, _Authentic],
        claims_of: Callable[[_Authentic], Claims],
        beside: _Beside[_Given],
        cache: _Cache,
    ) -> Claims:
        """Return the claims, with the reason against the collateral that was given (step 3)."""

        def read(collateral: _Given) -> Claims:
            return claims_of(
                authenticate(
                    self.evidence, collateral=collateral, roots=self.roots, at=self.at, cache=cache
                )
            )

        try:
            return read(beside.given)
        except (MalformedError, RejectedError) as error:
            if beside.given == beside.without:
                raise
            # Once more without: what is wrong with the evidence itself is raised by this.
            claims = read(beside.without)
            return replace(claims, tcb=Tcb(refused=(Finding.from_error(error),)))


def _of_amd(amd: AmdCollateral | None) -> _Beside[AmdCollateral | None]:
    return _Beside(amd, without=None if amd is None else replace(amd, crl=None))


def _snp(reading: _Reading, amd: AmdCollateral | None, cache: PathCache) -> Claims:
    return reading.claims(authenticate_snp, claims_of_snp, _of_amd(amd), cache)


def _extended(reading: _Reading, amd: AmdCollateral | None, cache: PathCache) -> Claims:
    extended = ExtendedReport.from_bytes(reading.evidence)
    reading = replace(reading, evidence=extended.report)
    if not extended.parts:
        return _snp(reading, amd, cache)
    found = AmdCollateral.from_extended_report(extended)
    if amd is not None and amd.crl is not None:
        return _snp(reading, replace(found, crl=amd.crl), cache)
    claims = _snp(reading, found, cache)
    # AMD's lists last a year, and the host chose this one: from before the day on which something
    # was taken back, perhaps. What it revokes is revoked, and that it revokes nothing says nothing.
    tcb = None if claims.tcb is None else replace(claims.tcb, is_revocation_checked=False)
    return replace(claims, tcb=tcb)


def _nvidia(
    file: bytes,
    *,
    collateral: NvidiaCollateral,
    roots: Mapping[str, bytes],
    at: datetime,
    cache: PathCache,
) -> NvidiaClaims:
    return authenticate_nvidia(
        one_device(file),
        collateral=collateral,
        roots=report_roots(roots),
        rim_roots=rim_roots(roots),
        at=at,
        cache=cache,
    )


def _token(reading: _Reading, collateral: TokenCollateral | None, cache: PathCache) -> Claims:
    """Return the claims of a token by the issuer that it names, and that a root is for.

    A key set is one issuer's, and its root has that issuer's name: with another, whoever runs one
    of Azure's instances could speak for all of them. Chains lead to the services themselves.
    """
    issuer = unverified_issuer(reading.evidence)
    # Instances that share their keys share a digest: the root of this one comes first.
    first = sorted(reading.roots.items(), key=lambda item: item[0] != issuer.name)
    claims = authenticate_token(
        reading.evidence,
        issuer=issuer,
        collateral=collateral or TokenCollateral(jwks=None, root=None),
        roots=dict(first),
        at=reading.at,
        cache=cache,
    )
    if claims.root != issuer.name and (claims.is_key_set or issuer not in _CHAINED):
        raise TokenIssuerRejectedError(found=issuer.name, wanted=claims.root)
    return claims_of_token(claims)
