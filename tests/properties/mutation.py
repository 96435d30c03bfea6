"""Ways to break bytes, for the properties of everything that reads them."""

from hypothesis import strategies as st

__all__ = ["flipped", "mutated", "pieces"]


def flipped(data: bytes, bit: int) -> bytes:
    """Return ``data`` with one bit the other way round."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def pieces(size: int) -> st.SearchStrategy[tuple[str, int, bytes]]:
    """Return changes to ``size`` bytes: what to do, where, and with what."""
    return st.tuples(
        st.sampled_from(["replace", "insert", "delete", "repeat"]),
        st.integers(0, size),
        st.binary(max_size=8),
    )


def mutated(data: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    """Return ``data`` after these changes, one after the other."""
    for kind, offset, piece in changes:
        size = len(piece)
        match kind:
            case "replace":
                data = data[:offset] + piece + data[offset + size :]
            case "insert":
                data = data[:offset] + piece + data[offset:]
            case "delete":
                data = data[:offset] + data[offset + size :]
            case _:
                data = data[: offset + size] + data[offset:]
    return data
