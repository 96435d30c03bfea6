"""Evidence of an Azure VM on SEV-SNP to claims: the report, and the vTPM that it vouches for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from adyton.crypto.path import PathCache
from adyton.evidence.azure.bundle import SnpBundle
from adyton.evidence.azure.hcl import HclReport, ReportType
from adyton.evidence.azure.vtpm import (
    RuntimeDataRejectedError,
    VtpmClaims,
    authenticate_vtpm,
)
from adyton.evidence.sev_snp.authenticate import SnpClaims
from adyton.evidence.sev_snp.authenticate import authenticate as authenticate_report
from adyton.evidence.sev_snp.collateral import CHAIN, AmdCollateral, CollateralMissingError

__all__ = ["AzureSnpClaims", "authenticate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureSnpClaims:
    """What the hardware says of the VM's paravisor, and the vTPM of what runs above it."""

    snp: SnpClaims
    vtpm: VtpmClaims


def authenticate(
    bundle: bytes,
    *,
    collateral: AmdCollateral | None,
    roots: Mapping[str, bytes],
    at: datetime,
    cache: PathCache | None = None,
) -> AzureSnpClaims:
    """Return what ``bundle`` says, once it is shown to come from under one of ``roots``.

    ``collateral`` has AMD's root and the authority below it; the bundle has the chip's certificate.

    1. The bundle is well formed, as ``SnpBundle.from_bytes`` has it, and so is the paravisor's
       report in it, in which the hardware's report stands.
    2. The authorities were given, and the hardware's report is authentic: the steps of
       ``authenticate`` for SEV-SNP.
    3. It was asked for at privilege level 0, which is the paravisor's: what runs above could have
       asked for a report over anything.
    4. It vouches for the vTPM, and the vTPM for its registers: the steps of ``authenticate_vtpm``.

    Raises ``MalformedError`` or a ``RejectedError``.
    """
    # Step 1
    parsed = SnpBundle.from_bytes(bundle)
    report = HclReport.from_bytes(parsed.vtpm.hcl_report).hardware_report
    # Step 2
    if collateral is None:
        raise CollateralMissingError(names=CHAIN[1:])
    full = replace(collateral, vek=parsed.vcek)
    snp = authenticate_report(report, collateral=full, roots=roots, at=at, cache=cache)
    # Step 3
    if snp.report.vmpl != 0:
        raise RuntimeDataRejectedError(
            reason=f"has a report from privilege level {snp.report.vmpl}, not from the paravisor's"
        )
    # Step 4
    vtpm = authenticate_vtpm(
        parsed.vtpm, report_data=snp.report.report_data, report_type=ReportType.SEV_SNP
    )
    return AzureSnpClaims(snp=snp, vtpm=vtpm)
