"""SGX claims in the form that all technologies share."""

from adyton.evidence.dcap.claims import claims_of_quote
from adyton.evidence.sgx.authenticate import SgxClaims
from adyton.evidence.sgx.findings import findings
from adyton.model.claims import Claims, Technology

__all__ = ["claims_of"]


def claims_of(claims: SgxClaims) -> Claims:
    """Return what an authentic quote of an enclave says."""
    report = claims.report
    return claims_of_quote(
        claims.dcap,
        Technology.SGX,
        measurements={
            **claims.measurements,
            "attributes": report.attributes,
            "misc_select": report.misc_select,
        },
        numbers={
            "isv_prod_id": report.isv_prod_id,
            "isv_svn": report.isv_svn,
            "config_svn": report.config_svn,
        },
        configuration=findings(report),
        report_data=report.report_data,
        details={"cpu_svn": report.cpu_svn.hex()},
    )
