"""The certificates that come with an extended report: bytes to named blobs.

Follows "SEV-ES Guest-Hypervisor Communication Block Standardization" (AMD 56421), "SNP Extended
Guest Request", and the table of identifiers in it: entries of an identifier, an offset from the
beginning of the table and a length, closed by an entry of zeros. The host writes all of it; nothing
of it is believed before it was verified.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from adyton.codec.reader import Reader
from adyton.errors import MalformedError
from adyton.evidence.sev_snp.layout import REPORT_SIZE

__all__ = ["MAX_TABLE_BYTES", "ExtendedReport"]

MAX_TABLE_BYTES: Final = 64 * 1024
_MAX_ENTRIES: Final = 16
_ENTRY_SIZE: Final = 24
_NAMES: Final[Mapping[UUID, str]] = MappingProxyType(
    {
        UUID("63da758d-e664-4564-adc5-f4b93be8accd"): "vcek",
        UUID("a8074bc2-a25a-483e-aae6-39c045a0b8a1"): "vlek",
        UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782"): "ask",
        UUID("c0b406a4-a803-4952-9743-3fb6014cd0ae"): "ark",
        UUID("92f81bc3-5811-4d3d-97ff-d19f88dc67ea"): "crl",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedReport:
    """A report, and what the host put beside it.

    The parts are ``vcek``, ``vlek``, ``ask``, ``ark`` and ``crl``, where they are there. Entries of
    operators' own are left out.
    """

    report: bytes
    parts: Mapping[str, bytes]

    @classmethod
    def from_bytes(cls, data: bytes) -> "ExtendedReport":
        """Return the report and the parts of the table behind it, or raise ``MalformedError``."""
        if len(data) > REPORT_SIZE + MAX_TABLE_BYTES:
            raise MalformedError(f"an extended report has {len(data)} bytes")
        report = Reader(data, where="the extended report").take(REPORT_SIZE, "the report")
        return cls(report=report, parts=read_table(data[REPORT_SIZE:]))


def read_table(data: bytes) -> Mapping[str, bytes]:
    """Return the parts of a table by their names, or raise ``MalformedError``."""
    entries = _entries(data)
    start = _ENTRY_SIZE * (len(entries) + 1)
    parts: dict[str, bytes] = {}
    for identifier, offset, size in entries:
        if offset < start or offset + size > len(data):
            raise MalformedError(f"the table's entry {identifier} is outside of the table")
        name = _NAMES.get(identifier)
        if name is None:
            continue
        if name in parts:
            raise MalformedError(f"the table has {name} twice")
        parts[name] = data[offset : offset + size]
    return MappingProxyType(parts)


def _entries(data: bytes) -> list[tuple[UUID, int, int]]:
    reader = Reader(data, where="the table of certificates")
    found: list[tuple[UUID, int, int]] = []
    while len(found) <= _MAX_ENTRIES:
        identifier = UUID(bytes=reader.take(16, "an identifier"))
        offset = reader.little_endian(4, "an offset")
        size = reader.little_endian(4, "a length")
        if not identifier.int:
            if offset or size:
                raise MalformedError("the table's last entry is not zeros")
            return found
        found.append((identifier, offset, size))
    raise MalformedError(f"the table has more than {_MAX_ENTRIES} entries")
