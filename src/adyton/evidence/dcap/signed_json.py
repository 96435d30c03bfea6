"""What TCB information and enclave identities have in common: JSON that Intel signs as text.

Follows Intel's "Provisioning Certification Service API", version 4. Read only after the signature
over the text was verified. Fields that nobody here knows are passed over: Intel adds some without a
new version, and a verifier that refused them would refuse every platform on that day.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from adyton.codec.json import Json, JsonObject, as_integer, as_list, as_object, as_string, loads
from adyton.errors import MalformedError
from adyton.evidence.dcap.status import TcbStatus

__all__ = [
    "MAX_ITEMS",
    "MAX_SIGNED_BYTES",
    "LevelOutcome",
    "SvnLevel",
    "field",
    "hexadecimal",
    "instant",
    "items",
    "outcome",
    "signed_object",
    "svn_levels",
]

# Intel's longest has 20 KB.
MAX_SIGNED_BYTES: Final = 128 * 1024
MAX_ITEMS: Final = 256
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_HEXADECIMAL: Final = re.compile(r"[0-9A-Fa-f]*")
# Those that Intel lists; the others come about here.
_STATUSES: Final = {
    status.value: status
    for status in (
        TcbStatus.UP_TO_DATE,
        TcbStatus.SW_HARDENING_NEEDED,
        TcbStatus.CONFIGURATION_NEEDED,
        TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED,
        TcbStatus.OUT_OF_DATE,
        TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
        TcbStatus.REVOKED,
    )
}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelOutcome:
    """What Intel says of a TCB level: its state, since when, and why."""

    status: TcbStatus
    date: datetime
    advisories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SvnLevel:
    """A TCB level of something that has one version: an enclave, or a TDX module."""

    isv_svn: int
    outcome: LevelOutcome


def signed_object(data: bytes, where: str) -> JsonObject:
    """Return the object in a text that was signed, or raise ``MalformedError``."""
    return as_object(loads(data, limit_bytes=MAX_SIGNED_BYTES), where)


def field(record: JsonObject, name: str) -> Json:
    """Return a field that has to be there."""
    if name not in record:
        raise MalformedError(f"the field {name} is missing")
    return record[name]


def hexadecimal(record: JsonObject, name: str, *, size: int) -> bytes:
    """Return ``size`` bytes. Intel writes the digits in either case."""
    text = as_string(field(record, name), name, limit=2 * size)
    if len(text) != 2 * size or _HEXADECIMAL.fullmatch(text) is None:
        raise MalformedError(f"{name} is not {size} bytes in hexadecimal")
    return bytes.fromhex(text)


def instant(record: JsonObject, name: str) -> datetime:
    """Return an instant, whole seconds in UTC."""
    text = as_string(field(record, name), name, limit=32)
    if _INSTANT.fullmatch(text) is None:
        raise MalformedError(f"{name} is not an instant in utc")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedError(f"{name} is not an instant in utc") from error


def items(record: JsonObject, name: str, read: Callable[[JsonObject], _T]) -> tuple[_T, ...]:
    """Return the objects in an array, each as ``read`` has it."""
    found = as_list(field(record, name), name, limit=MAX_ITEMS)
    return tuple(read(as_object(item, f"an item of {name}")) for item in found)


def outcome(level: JsonObject) -> LevelOutcome:
    """Return what is said of a TCB level."""
    text = as_string(field(level, "tcbStatus"), "tcbStatus", limit=64)
    if text not in _STATUSES:
        raise MalformedError(f"tcbStatus is {text!r}, which is no state that we know")
    advisories = as_list(level.get("advisoryIDs", []), "advisoryIDs", limit=MAX_ITEMS)
    return LevelOutcome(
        status=_STATUSES[text],
        date=instant(level, "tcbDate"),
        advisories=tuple(as_string(item, "an advisory", limit=64) for item in advisories),
    )


def svn_levels(record: JsonObject) -> tuple[SvnLevel, ...]:
    """Return the levels of something with one version, newest first as Intel sorts them."""
    return items(record, "tcbLevels", _svn_level)


def _svn_level(level: JsonObject) -> SvnLevel:
    tcb = as_object(field(level, "tcb"), "tcb")
    return SvnLevel(
        isv_svn=as_integer(field(tcb, "isvsvn"), "isvsvn", high=0xFFFF), outcome=outcome(level)
    )
