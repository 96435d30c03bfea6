"""A measurement transcript of SPDM 1.1: bytes to a frozen value, nothing about it verified.

Follows "Security Protocol and Data Model (SPDM) Specification" 1.1 (DMTF DSP0274), tables
"GET_MEASUREMENTS request message", "Successful MEASUREMENTS response message", "Measurement block
definition" and "DMTF measurement specification format": the request, and the response behind it,
both as NVIDIA's driver hands them out. Numbers are little-endian. The signature is over all that is
before it: request and response are one transcript.

Only the request that NVIDIA's driver sends is read: all measurements, signed. Otherwise, a host
could ask for those that it likes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adyton.codec.reader import Reader
from adyton.errors import MalformedError

__all__ = [
    "DIGEST_SIZE",
    "MAX_TRANSCRIPT_BYTES",
    "REPORT_BEGIN",
    "MeasurementBlock",
    "Transcript",
]

# NVIDIA's driver has room for 8 KB (NVML_CC_GPU_ATTESTATION_REPORT_SIZE).
MAX_TRANSCRIPT_BYTES: Final = 0x2000
DIGEST_SIZE: Final = 48
_VERSION: Final = 0x11
_GET_MEASUREMENTS: Final = 0xE0
_MEASUREMENTS: Final = 0x60
_SIGNED: Final = 0x01
_ALL: Final = 0xFF
# What every transcript that is read here begins with: its request, before the nonce.
REPORT_BEGIN: Final = bytes([_VERSION, _GET_MEASUREMENTS, _SIGNED, _ALL])
_MAX_SLOT: Final = 7
_NONCE_SIZE: Final = 32
_MAX_OPAQUE_BYTES: Final = 1024
_SIGNATURE_SIZE: Final = 96
_DMTF: Final = 0x01
# Those from one are the device's; zero and the one above have other meanings.
_LAST_INDEX: Final = 0xFE
# Index, specification and size; then the value's type and size.
_HEAD_SIZE: Final = 7
_TYPE_AND_SIZE: Final = 3
_RAW: Final = 1 << 7


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementBlock:
    """One measurement: where it stands, what kind it is of (DSP0274's value type), its value."""

    index: int
    value_type: int
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A request for measurements, and the device's answer.

    ``nonce`` is the asker's, ``device_nonce`` the device's. ``opaque`` has the fields of NVIDIA's
    opaque data by their numbers, as they stand. ``signature`` is as ES384 has it.
    """

    nonce: bytes
    slot: int
    blocks: tuple[MeasurementBlock, ...]
    device_nonce: bytes
    opaque: Mapping[int, bytes]
    signed_bytes: bytes
    signature: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> "Transcript":
        """Return the transcript in ``data``, or raise ``MalformedError``."""
        if len(data) > MAX_TRANSCRIPT_BYTES:
            raise MalformedError(
                f"the transcript has {len(data)} bytes, limit {MAX_TRANSCRIPT_BYTES}"
            )
        reader = Reader(data, where="the transcript")
        _expect(reader, "the request's version", _VERSION)
        _expect(reader, "the request's code", _GET_MEASUREMENTS)
        _expect(reader, "the request's attributes", _SIGNED)
        _expect(reader, "the request's operation", _ALL)
        nonce = reader.take(_NONCE_SIZE, "the asker's nonce")
        if (slot := reader.u8("the slot")) > _MAX_SLOT:
            raise MalformedError(f"the transcript is of slot {slot}, not 0 to {_MAX_SLOT}")
        _expect(reader, "the response's version", _VERSION)
        _expect(reader, "the response's code", _MEASUREMENTS)
        _expect(reader, "the response's first parameter", 0)
        _expect(reader, "the response's slot", slot)
        count = reader.u8("the number of measurements")
        record = reader.take(reader.little_endian(3, "the record's size"), "the record")
        device_nonce = reader.take(_NONCE_SIZE, "the device's nonce")
        size = reader.little_endian(2, "the opaque data's size")
        if size > _MAX_OPAQUE_BYTES:
            raise MalformedError(f"the opaque data has {size} bytes, limit {_MAX_OPAQUE_BYTES}")
        opaque = reader.take(size, "the opaque data")
        signed_bytes = data[: reader.offset]
        signature = reader.take(_SIGNATURE_SIZE, "the signature")
        reader.finish()
        return cls(
            nonce=nonce,
            slot=slot,
            blocks=_blocks(record, count),
            device_nonce=device_nonce,
            opaque=_opaque(opaque),
            signed_bytes=signed_bytes,
            signature=signature,
        )


def _expect(reader: Reader, name: str, wanted: int) -> None:
    if (found := reader.u8(name)) != wanted:
        raise MalformedError(f"the transcript: {name} is {found:#04x}, not {wanted:#04x}")


def _blocks(record: bytes, count: int) -> tuple[MeasurementBlock, ...]:
    """Return the measurements of a record.

    One loop over bytes rather than a reader with a method for each: a report has 64 of them.
    """
    found: list[MeasurementBlock] = []
    offset, last, end = 0, 0, len(record)
    for _ in range(count):
        start = offset + _HEAD_SIZE
        if start > end:
            raise MalformedError("the measurement record ends in a measurement's head")
        index, specification, low, high, value_type, value_low, value_high = record[offset:start]
        offset = start + (value_low | value_high << 8)
        # In order, so that none can stand twice with two values.
        if not last < index <= _LAST_INDEX:
            raise MalformedError(f"the measurement {index} is out of order")
        if specification != _DMTF:
            raise MalformedError(f"the measurement {index} is of another specification than dmtf's")
        # The type and the size of the value are part of the measurement.
        if (low | high << 8) != offset - start + _TYPE_AND_SIZE or offset > end:
            raise MalformedError(f"the measurement {index} has two sizes, or ends too early")
        if offset - start != DIGEST_SIZE and not value_type & _RAW:
            raise MalformedError(f"the measurement {index} is no digest of {DIGEST_SIZE} bytes")
        found.append(
            MeasurementBlock(index=index, value_type=value_type, value=record[start:offset])
        )
        last = index
    if not found or offset != end:
        raise MalformedError("the transcript has no measurement, or something behind the last one")
    return tuple(found)


def _opaque(data: bytes) -> Mapping[int, bytes]:
    reader = Reader(data, where="the opaque data")
    found: dict[int, bytes] = {}
    while reader.remaining:
        field = reader.little_endian(2, "a field's number")
        size = reader.little_endian(2, "a field's size")
        if field in found:
            raise MalformedError(f"the opaque data has the field {field} twice")
        found[field] = reader.take(size, f"the field {field}")
    return MappingProxyType(found)
