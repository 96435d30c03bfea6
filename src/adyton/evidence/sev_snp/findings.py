"""What an authentic report shows about who may look inside, in words.

Nothing here is an error: the report is authentic, and a policy decides. Follows the table "Guest
Policy" of "SEV Secure Nested Paging Firmware ABI Specification" (AMD 56860).
"""

from functools import reduce
from operator import or_
from typing import Final

from adyton.evidence.sev_snp.layout import GuestPolicy, Report
from adyton.model.claims import DEBUG_MODE
from adyton.model.verdict import Finding

__all__ = ["findings"]

_NO_AGENT: Final = b"\xff" * 32
_ABI: Final = 0xFFFF
_KNOWN: Final = reduce(or_, (bit.value for bit in GuestPolicy), _ABI)


def findings(report: Report) -> tuple[Finding, ...]:
    """Return what of ``report`` speaks against trusting the guest.

    1. Its policy allows debugging: the host reads and writes its memory and state.
    2. It may be migrated, with its secrets, or a migration agent is bound to it.
    3. Its policy has bits that nobody here knows, and that may allow anything.
    4. The host asked for the report: it is over nothing of the guest's choice.
    """
    found = []
    # Step 1
    if report.debug:
        found.append((DEBUG_MODE, "the host can look inside: the guest's policy allows DEBUG"))
    # Step 2
    if report.policy & GuestPolicy.MIGRATE_MA:
        text = "the guest may be moved to another platform, with its secrets"
        found.append(("guest-migratable", text))
    elif report.report_id_ma not in (_NO_AGENT, bytes(len(_NO_AGENT))):
        text = f"the migration agent {report.report_id_ma.hex()} is bound to the guest"
        found.append(("guest-migratable", text))
    # Step 3
    if unknown := report.policy & ~_KNOWN:
        text = f"the guest's policy has the unknown bits {int(unknown):#x}"
        found.append(("guest-policy-unknown", text))
    # Step 4
    if report.vmpl is None:
        text = "the host asked for the report, and not the guest"
        found.append(("report-by-host", text))
    return tuple(Finding(code=code, message=message) for code, message in found)
