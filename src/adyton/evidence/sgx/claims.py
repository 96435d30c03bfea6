"""SGX claims in the form that all technologies share."""

from types import MappingProxyType

from adyton.evidence.dcap.claims import details_of, instance_of, numbers_of, tcb_of
from adyton.evidence.sgx.authenticate import SgxClaims
from adyton.evidence.sgx.findings import findings
from adyton.model.claims import Claims, Platform, Technology

__all__ = ["claims_of"]


def claims_of(claims: SgxClaims) -> Claims:
    """Return what an authentic quote of an enclave says."""
    dcap, report = claims.dcap, claims.report
    return Claims(
        technology=Technology.SGX,
        platform=Platform.of(Technology.SGX, is_genuine=dcap.is_genuine),
        root=dcap.root,
        root_sha256=dcap.root_sha256,
        instance=instance_of(dcap.pck),
        measurements=MappingProxyType(
            {
                **claims.measurements,
                "attributes": report.attributes,
                "misc_select": report.misc_select,
            }
        ),
        numbers=MappingProxyType(
            {
                "isv_prod_id": report.isv_prod_id,
                "isv_svn": report.isv_svn,
                "config_svn": report.config_svn,
                **numbers_of(dcap),
            }
        ),
        configuration=findings(report),
        tcb=tcb_of(dcap),
        report_data=report.report_data,
        nonce=None,
        public_key=None,
        issued=None,
        first=dcap.first,
        last=dcap.last,
        windows=dcap.windows,
        details=MappingProxyType({**details_of(dcap), "cpu_svn": report.cpu_svn.hex()}),
        signed_sha256=dcap.signed_sha256,
    )
