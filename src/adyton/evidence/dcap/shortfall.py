"""What keeps a platform from the newest TCB level: which component is too old, and by how much."""

from collections.abc import Iterator
from dataclasses import dataclass

from adyton.evidence.dcap.endorsements import Endorsements
from adyton.evidence.dcap.pck import COMPONENTS
from adyton.evidence.dcap.platform import MAJOR, MINOR, QuotedPlatform, first_compared
from adyton.evidence.dcap.tcb_info import PlatformLevel, TcbInfo

__all__ = ["Shortfall", "shortfalls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """A component that is older than in the newest level that Intel lists."""

    component: str
    found: int
    newest: int


def shortfalls(platform: QuotedPlatform, endorsements: Endorsements) -> Iterator[Shortfall]:
    """Yield every component of ``platform`` that is older than in the newest level.

    Of a TDX module, what counts is the one that started the TD.
    """
    info = endorsements.tcb_info
    if info.levels:
        yield from _of_platform(platform, info.levels[0], info)
    found = platform.qe_report.isv_svn
    for level in endorsements.qe_identity.levels[:1]:
        if found < level.isv_svn:
            yield Shortfall(component="quoting enclave", found=found, newest=level.isv_svn)
    if platform.module is None:
        return
    svn = platform.module.tee_tcb_svn
    identity = info.module(svn[MAJOR])
    for level in () if identity is None else identity.levels[:1]:
        if svn[MINOR] < level.isv_svn:
            yield Shortfall(component="tdx module", found=svn[MINOR], newest=level.isv_svn)


def _of_platform(
    platform: QuotedPlatform, newest: PlatformLevel, info: TcbInfo
) -> Iterator[Shortfall]:
    extension = platform.extension
    yield from _older(extension.components, newest.sgx_components, "sgx", info.sgx_names, 0)
    if platform.module is not None and newest.tdx_components is not None:
        svn = platform.module.tee_tcb_svn
        start = first_compared(svn)
        yield from _older(svn, newest.tdx_components, "tdx", info.tdx_names, start)
    if extension.pce_svn < newest.pce_svn:
        yield Shortfall(component="pce", found=extension.pce_svn, newest=newest.pce_svn)


def _older(
    found: bytes, newest: bytes, kind: str, names: tuple[str, ...], start: int
) -> Iterator[Shortfall]:
    for index in range(start, COMPONENTS):
        if found[index] < newest[index]:
            name = f" ({names[index]})" if names[index] else ""
            yield Shortfall(
                component=f"{kind} component {index + 1}{name}",
                found=found[index],
                newest=newest[index],
            )
