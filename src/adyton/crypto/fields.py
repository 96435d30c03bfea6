"""The parts of a certificate as they stand (RFC 5280, section 4.1), read by hand.

The library reads certificates, too. What it makes of names and extensions costs as much as checking
a signature, warns where an answer is needed, and has errors of its own for names that are merely
odd. Only keys are left to it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from adyton.codec.der import Element, Tag, elements
from adyton.errors import MalformedError

__all__ = [
    "BASIC_CONSTRAINTS",
    "CRL_SIGN",
    "DIGITAL_SIGNATURE",
    "EXTENDED_KEY_USAGE",
    "KEY_CERT_SIGN",
    "KEY_USAGE",
    "BasicConstraints",
    "Extension",
    "Fields",
    "basic_constraints",
    "common_name",
    "key_usage",
    "purposes",
]

# Section 4.2.1.
BASIC_CONSTRAINTS: Final = "2.5.29.19"
KEY_USAGE: Final = "2.5.29.15"
EXTENDED_KEY_USAGE: Final = "2.5.29.37"
# The bits of the first byte of a key usage (section 4.2.1.3).
DIGITAL_SIGNATURE: Final = 0x80
KEY_CERT_SIGN: Final = 0x04
CRL_SIGN: Final = 0x02

_VERSION_3: Final = bytes.fromhex("a003020102")
_COMMON_NAME: Final = bytes.fromhex("550403")
_EXTENSIONS: Final = 0xA3
_SET: Final = 0x31
# X.690, section 11: true is all ones, and what is not so is not written.
_IS_TRUE: Final = bytes.fromhex("0101ff")
# UTF8String, PrintableString and IA5String: what common names are written in.
_TEXTS: Final = frozenset({0x0C, 0x13, 0x16})
_CERTIFICATE: Final = [Tag.SEQUENCE, Tag.SEQUENCE, Tag.BIT_STRING]
# Serial number, algorithm, issuer, validity, subject, public key.
_BODY: Final = [Tag.INTEGER, *([Tag.SEQUENCE] * 5)]
_PAIR: Final = 2
# Names, identifiers and the like are the same in many certificates: what small parts of one mean is
# remembered, for so many of each kind.
_REMEMBERED: Final = 256
_MAX_USAGE_BYTES: Final = 3
_MAX_UNUSED: Final = 7
_SEVEN_BITS: Final = 0x7F
_MAX_IDENTIFIER_BYTES: Final = 32
# Two times in UTC and in whole seconds, each a UTCTime or a GeneralizedTime: its digits.
_TIME: Final = rb"(?:\x17\x0d([0-9]{12})Z|\x18\x0f([0-9]{14})Z)"
_VALIDITY: Final = re.compile(rb"\x30[\x1e\x20\x22]" + _TIME + _TIME)
_SHORT_TIME: Final = 12


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension: ``value`` is what its octet string holds."""

    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """A certificate's parts, nothing about them verified.

    ``algorithms`` has the one in the part that is signed, and the one beside the signature. All but
    the signature are DER, tag and length included, and kept as they came: what is in them is read
    by the methods, once somebody knows whose they are.
    """

    signed: bytes
    signature: bytes
    algorithms: tuple[bytes, bytes]
    serial: int
    issuer: bytes
    validity: bytes
    subject: bytes
    public_key_info: bytes
    rest: bytes

    @classmethod
    def from_bytes(cls, der: bytes, *, where: str) -> "Fields":
        """Return the parts of the certificate in ``der``, or raise ``MalformedError``."""
        (outer,) = _inside(der, None, [Tag.SEQUENCE], where)
        signed, beside, signature = _inside(der, outer, _CERTIFICATE, where)
        # X.690, section 8.6.2.2: the first byte says how many bits at the end are unused. With
        # another number there, the library would read the same signature from other bytes.
        if der[signature[2] : signature[2] + 1] != b"\0":
            raise MalformedError(f"{where} has a signature that is not whole bytes")
        start = signed[2] + len(_VERSION_3)
        if der[signed[2] : start] != _VERSION_3:
            raise MalformedError(f"{where} is not of version 3")
        body = elements(der, where=where, start=start, end=signed[3])
        if [item[0] for item in body[: len(_BODY)]] != _BODY:
            raise MalformedError(f"{where} has other parts than a certificate")
        serial, algorithm, issuer, validity, subject, key = body[: len(_BODY)]
        return cls(
            signed=der[signed[1] : signed[3]],
            signature=der[signature[2] + 1 : signature[3]],
            algorithms=(der[algorithm[1] : algorithm[3]], der[beside[1] : beside[3]]),
            serial=_integer(der[serial[2] : serial[3]], where),
            issuer=der[issuer[1] : issuer[3]],
            validity=der[validity[1] : validity[3]],
            subject=der[subject[1] : subject[3]],
            public_key_info=der[key[1] : key[3]],
            rest=der[key[3] : signed[3]],
        )

    def window(self, where: str) -> tuple[datetime, datetime]:
        """Return from when to when the certificate is valid (section 4.1.2.5)."""
        match = _VALIDITY.fullmatch(self.validity)
        if match is None or len(self.validity) - _PAIR != self.validity[1]:
            raise MalformedError(f"{where} has a validity that cannot be read")
        try:
            return _instant(match[1] or match[2]), _instant(match[3] or match[4])
        except ValueError as error:
            raise MalformedError(f"{where} has a validity that cannot be read") from error

    def extensions(self, where: str) -> dict[str, Extension]:
        """Return the extensions by their object identifiers (section 4.1.2.9)."""
        if not self.rest:
            return {}
        # Unique identifiers could stand before them, which no authority writes (section 4.1.2.8).
        data = self.rest
        (around,) = _inside(data, None, [_EXTENSIONS], where)
        (outer,) = _inside(data, around, [Tag.SEQUENCE], where)
        found: dict[str, Extension] = {}
        for item in elements(data, where=where, start=outer[2], end=outer[3]):
            parts = elements(data, where=where, start=item[2], end=item[3])
            critical = len(parts) > _PAIR
            if (
                item[0] != Tag.SEQUENCE
                or len(parts) != _PAIR + critical
                or parts[-1][0] != Tag.OCTET_STRING
                or (critical and data[parts[1][1] : parts[1][3]] != _IS_TRUE)
            ):
                raise MalformedError(f"{where} has an extension that cannot be read")
            identifier = _identifier(data, parts[0], where)
            if identifier in found:
                raise MalformedError(f"{where} has the extension {identifier} twice")
            found[identifier] = Extension(critical, data[parts[-1][2] : parts[-1][3]])
        return found


@dataclass(frozen=True, slots=True)
class BasicConstraints:
    """Whether a certificate is an authority's, and how many authorities may follow it."""

    is_authority: bool
    path_length: int | None


@lru_cache(maxsize=_REMEMBERED)
def basic_constraints(value: bytes, *, where: str) -> BasicConstraints:
    """Return the constraints in an extension's value (section 4.2.1.9), or raise."""
    (outer,) = _inside(value, None, [Tag.SEQUENCE], where)
    content = value[outer[2] :]
    is_authority = content.startswith(_IS_TRUE)
    rest = content[len(_IS_TRUE) * is_authority :]
    numbers = _inside(rest, None, [Tag.INTEGER] if rest else [], where)
    path_length = _integer(rest[numbers[0][2] :], where) if numbers else None
    if path_length is not None and path_length < 0:
        raise MalformedError(f"{where} has a path length below zero")
    return BasicConstraints(is_authority, path_length)


@lru_cache(maxsize=_REMEMBERED)
def key_usage(value: bytes, *, where: str) -> int:
    """Return the first byte of a key usage (section 4.2.1.3), or raise ``MalformedError``."""
    (bits,) = _inside(value, None, [Tag.BIT_STRING], where)
    content = value[bits[2] : bits[3]]
    # X.690, section 11.2: how many bits at the end are unused, and those are zero. Where there are
    # no others, the number itself stands there.
    if (
        not 1 <= len(content) <= _MAX_USAGE_BYTES
        or content[0] > _MAX_UNUSED
        or content[-1] & ((1 << content[0]) - 1)
    ):
        raise MalformedError(f"{where} has a key usage that cannot be read")
    return content[1] if len(content) > 1 else 0


def purposes(value: bytes, *, where: str) -> frozenset[str]:
    """Return the identifiers in an extended key usage (section 4.2.1.12), or raise."""
    (outer,) = _inside(value, None, [Tag.SEQUENCE], where)
    return frozenset(
        _identifier(value, item, where)
        for item in elements(value, where=where, start=outer[2], end=outer[3])
    )


@lru_cache(maxsize=_REMEMBERED)
def common_name(subject: bytes, *, where: str) -> str:
    """Return the one common name in a subject's DER; nothing where it has none, or several."""
    data, found = subject, []
    for part in elements(data, where=where, start=elements(data, where=where)[0][2]):
        for pair in elements(data, where=where, start=part[2], end=part[3]):
            inner = elements(data, where=where, start=pair[2], end=pair[3])
            if (part[0], pair[0], len(inner)) != (_SET, Tag.SEQUENCE, _PAIR):
                raise MalformedError(f"{where} has a name that cannot be read")
            if data[inner[0][2] : inner[0][3]] == _COMMON_NAME:
                found.append(inner[1])
    if len(found) != 1 or found[0][0] not in _TEXTS:
        return ""
    try:
        return data[found[0][2] : found[0][3]].decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{where} has a common name that is not utf-8") from error


def _inside(data: bytes, around: Element | None, tags: Sequence[int], where: str) -> list[Element]:
    """Return the elements inside another, or in all of ``data``, which must have these tags."""
    found = (
        elements(data, where=where)
        if around is None
        else elements(data, where=where, start=around[2], end=around[3])
    )
    if [item[0] for item in found] != [*tags]:
        raise MalformedError(f"{where} has something else than it should")
    return found


def _integer(content: bytes, where: str) -> int:
    value = int.from_bytes(content, "big", signed=True)
    # X.690, section 8.3: the shortest form.
    if len(content) != (value if value >= 0 else ~value).bit_length() // 8 + 1:
        raise MalformedError(f"{where} has an integer that is not in its shortest form")
    return value


def _identifier(data: bytes, item: Element, where: str) -> str:
    text = _dotted(data[item[2] : item[3]]) if item[0] == Tag.OBJECT_IDENTIFIER else ""
    if not text:
        raise MalformedError(f"{where} has an object identifier that cannot be read")
    return text


def _instant(digits: bytes) -> datetime:
    """Return the instant in the digits of a time; ``ValueError`` where there is none such."""
    if len(digits) == _SHORT_TIME:
        # Two digits of a year: those below 50 are of this century.
        digits = (b"20" if digits < b"50" else b"19") + digits
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    hour, minute, second = int(digits[8:10]), int(digits[10:12]), int(digits[12:])
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@lru_cache(maxsize=_REMEMBERED)
def _dotted(content: bytes) -> str:
    """Return an object identifier's numbers with dots between; nothing where it is none."""
    if not content or len(content) > _MAX_IDENTIFIER_BYTES or content[-1] > _SEVEN_BITS:
        return ""
    numbers, number, is_first = [], 0, True
    for byte in content:
        # X.690, section 8.19: seven bits a byte, the fewest bytes; the first two numbers in one.
        if is_first and byte == _SEVEN_BITS + 1:
            return ""
        number = number << 7 | byte & _SEVEN_BITS
        is_first = byte <= _SEVEN_BITS
        if is_first:
            numbers.append(number)
            number = 0
    top = min(numbers[0] // 40, 2)
    return ".".join(str(part) for part in (top, numbers[0] - 40 * top, *numbers[1:]))
