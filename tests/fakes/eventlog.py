"""Event logs as firmware writes them."""

import hashlib
import struct
from collections.abc import Sequence

SHA1, SHA256, SHA384 = 0x4, 0xB, 0xC
SIZES = {SHA1: 20, SHA256: 32, SHA384: 48}
HASHES = {SHA1: "sha1", SHA256: "sha256", SHA384: "sha384"}


def sized(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def header(
    algorithms: Sequence[int] = (SHA256, SHA384), *, signature: bytes = b"Spec ID Event03\0"
) -> bytes:
    """Return the first entry, which says what digests the others have."""
    body = signature + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, len(algorithms))
    body += b"".join(struct.pack("<HH", number, SIZES[number]) for number in algorithms)
    return struct.pack("<II", 0, 3) + bytes(20) + sized(body + b"\0")


def entry(
    register: int,
    event: bytes,
    *,
    kind: int = 0xD,
    algorithms: Sequence[int] = (SHA256, SHA384),
) -> bytes:
    """Return an entry whose digests are of its event."""
    digests = b"".join(
        struct.pack("<H", number) + hashlib.new(HASHES[number], event).digest()
        for number in algorithms
    )
    head = struct.pack("<III", register, kind, len(algorithms))
    return head + digests + sized(event)


def replayed(events: Sequence[bytes], *, name: str = "sha384", start: bytes = b"") -> bytes:
    """Return the register that ``events`` lead to."""
    value = start or bytes(hashlib.new(name).digest_size)
    for event in events:
        value = hashlib.new(name, value + hashlib.new(name, event).digest()).digest()
    return value
