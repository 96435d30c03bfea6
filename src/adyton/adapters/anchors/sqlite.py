"""An anchor in SQLite: on this machine, durable, and only as good as its disk.

It carries frames: head and frames are one transaction, and one sync of the disk. SQLite would go on
writing into a file that was removed or replaced, which no later start finds; so what is read or
written counts only while the files that were opened are the ones in their place.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from adyton.ledger.errors import AnchorMovedError, AnchorUnavailableError
from adyton.ledger.ports import GENESIS, Anchored, Head

__all__ = ["SqliteAnchor"]

_BUSY_SECONDS: Final = 5.0
_HEADS: Final = (
    "CREATE TABLE IF NOT EXISTS heads (ledger TEXT PRIMARY KEY, counter INTEGER NOT NULL,"
    " proof_hash BLOB NOT NULL) WITHOUT ROWID"
)
_PENDING: Final = (
    "CREATE TABLE IF NOT EXISTS pending (ledger TEXT NOT NULL, counter INTEGER NOT NULL,"
    " frames BLOB NOT NULL, PRIMARY KEY (ledger, counter))"
)
_OPENING: Final = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", _HEADS, _PENDING)
_FIRST: Final = "INSERT OR IGNORE INTO heads VALUES (?, ?, ?)"
_NEXT: Final = (
    "UPDATE heads SET counter = ?, proof_hash = ?"
    " WHERE ledger = ? AND counter = ? AND proof_hash = ?"
)


class SqliteAnchor:
    """A row that is updated only where it is what it was before."""

    kind: Final = "sqlite"
    carries: Final = True

    def __init__(self, path: Path, *, ledger: str) -> None:
        self._ledger = ledger
        # The write-ahead log is the database, as long as it was not copied back.
        self._paths = (path, path.with_name(f"{path.name}-wal"))
        with _translated():
            # SQLite gives its -wal and -shm files the mode of the database.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._database = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            for statement in _OPENING:
                self._database.execute(statement)
            self._opened = self._found()

    def read(self) -> Anchored:
        """Return the head and the frames that are carried, in order."""
        with _translated(), closing(self._database.cursor()) as cursor:
            cursor.execute("BEGIN")
            try:
                head = cursor.execute(
                    "SELECT counter, proof_hash FROM heads WHERE ledger = ?", (self._ledger,)
                ).fetchone()
                pending = cursor.execute(
                    "SELECT frames FROM pending WHERE ledger = ? ORDER BY counter", (self._ledger,)
                ).fetchall()
            finally:
                cursor.execute("ROLLBACK")
            self._check_place()
        if head is None:
            return Anchored(head=GENESIS)
        return Anchored(
            head=Head(counter=head[0], proof_hash=head[1]), pending=tuple(row[0] for row in pending)
        )

    def advance(self, before: Head, after: Head, *, frame: bytes, settled: int) -> None:
        """Move the head, in one transaction with the frames."""
        with _translated(), closing(self._database.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                self._move(cursor, before, after)
                row = (self._ledger, after.counter, frame)
                cursor.execute("INSERT INTO pending VALUES (?, ?, ?)", row)
                forget = "DELETE FROM pending WHERE ledger = ? AND counter <= ?"
                cursor.execute(forget, (self._ledger, settled))
                cursor.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    cursor.execute("ROLLBACK")
                raise
            self._check_place()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _check_place(self) -> None:
        if self._found() != self._opened:
            raise AnchorUnavailableError(kind=self.kind, reason="its file was removed or replaced")

    def _found(self) -> tuple[tuple[int, int], ...]:
        return tuple((found.st_dev, found.st_ino) for found in map(os.stat, self._paths))

    def _move(self, cursor: sqlite3.Cursor, before: Head, after: Head) -> None:
        new = (after.counter, after.proof_hash)
        if before == GENESIS:
            cursor.execute(_FIRST, (self._ledger, *new))
        else:
            cursor.execute(_NEXT, (*new, self._ledger, before.counter, before.proof_hash))
        if cursor.rowcount != 1:
            raise AnchorMovedError(kind=self.kind)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        # SQLite's own words are about the file and the disk, never about what is in it.
        raise AnchorUnavailableError(kind=SqliteAnchor.kind, reason=str(error)) from error
