"""What a PCK certificate says about its platform: Intel's extension of it.

Follows "SGX PCK Certificate and Certificate Revocation List Profile Specification", section 1.3.5.
A sequence of pairs, each an object identifier and a value. Pairs that the profile does not have are
refused: nobody here would know what they change about a platform's TCB.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from adyton.codec.der import elements
from adyton.errors import MalformedError

__all__ = ["COMPONENTS", "SGX_EXTENSION", "PlatformType", "SgxExtension"]

SGX_EXTENSION: Final = "1.2.840.113741.1.13.1"
COMPONENTS: Final = 16

_WHERE: Final = "the sgx extension of the pck certificate"
# The identifier above, as DER content; those inside have more numbers behind it.
_PREFIX: Final = bytes.fromhex("2a864886f84d010d01")
_SEQUENCE: Final = 0x30
_OBJECT_IDENTIFIER: Final = 0x06
_OCTET_STRING: Final = 0x04
_INTEGER: Final = 0x02
_ENUMERATED: Final = 0x0A
_BOOLEAN: Final = 0x01
_PAIR: Final = 2
_PPID, _TCB, _PCE_ID, _FMSPC, _TYPE, _INSTANCE, _CONFIGURATION = range(1, 8)
_PCE_SVN, _CPU_SVN = COMPONENTS + 1, COMPONENTS + 2
_DYNAMIC_PLATFORM, _CACHED_KEYS, _SMT_ENABLED = range(1, 4)
_BOOLEANS: Final = {b"\x00": False, b"\xff": True}


class PlatformType(IntEnum):
    """What protects the platform's memory."""

    STANDARD = 0
    SCALABLE = 1
    SCALABLE_WITH_INTEGRITY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SgxExtension:
    """A platform and the versions of its components, as Intel certified them.

    ``components`` are the sixteen SVNs that TCB levels are compared with; ``cpu_svn`` is the same
    as the hardware writes it. The last four are absent from certificates of single-package
    platforms. ``ppid`` and ``platform_instance_id`` name one machine.
    """

    ppid: bytes
    components: bytes
    pce_svn: int
    cpu_svn: bytes
    pce_id: bytes
    fmspc: bytes
    platform_type: PlatformType
    platform_instance_id: bytes | None
    dynamic_platform: bool | None
    cached_keys: bool | None
    smt_enabled: bool | None

    @classmethod
    def from_bytes(cls, data: bytes) -> "SgxExtension":
        """Return the extension in ``data``, or raise ``MalformedError``."""
        outer = elements(data, where=_WHERE)
        if [item[0] for item in outer] != [_SEQUENCE]:
            raise _malformed("is not one sequence")
        pairs = _pairs(data[outer[0][2] :], _PREFIX)
        tcb = _pairs(_value(pairs, _TCB, _SEQUENCE), _PREFIX + bytes([_TCB]))
        configuration = (
            _pairs(_value(pairs, _CONFIGURATION, _SEQUENCE), _PREFIX + bytes([_CONFIGURATION]))
            if _CONFIGURATION in pairs
            else {}
        )
        extension = cls(
            ppid=_octets(pairs, _PPID, 16),
            components=bytes(_integer(tcb, n, 0xFF) for n in range(1, COMPONENTS + 1)),
            pce_svn=_integer(tcb, _PCE_SVN, 0xFFFF),
            cpu_svn=_octets(tcb, _CPU_SVN, 16),
            pce_id=_octets(pairs, _PCE_ID, 2),
            fmspc=_octets(pairs, _FMSPC, 6),
            platform_type=_platform_type(pairs),
            platform_instance_id=_octets(pairs, _INSTANCE, 16) if _INSTANCE in pairs else None,
            dynamic_platform=_boolean(configuration, _DYNAMIC_PLATFORM),
            cached_keys=_boolean(configuration, _CACHED_KEYS),
            smt_enabled=_boolean(configuration, _SMT_ENABLED),
        )
        for left in (pairs, tcb, configuration):
            if left:
                raise _malformed(f"has the unknown element {min(left)}")
        return extension


_Pairs = dict[int, tuple[int, bytes]]


def _pairs(data: bytes, prefix: bytes) -> _Pairs:
    """Return the values in a sequence of pairs, by the last number of their identifiers."""
    found: _Pairs = {}
    for tag, _, start, end in elements(data, where=_WHERE):
        pair = elements(data, where=_WHERE, start=start, end=end)
        if tag != _SEQUENCE or len(pair) != _PAIR or pair[0][0] != _OBJECT_IDENTIFIER:
            raise _malformed("has an element that is not a pair")
        (_, _, first, last), (kind, _, begin, stop) = pair
        identifier = data[first:last]
        if identifier[:-1] != prefix or identifier[-1] in found:
            raise _malformed(f"has the identifier {identifier.hex()}, or has it twice")
        found[identifier[-1]] = kind, data[begin:stop]
    return found


def _value(pairs: _Pairs, number: int, tag: int) -> bytes:
    """Return one value, and take it out of ``pairs``: what is left there is unknown."""
    found = pairs.pop(number, None)
    if found is None or found[0] != tag:
        raise _malformed(f"lacks element {number}, or has it as another type")
    return found[1]


def _octets(pairs: _Pairs, number: int, size: int) -> bytes:
    content = _value(pairs, number, _OCTET_STRING)
    if len(content) != size:
        raise _malformed(f"has {len(content)} bytes in element {number}, not {size}")
    return content


def _integer(pairs: _Pairs, number: int, high: int, tag: int = _INTEGER) -> int:
    content = _value(pairs, number, tag)
    value = int.from_bytes(content, "big", signed=True)
    if not 0 <= value <= high or len(content) != value.bit_length() // 8 + 1:
        raise _malformed(f"has an integer that is not in 0..{high} in element {number}")
    return value


def _platform_type(pairs: _Pairs) -> PlatformType:
    return PlatformType(_integer(pairs, _TYPE, max(PlatformType), tag=_ENUMERATED))


def _boolean(pairs: _Pairs, number: int) -> bool | None:
    if number not in pairs:
        return None
    content = _value(pairs, number, _BOOLEAN)
    if content not in _BOOLEANS:
        raise _malformed(f"has a boolean that is not der in element {number}")
    return _BOOLEANS[content]


def _malformed(what: str) -> MalformedError:
    return MalformedError(f"{_WHERE} {what}")
