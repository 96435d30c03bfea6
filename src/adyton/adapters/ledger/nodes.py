"""The log's tree as files: the hashes of every eighth level, each level one after the other.

A node between two of these levels is hashed again from at most 128 below it, so that a proof about
a log of a million entries takes some hundred hashes, and the files 32 bytes an entry.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Final

from adyton.adapters.ledger.failure import StorageFailedError, failing
from adyton.ledger.tree import HASH_SIZE, Hash, Node, node_hash

__all__ = ["NodeFiles", "kept"]

_STRIDE: Final = 8
_LEVELS: Final = 64


class NodeFiles:
    """Nodes by level and index. What is read is checked by whoever knows the root."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptors: dict[int, int] = {}
        # Readers open levels while the writer goes through them.
        self._opening = Lock()
        with failing("nodes"):
            folder.mkdir(mode=0o700, exist_ok=True)

    def write(self, nodes: Iterable[Node]) -> None:
        """Write nodes; to write one again changes nothing."""
        runs: dict[int, tuple[int, list[Hash]]] = {}
        for level, index, hashed in kept(nodes):
            start, hashes = runs.setdefault(level, (index, []))
            if index != start + len(hashes):
                raise ValueError("nodes are written in order")
            hashes.append(hashed)
        for level, (start, hashes) in runs.items():
            data = b"".join(hashes)
            with failing("nodes"):
                written = os.pwrite(self._descriptor(level), data, start * HASH_SIZE)
            if written != len(data):
                raise StorageFailedError(what="nodes", reason="only a part could be written")

    def sync(self) -> None:
        """Return when everything written is on the disk."""
        with failing("nodes"):
            for descriptor in self._opened():
                os.fdatasync(descriptor)

    def read(self, level: int, index: int) -> Hash:
        """Return the node; raises ``StorageFailedError`` where there is none."""
        below = level - level % _STRIDE
        count = 1 << (level - below)
        with failing("nodes"):
            data = os.pread(self._descriptor(below), count * HASH_SIZE, index * count * HASH_SIZE)
        if len(data) != count * HASH_SIZE:
            raise StorageFailedError(what="nodes", reason="a node is missing")
        hashes = [Hash(data[at : at + HASH_SIZE]) for at in range(0, len(data), HASH_SIZE)]
        while len(hashes) > 1:
            pairs = zip(hashes[::2], hashes[1::2], strict=True)
            hashes = [node_hash(left, right) for left, right in pairs]
        return hashes[0]

    def close(self) -> None:
        """Close the files."""
        for descriptor in self._opened():
            os.close(descriptor)
        self._descriptors.clear()

    def _opened(self) -> list[int]:
        with self._opening:
            return list(self._descriptors.values())

    def _descriptor(self, level: int) -> int:
        if level not in range(0, _LEVELS, _STRIDE):
            raise ValueError(f"there is no level {level}")
        with self._opening:
            if level not in self._descriptors:
                path = self._folder / f"level-{level:02}"
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                self._descriptors[level] = os.open(path, flags, 0o600)
            return self._descriptors[level]


def kept(nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield those of ``nodes`` that are in files; the others are hashed again from them."""
    return (node for node in nodes if node[0] % _STRIDE == 0)
