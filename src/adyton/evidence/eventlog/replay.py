"""An event log against registers: whether it tells how they came about, and where two logs part."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from adyton.crypto.hashing import sha256, sha384
from adyton.errors import RejectedError
from adyton.evidence.eventlog.layout import Algorithm, Entry, EventLog
from adyton.model.claims import Technology
from adyton.model.verdict import Finding, finding

__all__ = ["EventLogRejectedError", "check_replays", "explain", "registers"]

_ALGORITHMS: Final[Mapping[int, Algorithm]] = {32: Algorithm.SHA256, 48: Algorithm.SHA384}
_HASHES: Final = {Algorithm.SHA256: sha256, Algorithm.SHA384: sha384}
_LOCALITY: Final = b"StartupLocality\0"
# A TD's register 0 is its build-time measurement, which no log extends.
_RUNTIME_OFFSET: Final = 1
_SHOWN: Final = 80
_PRINTABLE: Final = range(0x20, 0x7F)
# TCG PC Client Platform Firmware Profile, table "Events".
_KINDS: Final[Mapping[int, str]] = {
    0x1: "EV_POST_CODE",
    0x4: "EV_SEPARATOR",
    0x5: "EV_ACTION",
    0x6: "EV_EVENT_TAG",
    0x8: "EV_S_CRTM_VERSION",
    0xC: "EV_COMPACT_HASH",
    0xD: "EV_IPL",
    0x80000001: "EV_EFI_VARIABLE_DRIVER_CONFIG",
    0x80000002: "EV_EFI_VARIABLE_BOOT",
    0x80000003: "EV_EFI_BOOT_SERVICES_APPLICATION",
    0x80000004: "EV_EFI_BOOT_SERVICES_DRIVER",
    0x80000006: "EV_EFI_GPT_EVENT",
    0x80000007: "EV_EFI_ACTION",
    0x80000008: "EV_EFI_PLATFORM_FIRMWARE_BLOB",
    0x80000009: "EV_EFI_HANDOFF_TABLES",
    0x8000000A: "EV_EFI_PLATFORM_FIRMWARE_BLOB2",
    0x8000000B: "EV_EFI_HANDOFF_TABLES2",
    0x8000000C: "EV_EFI_VARIABLE_BOOT2",
    0x800000E0: "EV_EFI_VARIABLE_AUTHORITY",
}


class EventLogRejectedError(RejectedError):
    """A log does not lead to the registers that the evidence has."""

    code = "event-log-rejected"

    def __init__(self, *, name: str) -> None:
        super().__init__(f"the event log does not lead to the evidence's {name}")
        self.name = name


def registers(
    log: EventLog, technology: Technology, measurements: Collection[str]
) -> Mapping[str, tuple[Entry, ...]]:
    """Return the log's entries by the names that ``measurements`` have for their registers."""
    found: dict[str, list[Entry]] = {}
    for entry in log.entries:
        if technology is Technology.TDX:
            name = f"rtmr{entry.register - _RUNTIME_OFFSET}"
        else:
            name = f"pcr{entry.register}"
        if name in measurements:
            found.setdefault(name, []).append(entry)
    return {name: tuple(entries) for name, entries in found.items()}


def check_replays(name: str, entries: tuple[Entry, ...], register: bytes) -> None:
    """Raise ``EventLogRejectedError`` unless ``entries`` lead to the value of ``register``.

    A log comes from the host. Once it leads to a register that was signed, it is true.
    """
    algorithm = _ALGORITHMS.get(len(register))
    if algorithm is None:
        raise EventLogRejectedError(name=name)
    value = _start(entries, len(register))
    for entry in entries:
        if not entry.is_extended:
            continue
        if algorithm not in entry.digests:
            raise EventLogRejectedError(name=name)
        value = _HASHES[algorithm](value + entry.digests[algorithm])
    if value != register:
        raise EventLogRejectedError(name=name)


def _start(entries: tuple[Entry, ...], size: int) -> bytes:
    # A TPM that was started from another locality begins with its number, in PCR 0.
    for entry in entries:
        if not entry.is_extended and entry.event.startswith(_LOCALITY):
            return bytes(size - 1) + entry.event[len(_LOCALITY) : len(_LOCALITY) + 1]
    return bytes(size)


def explain(
    name: str, entries: tuple[Entry, ...], reference: tuple[Entry, ...] | None
) -> Iterator[Finding]:
    """Yield which entries of a register's log make it another than its reference's.

    With a log of the reference, the first entry in which they part; without one, every entry.
    """
    ours = [entry for entry in entries if entry.is_extended]
    if reference is None:
        for index, entry in enumerate(ours):
            yield finding("event-logged", f"{name}, entry {index}: {_shown(entry)}")
        return
    theirs = [entry for entry in reference if entry.is_extended]
    for index, (found, wanted) in enumerate(zip(ours, theirs, strict=False)):
        if found.digests != wanted.digests:
            text = f"{name}, entry {index}: is {_shown(found)}; the reference has {_shown(wanted)}"
            yield finding("event-differs", text)
            return
    if len(ours) != len(theirs):
        index = min(len(ours), len(theirs))
        more, who = (ours, "the evidence") if len(ours) > index else (theirs, "the reference")
        text = f"{name}, entry {index}: only {who} has {_shown(more[index])}"
        yield finding("event-differs", text)


def _shown(entry: Entry) -> str:
    kind = _KINDS.get(entry.kind, f"event {entry.kind:#x}")
    digest = next(iter(entry.digests.values()), b"").hex()
    # Much of what firmware writes is UTF-16; what cannot be read is left out.
    text = bytes(byte for byte in entry.event[: 2 * _SHOWN] if byte in _PRINTABLE).decode()[:_SHOWN]
    return f"{kind} {digest[:16]}… {text!r}" if text else f"{kind} {digest[:16]}…"
