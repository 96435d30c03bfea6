"""What a service reports of an environment that it has seen, in one form for all services.

It is the service's word. The hardware's own evidence is not in a token, so that nobody can check
what the service checked, with which collateral, or whether it looked at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adyton.model.claims import DEBUG_MODE
from adyton.model.verdict import Finding, finding

__all__ = ["DEBUG_DISABLED", "Reported", "Tee"]

# RFC 9711, section 4.2.9: the values of ``dbgstat`` that are not "enabled".
DEBUG_DISABLED: Final = frozenset(
    {
        "disabled",
        "disabled-since-boot",
        "disabled-permanently",
        "disabled-fully-and-permanently",
    }
)


class Tee(StrEnum):
    """What the service says it has seen."""

    SGX = "sgx"
    TDX = "tdx"
    SEV_SNP = "sev-snp"
    SEV = "sev"
    SEV_ES = "sev-es"
    SHIELDED_VM = "shielded-vm"
    AZURE_VM = "azure-vm"
    NVIDIA_GPU = "nvidia-gpu"
    NVIDIA_SWITCH = "nvidia-switch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What a service says of one environment.

    ``instance`` is its name for it. ``measurements`` and ``svns`` go by the names that the
    technology's own evidence has them by. ``facts`` are other texts of the service: versions of
    drivers and images. ``debug`` is true unless the service says that nobody can look inside.
    ``tcb_status`` is in the service's words, ``None`` where it has none. ``report_data`` is what
    the hardware's evidence was over, and ``held_data`` what the service says is behind it.
    ``doubts`` are what the service itself, or the token, says against the environment.
    """

    tee: Tee
    instance: str
    debug: bool
    measurements: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    svns: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    secure_boot: bool | None = None
    tcb_status: str | None = None
    tcb_date: datetime | None = None
    advisories: tuple[str, ...] = ()
    nonces: tuple[bytes, ...] = ()
    report_data: bytes | None = None
    held_data: bytes | None = None
    doubts: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What speaks against the environment: debug mode, boot without checks, and all doubts."""
        found = []
        if self.debug:
            text = "the service does not say that debugging is off"
            found.append(finding(DEBUG_MODE, text))
        if self.secure_boot is False:
            text = "the service does not say that the machine boots only what is signed"
            found.append(finding("secure-boot-off", text))
        return (*found, *self.doubts)
