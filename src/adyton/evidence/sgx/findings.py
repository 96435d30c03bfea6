"""What an enclave's report shows about who may look inside, in words.

Nothing here is an error: the report is authentic, and a policy decides. Follows the table
"ATTRIBUTES" of Intel's Software Developer's Manual, volume 3D.
"""

from enum import IntFlag

from adyton.evidence.dcap.enclave import EnclaveReport
from adyton.model.claims import DEBUG_MODE
from adyton.model.verdict import Finding

__all__ = ["EnclaveAttributes", "findings"]


class EnclaveAttributes(IntFlag):
    """The attributes of an enclave that have names, without the state that it may use (XFRM)."""

    INIT = 1 << 0
    DEBUG = 1 << 1
    MODE64BIT = 1 << 2
    PROVISION_KEY = 1 << 4
    EINIT_TOKEN_KEY = 1 << 5
    CET = 1 << 6
    KSS = 1 << 7
    AEX_NOTIFY = 1 << 10


def findings(report: EnclaveReport) -> tuple[Finding, ...]:
    """Return what of ``report`` speaks against trusting the enclave.

    1. It is a debug enclave: whoever runs it reads its memory.
    2. It is not initialised: its measurement was not final.
    3. It may derive provisioning keys, which name the machine for ever and let an enclave ask for a
       certificate of its own keys. Ordinary code does not need them.
    """
    attributes = EnclaveAttributes(int.from_bytes(report.attributes[:8], "little"))
    found = []
    # Step 1
    if attributes & EnclaveAttributes.DEBUG:
        found.append((DEBUG_MODE, "whoever runs this enclave can look inside: DEBUG is set"))
    # Step 2
    if not attributes & EnclaveAttributes.INIT:
        found.append(("enclave-not-initialised", "the enclave is not initialised: INIT is not set"))
    # Step 3
    if attributes & EnclaveAttributes.PROVISION_KEY:
        text = "the enclave may derive provisioning keys: PROVISIONKEY is set"
        found.append(("provisioning-key-allowed", text))
    return tuple(Finding(code=code, message=message) for code, message in found)
