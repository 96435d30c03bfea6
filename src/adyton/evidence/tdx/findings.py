"""What a TD's report shows about who may look inside or change it, in words.

Nothing here is an error: the report is authentic, and a policy decides. Each finding follows one
field of the report (Intel TDX Module specification, "TD Attributes" and "Service TD binding").
"""

from adyton.evidence.tdx.layout import TdAttributes, TdReport
from adyton.model.claims import DEBUG_MODE
from adyton.model.verdict import Finding

__all__ = ["findings"]


def findings(report: TdReport) -> tuple[Finding, ...]:
    """Return what of ``report`` speaks against trusting the TD.

    1. A bit of the group "TD under debug" is set: the host reads memory and state, or profiles.
    2. SEPT_VE_DISABLE is clear: the host can make any access to memory raise an exception that the
       guest's kernel handles, at a moment of the host's choice.
    3. The TD may be migrated, with its secrets.
    4. A service TD is bound, which may read and write state of this one. Reports of TDX 1.0 cannot
       say so.
    5. The TDX module is not signed by Intel, or is one with attributes, of which debug is one.
    """
    found = []
    # Step 1
    if report.debug:
        names = (report.attributes & 0xFF).name or f"{report.td_attributes[0]:#04x}"
        found.append((DEBUG_MODE, f"the host can look inside: the td's attributes are {names}"))
    # Step 2
    if not report.attributes & TdAttributes.SEPT_VE_DISABLE:
        text = (
            "the host can inject faults into the td's memory accesses: SEPT_VE_DISABLE is not set"
        )
        found.append(("sept-ve-not-disabled", text))
    # Step 3
    if report.attributes & TdAttributes.MIGRATABLE:
        text = "the td may be moved to another platform, with its secrets"
        found.append(("td-migratable", text))
    # Step 4
    if report.mr_service_td is not None and any(report.mr_service_td):
        text = f"a service td is bound to this one: mrservicetd is {report.mr_service_td.hex()}"
        found.append(("service-td-bound", text))
    # Step 5
    if any(report.mr_signer_seam):
        text = f"the tdx module is not signed by intel, but by {report.mr_signer_seam.hex()}"
        found.append(("tdx-module-foreign", text))
    if any(report.seam_attributes):
        text = f"the tdx module has the attributes {report.seam_attributes.hex()}"
        found.append(("tdx-module-attributes", text))
    return tuple(Finding(code=code, message=message) for code, message in found)
