"""An event log: bytes to entries, nothing about them verified.

Follows "TCG PC Client Platform Firmware Profile", chapter 10 (crypto agile log: TCG_PCR_EVENT for
the first entry, TCG_PCR_EVENT2 for the others), which firmware also writes into the CCEL table of a
TD. Numbers are little-endian. Register numbers are as the log has them; a TD's are its runtime
registers plus one (UEFI specification, "Confidential Computing").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from adyton.codec.reader import Reader
from adyton.errors import MalformedError

__all__ = ["MAX_LOG_BYTES", "Algorithm", "Entry", "EventLog"]

MAX_LOG_BYTES: Final = 4 * 1024 * 1024
_MAX_ENTRIES: Final = 4096
_MAX_EVENT_BYTES: Final = 1024 * 1024
_MAX_ALGORITHMS: Final = 8
_MAX_DIGEST_SIZE: Final = 64
_SHA1_SIZE: Final = 20
_NO_ACTION: Final = 3
_SIGNATURE: Final = b"Spec ID Event03\0"


class Algorithm(IntEnum):
    """Hashes by the numbers that the TCG gives them; others are skipped over."""

    SHA256 = 0x000B
    SHA384 = 0x000C


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What was measured into which register. ``digests`` are by algorithm, ``event`` says why."""

    register: int
    kind: int
    digests: Mapping[Algorithm, bytes]
    event: bytes

    @property
    def is_extended(self) -> bool:
        """Whether the entry changed its register: some only say something."""
        return self.kind != _NO_ACTION


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLog:
    """A whole log, oldest entry first."""

    entries: tuple[Entry, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> "EventLog":
        """Return the log in ``data``, or raise ``MalformedError``."""
        if len(data) > MAX_LOG_BYTES:
            raise MalformedError(f"an event log has {len(data)} bytes, limit {MAX_LOG_BYTES}")
        reader = Reader(data, where="the event log")
        sizes = _header(reader)
        entries: list[Entry] = []
        # Firmware leaves the rest of its table as it was: zeros, or ones.
        end = min(len(data.rstrip(b"\0")), len(data.rstrip(b"\xff")))
        while reader.offset < end:
            if len(entries) == _MAX_ENTRIES:
                raise MalformedError(f"the event log has more than {_MAX_ENTRIES} entries")
            entries.append(_entry(reader, sizes))
        return cls(entries=tuple(entries))


def _header(reader: Reader) -> Mapping[int, int]:
    """Return how long each algorithm's digests are, from the log's first entry."""
    reader.little_endian(4, "the first register")
    if reader.little_endian(4, "the first kind") != _NO_ACTION:
        raise MalformedError("the event log does not begin by saying what it is")
    reader.take(_SHA1_SIZE, "the first digest")
    body = Reader(_event(reader), where="the event log's header")
    if body.take(len(_SIGNATURE), "the signature") != _SIGNATURE:
        raise MalformedError("the event log is not of the crypto agile form")
    body.take(8, "the versions")
    count = body.little_endian(4, "the number of algorithms")
    if not 1 <= count <= _MAX_ALGORITHMS:
        raise MalformedError(f"the event log has {count} algorithms, not 1 to {_MAX_ALGORITHMS}")
    sizes = {}
    for _ in range(count):
        number, size = (
            body.little_endian(2, "an algorithm"),
            body.little_endian(2, "the size of a digest"),
        )
        if not 1 <= size <= _MAX_DIGEST_SIZE or number in sizes:
            raise MalformedError(
                f"the event log has digests of {size} bytes, or an algorithm twice"
            )
        sizes[number] = size
    body.take(body.take(1, "the size of the vendor's part")[0], "the vendor's part")
    body.finish()
    return MappingProxyType(sizes)


def _entry(reader: Reader, sizes: Mapping[int, int]) -> Entry:
    register, kind = reader.little_endian(4, "a register"), reader.little_endian(4, "a kind")
    count = reader.little_endian(4, "the number of digests")
    if count > len(sizes):
        raise MalformedError(f"an entry has {count} digests, the log has {len(sizes)} algorithms")
    digests = {}
    for _ in range(count):
        number = reader.little_endian(2, "a digest's algorithm")
        if number not in sizes:
            raise MalformedError(f"an entry has a digest of the unknown algorithm {number:#06x}")
        digest = reader.take(sizes[number], "a digest")
        if number in set(Algorithm):
            digests[Algorithm(number)] = digest
    return Entry(
        register=register,
        kind=kind,
        digests=MappingProxyType(digests),
        event=_event(reader),
    )


def _event(reader: Reader) -> bytes:
    size = reader.little_endian(4, "the size of an event")
    if size > _MAX_EVENT_BYTES:
        raise MalformedError(f"an event has {size} bytes, limit {_MAX_EVENT_BYTES}")
    return reader.take(size, "an event")
