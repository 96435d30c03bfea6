"""The Merkle tree of RFC 6962, section 2.1: a log's root, and proofs about it.

A *node* is the root of a perfect subtree: at level ``l`` and index ``i`` it covers the leaves
``i * 2^l`` up to ``(i + 1) * 2^l``; level 0 are the leaves' hashes. Whatever was hashed once stays,
so that a log stores nodes and never changes one. All positions come from the peer: everything here
takes time in the number of their bits.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, NewType, TypeAlias

from adyton.errors import MalformedError, RejectedError

__all__ = [
    "EMPTY_ROOT",
    "HASH_SIZE",
    "MAX_SIZE",
    "Frontier",
    "Hash",
    "InclusionRejectedError",
    "LogRewrittenError",
    "Node",
    "ReadNode",
    "consistency",
    "inclusion",
    "leaf_hash",
    "node_hash",
    "root_of",
    "verify_consistency",
    "verify_inclusion",
]

Hash = NewType("Hash", bytes)
# Level, index, hash.
Node: TypeAlias = tuple[int, int, Hash]
ReadNode: TypeAlias = Callable[[int, int], Hash]

HASH_SIZE: Final = 32
# Sizes are eight bytes wherever they are written; half of that keeps a sign bit free in databases.
MAX_SIZE: Final = 2**63 - 1
_SIZE_BYTES: Final = 8
# RFC 6962: the prefixes keep a leaf from passing for a node, and a node for a leaf.
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"

EMPTY_ROOT: Final = Hash(hashlib.sha256(b"").digest())


class InclusionRejectedError(RejectedError):
    """The path does not lead from this leaf at this index to this root."""

    code = "inclusion-rejected"

    def __init__(self, *, index: int, size: int) -> None:
        super().__init__(f"the path does not lead from leaf {index} to the root of {size} leaves")
        self.index, self.size = index, size


class LogRewrittenError(RejectedError):
    """The smaller log is no beginning of the larger one: what was in it was changed."""

    code = "log-rewritten"

    def __init__(self, *, old: int, new: int) -> None:
        super().__init__(f"the log of {new} leaves does not begin with the log of {old}")
        self.old, self.new = old, new


def leaf_hash(data: bytes) -> Hash:
    """Return the hash of a leaf that holds ``data``."""
    return Hash(hashlib.sha256(_LEAF + data).digest())


def node_hash(left: Hash, right: Hash) -> Hash:
    """Return the hash of the node above these two."""
    return Hash(hashlib.sha256(_NODE + left + right).digest())


class Frontier:
    """The right edge of a growing tree: what it takes to append and to know the root.

    It holds one hash for each bit that is set in the size, and so does its form in bytes.
    """

    __slots__ = ("_edge", "_size")

    def __init__(self) -> None:
        # The roots of the perfect subtrees, from the largest to the smallest.
        self._edge: list[Hash] = []
        self._size = 0

    @property
    def size(self) -> int:
        """How many leaves were appended."""
        return self._size

    def append(self, leaf: Hash) -> list[Node]:
        """Append the hash of a leaf, and return the nodes that are complete now, lowest first."""
        if self._size >= MAX_SIZE:
            raise ValueError("the tree is full")
        index, level, hashed = self._size, 0, leaf
        nodes = [(level, index, hashed)]
        while index & 1:
            hashed = node_hash(self._edge.pop(), hashed)
            index, level = index >> 1, level + 1
            nodes.append((level, index, hashed))
        self._edge.append(hashed)
        self._size += 1
        return nodes

    def root(self) -> Hash:
        """Return the root of the tree as it is."""
        return _folded(self._edge)

    def copy(self) -> "Frontier":
        """Return another one in the same state: to append a batch that may come to nothing."""
        made = Frontier()
        made._edge, made._size = self._edge.copy(), self._size
        return made

    def to_bytes(self) -> bytes:
        """Return the size, eight bytes, and the hashes, from the largest subtree's on."""
        return self._size.to_bytes(_SIZE_BYTES, "big") + b"".join(self._edge)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Frontier":
        """Return the frontier in ``data``, or raise ``MalformedError``."""
        size, hashes = int.from_bytes(data[:_SIZE_BYTES], "big"), data[_SIZE_BYTES:]
        if len(data) < _SIZE_BYTES or size > MAX_SIZE:
            raise MalformedError("a frontier begins with its size")
        if len(hashes) != size.bit_count() * HASH_SIZE:
            raise MalformedError(f"a frontier of {size} leaves has {size.bit_count()} hashes")
        made = cls()
        made._size = size
        made._edge = [
            Hash(hashes[start : start + HASH_SIZE]) for start in range(0, len(hashes), HASH_SIZE)
        ]
        return made


def root_of(size: int, read_node: ReadNode) -> Hash:
    """Return the root of the first ``size`` leaves from a log's nodes."""
    _check_size(size, "a tree", at_least=0)
    return _subtree(0, size, read_node)


def inclusion(index: int, size: int, read_node: ReadNode) -> list[Hash]:
    """Return the audit path of leaf ``index`` in the tree of ``size`` leaves (section 2.1.1).

    ``read_node`` is asked for nodes of that tree only. ``MalformedError`` where there is no such
    leaf.
    """
    _check_size(size, "a tree", at_least=1)
    if not 0 <= index < size:
        raise MalformedError(f"there is no leaf {index} in a log of {size}")
    path = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_subtree(middle, end, read_node))
            end = middle
        else:
            path.append(_subtree(begin, middle, read_node))
            begin = middle
    path.reverse()
    return path


def consistency(old: int, new: int, read_node: ReadNode) -> list[Hash]:
    """Return the proof that the tree of ``new`` leaves begins with that of ``old`` (2.1.2).

    ``MalformedError`` where ``old`` is zero or more than ``new``.
    """
    _check_size(old, "the older tree", at_least=1)
    if old > new:
        raise MalformedError(f"a log of {new} leaves has no beginning of {old}")
    path = []
    begin, end = 0, new
    # Down along the old tree's right edge, until a subtree of the new tree is the old one's too.
    while end != old:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(_subtree(middle, end, read_node))
            end = middle
        else:
            path.append(_subtree(begin, middle, read_node))
            begin = middle
    # The old root itself is known to the verifier; a part of it is not.
    if begin:
        path.append(_subtree(begin, end, read_node))
    path.reverse()
    return path


def verify_inclusion(
    leaf: Hash, *, index: int, size: int, path: Sequence[Hash], root: Hash
) -> None:
    """Raise ``InclusionRejectedError`` unless ``path`` leads from ``leaf`` to ``root``.

    The algorithm of RFC 9162, section 2.1.3.2: each hash goes to the side that index and size say.
    """
    if not 0 <= index < size:
        raise InclusionRejectedError(index=index, size=size)
    position, last, hashed = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            # The path is longer than the tree is high.
            raise InclusionRejectedError(index=index, size=size)
        if position & 1 or position == last:
            hashed = node_hash(sibling, hashed)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        position, last = position >> 1, last >> 1
    if last or hashed != root:
        raise InclusionRejectedError(index=index, size=size)


def verify_consistency(
    *, old: int, new: int, old_root: Hash, new_root: Hash, path: Sequence[Hash]
) -> None:
    """Raise ``LogRewrittenError`` unless ``path`` shows that the new log begins with the old one.

    The algorithm of RFC 9162, section 2.1.4.2. A log of no leaves begins every other: its proof is
    empty, and its root is known.
    """
    rejected = LogRewrittenError(old=old, new=new)
    if not 0 <= old <= new:
        raise rejected
    if old in {0, new}:
        if path or old_root != (EMPTY_ROOT if old == 0 else new_root):
            raise rejected
        return
    hashes = list(path)
    # A whole left subtree is the old root: the proof leaves out what the verifier has.
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes or _climb(old, new, hashes) != (old_root, new_root):
        raise rejected


def _climb(old: int, new: int, hashes: Sequence[Hash]) -> tuple[Hash, Hash] | None:
    """Return the roots that a consistency proof leads to, or ``None`` where its length is wrong."""
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    older = newer = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return None
        if position & 1 or position == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        position, last = position >> 1, last >> 1
    return None if last else (older, newer)


def _check_size(size: int, where: str, *, at_least: int) -> None:
    if not at_least <= size <= MAX_SIZE:
        raise MalformedError(f"{where} of {size} leaves")


def _split(size: int) -> int:
    """Return the largest power of two below ``size``, which is more than one."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtree(begin: int, end: int, read_node: ReadNode) -> Hash:
    """Return the hash over the leaves ``begin`` to ``end``; ``begin`` is a multiple of the split.

    The range falls into perfect subtrees, the largest first.
    """
    edge = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        edge.append(read_node(level, begin >> level))
        begin += 1 << level
    return _folded(edge)


def _folded(edge: Sequence[Hash]) -> Hash:
    if not edge:
        return EMPTY_ROOT
    hashed = edge[-1]
    for left in reversed(edge[:-1]):
        hashed = node_hash(left, hashed)
    return hashed
