"""What a device's boot code certifies about the firmware that it started: DICE extensions.

Follows "DICE Attestation Architecture" (TCG), sections on CompositeDeviceID and TcbInfo: Hopper and
LS10 have the first, Blackwell the second. Both hold the firmware's digest (FWID); only the second
has flags, and so can say that the firmware may be debugged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from adyton.codec.der import DerReader, Tag
from adyton.errors import MalformedError

__all__ = ["FWID_SIZE", "DiceFlag", "FirmwareIdentity"]

FWID_SIZE: Final = 48
_COMPOSITE: Final = "2.23.133.5.4.1"
_TCB_INFO: Final = "2.23.133.5.4.1.1"
# id-sha384, 2.16.840.1.101.3.4.2.2.
_SHA384: Final = bytes.fromhex("608648016503040202")
_WHERE: Final = "the device's certificate"
# The fields of a TcbInfo in their order: vendor, model, version, svn, layer, index before the
# digests; vendorInfo and type behind the flags. All are tagged by their place.
_BEFORE: Final = tuple(0x80 + number for number in range(6))
_FWIDS: Final = 0xA6
_FLAGS: Final = 0x87
_BEHIND: Final = (0x88, 0x89)
_MAX_FWIDS: Final = 8
_MAX_FLAG_BYTES: Final = 4


class DiceFlag(IntEnum):
    """The operational flags that speak against firmware, by their bit."""

    NOT_SECURE = 1
    RECOVERY = 2
    DEBUG = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareIdentity:
    """The firmware that a device's key was made for.

    ``device_key`` is the key of the boot code (SubjectPublicKeyInfo), where the extension names it.
    ``flags`` is ``None`` where the generation has none, and says nothing then.
    """

    fwid: bytes
    device_key: bytes | None
    flags: frozenset[DiceFlag] | None

    @classmethod
    def from_extensions(cls, extensions: Mapping[str, bytes]) -> "FirmwareIdentity":
        """Return what is in a certificate's extensions, or raise ``MalformedError``."""
        match extensions.get(_COMPOSITE), extensions.get(_TCB_INFO):
            case bytes() as composite, None:
                return _composite(composite)
            case None, bytes() as tcb_info:
                return _tcb_info(tcb_info)
        raise MalformedError(f"{_WHERE} does not have one identity of its firmware")


def _composite(data: bytes) -> FirmwareIdentity:
    reader = _sequence(data)
    if (version := reader.integer("the version")) != 1:
        raise MalformedError(f"{_WHERE} has a device identity of version {version}")
    device_key = reader.element(Tag.SEQUENCE, "the device's key")
    fwid = _fwid(reader)
    reader.finish()
    return FirmwareIdentity(fwid=fwid, device_key=device_key, flags=None)


def _tcb_info(data: bytes) -> FirmwareIdentity:
    reader = _sequence(data)
    _skip(reader, _BEFORE)
    several = reader.enter(_FWIDS, "the firmware's digests")
    fwid = _fwid(several)
    # Further ones are of parts that the device does not have: zeros, in all that were seen.
    for _ in range(_MAX_FWIDS):
        if several.has(Tag.SEQUENCE):
            _fwid(several)
    several.finish()
    flags = _flags(reader.take(_FLAGS, "the flags"))
    _skip(reader, _BEHIND)
    reader.finish()
    return FirmwareIdentity(fwid=fwid, device_key=None, flags=flags)


def _sequence(data: bytes) -> DerReader:
    outer = DerReader(data, where=_WHERE)
    reader = outer.enter(Tag.SEQUENCE, "the identity of the firmware")
    outer.finish()
    return reader


def _skip(reader: DerReader, tags: tuple[int, ...]) -> None:
    for tag in tags:
        if reader.has(tag):
            reader.take(tag, "a field")


def _fwid(reader: DerReader) -> bytes:
    pair = reader.enter(Tag.SEQUENCE, "the firmware's digest")
    if pair.take(Tag.OBJECT_IDENTIFIER, "the hash") != _SHA384:
        raise MalformedError(f"{_WHERE} has a digest that is not sha-384")
    digest = pair.take(Tag.OCTET_STRING, "the digest")
    pair.finish()
    if len(digest) != FWID_SIZE:
        raise MalformedError(f"{_WHERE} has a digest of {len(digest)} bytes, not {FWID_SIZE}")
    return digest


def _flags(content: bytes) -> frozenset[DiceFlag]:
    # X.690, section 8.6: bit 0 is the highest of the first byte.
    unused, flags = content[:1], content[1:]
    if unused != b"\0" or not 1 <= len(flags) <= _MAX_FLAG_BYTES:
        raise MalformedError(f"{_WHERE} has flags of another size")
    return frozenset(flag for flag in DiceFlag if flags[0] & 0x80 >> flag)
