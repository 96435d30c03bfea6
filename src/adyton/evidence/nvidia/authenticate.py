"""Evidence of NVIDIA's devices to claims: proves where a report comes from, and what it is like.

Follows "Security Protocol and Data Model (SPDM) Specification" 1.1 (DMTF DSP0274), "DICE
Attestation Architecture" (TCG), and for what is NVIDIA's own the verifiers that NVIDIA publishes
(nvtrust and attestation-sdk). A pure function of the report, the collateral, the trusted roots and
the instant; a cache changes how long it takes, and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from adyton.crypto.hashing import sha256
from adyton.crypto.path import Path, PathCache, verify_path
from adyton.crypto.suites import ES384
from adyton.errors import RejectedError
from adyton.evidence.nvidia.collateral import NvidiaCollateral
from adyton.evidence.nvidia.comparison import (
    Comparison,
    RimRejectedError,
    compare,
    measurement_index,
)
from adyton.evidence.nvidia.device import Architecture, Device
from adyton.evidence.nvidia.dice import FirmwareIdentity
from adyton.evidence.nvidia.layout import Transcript
from adyton.evidence.nvidia.opaque import OpaqueData
from adyton.evidence.nvidia.revocation import Revocation, check_revocation
from adyton.evidence.nvidia.rim import Rim, RimKind, authenticate_rim
from adyton.evidence.nvidia.roots import NVIDIA_RIM_ROOTS, NVIDIA_ROOTS
from adyton.evidence.nvidia.serialized import SerializedEvidence
from adyton.model.window import Window

__all__ = ["FirmwareRejectedError", "NvidiaClaims", "authenticate"]


class FirmwareRejectedError(RejectedError):
    """The key that signed was made for other firmware, or by another device, than is reported."""

    code = "firmware-rejected"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the device's firmware {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class NvidiaClaims:
    """What an authentic report says, and of which device.

    ``root`` is the name of the anchor; ``is_genuine`` says whether it and the roots of all golden
    values are NVIDIA's, whatever they are called. ``firmware`` is what the certificates say of the
    firmware that signed, ``opaque`` what the report says of the device. ``rims`` are the golden
    values that came with it; ``comparison`` says what is missing of them, and what differs.

    ``first`` and ``last`` bound the time in which the certificates are valid, those of golden
    values included, and ``windows`` have each one's; a report has no time of its own.
    ``revocation`` says about which certificates somebody was asked. ``signed_sha256`` is over the
    part that is signed: two reports are the same where this is.
    """

    transcript: Transcript
    device: Device
    opaque: OpaqueData
    firmware: FirmwareIdentity
    rims: Mapping[RimKind, Rim]
    comparison: Comparison
    revocation: Revocation
    root: str
    root_sha256: bytes
    is_genuine: bool
    first: datetime
    last: datetime
    windows: tuple[Window, ...]
    signed_sha256: bytes

    @property
    def architecture(self) -> Architecture:
        """The generation of the device."""
        return self.device.architecture

    @property
    def is_switch(self) -> bool:
        """Whether the device is a switch, rather than a GPU."""
        return self.architecture.is_switch

    @property
    def nonce(self) -> bytes:
        """What the asker chose, 32 bytes."""
        return self.transcript.nonce

    @property
    def driver_version(self) -> str | None:
        """The version of the driver; a switch has none."""
        return self.opaque.driver_version

    @property
    def vbios_version(self) -> str:
        """The version of the firmware on the board."""
        return self.opaque.vbios_version

    @property
    def measurements(self) -> Mapping[str, bytes]:
        """What identifies firmware, driver and configuration, by NVIDIA's names."""
        found = {
            f"measurement_{measurement_index(block)}": block.value
            for block in self.transcript.blocks
        }
        return MappingProxyType({"fwid": self.firmware.fwid, **found})

    @property
    def driver_rim_id(self) -> str | None:
        """What NVIDIA's service calls the golden values of this driver."""
        if self.driver_version is None:
            return None
        if self.architecture is Architecture.HOPPER:
            return f"NV_GPU_DRIVER_{self.device.chip}_{self.driver_version}"
        chip = self.opaque.chip_info or self.device.chip
        return f"NV_GPU_CC_DRIVER_{chip}_{self.driver_version}"

    @property
    def vbios_rim_id(self) -> str:
        """What NVIDIA's service calls the golden values of this VBIOS on this board."""
        version = self.vbios_version.replace(".", "").upper()
        if self.is_switch:
            # All boards with this switch have one name, which the report does not repeat.
            return f"NV_SWITCH_BIOS_5612_0002_890_{version}"
        opaque = self.opaque
        board = (opaque.project, opaque.project_sku, opaque.chip_sku)
        return "_".join(["NV_GPU_VBIOS", *(part or "" for part in board), version]).upper()


def authenticate(
    evidence: SerializedEvidence,
    *,
    collateral: NvidiaCollateral,
    roots: Mapping[str, bytes],
    rim_roots: Mapping[str, bytes],
    at: datetime,
    cache: PathCache | None = None,
) -> NvidiaClaims:
    """Return what ``evidence`` says, once it is shown to come from under one of ``roots``.

    1. The transcript is well formed, as ``Transcript.from_bytes`` has it.
    2. The certificates lead from a root in ``roots`` (a name to SHA-256 of its DER) to the key that
       signed: the steps of ``verify_path``. All are valid at ``at``.
    3. They are those of one device of a known generation, by their names.
    4. The signature is by the last certificate's key, over request and response.
    5. What the report says of the device is well formed for a device of this kind.
    6. The key that signed was made for the firmware that the report names (FWID), if it names one,
       and by the boot code that certified it, where the generation says so.
    7. Golden values, where they are given, come from under one of ``rim_roots``, and are for the
       versions of driver and VBIOS that the report names. They are compared with the measurements.
    8. Answers about revocation, where they are given, are authentic, speak for ``at``, and say
       neither "revoked" nor "unknown" of any certificate.

    Not established: that the report is recent, or was made for whoever presents it (the nonce is
    for the caller), that golden values were given at all, or that the measurements are among them:
    see ``comparison`` and ``findings``. Raises ``MalformedError`` or a ``RejectedError``.
    """
    # Golden values of driver and VBIOS come from under the same authorities.
    cache = PathCache() if cache is None else cache
    # Step 1
    parsed = Transcript.from_bytes(evidence.transcript)
    # Step 2
    path = verify_path(evidence.chain, roots=roots, suite=ES384, cache=cache)
    path.check_valid(at)
    # Step 3
    device = Device.of_path(path)
    # Step 4
    path.leaf.key.check(parsed.signed_bytes, parsed.signature, domain="the report")
    # Step 5
    is_switch = device.architecture.is_switch
    opaque = (OpaqueData.of_switch if is_switch else OpaqueData.of_gpu)(parsed.opaque)
    # Step 6
    firmware = FirmwareIdentity.from_extensions(path.leaf.extensions)
    _check_firmware(firmware, opaque, path)
    # Step 7
    rims = _rims(collateral, device, opaque, roots=rim_roots, at=at, cache=cache)
    needed = (RimKind.VBIOS,) if is_switch else (RimKind.DRIVER, RimKind.VBIOS)
    comparison = compare(parsed.blocks, rims, needed=needed, nvdec0=opaque.nvdec0)
    # Step 8: a device made its own last certificate, and NVIDIA those of golden values.
    paths = {"device": (path, False), **{f"{k} rim": (r.path, True) for k, r in rims.items()}}
    revocation = check_revocation(paths, collateral.ocsp, at=at)
    return NvidiaClaims(
        transcript=parsed,
        device=device,
        opaque=opaque,
        firmware=firmware,
        rims=rims,
        comparison=comparison,
        revocation=revocation,
        root=path.root,
        root_sha256=path.root_sha256,
        # By digest. A policy may call its own root whatever it likes.
        is_genuine=path.root_sha256 in NVIDIA_ROOTS.values()
        and all(rim.path.root_sha256 in NVIDIA_RIM_ROOTS.values() for rim in rims.values()),
        first=max(each.first for each, _ in paths.values()),
        last=min(each.last for each, _ in paths.values()),
        windows=tuple(window for each, _ in paths.values() for window in each.windows),
        signed_sha256=sha256(parsed.signed_bytes),
    )


def _check_firmware(firmware: FirmwareIdentity, opaque: OpaqueData, path: Path) -> None:
    reported = opaque.fields.get("fwid")
    if reported is not None and reported != firmware.fwid:
        raise FirmwareRejectedError(
            reason=f"is {reported.hex()}, the key that signed is for {firmware.fwid.hex()}"
        )
    issuer = path.certificates[-2]
    if firmware.device_key is not None and firmware.device_key != issuer.public_key_info:
        raise FirmwareRejectedError(reason="was started by another device than certified it")


def _rims(
    collateral: NvidiaCollateral,
    device: Device,
    opaque: OpaqueData,
    *,
    roots: Mapping[str, bytes],
    at: datetime,
    cache: PathCache,
) -> Mapping[RimKind, Rim]:
    found: dict[RimKind, Rim] = {}
    for kind, data, version in (
        (RimKind.DRIVER, collateral.driver_rim, opaque.driver_version),
        (RimKind.VBIOS, collateral.vbios_rim, opaque.vbios_version),
    ):
        if data is None:
            continue
        if version is None:
            raise RimRejectedError(kind=kind, reason="came with a device that has no driver")
        rim = authenticate_rim(data, roots=roots, at=at, cache=cache)
        if rim.version.upper() != version.upper():
            raise RimRejectedError(
                kind=kind, reason=f"is for version {rim.version}, the report is about {version}"
            )
        edition = "SWITCH" if device.architecture.is_switch else "GPU"
        if rim.edition != edition:
            raise RimRejectedError(kind=kind, reason=f"is for a {rim.edition}, not a {edition}")
        found[kind] = rim
    return MappingProxyType(found)
