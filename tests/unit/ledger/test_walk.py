"""Sets of proofs: what a walk finds, and that it finds nothing where there is nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.nitro import TIMESTAMP
from tests.fakes.proofs import FakeNotary

from adyton.codec.javascript import Value, loads
from adyton.codec.text import to_base64
from adyton.ledger.proof import Proof, proof_hash
from adyton.ledger.walk import EventKind, Walk, walk


def ledger(size: int = 4, **settings: Any) -> FakeNotary:
    made = FakeNotary(**settings)
    for number in range(size):
        made.commit(bytes([number]), time_ms=TIMESTAMP + number)
    return made


def forked() -> list[bytes]:
    """Return a ledger, and one that begins as it does."""
    one, other = ledger(3), ledger(2)
    other.commit(b"another third", time_ms=TIMESTAMP + 2)
    one.commit(b"fourth", time_ms=TIMESTAMP + 3)
    other.commit(b"another fourth", time_ms=TIMESTAMP + 3)
    return [*one.proofs, *other.proofs]


def walked(proofs: list[bytes]) -> Walk:
    documents: list[Value] = [loads(proof, limit_bytes=10**6) for proof in proofs]
    return walk(documents)


def kinds(found: Walk) -> list[str]:
    return [event.kind for event in found.events]


@given(st.permutations(ledger(6).proofs))
def test_a_whole_ledger_says_nothing_in_whatever_order(proofs: list[bytes]) -> None:
    found = walked([*proofs, *proofs[:2]])
    assert found.events == ()
    assert found.is_complete
    assert found.proofs == 6
    assert [(each.first, each.last, each.count) for each in found.stretches] == [(1, 6, 6)]


def test_a_fork_is_seen_where_both_sides_are_there() -> None:
    found = walked(forked())
    assert kinds(found) == ["duplicate-counter", "fork", "duplicate-counter"]
    assert not found.is_consistent
    (fork,) = (event for event in found.events if event.kind is EventKind.FORK)
    thirds = {proof_hash(forked()[2]), proof_hash(forked()[6])}
    assert set(fork.proofs) == thirds
    assert fork.counter == 3


def test_one_side_of_a_fork_shows_nothing() -> None:
    assert walked(forked()[4:]).is_complete


def test_two_beginnings_of_one_epoch_are_a_fork() -> None:
    one, other = ledger(1), FakeNotary()
    other.commit(b"another first")
    assert "fork" in kinds(walked([*one.proofs, *other.proofs]))


def test_a_gap_is_told_with_its_width_and_is_no_contradiction() -> None:
    proofs = ledger(6).proofs
    found = walked([proofs[0], proofs[1], proofs[5]])
    assert kinds(found) == ["gap"]
    assert "3 numbers are missing" in found.events[0].message
    assert "1 number is missing" in walked([proofs[0], proofs[2]]).events[0].message
    assert found.is_consistent
    assert not found.is_complete


def test_a_number_that_was_given_twice_is_seen() -> None:
    made = ledger(2)
    made.commit(b"again", counter=2)
    found = walked(made.proofs)
    assert "duplicate-counter" in kinds(found)
    assert not found.is_consistent


def test_a_proof_that_names_another_predecessor_is_seen() -> None:
    made = ledger(2)
    made.commit(b"third", prev=bytes(32), time_ms=TIMESTAMP + 9)
    found = walked(made.proofs)
    assert kinds(found) == ["unconnected"]
    assert not found.is_consistent


def test_a_linked_epoch_is_told_and_is_connected() -> None:
    made = ledger(2)
    made.next_epoch(1)
    made.commit(b"third")
    found = walked(made.proofs)
    assert kinds(found) == ["epoch-change"]
    assert "linked to" in found.events[0].message
    assert found.is_complete
    assert [stretch.first for stretch in found.stretches] == [1, 3]


def test_a_gap_across_epochs_is_seen() -> None:
    made = ledger(3)
    made.next_epoch(1)
    made.commit(b"fourth")
    found = walked([made.proofs[0], made.proofs[1], made.proofs[3]])
    assert sorted(kinds(found)) == ["epoch-change", "gap"]


def test_a_link_to_a_proof_that_was_replaced_is_seen() -> None:
    made, other = ledger(2), ledger(1)
    other.commit(b"another second", time_ms=TIMESTAMP + 1)
    made.next_epoch(1)
    made.commit(b"third")
    found = walked([*other.proofs, made.proofs[2]])
    assert sorted(kinds(found)) == ["epoch-change", "unconnected"]


def test_an_epoch_that_nothing_links_is_told() -> None:
    found = walked([*ledger(2).proofs, *ledger(2, seed=3).proofs])
    assert kinds(found) == ["epoch-change"]
    assert "nothing" in found.events[0].message


def test_two_epochs_after_one_are_a_fork() -> None:
    proofs = []
    for seed in (1, 2):
        made = ledger(2)
        made.next_epoch(seed)
        made.commit(b"third")
        proofs += made.proofs
    assert "fork" in kinds(walked(proofs))


def test_a_fork_of_two_keys_says_so() -> None:
    honest, stranger = ledger(3), FakeNotary(seed=7)
    second = proof_hash(honest.proofs[1])
    stranger.commit(b"never the notary's", counter=3, prev=second, time_ms=TIMESTAMP)
    texts = {
        event.kind: event.message for event in walked([*honest.proofs, *stranger.proofs]).events
    }
    assert "2 keys" in texts[EventKind.FORK]
    assert "keys" not in {e.kind: e.message for e in walked(forked()).events}[EventKind.FORK]


def test_a_clock_that_goes_back_is_told() -> None:
    made = FakeNotary()
    for time_ms in (TIMESTAMP, TIMESTAMP - 3_600_000, TIMESTAMP + 86_400_000):
        made.commit(b"x", time_ms=time_ms)
    found = walked(made.proofs)
    assert kinds(found) == ["clock-step"]
    assert "3600.000 s" in found.events[0].message
    assert found.is_consistent


def slot(made: FakeNotary) -> None:
    made.commit(b"1", counter=2, slotCounter="1")
    made.commit(b"2", counter=4, slotCounter="3")


def test_slots_take_numbers_of_their_own() -> None:
    made = FakeNotary()
    slot(made)
    assert walked(made.proofs).is_complete


def without_counter(proof: bytes) -> Value:
    document: Any = loads(proof, limit_bytes=10**6)
    del document["commit"]["counter"]
    return document  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "broken",
    [
        lambda proof: {},
        lambda proof: None,
        without_counter,
        lambda proof: loads(proof.replace(b'"counter":"2"', b'"counter":"3"'), limit_bytes=10**6),
    ],
)
def test_what_is_not_signed_makes_no_fork(broken: Callable[[bytes], Value]) -> None:
    proofs = ledger(3).proofs
    documents = [loads(proof, limit_bytes=10**6) for proof in proofs]
    found = walk([*documents, broken(proofs[1])])
    assert kinds(found) == ["invalid"]
    assert found.proofs == 3


def test_a_walk_of_nothing_is_complete() -> None:
    assert walk([]).is_complete


def test_what_is_shown_is_json() -> None:
    shown = walked(forked()).to_json()
    assert shown["consistent"] is False
    assert shown["version"] == "adyton/walk/v1"


def test_a_signed_proof_without_a_number_is_told() -> None:
    made = ledger(2)
    document: Any = loads(made.proofs[1], limit_bytes=10**6)
    del document["commit"]["counter"]
    body = Proof.from_json(document).body()
    document["signer"]["signatureB64"] = to_base64(made.key.sign(body))
    found = walk([loads(made.proofs[0], limit_bytes=10**6), document])
    assert kinds(found) == ["unnumbered"]
    assert found.is_consistent
    assert not found.is_complete
