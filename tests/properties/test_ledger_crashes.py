"""The crash matrix: killed at every write and sync there is, and started again.

Enumerated, not sampled: one run without a crash counts the effects of a scenario; then there is one
run for each point before and after each of them, with and without the power gone, and one more
crash at each point of the start that follows.
"""

from contextlib import suppress
from random import Random

import pytest
from tests.fakes.ledger import Crashed, Machine, World

from adyton.ledger.ledger import Ledger
from adyton.ledger.replay import Position, replay

SEED = 1
NEVER = float("inf")


def scenario(machine: Machine, released: dict[int, bytes]) -> None:
    """Two lives of a ledger, with steps of one and of several, followed and sealed between."""
    for _ in range(2):
        ledger = machine.start()
        commit(machine, ledger, released, 1)
        commit(machine, ledger, released, 3)
        follow(ledger)
        commit(machine, ledger, released, 1)


def commit(machine: Machine, ledger: Ledger, released: dict[int, bytes], count: int) -> None:
    step = ledger.step([machine.submission(count), machine.submission()])
    ledger.settle(step)
    for counter in range(step.before.counter + 1, step.after.counter + 1):
        assert counter not in released
        released[counter] = step.batch.proof(ledger.epoch, counter)


def follow(ledger: Ledger) -> None:
    for _ in ledger.follow():
        continue
    ledger.seal()


def run(*, carries: bool, crash_at: float, power: bool, again_at: float = NEVER) -> World:
    """Run the scenario up to a crash, perhaps crash in the start that follows, and check."""
    world = World(Random(SEED), crash_at=crash_at)
    machine = Machine(world, carries=carries)
    released: dict[int, bytes] = {}
    with suppress(Crashed):
        scenario(machine, released)
    for next_crash in (world.effects + again_at, NEVER):
        if power:
            machine.journal.lose_power()
        world.crash_at = next_crash
        with suppress(Crashed):
            ledger = machine.start()
    commit(machine, ledger, released, 2)
    found = [
        proof
        for step in replay(machine.journal, Position())
        for proof in step.batch.proofs(step.epoch)
    ]
    assert machine.anchor.anchored.head.counter == len(found) == ledger.head.counter
    for counter, proof in released.items():
        assert found[counter - 1] == proof
    return world


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power-lost"])
@pytest.mark.parametrize("carries", [False, True], ids=["bare-anchor", "carrying-anchor"])
def test_no_crash_at_any_write_or_sync_loses_or_repeats_a_number(
    *, carries: bool, power: bool
) -> None:
    whole = run(carries=carries, crash_at=NEVER, power=power)
    assert whole.effects > 60
    for crash_at in range(whole.effects):
        run(carries=carries, crash_at=crash_at, power=power)


@pytest.mark.parametrize("carries", [False, True], ids=["bare-anchor", "carrying-anchor"])
def test_no_crash_in_a_start_after_a_crash_does_either(*, carries: bool) -> None:
    effects = run(carries=carries, crash_at=NEVER, power=True).effects
    for crash_at in range(0, effects, 1):
        for again_at in range(12):
            run(carries=carries, crash_at=crash_at, power=True, again_at=again_at)
