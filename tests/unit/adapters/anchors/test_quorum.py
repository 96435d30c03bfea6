"""A quorum: what most of its anchors have counts, and whoever fell behind is brought forward."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from random import Random

import pytest
from tests.fakes.ledger import SimulatedAnchor, World

from adyton.adapters.anchors.patience import PatientAnchor
from adyton.adapters.anchors.quorum import QuorumAnchor
from adyton.ledger.errors import AnchorMovedError, AnchorsDisagreeError, AnchorUnavailableError
from adyton.ledger.ports import GENESIS, Anchored, Head

HEADS = [GENESIS] + [Head(counter=n, proof_hash=bytes([n]) * 32) for n in range(1, 6)]


class Flaky(SimulatedAnchor):
    """An anchor that is away when it is told to be, or loses answers after it took effect."""

    away = False
    loses_answers = 0

    def __init__(self) -> None:
        super().__init__(World(Random(1)), carries=False)
        # Closed, it keeps whoever moves it waiting.
        self.gate = threading.Event()
        self.gate.set()

    def read(self) -> Anchored:
        if self.away:
            self._refuse()
        return super().read()

    def advance(self, before: Head, after: Head, *, frame: bytes, settled: int) -> None:
        self.gate.wait()
        if self.away:
            self._refuse()
        super().advance(before, after, frame=frame, settled=settled)
        if self.loses_answers:
            self.loses_answers -= 1
            self._refuse()

    def _refuse(self) -> None:
        raise AnchorUnavailableError(kind="flaky", reason="away")


@pytest.fixture
def members() -> list[Flaky]:
    return [Flaky() for _ in range(3)]


@pytest.fixture
def quorum(members: list[Flaky]) -> Iterator[QuorumAnchor]:
    made = QuorumAnchor(members)
    yield made
    made.close()


def move(quorum: QuorumAnchor, number: int) -> None:
    quorum.advance(HEADS[number - 1], HEADS[number], frame=b"", settled=0)


def heads(members: list[Flaky]) -> list[int]:
    return [member.anchored.head.counter for member in members]


def settle_all(quorum: QuorumAnchor) -> None:
    for member in quorum._members:
        if member.work is not None:
            member.work.exception()


def test_one_of_three_may_be_away_and_catches_up(
    quorum: QuorumAnchor, members: list[Flaky]
) -> None:
    move(quorum, 1)
    settle_all(quorum)
    members[1].away = True
    move(quorum, 2)
    move(quorum, 3)
    settle_all(quorum)
    assert heads(members) == [3, 1, 3]
    members[1].away = False
    move(quorum, 4)
    settle_all(quorum)
    assert heads(members) == [4, 4, 4]


def test_one_that_is_slow_is_not_waited_for_and_catches_up(
    quorum: QuorumAnchor, members: list[Flaky]
) -> None:
    move(quorum, 1)
    settle_all(quorum)
    members[0].gate.clear()
    for number in (2, 3, 4):
        move(quorum, number)
    assert heads(members)[0] == 1
    members[0].gate.set()
    settle_all(quorum)
    move(quorum, 5)
    settle_all(quorum)
    assert heads(members) == [5, 5, 5]


def test_two_of_three_may_not(quorum: QuorumAnchor, members: list[Flaky]) -> None:
    move(quorum, 1)
    settle_all(quorum)
    members[0].away = members[1].away = True
    with pytest.raises(AnchorUnavailableError, match="only 1 of 3 anchors moved"):
        move(quorum, 2)
    with pytest.raises(AnchorUnavailableError, match="only 1 of 3 anchors answer"):
        quorum.read()


def test_the_head_is_what_a_majority_has_and_the_highest_is_told(
    quorum: QuorumAnchor, members: list[Flaky]
) -> None:
    members[2].anchored = Anchored(head=HEADS[2])
    for member in members[:2]:
        member.anchored = Anchored(head=HEADS[1])
    found = quorum.read()
    assert (found.head, found.highest) == (HEADS[1], HEADS[2])
    assert found.source == "simulated (no. 3)"


def test_anchors_that_disagree_are_named(quorum: QuorumAnchor, members: list[Flaky]) -> None:
    for member in members:
        member.anchored = Anchored(head=HEADS[2])
    members[1].anchored = Anchored(head=Head(counter=2, proof_hash=b"x" * 32))
    with pytest.raises(AnchorsDisagreeError, match=r"\(no. 2\).*ADYTON_ANCHORS"):
        quorum.read()


def test_one_that_somebody_else_moved_ends_it(quorum: QuorumAnchor, members: list[Flaky]) -> None:
    move(quorum, 1)
    settle_all(quorum)
    members[2].anchored = Anchored(head=Head(counter=2, proof_hash=b"x" * 32))
    # Whether it is heard of before the others have moved or after: the next step is the last.
    with suppress(AnchorMovedError):
        move(quorum, 2)
    settle_all(quorum)
    with pytest.raises(AnchorMovedError):
        move(quorum, 3)


def test_a_lost_answer_is_looked_for(quorum: QuorumAnchor, members: list[Flaky]) -> None:
    for member in members:
        member.loses_answers = 1
    patient = PatientAnchor(quorum, sleep=lambda _seconds: None)
    patient.advance(GENESIS, HEADS[1], frame=b"", settled=0)
    assert heads(members) == [1, 1, 1]


def test_patience_asks_again_and_knows_its_own_late_write(members: list[Flaky]) -> None:
    one = members[0]
    one.loses_answers = 1
    patient = PatientAnchor(one, sleep=lambda _seconds: None)
    patient.advance(GENESIS, HEADS[1], frame=b"", settled=0)
    assert one.anchored.head == HEADS[1]
    with pytest.raises(AnchorMovedError):
        patient.advance(GENESIS, HEADS[2], frame=b"", settled=0)


def test_patience_has_an_end(members: list[Flaky]) -> None:
    members[0].away = True
    instants = iter(range(1000))
    patient = PatientAnchor(
        members[0], monotonic=lambda: next(instants), sleep=lambda _seconds: None
    )
    with pytest.raises(AnchorUnavailableError):
        patient.advance(GENESIS, HEADS[1], frame=b"", settled=0)
    assert next(instants) < 20
