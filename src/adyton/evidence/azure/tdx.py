"""Evidence of an Azure VM on TDX to claims: the TD's quote, and the vTPM that it vouches for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adyton.evidence.azure.bundle import TdxBundle
from adyton.evidence.azure.hcl import ReportType
from adyton.evidence.azure.vtpm import VtpmClaims, authenticate_vtpm
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.endorsements import DcapCache
from adyton.evidence.dcap.layout import without_padding
from adyton.evidence.tdx.authenticate import TdxClaims
from adyton.evidence.tdx.authenticate import authenticate as authenticate_td

__all__ = ["AzureTdxClaims", "authenticate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureTdxClaims:
    """What the hardware says of the VM's paravisor, and the vTPM of what runs above it."""

    tdx: TdxClaims
    vtpm: VtpmClaims


def authenticate(
    bundle: bytes,
    *,
    roots: Mapping[str, bytes],
    at: datetime,
    collateral: IntelCollateral | None = None,
    cache: DcapCache | None = None,
) -> AzureTdxClaims:
    """Return what ``bundle`` says, once it is shown to come from under one of ``roots``.

    1. The bundle is well formed, as ``TdxBundle.from_bytes`` has it.
    2. The TD's quote is authentic: the steps of ``authenticate`` for TDX.
    3. It vouches for the vTPM, and the vTPM for its registers: the steps of ``authenticate_vtpm``.

    Raises ``MalformedError`` or a ``RejectedError``.
    """
    # Step 1
    parsed = TdxBundle.from_bytes(bundle)
    # Step 2
    quote = without_padding(parsed.td_quote)
    tdx = authenticate_td(quote, roots=roots, at=at, collateral=collateral, cache=cache)
    # Step 3
    vtpm = authenticate_vtpm(
        parsed.vtpm, report_data=tdx.report.report_data, report_type=ReportType.TDX
    )
    return AzureTdxClaims(tdx=tdx, vtpm=vtpm)
