"""Certificate chains as vendors pass them on: PEM certificates one after the other (RFC 7468)."""

import re
from typing import Final

from adyton.codec.text import from_base64
from adyton.errors import MalformedError

__all__ = ["MAX_CERTIFICATE_BYTES", "read_chain", "read_roots"]

MAX_CERTIFICATE_BYTES: Final = 4096
_MOST_ROOTS: Final = 16
# Lines end as vendors end them. One alternative for each byte: no input takes more than one pass.
_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)\n-----END CERTIFICATE-----\n?"
)


def read_roots(data: bytes, where: str) -> tuple[bytes, ...]:
    """Return the DER of the certificates, one or a few, or raise ``MalformedError``."""
    size = data.count(b"-----BEGIN")
    if not 0 < size <= _MOST_ROOTS:
        raise MalformedError(f"{where} has {size} pem certificates, not 1 to {_MOST_ROOTS}")
    return read_chain(data, where, size=size)


def read_chain(data: bytes, where: str, *, size: int) -> tuple[bytes, ...]:
    """Return the DER of exactly ``size`` certificates, in order, or raise ``MalformedError``."""
    found: list[bytes] = []
    offset = 0
    while len(found) < size and (match := _CERTIFICATE.match(data, offset)) is not None:
        text = match[1].replace(b"\n", b"").decode()
        found.append(from_base64(text, where, limit_bytes=MAX_CERTIFICATE_BYTES))
        offset = match.end()
    # Quoting enclaves copy a C string, with the zero byte at its end or without.
    if len(found) != size or data[offset:] not in {b"", b"\0"}:
        raise MalformedError(f"{where} is not {size} pem certificates")
    return tuple(found)
