"""What an authentic report shows about who may look inside, in words.

Nothing here is an error: the report is authentic, and a policy decides.

No generation's report has a field that says whether confidential computing is on, or whether the
device is in devtools mode (which lets the host look inside). NVIDIA's own verifiers conclude both
from the measurements: where each of them is a golden value, the device is in the one mode that
NVIDIA publishes golden values for. So do we, and say so where that conclusion cannot be drawn.
Blackwell's certificates have a flag besides, which says that firmware may be debugged.
"""

from typing import Final

from adyton.evidence.nvidia.authenticate import NvidiaClaims
from adyton.evidence.nvidia.comparison import Comparison
from adyton.evidence.nvidia.dice import DiceFlag, FirmwareIdentity
from adyton.evidence.nvidia.opaque import GpuMode, OpaqueData
from adyton.model.claims import DEBUG_MODE
from adyton.model.verdict import Finding

__all__ = ["findings"]

# How many differences are told one by one.
_TOLD: Final = 8


def findings(claims: NvidiaClaims) -> tuple[Finding, ...]:
    """Return what of ``claims`` speaks against trusting the device.

    1. Golden values are missing, or measurements are none of them.
    2. So that nothing shows that the device is not in devtools mode, and that confidential
       computing is on. Or the certificate says that the firmware may be debugged.
    3. The firmware is not secure, or is a recovery's, by its certificate.
    4. What goes between GPUs is in the clear, or it is not known whether it is.
    5. The report has fields that nobody here knows, and that may say anything.
    6. A certificate is revoked for the time being.
    """
    found = [
        *_golden(claims.comparison),
        *_mode(claims.comparison, claims.firmware),
        *_firmware(claims.firmware),
        *_links(claims.opaque),
    ]
    # Step 5
    if claims.opaque.unknown:
        numbers = ", ".join(map(str, claims.opaque.unknown))
        found.append(("opaque-field-unknown", f"the report has the unknown fields {numbers}"))
    # Step 6
    found += [
        ("certificate-on-hold", f"{name} is revoked for the time being")
        for name in claims.revocation.on_hold
    ]
    return tuple(Finding(code=code, message=message) for code, message in found)


def _golden(comparison: Comparison) -> list[tuple[str, str]]:
    # Step 1: none given and none matching are two answers, and neither is a yes.
    found = [
        ("rim-missing", f"there are no golden values of the {kind}") for kind in comparison.missing
    ]
    told = comparison.differences[:_TOLD]
    found += [("golden-value-differs", str(difference)) for difference in told]
    if left := len(comparison.differences) - len(told):
        found.append(("golden-value-differs", f"and {left} measurements more"))
    return found


def _mode(comparison: Comparison, firmware: FirmwareIdentity) -> list[tuple[str, str]]:
    # Step 2
    found = []
    if firmware.flags is not None and DiceFlag.DEBUG in firmware.flags:
        found.append((DEBUG_MODE, "the firmware may be debugged: its certificate says so"))
    elif not comparison.matches:
        found.append((DEBUG_MODE, "nothing shows that the device is not in devtools mode"))
    if not comparison.matches:
        text = "nothing shows that confidential computing is on"
        found.append(("confidential-computing-off", text))
    return found


def _firmware(firmware: FirmwareIdentity) -> list[tuple[str, str]]:
    # Step 3
    flags = firmware.flags or frozenset()
    found = []
    if DiceFlag.NOT_SECURE in flags:
        found.append(("firmware-not-secure", "the firmware is not secure: its certificate says so"))
    if DiceFlag.RECOVERY in flags:
        text = "the device runs what recovers it: its certificate says so"
        found.append(("firmware-in-recovery", text))
    return found


def _links(opaque: OpaqueData) -> list[tuple[str, str]]:
    # Step 4
    if opaque.mode_unknown:
        return [("gpu-mode-unknown", "the report names a mode of several GPUs that nobody knows")]
    if opaque.protected_pcie or opaque.mode is GpuMode.PPCIE:
        text = "between GPUs and switches, data goes in the clear: the switches have to be attested"
        return [("protected-pcie", text)]
    return []
