"""Claims: what authentic evidence says, in one form for every technology.

Who made them settled that they are authentic: signed under a root that the verifier trusts. Whether
they are acceptable is for a policy to decide, and nothing here decides it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from adyton.codec.json import Json, JsonObject
from adyton.model.verdict import Finding, Verdict, shown
from adyton.model.window import Window

__all__ = ["DEBUG_MODE", "Claims", "Judged", "Platform", "Tcb", "Technology", "VendorRoot"]

# The code of the finding that somebody can look inside. A policy has a word of its own for it.
DEBUG_MODE: Final = "debug-mode"


class VendorRoot(StrEnum):
    """The anchors that are built in, by the names that a policy calls them.

    Each technology pins the digests of its own. No other root may go by one of these names.
    """

    AWS_NITRO = "aws-nitro"
    INTEL_SGX = "intel-sgx"
    INTEL_SGX_2018 = "intel-sgx-2018"
    AMD_MILAN = "amd-milan"
    AMD_GENOA = "amd-genoa"
    AMD_TURIN = "amd-turin"
    NVIDIA_DEVICE = "nvidia-device"
    NVIDIA_RIM = "nvidia-rim"
    GOOGLE_CONFIDENTIAL_SPACE = "google-confidential-space"
    NVIDIA_NRAS = "nvidia-nras"


class Technology(StrEnum):
    """The format of the evidence, which says how it was read and verified."""

    NITRO = "nitro"
    NITRO_TPM = "nitro-tpm"
    SGX = "sgx"
    TDX = "tdx"
    SEV_SNP = "sev-snp"
    AZURE_TDX = "azure-tdx"
    AZURE_SEV_SNP = "azure-sev-snp"
    NVIDIA_GPU = "nvidia-gpu"
    NVIDIA_SWITCH = "nvidia-switch"
    INTEL_TRUST_AUTHORITY = "intel-trust-authority"
    AZURE_ATTESTATION = "azure-attestation"
    GOOGLE_CONFIDENTIAL_SPACE = "google-confidential-space"
    NVIDIA_NRAS = "nvidia-nras"


class Platform(StrEnum):
    """Who vouches for what the evidence says: the technology's vendor, a service, or nobody.

    A service vouches for its tokens, and not the hardware that they are about. ``INSECURE`` is
    nobody: the format is a vendor's, and the root is not, whatever it is called.
    """

    NITRO = "nitro"
    NITRO_TPM = "nitro-tpm"
    SGX = "sgx"
    TDX = "tdx"
    SEV_SNP = "sev-snp"
    AZURE_TDX = "azure-tdx"
    AZURE_SEV_SNP = "azure-sev-snp"
    NVIDIA_GPU = "nvidia-gpu"
    NVIDIA_SWITCH = "nvidia-switch"
    INTEL_TRUST_AUTHORITY = "intel-trust-authority"
    AZURE_ATTESTATION = "azure-attestation"
    GOOGLE_CONFIDENTIAL_SPACE = "google-confidential-space"
    NVIDIA_NRAS = "nvidia-nras"
    INSECURE = "insecure"

    @classmethod
    def of(cls, technology: Technology, *, is_genuine: bool) -> "Platform":
        """Return who vouches for evidence of ``technology``; ``is_genuine`` is for its root."""
        return cls(technology.value) if is_genuine else cls.INSECURE

    @property
    def is_service(self) -> bool:
        """Whether it is a service that vouches, for what it says it has seen."""
        return self in {
            Platform.INTEL_TRUST_AUTHORITY,
            Platform.AZURE_ATTESTATION,
            Platform.GOOGLE_CONFIDENTIAL_SPACE,
            Platform.NVIDIA_NRAS,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Tcb:
    """How old the firmware is that the environment rests on, and whether its keys were taken back.

    ``status`` and ``advisories`` are the vendor's words, ``date`` that of the level which was
    reached, and ``evaluation_number`` that of the collateral; ``None`` is what a vendor does not
    say, or what nobody could find out without collateral. ``is_revocation_checked`` says that lists
    were there for all that can be revoked. ``windows`` are when the collateral speaks, piece by
    piece.

    ``refused`` has the reasons why collateral that was given does not hold, or what it takes back:
    with one of them, nothing else here counts. ``shortfalls`` are what keeps the platform from the
    newest level.
    """

    status: str | None = None
    advisories: tuple[str, ...] = ()
    date: datetime | None = None
    evaluation_number: int | None = None
    is_revocation_checked: bool = False
    windows: tuple[Window, ...] = ()
    refused: tuple[Finding, ...] = ()
    shortfalls: tuple[Finding, ...] = ()

    def to_json(self) -> JsonObject:
        """Return the form that is shown, and that expressions see."""
        return {
            "status": self.status,
            "advisories": [*self.advisories],
            "date": None if self.date is None else shown(self.date),
            "evaluation_number": self.evaluation_number,
            "revocation_checked": self.is_revocation_checked,
            "windows": [_window(item) for item in self.windows],
            "refused": [finding.to_json() for finding in self.refused],
            "shortfalls": [finding.to_json() for finding in self.shortfalls],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What one piece of authentic evidence says.

    ``root`` is the name of the anchor, and ``root_sha256`` its digest. ``instance`` is the vendor's
    name for the machine. ``measurements`` and ``numbers`` (security versions among them) go by the
    vendor's names in lower case (``pcr0``, ``isv_svn``). ``configuration`` is what speaks against
    trusting the environment, however authentic it is; ``tcb`` is ``None`` where a technology has no
    such thing.

    ``report_data``, ``nonce`` and ``public_key`` are what the code inside asked to have signed;
    ``None`` is absent. ``issued`` is the platform's own time for the evidence, where it has one.
    ``first`` and ``last`` bound the time in which its certificates are valid, and ``windows`` have
    each one's. ``details`` are what else it says: for people and expressions. ``signed_sha256`` is
    over the signed body: two pieces of evidence are the same where this is, whatever else differs
    between their files.
    """

    technology: Technology
    platform: Platform
    root: str
    root_sha256: bytes
    instance: str
    measurements: Mapping[str, bytes]
    numbers: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    configuration: tuple[Finding, ...]
    tcb: Tcb | None = None
    report_data: bytes | None
    nonce: bytes | None
    public_key: bytes | None
    issued: datetime | None
    first: datetime
    last: datetime
    windows: tuple[Window, ...] = ()
    details: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))
    signed_sha256: bytes

    @property
    def is_debug(self) -> bool:
        """Whether the evidence leaves open that somebody looks inside."""
        return any(finding.code == DEBUG_MODE for finding in self.configuration)

    def to_json(self) -> JsonObject:
        """Return the form that is shown, and that expressions see; bytes in hexadecimal."""
        return {
            "technology": self.technology.value,
            "platform": self.platform.value,
            "root": self.root,
            "root_sha256": self.root_sha256.hex(),
            "instance": self.instance,
            "measurements": {name: value.hex() for name, value in self.measurements.items()},
            "numbers": {**self.numbers},
            "debug": self.is_debug,
            "configuration": [finding.to_json() for finding in self.configuration],
            "tcb": None if self.tcb is None else self.tcb.to_json(),
            "report_data": _hex(self.report_data),
            "nonce": _hex(self.nonce),
            "public_key": _hex(self.public_key),
            "issued": None if self.issued is None else shown(self.issued),
            "first": shown(self.first),
            "last": shown(self.last),
            "windows": [_window(item) for item in self.windows],
            "details": {**self.details},
            "signed_sha256": self.signed_sha256.hex(),
        }


Judged: TypeAlias = tuple[Verdict, Claims | None]
"""The verdict, and what the evidence says: ``None`` where it is not authentic."""


def _window(window: Window) -> JsonObject:
    return {"name": window.name, "first": shown(window.first), "last": shown(window.last)}


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
