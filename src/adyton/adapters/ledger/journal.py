"""The journal as a file that grows at its end.

The system would go on writing into a file that was removed or replaced, which no later start finds:
a sync is one of the file that is in the journal's place, or has failed.
"""

import os
from pathlib import Path

from adyton.adapters.ledger.failure import StorageFailedError, failing

__all__ = ["FileJournal"]


class FileJournal:
    """One file, written by one process: who opens it has made sure of that (``lock``)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with failing("journal"):
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(path, flags, 0o600)
            self._size = os.fstat(self._descriptor).st_size
            _sync_folder(path.parent)

    def size(self) -> int:
        """Return how many bytes there are."""
        return self._size

    def read(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset``."""
        with failing("journal"):
            return os.pread(self._descriptor, size, offset)

    def append(self, data: bytes) -> None:
        """Write ``data`` at the end."""
        with failing("journal"):
            written = os.pwrite(self._descriptor, data, self._size)
        if written != len(data):
            # A disk that is full, most often. The rest is not tried: what is there is torn.
            raise StorageFailedError(what="journal", reason="only a part could be written")
        self._size += written

    def sync(self) -> None:
        """Return when everything written is on the disk."""
        with failing("journal"):
            os.fdatasync(self._descriptor)
            is_in_place = os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        if not is_in_place:
            raise StorageFailedError(what="journal", reason="its file was replaced")

    def truncate(self, size: int) -> None:
        """Cut off what is beyond ``size``, durably."""
        with failing("journal"):
            os.ftruncate(self._descriptor, size)
            os.fsync(self._descriptor)
        self._size = size

    def close(self) -> None:
        """Close the file; what was not synced may be lost."""
        os.close(self._descriptor)


def _sync_folder(folder: Path) -> None:
    # A new file is found again after a crash only if its folder is on the disk as well.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
