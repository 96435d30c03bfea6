"""A ledger against a model of it: a list of digests, and how many of them were sealed."""

from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.fakes.ledger import Machine, World

from adyton.ledger.ledger import Ledger
from adyton.ledger.records import Submission
from adyton.ledger.replay import Position, replay
from adyton.ledger.tree import Frontier, leaf_hash

DIGESTS = st.binary(min_size=32, max_size=32)


class LedgerModel(RuleBasedStateMachine):
    """Steps of several submissions, readings, restarts with and without the power gone."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = Machine(World(Random(1)))
        self.ledger: Ledger = self.machine.start()
        self.digests: list[bytes] = []
        self.epochs = 0
        self.followed = 0

    @rule(groups=st.lists(st.lists(DIGESTS, min_size=1, max_size=3), min_size=1, max_size=3))
    def commit(self, groups: list[list[bytes]]) -> None:
        step = self.ledger.step([Submission(digests=tuple(group)) for group in groups])
        self.ledger.settle(step)
        assert [part.count for part in step.batch.parts] == [len(group) for group in groups]
        self.digests += [digest for group in groups for digest in group]

    @rule()
    def follow(self) -> None:
        steps = list(self.ledger.follow())
        self.ledger.seal()
        assert sum(step.batch.count for step in steps) == len(self.digests) - self.followed
        self.followed = len(self.digests)

    @rule(power=st.booleans())
    def restart(self, *, power: bool) -> None:
        if power:
            self.machine.journal.lose_power()
        self.ledger = self.machine.start()
        self.followed = len(self.digests)

    @precondition(lambda self: self.digests)
    @rule(data=st.data())
    def look_up(self, data: Any) -> None:
        number = data.draw(st.integers(1, len(self.digests)))
        for step in replay(self.machine.journal, Position()):
            if step.after.head.counter >= number:
                assert step.batch.entry(number).digest == self.digests[number - 1]
                return
        raise AssertionError(f"number {number} is missing")

    @invariant()
    def the_head_is_the_number_of_digests(self) -> None:
        assert self.ledger.head.counter == len(self.digests)
        assert self.machine.anchor.anchored.head == self.ledger.head

    def teardown(self) -> None:
        tree, end = Frontier(), Position()
        for step in replay(self.machine.journal, Position()):
            for number in range(step.batch.previous.counter + 1, step.after.head.counter + 1):
                tree.append(leaf_hash(step.batch.entry(number).proof_hash))
            end = step.after
        assert end.head == self.ledger.head
        assert end.root() == tree.root()


TestLedgerModel = LedgerModel.TestCase
TestLedgerModel.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
