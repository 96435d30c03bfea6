"""Digests under a domain: length-prefixed, so that no two lists of parts give the same bytes."""

import hashlib
from typing import Final

__all__ = ["FIELD_MODULUS", "field_text", "hash_to_field", "prefixed", "sha256", "sha384", "sha512"]

# The scalar field of BN254, over which the circuits compute (EIP-197 names it the curve order).
FIELD_MODULUS: Final = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001


def prefixed(*parts: bytes) -> bytes:
    """Return ``parts`` joined, each behind its length as eight bytes, little-endian."""
    return b"".join(len(part).to_bytes(8, "little") + part for part in parts)


def sha256(data: bytes) -> bytes:
    """Return SHA-256 of ``data`` (FIPS 180-4), 32 bytes."""
    return hashlib.sha256(data).digest()


def sha384(data: bytes) -> bytes:
    """Return SHA-384 of ``data`` (FIPS 180-4), 48 bytes."""
    return hashlib.sha384(data).digest()


def sha512(data: bytes) -> bytes:
    """Return SHA-512 of ``data`` (FIPS 180-4), 64 bytes."""
    return hashlib.sha512(data).digest()


def hash_to_field(domain: str, *parts: bytes) -> int:
    """Return a field element for ``parts`` under ``domain``.

    SHA-512 gives 512 bits for a modulus of 254: reduced, the bias is below 2^-256, and a collision
    is as hard to find as for the field itself.
    """
    return int.from_bytes(sha512(prefixed(domain.encode(), *parts)), "big") % FIELD_MODULUS


def field_text(element: int) -> str:
    """Return a field element as ``0x`` and 64 hexadecimal digits."""
    return f"0x{element:064x}"
