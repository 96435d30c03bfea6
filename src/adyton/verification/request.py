"""A request for verdicts on evidence, as callers of a gateway write it.

It is a bundle of which all but evidence and policy may be left out: no collateral, nothing
expected, and the instant at which it came. Beside these, it may have devices that belong to the
processor, and may want the verdict as an attestation result, too.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from adyton.codec.json import JsonObject, as_base64, as_list, as_object, check_keys, loads
from adyton.errors import MalformedError
from adyton.evidence.collateral import MAX_COLLATERAL_VALUES, NO_COLLATERAL, Collateral
from adyton.evidence.nvidia.serialized import MAX_DEVICES
from adyton.verification.bundle import MAX_BUNDLE_BYTES, MAX_EVIDENCE_BYTES, VERSION, Bundle
from adyton.verification.machine import Device, devices_of

__all__ = ["EvidenceRequest"]

_REQUIRED: Final = frozenset({"evidence", "policy"})
_OPTIONAL: Final = frozenset({"collateral", "expected", "at"})
_BESIDE: Final = frozenset({"devices", "device_collateral", "ear"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRequest:
    """What a verdict depends on, the devices, and in which forms it is wanted."""

    bundle: Bundle
    devices: tuple[Device, ...]
    wants_ear: bool

    @classmethod
    def from_bytes(cls, data: bytes, *, now: datetime) -> "EvidenceRequest":
        """Return the request in ``data``, which came at ``now``, or raise ``MalformedError``."""
        value = loads(data, limit_bytes=MAX_BUNDLE_BYTES, limit_values=MAX_COLLATERAL_VALUES)
        record = as_object(value, "the request")
        check_keys(record, "the request", required=_REQUIRED, optional=_OPTIONAL | _BESIDE)
        missing: JsonObject = {
            "version": VERSION,
            "collateral": NO_COLLATERAL.to_json(),
            "expected": {},
            "at": now.astimezone(UTC).isoformat(),
        }
        given = {name: item for name, item in record.items() if name not in _BESIDE}
        bundle = Bundle.from_json({**missing, **given})
        return cls(
            bundle=bundle,
            devices=_devices(record, otherwise=bundle.collateral),
            wants_ear=_wants_ear(record),
        )


def _devices(record: JsonObject, *, otherwise: Collateral) -> tuple[Device, ...]:
    if "devices" not in record:
        if "device_collateral" in record:
            raise MalformedError("there is device_collateral, and there are no devices")
        return ()
    files = [
        as_base64(item, "a device", limit_bytes=MAX_EVIDENCE_BYTES)
        for item in as_list(record["devices"], "devices", limit=MAX_DEVICES)
    ]
    if "device_collateral" not in record:
        return devices_of(files, collateral=[otherwise])
    beside = as_list(record["device_collateral"], "device_collateral", limit=MAX_DEVICES)
    return devices_of(files, collateral=[Collateral.from_json(item) for item in beside])


def _wants_ear(record: JsonObject) -> bool:
    wanted = record.get("ear", False)
    if not isinstance(wanted, bool):
        raise MalformedError("ear is not true or false")
    # A result speaks for its instant: for one that the caller chose, it would say today what nobody
    # knows yet, or what was known otherwise at the time.
    if wanted and "at" in record:
        raise MalformedError("an attestation result is for now, and for no other instant")
    return wanted
