"""Journal, sealed state and nodes as files: what a full or broken disk does to them."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adyton.adapters.anchors.sqlite import SqliteAnchor
from adyton.adapters.ledger.failure import StorageFailedError
from adyton.adapters.ledger.journal import FileJournal
from adyton.adapters.ledger.nodes import NodeFiles
from adyton.adapters.ledger.vault import FileVault, development_key
from adyton.ledger.errors import AnchorUnavailableError, SealedStateError
from adyton.ledger.ports import GENESIS, Head
from adyton.ledger.tree import Frontier, Hash, consistency, inclusion, leaf_hash, root_of

KEY = bytes(32)


@contextmanager
def files_of(limit_bytes: int) -> Iterator[None]:
    """A disk that takes no file larger than this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_journal_is_found_again_and_read_anywhere(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "journal")
    journal.append(b"one")
    journal.append(b"two")
    journal.sync()
    journal.close()
    again = FileJournal(tmp_path / "journal")
    assert (again.size(), again.read(2, 3), again.read(5, 9)) == (6, b"etw", b"o")
    again.truncate(4)
    again.append(b"!")
    assert again.read(0, 9) == b"onet!"
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o600
    again.close()


def test_a_full_disk_is_told_and_the_rest_is_not_tried(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "journal")
    journal.append(bytes(1000))
    with files_of(1500), pytest.raises(StorageFailedError, match="only a part"):
        journal.append(bytes(1000))
    with files_of(1000), pytest.raises(StorageFailedError, match="File too large"):
        journal.append(bytes(1000))
    assert journal.size() == 1000
    journal.close()


def test_what_is_written_into_a_journal_that_was_removed_is_no_success(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "journal")
    journal.append(b"one")
    (tmp_path / "journal").unlink()
    with pytest.raises(StorageFailedError, match="No such file"):
        journal.sync()
    journal.close()


def test_what_is_written_into_a_journal_that_was_replaced_is_no_success(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "journal")
    journal.append(b"one")
    journal.sync()
    (tmp_path / "copy").write_bytes(b"one")
    (tmp_path / "copy").replace(tmp_path / "journal")
    with pytest.raises(StorageFailedError, match="its file was replaced"):
        journal.sync()
    journal.close()


def test_a_journal_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    with pytest.raises(StorageFailedError):
        FileJournal(tmp_path / "journal")


def test_a_full_disk_moves_no_head(tmp_path: Path) -> None:
    anchor = SqliteAnchor(tmp_path / "anchor.db", ledger="a")
    head = Head(counter=1, proof_hash=bytes(32))
    anchor._database.execute("PRAGMA max_page_count=1")
    with pytest.raises(AnchorUnavailableError, match="full"):
        anchor.advance(GENESIS, head, frame=bytes(100_000), settled=0)
    assert anchor.read().head == GENESIS
    anchor.close()


def test_an_anchor_is_durable_with_each_step(tmp_path: Path) -> None:
    anchor = SqliteAnchor(tmp_path / "anchor.db", ledger="a")
    (level,) = anchor._database.execute("PRAGMA synchronous").fetchone()
    (mode,) = anchor._database.execute("PRAGMA journal_mode").fetchone()
    assert (level, mode) == (2, "wal")
    anchor.close()


def test_a_database_that_is_locked_by_another_is_unavailable(tmp_path: Path) -> None:
    anchor = SqliteAnchor(tmp_path / "anchor.db", ledger="a")
    anchor._database.execute("PRAGMA busy_timeout=1")
    other = sqlite3.connect(tmp_path / "anchor.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(AnchorUnavailableError, match="locked"):
        anchor.advance(GENESIS, Head(counter=1, proof_hash=bytes(32)), frame=b"", settled=0)
    other.close()
    anchor.close()


def test_a_sealed_state_is_read_by_its_key_alone(tmp_path: Path) -> None:
    vault = FileVault(tmp_path / "sealed", key=KEY)
    assert vault.load() is None
    vault.store(b"first")
    vault.store(b"second")
    assert FileVault(tmp_path / "sealed", key=KEY).load() == b"second"
    with pytest.raises(SealedStateError):
        FileVault(tmp_path / "sealed", key=b"x" * 32).load()
    data = bytearray((tmp_path / "sealed").read_bytes())
    data[20] ^= 1
    (tmp_path / "sealed").write_bytes(data)
    with pytest.raises(SealedStateError):
        vault.load()
    (tmp_path / "sealed").write_bytes(b"short")
    with pytest.raises(SealedStateError):
        vault.load()
    assert [path.name for path in tmp_path.iterdir()] == ["sealed"]


def test_a_full_disk_keeps_the_sealed_state_that_was_there(tmp_path: Path) -> None:
    vault = FileVault(tmp_path / "sealed", key=KEY)
    vault.store(b"first")
    with files_of(10), pytest.raises(StorageFailedError):
        vault.store(bytes(1000))
    assert vault.load() == b"first"


def test_a_sealing_key_is_made_once(tmp_path: Path) -> None:
    key = development_key(tmp_path)
    assert development_key(tmp_path) == key
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"short")
    with pytest.raises(SealedStateError):
        development_key(tmp_path)


def test_nodes_between_the_stored_levels_are_made_again(tmp_path: Path) -> None:
    nodes, tree = NodeFiles(tmp_path / "nodes"), Frontier()
    known: dict[tuple[int, int], Hash] = {}
    for number in range(700):
        made = tree.append(leaf_hash(number.to_bytes(8, "big")))
        known.update({(level, index): hashed for level, index, hashed in made})
        nodes.write(made)
    nodes.sync()
    for (level, index), hashed in known.items():
        assert nodes.read(level, index) == hashed

    def remembered(level: int, index: int) -> Hash:
        return known[level, index]

    assert root_of(700, nodes.read) == tree.root()
    assert inclusion(321, 700, nodes.read) == inclusion(321, 700, remembered)
    assert consistency(256, 700, nodes.read) == consistency(256, 700, remembered)
    nodes.close()


def test_a_node_that_is_not_there_is_told(tmp_path: Path) -> None:
    nodes = NodeFiles(tmp_path / "nodes")
    with pytest.raises(StorageFailedError, match="missing"):
        nodes.read(0, 5)
    with pytest.raises(ValueError, match="in order"):
        nodes.write([(0, 0, Hash(bytes(32))), (0, 2, Hash(bytes(32)))])
    nodes.close()
