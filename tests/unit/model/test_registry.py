"""A registered worker's states: one table, total, and without a way around new evidence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adyton.codec.json import loads
from adyton.model.registry import (
    TRANSITIONS,
    Attestation,
    Beat,
    Event,
    Heartbeat,
    RegisteredWorker,
    Registration,
    State,
    TransitionRejectedError,
    after,
)

NOW = datetime(2026, 2, 3, 10, 30, tzinfo=UTC)
ATTESTATION = Attestation(
    technology="nitro",
    platform="nitro",
    is_genuine=True,
    measurements={"pcr0": bytes(48)},
    signed_sha256=bytes(32),
    verified=NOW,
    until=NOW + timedelta(hours=24),
)
WORKER = RegisteredWorker(
    id="ab" * 32,
    owner="0" * 16,
    endpoint="https://worker.example",
    manifest_sha256=bytes(32),
    attestation=ATTESTATION,
    state=State.ACTIVE,
    reason="",
    registered=NOW,
    heartbeat=NOW,
)


def test_every_event_is_in_the_table() -> None:
    assert TRANSITIONS.keys() == set(Event)


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", State)
def test_every_state_and_event_has_a_next_state_or_is_rejected(state: State, event: Event) -> None:
    if state in TRANSITIONS[event]:
        assert after(state, event) is TRANSITIONS[event][state]
    else:
        with pytest.raises(TransitionRejectedError, match=state.value):
            after(state, event)


@pytest.mark.parametrize("beat", Beat)
def test_a_heartbeat_is_always_heard(beat: Beat) -> None:
    assert TRANSITIONS[beat.event].keys() == set(State)


def test_a_heartbeat_says_the_state_that_it_leads_to() -> None:
    assert {beat: after(State.ACTIVE, beat.event) for beat in Beat} == {
        Beat.ACTIVE: State.ACTIVE,
        Beat.DRAINING: State.DRAINING,
        Beat.OFFLINE: State.OFFLINE,
    }


@pytest.mark.parametrize("state", [state for state in State if state is not State.SUSPENDED])
def test_an_operator_can_always_suspend(state: State) -> None:
    assert after(state, Event.SUSPEND) is State.SUSPENDED


class Life(RuleBasedStateMachine):
    """Whatever happens to a worker, trust that was lost comes back with new evidence alone."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State.ACTIVE
        self.is_trusted = True
        self.is_suspended = False
        self.wants_work = True

    @rule(event=st.sampled_from(Event))
    def happen(self, event: Event) -> None:
        try:
            self.state = after(self.state, event)
        except TransitionRejectedError:
            return
        match event:
            case Event.REGISTER:
                self.is_trusted = True
            case Event.LAPSE | Event.REFUSE | Event.SUSPEND:
                self.is_trusted = False
            case _:
                pass
        if event in {Event.SUSPEND, Event.REINSTATE}:
            self.is_suspended = event is Event.SUSPEND

    @invariant()
    def nobody_is_present_without_evidence_that_holds(self) -> None:
        present = self.state in {State.ACTIVE, State.DRAINING, State.OFFLINE}
        assert present is self.is_trusted

    @invariant()
    def only_the_operator_ends_a_suspension(self) -> None:
        assert (self.state is State.SUSPENDED) is self.is_suspended


TestLife = Life.TestCase


@pytest.mark.parametrize("state", [state for state in State if state is not State.ACTIVE])
def test_only_an_active_worker_may_be_drawn(state: State) -> None:
    assert replace(WORKER, state=state).weight == 0


def test_an_attested_worker_has_two_tickets_and_any_other_one() -> None:
    assert WORKER.weight == 2
    assert replace(WORKER, attestation=None).weight == 1


def test_a_development_root_counts_no_more_than_no_evidence() -> None:
    insecure = replace(WORKER, attestation=replace(ATTESTATION, is_genuine=False))
    assert (insecure.is_attested, insecure.weight) == (False, 1)


@pytest.mark.parametrize("state", [State.UNTRUSTED, State.ATTESTATION_EXPIRED, State.SUSPENDED])
def test_who_lost_trust_is_not_attested(state: State) -> None:
    assert not replace(WORKER, state=state).is_attested


def test_a_registration_is_signed_in_this_form() -> None:
    registration = Registration(
        challenge=b"\x00\xff",
        endpoint="https://worker.example",
        manifest_sha256=bytes(32),
        evidence_sha256=b"",
    )
    assert loads(registration.to_bytes(), limit_bytes=1024) == {
        "challenge": "AP8=",
        "endpoint": "https://worker.example",
        "manifest_sha256": "00" * 32,
        "evidence_sha256": "",
    }


def test_a_heartbeat_is_signed_in_this_form() -> None:
    heartbeat = Heartbeat(worker="ab", state=Beat.DRAINING, time=1)
    assert heartbeat.to_bytes() == b'{"state":"draining","time":1,"worker":"ab"}'
