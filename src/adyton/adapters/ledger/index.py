"""Where in the journal things are: by number, by digest, and by idempotency key.

Made from the journal, and made again when it is lost. Whoever reads it checks that what is there is
what was looked for: an index that lies hides a proof, and makes none.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from adyton.adapters.ledger.failure import StorageFailedError
from adyton.errors import MalformedError
from adyton.ledger.records import ENTRY_SIZE
from adyton.ledger.replay import Position, Replayed

__all__ = ["LedgerIndex", "Place", "Submitted"]

# Eight bytes of a digest find it; which of those that share them it is, the journal says.
_DIGESTS: Final = (
    "CREATE TABLE IF NOT EXISTS digests (prefix INTEGER, counter INTEGER,"
    " PRIMARY KEY (prefix, counter)) WITHOUT ROWID"
)
_KEYS: Final = (
    "CREATE TABLE IF NOT EXISTS keys (key BLOB PRIMARY KEY, first INTEGER NOT NULL,"
    " count INTEGER NOT NULL) WITHOUT ROWID"
)
_OPENING: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "CREATE TABLE IF NOT EXISTS batches (first INTEGER PRIMARY KEY, offset INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS epochs (first INTEGER PRIMARY KEY, offset INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS reached (one INTEGER PRIMARY KEY, position BLOB NOT NULL)",
    _DIGESTS,
    _KEYS,
)
_BATCH: Final = "INSERT OR REPLACE INTO batches VALUES (?, ?)"
_EPOCH: Final = "INSERT OR REPLACE INTO epochs VALUES (?, ?)"
_DIGEST: Final = "INSERT OR IGNORE INTO digests VALUES (?, ?)"
_KEY: Final = "INSERT OR IGNORE INTO keys VALUES (?, ?, ?)"
_REACHED: Final = "INSERT OR REPLACE INTO reached VALUES (1, ?)"
_FIND_BATCH: Final = (
    "SELECT first, offset FROM batches WHERE first <= ? ORDER BY first DESC LIMIT 1"
)
_FIND_EPOCH: Final = "SELECT first, offset FROM epochs WHERE first <= ? ORDER BY first DESC LIMIT 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a batch and its epoch are in the journal."""

    batch: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The entries that a submission with an idempotency key became."""

    first: int
    count: int


class LedgerIndex:
    """An SQLite file. One thread adds; readings from several threads take turns."""

    def __init__(self, path: Path) -> None:
        # A connection that two threads use at once hands one of them the other's answer.
        self._turn = Lock()
        with _translated():
            self._writer = _connect(path)
            self._reader = _connect(path)

    def unverified_position(self) -> Position | None:
        """Return how far it was made, as the file says; ``None`` where that makes no sense."""
        with self._turn, _translated():
            row = self._reader.execute("SELECT position FROM reached").fetchone()
        try:
            return None if row is None else Position.from_bytes(row[0])
        except MalformedError:
            return None

    def add(self, steps: Sequence[Replayed]) -> None:
        """Add steps, all or none, durably; to add one again changes nothing."""
        batches, epochs, digests, keys = [], [], [], []
        for step in steps:
            batch = step.batch
            first = batch.previous.counter + 1
            batches.append((first, step.batch_offset))
            if step.epoch_offset is not None:
                epochs.append((first, step.epoch_offset))
            entries = batch.entries
            digests += [
                (_prefix(entries[at : at + 8]), first + number)
                for number, at in enumerate(range(0, len(entries), ENTRY_SIZE))
            ]
            keys += [(part.key, part.first, part.count) for part in batch.parts if part.key]
        if not steps:
            return
        # In order, so that each page of the tree is touched once.
        digests.sort()
        with _translated(), self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            self._writer.executemany(_BATCH, batches)
            self._writer.executemany(_EPOCH, epochs)
            self._writer.executemany(_DIGEST, digests)
            self._writer.executemany(_KEY, keys)
            self._writer.execute(_REACHED, (steps[-1].after.to_bytes(),))

    def place(self, counter: int) -> Place | None:
        """Return where the entry with this counter is."""
        with self._turn, _translated():
            batch = self._reader.execute(_FIND_BATCH, (counter,)).fetchone()
            epoch = self._reader.execute(_FIND_EPOCH, (counter,)).fetchone()
        return None if batch is None or epoch is None else Place(batch=batch[1], epoch=epoch[1])

    def counters(self, digest: bytes, *, limit: int) -> list[int]:
        """Return counters that may be of this digest, the lowest first."""
        query = "SELECT counter FROM digests WHERE prefix = ? ORDER BY counter LIMIT ?"
        with self._turn, _translated():
            rows = self._reader.execute(query, (_prefix(digest[:8]), limit)).fetchall()
        return [row[0] for row in rows]

    def has(self, digest: bytes, counter: int) -> bool:
        """Whether the digest leads to this counter."""
        query = "SELECT 1 FROM digests WHERE prefix = ? AND counter = ?"
        with self._turn, _translated():
            row = self._reader.execute(query, (_prefix(digest[:8]), counter)).fetchone()
        return row is not None

    def submitted(self, key: bytes) -> Submitted | None:
        """Return what the submission with this idempotency key became."""
        query = "SELECT first, count FROM keys WHERE key = ?"
        with self._turn, _translated():
            row = self._reader.execute(query, (key,)).fetchone()
        return None if row is None else Submitted(first=row[0], count=row[1])

    def epochs(self, *, after: int, limit: int) -> list[int]:
        """Return where the epochs are that begin behind counter ``after``, in order."""
        query = "SELECT offset FROM epochs WHERE first > ? ORDER BY first LIMIT ?"
        with self._turn, _translated():
            return [row[0] for row in self._reader.execute(query, (after, limit)).fetchall()]

    def clear(self) -> None:
        """Forget everything: it is to be made again."""
        with _translated(), self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            for table in ("batches", "epochs", "digests", "keys", "reached"):
                self._writer.execute(f"DELETE FROM {table}")  # noqa: S608  # our own names

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
        self._reader.close()


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    for statement in _OPENING:
        database.execute(statement)
    return database


def _prefix(head: bytes) -> int:
    return int.from_bytes(head, "big", signed=True)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StorageFailedError(what="index", reason=str(error)) from error
