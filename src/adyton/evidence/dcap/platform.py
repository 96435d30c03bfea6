"""What of an authentic quote is compared with collateral."""

from dataclasses import dataclass
from typing import Final

from adyton.crypto.path import Certificate
from adyton.evidence.dcap.enclave import EnclaveReport
from adyton.evidence.dcap.layout import TeeType
from adyton.evidence.dcap.pck import SgxExtension

__all__ = ["MAJOR", "MINOR", "ModuleReport", "QuotedPlatform", "first_compared"]

# Where TEE_TCB_SVN has the TDX module's own versions.
MINOR: Final = 0
MAJOR: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleReport:
    """What a TD report says of the TDX module. ``tee_tcb_svn2`` is of the one that runs now."""

    mr_signer_seam: bytes
    seam_attributes: bytes
    tee_tcb_svn: bytes
    tee_tcb_svn2: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedPlatform:
    """What of an authentic quote is compared with endorsements. ``module`` is for TDX only."""

    tee_type: TeeType
    root: Certificate
    authority: Certificate
    pck: Certificate
    extension: SgxExtension
    qe_report: EnclaveReport
    module: ModuleReport | None


def first_compared(tee_tcb_svn: bytes) -> int:
    """Return the first index of TEE_TCB_SVN that is compared with a platform's TCB levels.

    A module with a major version has levels of its own, for the two versions that are its own.
    """
    return MAJOR + 1 if tee_tcb_svn[MAJOR] else 0
