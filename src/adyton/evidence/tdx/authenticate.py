"""TDX evidence to claims: the steps of DCAP, and what a TD's report says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adyton.errors import MalformedError
from adyton.evidence.dcap.authenticate import DcapClaims, authenticate_quote, claims_of
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.endorsements import DcapCache
from adyton.evidence.dcap.layout import TeeType
from adyton.evidence.dcap.platform import ModuleReport
from adyton.evidence.tdx.layout import TdReport

__all__ = ["TdxClaims", "authenticate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TdxClaims:
    """What an authentic quote says of a TD, and of the platform that it runs on."""

    dcap: DcapClaims
    report: TdReport

    @property
    def measurements(self) -> Mapping[str, bytes]:
        """What identifies the code and its configuration, by Intel's names."""
        report = self.report
        return {
            "mr_td": report.mr_td,
            **{f"rtmr{index}": value for index, value in enumerate(report.rtmrs)},
            "mr_config_id": report.mr_config_id,
            "mr_owner": report.mr_owner,
            "mr_owner_config": report.mr_owner_config,
            "mr_seam": report.mr_seam,
            "mr_signer_seam": report.mr_signer_seam,
            **({} if report.mr_service_td is None else {"mr_service_td": report.mr_service_td}),
        }


def authenticate(
    quote: bytes,
    *,
    roots: Mapping[str, bytes],
    at: datetime,
    collateral: IntelCollateral | None = None,
    cache: DcapCache | None = None,
) -> TdxClaims:
    """Return what ``quote`` says, once it is shown to come from under one of ``roots``.

    1. The quote is authentic: the steps of ``authenticate_quote``.
    2. It is about a TD, and its body is well formed.
    3. With ``collateral``, the state of the platform's TCB: the steps of ``claims_of``.

    Raises ``MalformedError`` or a ``RejectedError``. Debug mode, a service TD and faults that the
    host may cause (SEPT_VE_DISABLE) are findings, not errors: see ``findings``.
    """
    # Without one, for this call: the same certificates stand in several chains.
    cache = DcapCache() if cache is None else cache
    # Step 1
    authentic = authenticate_quote(quote, roots=roots, at=at, cache=cache)
    # Step 2
    if authentic.quote.tee_type is not TeeType.TDX:
        raise MalformedError("the quote is not about a td")
    report = TdReport.from_bytes(authentic.quote.body, authentic.quote.body_type)
    # Step 3
    module = ModuleReport(
        mr_signer_seam=report.mr_signer_seam,
        seam_attributes=report.seam_attributes,
        tee_tcb_svn=report.tee_tcb_svn,
        tee_tcb_svn2=report.tee_tcb_svn2,
    )
    dcap = claims_of(
        authentic, module=module, collateral=collateral, roots=roots, at=at, cache=cache
    )
    return TdxClaims(dcap=dcap, report=report)
