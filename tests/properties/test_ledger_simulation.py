"""Histories of a ledger on a machine that fails, each replayed by its seed.

What holds in all of them: no number twice and none left out, no two proofs with one predecessor,
and every proof that was handed out is in the ledger that goes on. Where a disk was changed behind
our back, the ledger may refuse to go on; it never goes on as if nothing had been.
"""

import base64
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest
from tests.fakes.ledger import Crashed, Machine, World

from adyton.crypto.ed25519 import check_ed25519
from adyton.errors import AdytonError
from adyton.ledger.errors import FrameDamagedError, LedgerEndedError
from adyton.ledger.ledger import Ledger
from adyton.ledger.proof import Proof, proof_hash
from adyton.ledger.replay import Position, replay

HISTORIES = int(os.environ.get("ADYTON_HISTORIES", "10000"))
SHARDS = 8
LIVES = 4
STEPS = 5


class History:
    """What a client of the ledger has seen."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.released: dict[int, bytes] = {}
        self.tampered = False

    def live(self, ledger: Ledger) -> None:
        """Commit, follow and seal at random, with whatever the machine does meanwhile."""
        random = self.machine.world.random
        for _ in range(random.randint(1, STEPS)):
            self.meanwhile()
            step = ledger.step(
                [self.machine.submission(random.randint(1, 2)) for _ in range(random.randint(1, 2))]
            )
            ledger.settle(step)
            for counter in range(step.before.counter + 1, step.after.counter + 1):
                self.release(counter, step.batch.proof(ledger.epoch, counter))
            if random.random() < 0.4:
                for _ in ledger.follow():
                    continue
                ledger.seal()

    def meanwhile(self) -> None:
        machine, random = self.machine, self.machine.world.random
        match random.randrange(24):
            case 0:
                machine.journal.failing_syncs = 1
            case 1:
                machine.anchor.outages = 1
            case 2:
                machine.journal.full_after = machine.journal.size() + random.randint(0, 600)
            case 3:
                machine.clock.now += timedelta(hours=random.choice((-1, 1)))
            case 4:
                machine.clock.step = timedelta(0)
            case 5:
                machine.clock.step = timedelta(milliseconds=30)
            case _:
                return

    def release(self, counter: int, proof: bytes) -> None:
        assert counter not in self.released, f"number {counter} was given twice"
        self.released[counter] = proof

    def between_lives(self) -> None:
        """End the process, and perhaps the power; repair what a person would."""
        machine, random = self.machine, self.machine.world.random
        machine.journal.failing_syncs = 0
        machine.journal.full_after = None
        machine.anchor.outages = 0
        if random.random() < 0.5:
            machine.journal.lose_power()
        if random.random() < 0.05:
            machine.journal.flip()
            self.tampered = True

    def check(self) -> None:
        """Compare what clients have with what the disk has now."""
        found: dict[int, bytes] = {}
        try:
            found.update(proofs_on(self.machine))
        except FrameDamagedError:
            # Before the sealed state, a start does not look: whoever reads there is told.
            assert self.tampered
            return
        assert sorted(found) == list(range(1, len(found) + 1)), "a number is left out"
        for counter, proof in self.released.items():
            assert found.get(counter) == proof, f"proof {counter} is lost or another one"


def proofs_on(machine: Machine) -> Iterator[tuple[int, bytes]]:
    """Yield every proof of the journal, with signatures and links checked from its text alone."""
    previous: bytes | None = None
    for step in replay(machine.journal, Position()):
        for proof in step.batch.proofs(step.epoch):
            read = Proof.from_bytes(proof)
            counter = int(read.counter or "0")
            check_ed25519(step.epoch.public_key, read.body(), step.batch.entry(counter).signature)
            named = predecessor(read)
            assert named == (None if previous is None else proof_hash(previous))
            previous = proof
            yield counter, proof


def predecessor(proof: Proof) -> bytes | None:
    if proof.prev_text is not None:
        return base64.b64decode(proof.prev_text)
    link = proof.commit.get("epochLink")
    return base64.b64decode(link["prevProofHashB64"]) if isinstance(link, dict) else None


def run(seed: int) -> None:
    random = Random(seed)
    world = World(random)
    machine = Machine(world, carries=random.random() < 0.6)
    history = History(machine)
    for _ in range(random.randint(1, LIVES)):
        world.crash_at = world.effects + random.randint(1, 60)
        # A crash, or an end that the ledger chose: either way the process is gone.
        with suppress(Crashed, LedgerEndedError):
            try:
                ledger = machine.start()
            except AdytonError:
                assert history.tampered, "an honest machine was refused"
                return
            history.live(ledger)
        history.between_lives()
    world.crash_at = float("inf")
    try:
        machine.start()
    except AdytonError:
        assert history.tampered, "an honest machine was refused"
        return
    history.check()


@pytest.mark.parametrize("shard", range(SHARDS))
def test_whatever_fails_no_number_is_given_twice_and_no_proof_is_lost(shard: int) -> None:
    for seed in range(shard, HISTORIES, SHARDS):
        try:
            run(seed)
        except BaseException as error:
            error.add_note(f"seed {seed}: ADYTON_SEED={seed} replays this history")
            raise


@pytest.mark.skipif("ADYTON_SEED" not in os.environ, reason="replays one history by its seed")
def test_one_history_by_its_seed() -> None:
    run(int(os.environ["ADYTON_SEED"]))


def test_one_seed_is_one_history() -> None:
    def effects(seed: int) -> list[str]:
        random = Random(seed)
        world = World(random, crash_at=50)
        machine = Machine(world)
        with suppress(Crashed, LedgerEndedError):
            History(machine).live(machine.start())
        return [*world.names, machine.journal.cache.hex()]

    assert effects(7) == effects(7)
    assert effects(7) != effects(8)
