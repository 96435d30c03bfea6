"""Every kind of anchor does the same: it moves its head only from where it is."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.dynamodb import Table

from adyton.adapters.anchors.dynamodb import DynamodbAnchor
from adyton.adapters.anchors.opening import open_anchor
from adyton.adapters.anchors.postgresql import PostgresqlAnchor
from adyton.adapters.anchors.quorum import QuorumAnchor
from adyton.adapters.anchors.sqlite import SqliteAnchor
from adyton.adapters.environment import SettingMalformedError
from adyton.ledger.errors import AnchorMovedError, AnchorUnavailableError
from adyton.ledger.ports import GENESIS, Anchor, Head

HEADS = [GENESIS] + [Head(counter=n, proof_hash=bytes([n]) * 32) for n in range(1, 6)]
OTHER = Head(counter=1, proof_hash=b"o" * 32)

Open = Callable[[], Anchor]


@pytest.fixture(scope="session")
def dynamodb() -> Iterator[str]:
    with Table() as table:
        yield table.address


@pytest.fixture
def postgresql_url(server: str) -> str:
    return server.format(name="postgres")


@pytest.fixture(params=["sqlite", "postgresql", "dynamodb", "quorum"])
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """A function that opens the same anchor, again and again."""
    name = f"{request.node.name}-{os.urandom(8).hex()}"
    with ExitStack() as stack:

        def opened() -> Any:
            match request.param:
                case "sqlite":
                    made: Any = SqliteAnchor(tmp_path / "anchor.db", ledger=name)
                case "postgresql":
                    url = request.getfixturevalue("postgresql_url")
                    made = PostgresqlAnchor(url, ledger=name)
                case "dynamodb":
                    made = DynamodbAnchor(request.getfixturevalue("dynamodb"), ledger=name)
                case _:
                    kinds = ("sqlite", "sqlite", "sqlite")
                    paths = [tmp_path / f"{number}.db" for number in range(len(kinds))]
                    members = [SqliteAnchor(path, ledger=name) for path in paths]
                    made = QuorumAnchor(members)
                    for member in members:
                        stack.callback(member.close)
            stack.callback(made.close)
            return made

        yield opened


def test_a_new_anchor_is_at_genesis(open_one: Open) -> None:
    assert open_one().read().head == GENESIS


def test_a_head_moves_from_where_it_is_and_is_found_again(open_one: Open) -> None:
    anchor = open_one()
    for before, after in pairwise(HEADS):
        anchor.advance(before, after, frame=b"frame", settled=0)
        assert anchor.read().head == after
    assert open_one().read().head == HEADS[-1]


def test_a_head_that_is_elsewhere_does_not_move(open_one: Open) -> None:
    anchor = open_one()
    anchor.advance(GENESIS, HEADS[1], frame=b"", settled=0)
    for before, after in [(GENESIS, OTHER), (OTHER, HEADS[2]), (HEADS[2], HEADS[3])]:
        with pytest.raises(AnchorMovedError):
            open_one().advance(before, after, frame=b"", settled=0)
    assert anchor.read().head == HEADS[1]


def test_frames_are_carried_until_they_are_settled(open_one: Open) -> None:
    anchor = open_one()
    for number in range(1, 5):
        anchor.advance(
            HEADS[number - 1], HEADS[number], frame=b"%d" % number, settled=max(0, number - 2)
        )
    expected = (b"3", b"4") if anchor.carries else ()
    assert anchor.read().pending == expected


def test_of_two_who_move_it_at_once_one_is_refused(open_one: Open) -> None:
    anchors = [open_one(), open_one()]
    anchors[0].advance(GENESIS, HEADS[1], frame=b"", settled=0)
    for anchor in anchors:
        anchor.read()
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def move(anchor: Anchor, mark: bytes) -> None:
        start.wait()
        try:
            after = Head(counter=2, proof_hash=mark * 32)
            anchor.advance(HEADS[1], after, frame=mark, settled=0)
        except (AnchorMovedError, AnchorUnavailableError) as error:
            outcomes.append(error.code)
        else:
            outcomes.append("moved")

    threads = [
        threading.Thread(target=move, args=(anchor, mark))
        for anchor, mark in zip(anchors, (b"a", b"b"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("moved") <= 1
    assert outcomes.count("moved") == 1 or isinstance(anchors[0], QuorumAnchor)


def test_ledgers_in_one_database_do_not_meet(tmp_path: Path, postgresql_url: str) -> None:
    made: list[tuple[Any, Any]] = [
        (
            SqliteAnchor(tmp_path / "a.db", ledger=name),
            PostgresqlAnchor(postgresql_url, ledger=name),
        )
        for name in (f"one-{tmp_path}", f"two-{tmp_path}")
    ]
    for anchor in made[0]:
        anchor.advance(GENESIS, HEADS[1], frame=b"frame", settled=0)
    for anchor in made[1]:
        assert anchor.read().head == GENESIS
    for anchor in (*made[0], *made[1]):
        anchor.close()


def test_a_database_that_is_not_there_is_unavailable_and_its_password_not_told() -> None:
    anchor = PostgresqlAnchor("postgresql://me:secret@127.0.0.1:1/none", ledger="a")
    with pytest.raises(AnchorUnavailableError) as caught:
        anchor.read()
    assert "secret" not in str(caught.value)
    anchor.close()


def test_a_table_that_is_not_there_is_unavailable(dynamodb: str) -> None:
    anchor = DynamodbAnchor(dynamodb.replace("//adyton", "//another"), ledger="a")
    with pytest.raises(AnchorUnavailableError, match="ResourceNotFoundException"):
        anchor.read()
    anchor.close()


def test_a_damaged_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "anchor.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(AnchorUnavailableError):
        SqliteAnchor(tmp_path / "anchor.db", ledger="a")


@pytest.mark.parametrize("address", ["redis://x", "sqlitex", "dynamodb://", "dynamodb://t?x=1"])
def test_an_address_of_no_anchor_is_a_wrong_setting(address: str, tmp_path: Path) -> None:
    with (
        pytest.raises(SettingMalformedError, match="ADYTON_ANCHORS"),
        open_anchor((address,), folder=tmp_path, ledger="a"),
    ):
        pass


def test_several_addresses_are_a_quorum(tmp_path: Path, postgresql_url: str, dynamodb: str) -> None:
    ledger = os.urandom(8).hex()
    addresses = ("sqlite", postgresql_url, dynamodb)
    with open_anchor(addresses, folder=tmp_path, ledger=ledger) as anchor:
        assert anchor.kind == "quorum(sqlite,postgresql,dynamodb)"
        anchor.advance(GENESIS, HEADS[1], frame=b"", settled=0)
    with open_anchor(addresses, folder=tmp_path, ledger=ledger) as anchor:
        assert anchor.read().head == HEADS[1]


@pytest.mark.parametrize("name", ["anchor.db", "anchor.db-wal"])
@pytest.mark.parametrize("fate", ["removed", "replaced"])
def test_a_file_that_is_no_longer_in_its_place_holds_nothing(
    name: str, fate: str, tmp_path: Path
) -> None:
    anchor = SqliteAnchor(tmp_path / "anchor.db", ledger="a")
    anchor.advance(GENESIS, HEADS[1], frame=b"", settled=0)
    path = tmp_path / name
    kept = path.rename(tmp_path / "kept")
    if fate == "replaced":
        path.write_bytes(kept.read_bytes())
    with pytest.raises(AnchorUnavailableError):
        anchor.advance(HEADS[1], HEADS[2], frame=b"", settled=0)
    # What was written into the file that is gone is no success of a second try, either.
    with pytest.raises(AnchorUnavailableError):
        anchor.read()
    anchor.close()
