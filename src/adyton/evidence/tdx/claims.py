"""TDX claims in the form that all technologies share."""

from adyton.evidence.dcap.claims import claims_of_quote
from adyton.evidence.tdx.authenticate import TdxClaims
from adyton.evidence.tdx.findings import findings
from adyton.model.claims import Claims, Technology

__all__ = ["claims_of"]


def claims_of(claims: TdxClaims) -> Claims:
    """Return what an authentic quote of a TD says."""
    report = claims.report
    components = {
        f"tdx_component_{place}": svn for place, svn in enumerate(report.tee_tcb_svn, start=1)
    }
    return claims_of_quote(
        claims.dcap,
        Technology.TDX,
        measurements={
            **claims.measurements,
            "td_attributes": report.td_attributes,
            "xfam": report.xfam,
        },
        numbers=components,
        configuration=findings(report),
        report_data=report.report_data,
        details={"tee_tcb_svn": report.tee_tcb_svn.hex()},
    )
