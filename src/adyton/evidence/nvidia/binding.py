"""What ties devices to a processor: the nonce that they signed is what its evidence commits to.

A device's report says nothing of the machine that it is in. What ties the two is a value that is in
both: the commitment, which is the report data or the nonce of the processor's evidence. A device's
nonce has 32 bytes, and is

* derived: ``SHA-256(u64le(len) ‖ "adyton/nvidia/nonce/v1" ‖ u64le(len) ‖ commitment)``; or
* equal: the commitment itself, where that has 32 bytes, or has zeros behind them: what NVIDIA's
  tools do with one nonce for both.

See ``docs/evidence-nvidia.md`` for what this shows, and what it does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adyton.crypto.hashing import prefixed, sha256
from adyton.errors import RejectedError
from adyton.model.claims import Claims, Technology

__all__ = [
    "BindingForm",
    "DeviceBinding",
    "DeviceBindingRejectedError",
    "check_binding",
    "commitment_of",
    "device_nonce",
    "nonce_to_find",
]

_DOMAIN: Final = b"adyton/nvidia/nonce/v1"
_DEVICES: Final = frozenset({Technology.NVIDIA_GPU, Technology.NVIDIA_SWITCH})
_NONCE_SIZE: Final = 32
# With less, two machines could have the same by chance, or by choice.
_MIN_COMMITMENT: Final = 32


class DeviceBindingRejectedError(RejectedError):
    """A device's report was not made for this processor's evidence, or stands for two devices."""

    code = "device-binding-rejected"

    def __init__(self, *, device: str, reason: str) -> None:
        super().__init__(f"the device {device} {reason}")
        self.device, self.reason = device, reason


class BindingForm(StrEnum):
    """How a device's nonce follows from the commitment."""

    DERIVED = "derived"
    EQUAL = "equal"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceBinding:
    """What was shown: these devices, all different, signed nonces that follow from ``commitment``.

    ``devices`` are their serial numbers, and ``signed_sha256`` is over all of their signed reports
    in this order: the one value by which a processor's evidence can name them.
    """

    form: BindingForm
    commitment: bytes
    devices: tuple[str, ...]
    signed_sha256: bytes


def device_nonce(commitment: bytes) -> bytes:
    """Return the nonce to ask devices with, for evidence that has ``commitment``."""
    return sha256(prefixed(_DOMAIN, commitment))


def commitment_of(processor: Claims) -> bytes:
    """Return what a processor's evidence commits to: its report data, or its nonce without any."""
    found = processor.report_data if processor.report_data is not None else processor.nonce
    return found or b""


def check_binding(devices: Sequence[Claims], *, commitment: bytes) -> DeviceBinding:
    """Return what ties ``devices`` to evidence that has ``commitment``, or raise.

    1. The commitment has at least 32 bytes, not all zero.
    2. Each is a device of NVIDIA's, and its nonce follows from the commitment, in one form for all.
    3. No device stands there twice: one GPU cannot pass for two.

    Not established: that a device is in the processor's machine, for whoever knows the commitment
    can ask any device anywhere. Code in the processor's measurement that speaks with the device
    over a session of its own, and compares, settles that. Nor that any of these claims is
    acceptable, or that the devices and the processor are genuine.
    """
    if not devices:
        raise ValueError("there are no devices to bind")
    # Step 1
    if len(commitment) < _MIN_COMMITMENT or not any(commitment):
        raise DeviceBindingRejectedError(
            device=devices[0].instance, reason="cannot be bound to nothing"
        )
    # Step 2
    form, nonce = nonce_to_find(devices[0].nonce, commitment)
    seen: set[str] = set()
    for item in devices:
        if item.technology not in _DEVICES:
            raise DeviceBindingRejectedError(
                device=item.instance, reason=f"is of {item.technology}, and not of nvidia"
            )
        if item.nonce != nonce:
            raise DeviceBindingRejectedError(
                device=item.instance, reason="signed another nonce than the evidence commits to"
            )
        # Step 3
        if item.instance in seen:
            raise DeviceBindingRejectedError(device=item.instance, reason="stands there twice")
        seen.add(item.instance)
    return DeviceBinding(
        form=form,
        commitment=commitment,
        devices=tuple(item.instance for item in devices),
        signed_sha256=sha256(prefixed(*(item.signed_sha256 for item in devices))),
    )


def nonce_to_find(nonce: bytes | None, commitment: bytes) -> tuple[BindingForm, bytes]:
    """Return the form that the first device's ``nonce`` has, and the nonce of all in that form.

    Where it has none, that is the form that it should have had.
    """
    # Bytes behind the first 32 that are not zero would be bound by nothing.
    if nonce == commitment[:_NONCE_SIZE] and not any(commitment[_NONCE_SIZE:]):
        return BindingForm.EQUAL, nonce
    return BindingForm.DERIVED, device_nonce(commitment)
