"""A bundle of a machine: a processor's bundle, with the devices that its verdict depends on, too.

What ``bundle`` is for one piece of evidence, this is for a processor and what is bound to it. The
golden values of devices are megabytes and alike: each stands here once.
"""

from dataclasses import dataclass
from typing import Final

from adyton.codec.json import (
    Json,
    JsonObject,
    as_base64,
    as_integer,
    as_list,
    as_object,
    canonical,
    check_keys,
    loads,
)
from adyton.codec.text import to_base64
from adyton.errors import MalformedError
from adyton.evidence.collateral import MAX_COLLATERAL_VALUES, Collateral
from adyton.evidence.nvidia.serialized import MAX_DEVICES
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.bundle import MAX_EVIDENCE_BYTES, Bundle
from adyton.verification.machine import Device, MachineVerdict, verify_machine

__all__ = ["MAX_MACHINE_BYTES", "VERSION", "MachineBundle"]

VERSION: Final = "adyton/machine-bundle/v1"
# Eight GPUs and their switches, with some versions of golden values.
MAX_MACHINE_BYTES: Final = 64 * 1024 * 1024
_KEYS: Final = frozenset({"version", "processor", "devices", "collateral"})
_DEVICE: Final = frozenset({"evidence", "collateral"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineBundle:
    """Everything that a verdict on a machine depends on: at least one device."""

    processor: Bundle
    devices: tuple[Device, ...]

    def __post_init__(self) -> None:
        if not self.devices:
            raise ValueError("a machine without devices is a processor: that is a bundle")

    @classmethod
    def from_bytes(cls, data: bytes) -> "MachineBundle":
        """Return the bundle in a JSON file, or raise ``MalformedError``."""
        value = loads(data, limit_bytes=MAX_MACHINE_BYTES, limit_values=MAX_COLLATERAL_VALUES)
        record = as_object(value, "the bundle")
        check_keys(record, "the bundle", required=_KEYS, optional=frozenset())
        if record["version"] != VERSION:
            raise MalformedError(f'the bundle\'s version is not "{VERSION}"')
        shared = as_list(record["collateral"], "collateral", limit=MAX_DEVICES)
        collateral = [Collateral.from_json(item) for item in shared]
        devices = as_list(record["devices"], "devices", limit=MAX_DEVICES)
        if not devices:
            raise MalformedError("the bundle has no devices")
        return cls(
            processor=Bundle.from_json(record["processor"]),
            devices=tuple(_device(item, collateral) for item in devices),
        )

    def to_bytes(self) -> bytes:
        """Return the JSON file that reads as this bundle."""
        shared = list(dict.fromkeys(device.collateral for device in self.devices))
        return canonical(
            {
                "version": VERSION,
                "processor": self.processor.to_json(),
                "devices": [_device_json(device, shared) for device in self.devices],
                "collateral": [item.to_json() for item in shared],
            }
        )

    def verify(self, *, cache: EvidenceCache | None = None) -> MachineVerdict:
        """Return the verdict on the machine."""
        processor = self.processor
        return verify_machine(
            processor.evidence,
            devices=self.devices,
            policy=processor.policy,
            expected=processor.expected,
            at=processor.at,
            collateral=processor.collateral,
            cache=cache,
        )


def _device(value: Json, collateral: list[Collateral]) -> Device:
    record = as_object(value, "a device")
    check_keys(record, "a device", required=_DEVICE, optional=frozenset())
    number = as_integer(record["collateral"], "a device's collateral", high=MAX_DEVICES)
    if number >= len(collateral):
        raise MalformedError("a device's collateral is none of those in the bundle")
    return Device(
        evidence=as_base64(
            record["evidence"], "a device's evidence", limit_bytes=MAX_EVIDENCE_BYTES
        ),
        collateral=collateral[number],
    )


def _device_json(device: Device, shared: list[Collateral]) -> JsonObject:
    return {
        "evidence": to_base64(device.evidence),
        "collateral": shared.index(device.collateral),
    }
