"""TDX claims in the form that all technologies share."""

from types import MappingProxyType

from adyton.evidence.dcap.claims import details_of, instance_of, numbers_of, tcb_of
from adyton.evidence.tdx.authenticate import TdxClaims
from adyton.evidence.tdx.findings import findings
from adyton.model.claims import Claims, Platform, Technology

__all__ = ["claims_of"]


def claims_of(claims: TdxClaims) -> Claims:
    """Return what an authentic quote of a TD says."""
    dcap, report = claims.dcap, claims.report
    components = {
        f"tdx_component_{place}": svn for place, svn in enumerate(report.tee_tcb_svn, start=1)
    }
    return Claims(
        technology=Technology.TDX,
        platform=Platform.of(Technology.TDX, is_genuine=dcap.is_genuine),
        root=dcap.root,
        root_sha256=dcap.root_sha256,
        instance=instance_of(dcap.pck),
        measurements=MappingProxyType(
            {
                **claims.measurements,
                "td_attributes": report.td_attributes,
                "xfam": report.xfam,
            }
        ),
        numbers=MappingProxyType({**components, **numbers_of(dcap)}),
        configuration=findings(report),
        tcb=tcb_of(dcap),
        report_data=report.report_data,
        nonce=None,
        public_key=None,
        issued=None,
        first=dcap.first,
        last=dcap.last,
        windows=dcap.windows,
        details=MappingProxyType({**details_of(dcap), "tee_tcb_svn": report.tee_tcb_svn.hex()}),
        signed_sha256=dcap.signed_sha256,
    )
