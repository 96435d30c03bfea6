"""Bytes that are certainly others than before: a last byte that is set may have been so already."""


def flipped(data: bytes) -> bytes:
    """Return ``data`` with the last bit turned over."""
    return data[:-1] + bytes([data[-1] ^ 1])
