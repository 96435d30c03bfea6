"""The states of a platform's TCB, and how several components' states make one.

Follows Intel's "Get SGX/TDX TCB Info" (Provisioning Certification Service API, version 4) and the
description of TCB evaluation in Intel's quote verification library.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["TcbStatus", "converged", "relaunch_advised"]


class TcbStatus(StrEnum):
    """A TCB's state, in Intel's words.

    ``NOT_SUPPORTED`` is below everything that Intel lists. The two that advise a relaunch are of a
    TD that was started under an old module, on a platform that has a good one by now.
    """

    UP_TO_DATE = "UpToDate"
    SW_HARDENING_NEEDED = "SWHardeningNeeded"
    CONFIGURATION_NEEDED = "ConfigurationNeeded"
    CONFIGURATION_AND_SW_HARDENING_NEEDED = "ConfigurationAndSWHardeningNeeded"
    TD_RELAUNCH_ADVISED = "TDRelaunchAdvised"
    TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED = "TDRelaunchAdvisedConfigurationNeeded"
    OUT_OF_DATE = "OutOfDate"
    OUT_OF_DATE_CONFIGURATION_NEEDED = "OutOfDateConfigurationNeeded"
    REVOKED = "Revoked"
    NOT_SUPPORTED = "NotSupported"


# What becomes of a platform's state where one of its parts is out of date.
_WITH_OLD_PART: Final[Mapping[TcbStatus, TcbStatus]] = MappingProxyType(
    {
        TcbStatus.UP_TO_DATE: TcbStatus.OUT_OF_DATE,
        TcbStatus.SW_HARDENING_NEEDED: TcbStatus.OUT_OF_DATE,
        TcbStatus.CONFIGURATION_NEEDED: TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
        TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED: (
            TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED
        ),
    }
)
_CURRENT: Final = frozenset(_WITH_OLD_PART)
_CONFIGURATION: Final = frozenset(
    {
        TcbStatus.CONFIGURATION_NEEDED,
        TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED,
        TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
    }
)
_OUT_OF_DATE: Final = frozenset({TcbStatus.OUT_OF_DATE, TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED})
_BELOW_ALL: Final = frozenset({TcbStatus.REVOKED, TcbStatus.NOT_SUPPORTED})


def converged(platform: TcbStatus, parts: Collection[TcbStatus]) -> TcbStatus:
    """Return the state of a platform with these parts: its quoting enclave, its TDX module.

    The platform's own where all parts are up to date, and never a better one.
    """
    found = {platform, *parts}
    if TcbStatus.NOT_SUPPORTED in found:
        return TcbStatus.NOT_SUPPORTED
    if TcbStatus.REVOKED in found:
        return TcbStatus.REVOKED
    if all(part is TcbStatus.UP_TO_DATE for part in parts):
        return platform
    return _WITH_OLD_PART.get(platform, platform)


def relaunch_advised(launch: TcbStatus, current: TcbStatus) -> TcbStatus:
    """Return the state of a TD whose module was updated after its launch.

    ``launch`` is the state with the module that started it, ``current`` with the one that runs.
    """
    # The module that runs has all of the TD's secrets: no launch, good or old, is an excuse for it.
    if current in _BELOW_ALL:
        return converged(launch, [current])
    if launch in _CURRENT and current not in _CURRENT:
        return current
    if launch not in _OUT_OF_DATE or current not in _CURRENT:
        return launch
    if launch in _CONFIGURATION or current in _CONFIGURATION:
        return TcbStatus.TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
    return TcbStatus.TD_RELAUNCH_ADVISED
