"""A ledger that is opened, used, and refused: what each of its three witnesses can say."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from tests.fakes.ledger import Machine, World

from adyton.crypto.ed25519 import Ed25519Key
from adyton.errors import MalformedError, UnavailableError
from adyton.ledger.chain import Chain
from adyton.ledger.errors import (
    AnchorBehindError,
    AnchorMovedError,
    FrameDamagedError,
    LedgerEndedError,
    LogBehindError,
    LogForkedError,
    SealedStateError,
)
from adyton.ledger.ledger import Ledger
from adyton.ledger.ports import GENESIS, Anchored, Head
from adyton.ledger.records import Batch, Epoch, Share, Submission, check_metadata
from adyton.ledger.replay import Position, replay
from adyton.ledger.sealed import SealedState


@pytest.fixture(params=[False, True], ids=["bare-anchor", "carrying-anchor"])
def machine(request: pytest.FixtureRequest) -> Machine:
    return Machine(World(Random(1)), carries=request.param)


def commit(machine: Machine, ledger: Ledger, count: int = 1) -> Batch:
    step = ledger.step([machine.submission(count)])
    ledger.settle(step)
    return step.batch


def follow(ledger: Ledger) -> int:
    count = sum(step.batch.count for step in ledger.follow())
    ledger.seal()
    return count


def used(machine: Machine, *, sealed: bool = True) -> Machine:
    """A machine with a ledger of three steps on it."""
    ledger = machine.start()
    for _ in range(3):
        commit(machine, ledger, 2)
    if sealed:
        follow(ledger)
    return machine


def test_numbers_begin_with_one_and_go_on_in_a_new_epoch(machine: Machine) -> None:
    first = commit(machine, machine.start(), 3)
    ledger = machine.start()
    second = commit(machine, ledger, 2)
    assert (first.head.counter, second.previous, second.head.counter) == (3, first.head, 5)
    assert ledger.epoch.previous == first.head


def test_an_epoch_without_proofs_leaves_nothing(machine: Machine) -> None:
    used(machine)
    size = machine.journal.size()
    for _ in range(3):
        machine.start()
    assert machine.journal.size() == size


def test_what_is_followed_is_what_was_settled(machine: Machine) -> None:
    ledger = machine.start()
    batch = commit(machine, ledger, 3)
    (step,) = ledger.follow()
    assert step.batch == batch
    assert list(step.batch.proofs(step.epoch)) == list(batch.proofs(ledger.epoch))


def test_what_was_followed_and_not_stored_is_given_again(machine: Machine) -> None:
    ledger = machine.start()
    commit(machine, ledger, 3)
    assert [step.after.head.counter for step in ledger.follow()] == [3]
    assert [step.after.head.counter for step in ledger.follow()] == [3]
    ledger.seal()
    assert list(ledger.follow()) == []


def test_a_signed_step_counts_only_when_it_is_settled(machine: Machine) -> None:
    ledger = machine.start()
    commit(machine, ledger)
    ledger.step([machine.submission(5)])
    assert ledger.head.counter == 1
    assert machine.start().head.counter == 1


@pytest.mark.parametrize("fail", ["sync", "full", "anchor"])
def test_after_a_failed_write_nothing_is_tried_again(machine: Machine, fail: str) -> None:
    ledger = machine.start()
    commit(machine, ledger)
    step = ledger.step([machine.submission()])
    match fail:
        case "sync":
            machine.journal.failing_syncs = 1
            if machine.carries:
                # It needs no sync to settle; whoever reads then does.
                machine.journal.failing_syncs = 0
                ledger.settle(step)
                machine.journal.failing_syncs = 1
            with pytest.raises(LedgerEndedError):
                list(ledger.follow()) if machine.carries else ledger.settle(step)
        case "full":
            machine.journal.full_after = machine.journal.size()
            with pytest.raises(LedgerEndedError):
                ledger.settle(step)
        case _:
            machine.anchor.anchored = Anchored(head=Head(counter=9, proof_hash=bytes(32)))
            with pytest.raises(LedgerEndedError) as caught:
                ledger.settle(step)
            assert isinstance(caught.value.__cause__, AnchorMovedError)
    effects = machine.world.effects
    uses: list[Callable[[], object]] = [
        lambda: ledger.step([machine.submission()]),
        lambda: ledger.settle(step),
        lambda: list(ledger.follow()),
        ledger.seal,
    ]
    for use in uses:
        with pytest.raises(LedgerEndedError):
            use()
    assert machine.world.effects == effects
    assert ledger.ended is not None


def test_evidence_that_cannot_be_had_ends_nothing(machine: Machine) -> None:
    ledger = machine.start()

    def attest(_digest: bytes) -> bytes:
        raise UnavailableError("no evidence now")

    fresh = replace(machine.submission(2), fresh=True)
    with pytest.raises(UnavailableError):
        ledger.step([fresh], attest=attest)
    assert commit(machine, ledger).head.counter == 1


def test_fresh_evidence_is_over_each_body(machine: Machine) -> None:
    ledger, asked = machine.start(), []

    def attest(digest: bytes) -> bytes:
        asked.append(digest)
        return b"report over " + digest

    step = ledger.step([replace(machine.submission(2), fresh=True)], attest=attest)
    ledger.settle(step)
    (found,) = ledger.follow()
    assert found.batch.parts[0].reports == tuple(b"report over " + digest for digest in asked)
    assert len(set(asked)) == 2


def test_a_journal_that_changes_under_a_running_ledger_ends_it(machine: Machine) -> None:
    ledger = machine.start()
    commit(machine, ledger, 2)
    machine.journal.cache[-1] ^= 1
    with pytest.raises(LedgerEndedError):
        list(ledger.follow())


def test_an_anchor_set_back_behind_the_sealed_state_is_refused(machine: Machine) -> None:
    old = used(machine).anchor.anchored
    ledger = machine.start()
    commit(machine, ledger)
    follow(ledger)
    machine.anchor.anchored = old
    with pytest.raises(AnchorBehindError, match="is at 6, this ledger was at 7"):
        machine.start()


def test_an_anchor_set_back_by_several_steps_is_refused_without_a_sealed_state(
    machine: Machine,
) -> None:
    used(machine, sealed=False)
    machine.vault.value = None
    machine.anchor.anchored = Anchored(head=GENESIS)
    with pytest.raises(AnchorBehindError):
        machine.start()


def test_a_journal_set_back_is_refused(machine: Machine) -> None:
    old = bytes(used(machine).journal.cache)
    sealed = machine.vault.value
    ledger = machine.start()
    commit(machine, ledger)
    follow(ledger)
    commit(machine, ledger)
    machine.journal.cache = bytearray(old)
    with pytest.raises(SealedStateError):
        machine.start()
    machine.vault.value = sealed
    if machine.carries:
        machine.anchor.anchored = Anchored(head=machine.anchor.anchored.head)
    with pytest.raises(LogBehindError, match="is at 8, the journal ends at 6"):
        machine.start()


def test_a_journal_of_another_ledger_is_refused(machine: Machine) -> None:
    used(machine)
    other = used(Machine(World(Random(2)), carries=machine.carries))
    other.anchor.anchored = Anchored(head=machine.anchor.anchored.head)
    with pytest.raises(LogForkedError):
        other.start()


def test_a_bit_flipped_before_the_anchored_head_is_refused(machine: Machine) -> None:
    used(machine, sealed=False)
    machine.anchor.anchored = Anchored(head=machine.anchor.anchored.head)
    machine.journal.cache[machine.journal.size() // 2] ^= 1
    with pytest.raises(FrameDamagedError):
        machine.start()


def test_a_torn_end_behind_the_anchored_head_is_cut_off(machine: Machine) -> None:
    size = used(machine).journal.size()
    machine.journal.append(b"\x02" + bytes(40))
    assert machine.start().head.counter == 6
    assert machine.journal.size() == size


def test_a_step_that_another_key_signed_is_not_completed(machine: Machine) -> None:
    ledger = machine.start()
    commit(machine, ledger)
    size = machine.journal.size()
    forger = Ed25519Key(b"f" * 32)
    epoch = replace(
        ledger.epoch,
        public_key=forger.public,
        id="forged",
        previous=ledger.head,
        previous_id=ledger.epoch.id,
        previous_key=ledger.epoch.public_key,
    )
    chain = Chain(
        epoch, sign=forger.sign, clock=machine.clock, random=machine.world.random.randbytes
    )
    machine.journal.append(chain.step([machine.submission()]).frame)
    assert machine.start().head.counter == 1
    assert machine.journal.size() == size


def test_frames_that_the_anchor_carries_and_lead_elsewhere_are_refused() -> None:
    machine = used(Machine(World(Random(1)), carries=True), sealed=False)
    pending = machine.anchor.anchored.pending
    for broken in (pending[:-1], pending[1:][::-1], (*pending, pending[-1])):
        machine.anchor.anchored = Anchored(head=machine.anchor.anchored.head, pending=tuple(broken))
        with pytest.raises((LogForkedError, FrameDamagedError)):
            machine.start()


def test_of_several_anchors_one_that_is_ahead_of_the_journal_is_named() -> None:
    machine = used(Machine(World(Random(1)), carries=False))
    head = machine.anchor.anchored.head
    ahead = Head(counter=head.counter + 1, proof_hash=bytes(32))
    machine.anchor.anchored = Anchored(head=head, highest=ahead, source="dynamodb (no. 2)")
    with pytest.raises(LogBehindError, match=r"dynamodb \(no. 2\)"):
        machine.start()


def test_a_sealed_state_comes_back_as_it_was(machine: Machine) -> None:
    used(machine)
    assert machine.vault.value is not None
    sealed = SealedState.from_bytes(machine.vault.value)
    assert sealed.to_bytes() == machine.vault.value
    assert sealed.position.head == machine.anchor.anchored.head
    assert Position.from_bytes(sealed.position.to_bytes()) == sealed.position


def test_records_come_back_as_they_were(machine: Machine) -> None:
    ledger = machine.start()
    submission = Submission(digests=(b"d" * 32, b"e" * 32), metadata=b'{"a":1}', key=b"k" * 32)
    ledger.settle(ledger.step([submission, machine.submission(3)]))
    for step in replay(machine.journal, Position()):
        assert Batch.from_bytes(step.batch.to_bytes()) == step.batch
        assert Epoch.from_bytes(step.epoch.to_bytes()) == step.epoch
        whole = list(step.batch.proofs(step.epoch))
        shares = [step.batch.share(part) for part in step.batch.parts]
        assert [proof for share in shares for proof in share.proofs(step.epoch)] == whole
        assert [step.batch.proof(step.epoch, number) for number in range(1, 6)] == whole


def test_a_batch_that_no_proofs_come_from_is_no_share(machine: Machine) -> None:
    ledger = machine.start()
    epoch, batch = ledger.epoch, ledger.step([machine.submission()]).batch
    (part,) = batch.parts
    reported = replace(batch, parts=(replace(part, reports=(b"report",)),))
    assert len(list(Share(epoch=epoch, batch=reported).proofs())) == 1
    silent = replace(epoch, report=b"")
    assert len(list(Share(epoch=silent, batch=reported).proofs())) == 1
    without = replace(epoch, format="", report=b"")
    assert len(list(Share(epoch=without, batch=batch).proofs())) == 1
    late = replace(batch, time_ms=2**53)
    for other, broken in ((epoch, late), (without, reported), (silent, batch)):
        with pytest.raises(MalformedError):
            Share(epoch=other, batch=broken)


@pytest.mark.parametrize(
    "broken",
    [
        {"digests": ()},
        {"digests": (b"short",)},
        {"digests": (bytes(32),), "metadata": b"x" * 5000},
        {"digests": (bytes(32),), "key": b"x" * 33},
        {"digests": (bytes(32),) * 4097},
    ],
    ids=["none", "short", "metadata", "key", "many"],
)
def test_a_submission_that_no_frame_holds_is_malformed(broken: dict[str, object]) -> None:
    with pytest.raises(MalformedError):
        Submission(**broken)  # type: ignore[arg-type]


@pytest.mark.parametrize("metadata", [b"[]", b'{"b":1,"a":2}', b'{"a": 1}', b"{", b"{}x"], ids=repr)
def test_metadata_that_are_not_canonical_are_malformed(metadata: bytes) -> None:
    with pytest.raises(MalformedError):
        check_metadata(metadata)
