"""Bytes as text, strictly: one text for each value, so that no flipped character goes unnoticed."""

import base64
import binascii
import re
from typing import Final

from adyton.errors import MalformedError

__all__ = [
    "exact_base64",
    "from_base64",
    "from_base64url",
    "from_hex",
    "to_base64",
    "to_base64url",
]

_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*")
_STANDARD: Final = str.maketrans("-_", "+/")


def to_base64(data: bytes) -> str:
    """Return RFC 4648 base64 with padding."""
    return base64.b64encode(data).decode()


def from_base64(text: str, where: str, *, limit_bytes: int) -> bytes:
    """Return the bytes of canonical base64 (section 4 of RFC 4648), or raise ``MalformedError``.

    Unused bits at the end must be zero (section 3.5): else one value would have several texts, and
    a bit could be flipped in a file without any check noticing.
    """
    if len(text) > (limit_bytes + 2) // 3 * 4:
        raise MalformedError(f"{where} has more than {limit_bytes} bytes")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError(f"{where} is not base64") from error
    if to_base64(data) != text:
        raise MalformedError(f"{where} is not canonical base64")
    if len(data) > limit_bytes:
        raise MalformedError(f"{where} has more than {limit_bytes} bytes")
    return data


def exact_base64(text: str, where: str, *, size: int) -> bytes:
    """Return the ``size`` bytes of canonical base64, or raise ``MalformedError``."""
    data = from_base64(text, where, limit_bytes=size)
    if len(data) != size:
        raise MalformedError(f"{where} has {len(data)} bytes, not {size}")
    return data


def to_base64url(data: bytes) -> str:
    """Return RFC 4648 base64url without padding, as JOSE has it (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text: str, where: str, *, limit_bytes: int) -> bytes:
    """Return the bytes of canonical base64url without padding, or raise ``MalformedError``."""
    # The library would pass over what is not in the alphabet, and over padding in between.
    if _BASE64URL.fullmatch(text) is None:
        raise MalformedError(f"{where} is not base64url without padding")
    padded = text.translate(_STANDARD) + "=" * (-len(text) % 4)
    return from_base64(padded, where, limit_bytes=limit_bytes)


def from_hex(text: str, where: str, *, size: int) -> bytes:
    """Return ``size`` bytes of lower-case hexadecimal, or raise ``MalformedError``."""
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise MalformedError(f"{where} is not hexadecimal") from error
    if len(data) != size or data.hex() != text:
        raise MalformedError(f"{where} is not {size} bytes in lower-case hexadecimal")
    return data
