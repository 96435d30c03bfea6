"""A platform held against endorsements: the state of its TCB, and why it is in that state.

Follows "Determining TCB status" in Intel's "Provisioning Certification Service API", version 4 (Get
SGX TCB Info, Get TDX TCB Info), and the description of TCB evaluation in Intel's quote verification
library. A bad state is an answer and not an error: what is acceptable is for a policy to say.
"""

from dataclasses import dataclass
from datetime import datetime

from adyton.crypto.path import Certificate
from adyton.errors import RejectedError
from adyton.evidence.dcap.endorsements import CollateralRejectedError, Endorsements
from adyton.evidence.dcap.pck import SgxExtension
from adyton.evidence.dcap.platform import MAJOR, MINOR, ModuleReport, QuotedPlatform, first_compared
from adyton.evidence.dcap.qe_identity import masked
from adyton.evidence.dcap.shortfall import Shortfall, shortfalls
from adyton.evidence.dcap.signed_json import LevelOutcome, SvnLevel
from adyton.evidence.dcap.status import TcbStatus, converged, relaunch_advised
from adyton.evidence.dcap.tcb_info import PlatformLevel, TcbInfo
from adyton.model.window import Window

__all__ = [
    "CollateralTimeRejectedError",
    "TcbState",
    "TdxModuleRejectedError",
    "evaluate",
]


class CollateralTimeRejectedError(RejectedError):
    """A piece of collateral does not speak for the time in question."""

    code = "collateral-not-valid-at-this-time"

    def __init__(self, *, window: Window, at: datetime) -> None:
        super().__init__(
            f"{window.name} is valid from {window.first:%Y-%m-%dT%H:%M:%SZ}"
            f" to {window.last:%Y-%m-%dT%H:%M:%SZ}, not at {at:%Y-%m-%dT%H:%M:%SZ}"
        )
        self.window, self.at = window, at


class TdxModuleRejectedError(RejectedError):
    """The TDX module that vouches for the TD is not one of Intel's."""

    code = "tdx-module-rejected"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the tdx module {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TcbState:
    """The state of a platform's TCB at an instant, under given endorsements.

    ``status`` takes platform, quoting enclave and TDX module together; ``current`` is what it would
    be for a TD that is started now, ``None`` where the report does not say. ``date`` is the oldest
    of the levels that were reached, ``None`` where none was. ``evaluation_number`` is the lower of
    the two that the endorsements have. ``windows`` are those of all endorsements.
    """

    status: TcbStatus
    platform_status: TcbStatus
    qe_status: TcbStatus
    module_status: TcbStatus | None
    current: TcbStatus | None
    date: datetime | None
    advisories: tuple[str, ...]
    evaluation_number: int
    shortfalls: tuple[Shortfall, ...]
    windows: tuple[Window, ...]


def evaluate(platform: QuotedPlatform, endorsements: Endorsements, *, at: datetime) -> TcbState:
    """Return the state of ``platform``'s TCB as ``endorsements`` have it, or raise.

    1. Every piece of the endorsements is valid at ``at``.
    2. They are of the same root, and their list of revoked platforms is by the same authority, as
       the platform's certificate.
    3. Neither that authority nor the platform's certificate is revoked.
    4. They are about this technology, this family of platforms (FMSPC) and this PCE.
    5. The quoting enclave has the identity that they give.
    6. So has the TDX module: signer, attributes, and a major version that is listed.
    7. The state is of the first level that all versions of the platform reach, made worse by the
       states of quoting enclave and module.

    Raises a ``RejectedError`` for steps 1 to 6. What step 7 finds is in what is returned.
    """
    # Step 1
    for window in endorsements.windows:
        if not window.first <= at <= window.last:
            raise CollateralTimeRejectedError(window=window, at=at)
    # Step 2: by key and name. One authority has had several certificates.
    _check_same(platform.root, endorsements.root)
    _check_same(platform.authority, endorsements.pck_authority)
    # Step 3
    endorsements.root_ca_crl.check_not_revoked(
        platform.authority, where=f"{platform.authority.common_name!r}"
    )
    endorsements.pck_crl.check_not_revoked(platform.pck, where="the platform's pck certificate")
    # Step 4
    _check_about(platform, endorsements)
    # Step 5
    endorsements.qe_identity.check(platform.qe_report)
    # Step 6
    if platform.module is not None:
        _check_module(platform.module, endorsements.tcb_info)
    # Step 7
    return _tcb(platform, endorsements)


def _check_same(found: Certificate, wanted: Certificate) -> None:
    if (found.public_key_info, found.subject) != (wanted.public_key_info, wanted.subject):
        raise CollateralRejectedError(
            reason=f"is by {wanted.common_name!r}, not by the quote's {found.common_name!r}"
        )


def _check_about(platform: QuotedPlatform, endorsements: Endorsements) -> None:
    info = endorsements.tcb_info
    extension = platform.extension
    if info.tee_type is not platform.tee_type:
        raise CollateralRejectedError(
            reason=f"is about {info.tee_type.name}, the quote about {platform.tee_type.name}"
        )
    if info.fmspc != extension.fmspc:
        raise CollateralRejectedError(
            reason=f"is about fmspc {info.fmspc.hex()}, the platform is {extension.fmspc.hex()}"
        )
    if info.pce_id != extension.pce_id:
        raise CollateralRejectedError(
            reason=f"is about pce {info.pce_id.hex()}, the platform has {extension.pce_id.hex()}"
        )


def _check_module(module: ModuleReport, info: TcbInfo) -> None:
    identity = info.module(module.tee_tcb_svn[MAJOR])
    if identity is None:
        raise TdxModuleRejectedError(
            reason=f"is of major version {module.tee_tcb_svn[MAJOR]}, which the collateral lacks"
        )
    if module.mr_signer_seam != identity.mr_signer:
        raise TdxModuleRejectedError(reason=f"is signed by {module.mr_signer_seam.hex()}")
    if masked(module.seam_attributes, identity.attributes_mask) != identity.attributes:
        raise TdxModuleRejectedError(reason=f"has attributes {module.seam_attributes.hex()}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """A state and the levels that it comes from."""

    status: TcbStatus
    platform: LevelOutcome | None
    qe: LevelOutcome | None
    module: LevelOutcome | None
    module_status: TcbStatus | None

    @property
    def reached(self) -> tuple[LevelOutcome, ...]:
        found = (self.platform, self.qe, self.module)
        return tuple(outcome for outcome in found if outcome is not None)


def _tcb(platform: QuotedPlatform, endorsements: Endorsements) -> TcbState:
    module = platform.module
    svn = None if module is None else module.tee_tcb_svn
    launch = _state(platform, endorsements, svn)
    status, current = launch.status, None
    if module is not None and module.tee_tcb_svn2 is not None:
        current = _state(platform, endorsements, module.tee_tcb_svn2).status
        status = relaunch_advised(launch.status, current)
    reached = launch.reached
    return TcbState(
        status=status,
        platform_status=_status(launch.platform),
        qe_status=_status(launch.qe),
        module_status=launch.module_status,
        current=current,
        date=min((outcome.date for outcome in reached), default=None),
        # Each once, in the order of the levels.
        advisories=tuple(dict.fromkeys(name for found in reached for name in found.advisories)),
        evaluation_number=min(
            endorsements.tcb_info.evaluation_number, endorsements.qe_identity.evaluation_number
        ),
        shortfalls=tuple(shortfalls(platform, endorsements)),
        windows=endorsements.windows,
    )


def _state(platform: QuotedPlatform, endorsements: Endorsements, svn: bytes | None) -> _State:
    """Return the state of a platform whose TDX module has the versions ``svn``."""
    info = endorsements.tcb_info
    level = next((level for level in info.levels if _reaches(platform.extension, svn, level)), None)
    outcome = None if level is None else level.outcome
    qe = _reached(platform.qe_report.isv_svn, endorsements.qe_identity.levels)
    statuses = [_status(qe)]
    module, module_status = None, None
    if svn is not None and svn[MAJOR]:
        identity = info.module(svn[MAJOR])
        module = None if identity is None else _reached(svn[MINOR], identity.levels)
        module_status = _status(module)
        statuses.append(module_status)
    return _State(
        status=converged(_status(outcome), statuses),
        platform=outcome,
        qe=qe,
        module=module,
        module_status=module_status,
    )


def _status(outcome: LevelOutcome | None) -> TcbStatus:
    return TcbStatus.NOT_SUPPORTED if outcome is None else outcome.status


def _reaches(extension: SgxExtension, svn: bytes | None, level: PlatformLevel) -> bool:
    """Return whether no version is lower than the level's: one that is, cannot be made up for."""
    if extension.pce_svn < level.pce_svn:
        return False
    if _is_below(extension.components, level.sgx_components):
        return False
    if svn is None:
        return True
    start = first_compared(svn)
    return level.tdx_components is not None and not _is_below(
        svn[start:], level.tdx_components[start:]
    )


def _is_below(found: bytes, wanted: bytes) -> bool:
    return any(have < want for have, want in zip(found, wanted, strict=True))


def _reached(isv_svn: int, levels: tuple[SvnLevel, ...]) -> LevelOutcome | None:
    return next((level.outcome for level in levels if isv_svn >= level.isv_svn), None)
