"""Stamps as files: found again, and only whole."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adyton.adapters.ledger.failure import StorageFailedError
from adyton.adapters.stamps import Stamp, StampFolder

LOG, OTHER = "a" * 64, "b" * 64


def stamp(size: int) -> Stamp:
    return Stamp(
        size=size, note=b"note %d" % size, answer=b"over %d" % size, kept=datetime.now(UTC)
    )


def sizes(folder: StampFolder, *counters: int) -> list[int | None]:
    found = [folder.covering(LOG, counter) for counter in counters]
    return [None if each is None else each.size for each in found]


def test_a_proof_has_the_first_stamp_that_covers_it_also_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "stamps"
    folder = StampFolder(path)
    assert (folder.newest(LOG), folder.covering(LOG, 1)) == (None, None)
    for size in (10, 3, 200):
        folder.add(LOG, stamp(size))
    folder.add(OTHER, stamp(7))
    for each in (folder, StampFolder(path)):
        assert sizes(each, 1, 3, 4, 10, 11, 200, 201) == [3, 3, 10, 10, 200, 200, None]
        newest = each.newest(LOG)
        assert newest is not None
        assert (newest.note, newest.answer) == (b"note 200", b"over 200")


def test_a_checkpoint_whose_stamp_was_not_written_any_more_has_none(tmp_path: Path) -> None:
    StampFolder(tmp_path).add(LOG, stamp(3))
    (tmp_path / LOG / "9.checkpoint").write_bytes(b"note 9")
    (tmp_path / LOG / ".9.tsr.new").write_bytes(b"over")
    assert sizes(StampFolder(tmp_path), 3, 9) == [3, None]


def test_a_folder_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    folder = StampFolder(tmp_path)
    folder.add(LOG, stamp(3))
    (tmp_path / LOG / "3.checkpoint").unlink()
    with pytest.raises(StorageFailedError, match="stamps"):
        folder.newest(LOG)
    (tmp_path / OTHER).write_bytes(b"")
    with pytest.raises(StorageFailedError, match="stamps"):
        folder.add(OTHER, stamp(3))
