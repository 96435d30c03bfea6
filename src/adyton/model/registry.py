"""The registry of workers: the states that one can be in, what changes them, and who is drawn.

Pure values. A worker is named by the digest of its signing key, and speaks for itself by signing
with that key; what it signs is written here once, for those who sign and those who check.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adyton.codec.json import canonical
from adyton.codec.text import to_base64
from adyton.errors import RejectedError

__all__ = [
    "ATTESTED_WEIGHT",
    "HEARTBEAT_DOMAIN",
    "REGISTRATION_DOMAIN",
    "TRANSITIONS",
    "UNATTESTED_WEIGHT",
    "Attestation",
    "Beat",
    "Event",
    "Exhibit",
    "Heartbeat",
    "RegisteredWorker",
    "Registration",
    "State",
    "TransitionRejectedError",
    "UsedCollateral",
    "after",
    "weight_of",
]

REGISTRATION_DOMAIN: Final = "adyton/registration/v1"
HEARTBEAT_DOMAIN: Final = "adyton/heartbeat/v1"

ATTESTED_WEIGHT: Final = 2
UNATTESTED_WEIGHT: Final = 1


class State(StrEnum):
    """How a worker stands. Only an active one is given work."""

    ACTIVE = "active"
    DRAINING = "draining"
    OFFLINE = "offline"
    UNTRUSTED = "untrusted"
    ATTESTATION_EXPIRED = "attestation-expired"
    SUSPENDED = "suspended"


class Event(StrEnum):
    """What can happen to a registered worker."""

    REGISTER = "register"
    """It registered again, with evidence that was accepted where it has evidence at all."""
    AVAILABLE = "available"
    """It says that it takes work."""
    DRAIN = "drain"
    """It says that it takes no new work."""
    LEAVE = "leave"
    """It says goodbye."""
    FALL_SILENT = "fall-silent"
    """It has said nothing for too long."""
    LAPSE = "lapse"
    """Its evidence has come of age, or its certificates have ended."""
    REFUSE = "refuse"
    """Its evidence was verified again, and is not acceptable any more."""
    SUSPEND = "suspend"
    """The operator takes it out."""
    REINSTATE = "reinstate"
    """The operator lets it come back."""


_PRESENT: Final = (State.ACTIVE, State.DRAINING, State.OFFLINE)


def _of_present(then: State) -> dict[State, State]:
    return dict.fromkeys(_PRESENT, then)


def _unmoved(*states: State) -> dict[State, State]:
    return {state: state for state in states}


# Whatever says that a worker is alive says nothing about what it runs: only a new registration, and
# so new evidence, leads back from "untrusted" and from "attestation-expired". Out of "suspended"
# leads the operator alone, and from there too only a new registration leads on: else suspending
# and reinstating would wash away that the evidence was refused.
_DOWN: Final = (State.UNTRUSTED, State.ATTESTATION_EXPIRED, State.SUSPENDED)
TRANSITIONS: Final[Mapping[Event, Mapping[State, State]]] = MappingProxyType(
    {
        Event.REGISTER: {
            State.ACTIVE: State.ACTIVE,
            # New evidence is no word about new work.
            State.DRAINING: State.DRAINING,
            State.OFFLINE: State.ACTIVE,
            State.UNTRUSTED: State.ACTIVE,
            State.ATTESTATION_EXPIRED: State.ACTIVE,
        },
        Event.AVAILABLE: _of_present(State.ACTIVE) | _unmoved(*_DOWN),
        Event.DRAIN: _of_present(State.DRAINING) | _unmoved(*_DOWN),
        Event.LEAVE: _of_present(State.OFFLINE) | _unmoved(*_DOWN),
        Event.FALL_SILENT: {State.ACTIVE: State.OFFLINE, State.DRAINING: State.OFFLINE},
        Event.LAPSE: _of_present(State.ATTESTATION_EXPIRED),
        Event.REFUSE: _of_present(State.UNTRUSTED) | {State.ATTESTATION_EXPIRED: State.UNTRUSTED},
        Event.SUSPEND: {state: State.SUSPENDED for state in State if state is not State.SUSPENDED},
        Event.REINSTATE: {State.SUSPENDED: State.ATTESTATION_EXPIRED},
    }
)


class TransitionRejectedError(RejectedError):
    """A worker's state does not allow what was asked."""

    code = "transition-rejected"

    def __init__(self, *, state: State, event: Event) -> None:
        super().__init__(f"a worker that is {state.value} cannot {event.value}")
        self.state, self.event = state, event


def after(state: State, event: Event) -> State:
    """Return the state that follows, or raise ``TransitionRejectedError``."""
    try:
        return TRANSITIONS[event][state]
    except KeyError as error:
        raise TransitionRejectedError(state=state, event=event) from error


class Beat(StrEnum):
    """What a worker says of itself in a heartbeat, and the event that it is."""

    ACTIVE = "active"
    DRAINING = "draining"
    OFFLINE = "offline"

    @property
    def event(self) -> Event:
        """The event that this word stands for."""
        return _BEATS[self]


_BEATS: Final[Mapping[Beat, Event]] = {
    Beat.ACTIVE: Event.AVAILABLE,
    Beat.DRAINING: Event.DRAIN,
    Beat.OFFLINE: Event.LEAVE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a worker signs to be registered.

    ``challenge`` is the registry's, for one registration. The signature covers the endpoint, so
    that nobody registers another's evidence as their own address, and the digests of manifest and
    evidence (empty where there is none), so that evidence cannot be left out on the way.
    """

    challenge: bytes
    endpoint: str
    manifest_sha256: bytes
    evidence_sha256: bytes

    def to_bytes(self) -> bytes:
        """Return what is signed under ``REGISTRATION_DOMAIN``."""
        return canonical(
            {
                "challenge": to_base64(self.challenge),
                "endpoint": self.endpoint,
                "manifest_sha256": self.manifest_sha256.hex(),
                "evidence_sha256": self.evidence_sha256.hex(),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What a worker signs to say that it is there.

    ``time`` is its clock, in milliseconds since 1970. Each is later than the one before: whoever
    keeps a heartbeat back, or repeats it, gains nothing.
    """

    worker: str
    state: Beat
    time: int

    def to_bytes(self) -> bytes:
        """Return what is signed under ``HEARTBEAT_DOMAIN``."""
        return canonical({"worker": self.worker, "state": self.state.value, "time": self.time})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """What a worker showed, as it came: whoever doubts the registry verifies it again.

    ``evidence`` is over ``manifest`` and ``challenge``, and empty where the worker brought none;
    ``collateral`` is the file that came with it, or what was fetched for it since, empty where
    there is none.
    """

    manifest: bytes
    challenge: bytes
    evidence: bytes
    collateral: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedCollateral:
    """The collateral that evidence was verified with: its file, empty where there is none.

    ``fetched`` is when the registry had it from its vendor; ``None``: the worker brought it.
    """

    file: bytes
    fetched: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """What evidence says that was accepted.

    ``is_genuine`` is whether hardware vouches for it: evidence under a development root may be
    accepted, and counts no more than none. ``verified`` is when it was verified last, and ``until``
    when it has to be made anew. ``collateral_fetched`` is when the registry had what it was
    verified with from its vendor; ``None`` where the worker brought that, or it needs none.
    """

    technology: str
    platform: str
    is_genuine: bool
    measurements: Mapping[str, bytes]
    signed_sha256: bytes
    verified: datetime
    until: datetime
    collateral_fetched: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredWorker:
    """One worker in the registry. ``attestation`` is ``None`` where it brought no evidence.

    ``owner`` is the API key that registered it last, ``manifest_sha256`` the digest of what it
    showed, and ``heartbeat`` when it was last heard of. ``reason`` says why it is untrusted or
    suspended.
    """

    id: str
    owner: str
    endpoint: str
    manifest_sha256: bytes
    attestation: Attestation | None
    state: State
    reason: str
    registered: datetime
    heartbeat: datetime

    @property
    def is_attested(self) -> bool:
        """Whether hardware vouches for what it runs, as far as the registry knows."""
        if self.attestation is None or not self.attestation.is_genuine:
            return False
        return self.state in _PRESENT

    @property
    def weight(self) -> int:
        """How many tickets it has in a draw."""
        return weight_of(self.state, is_attested=self.is_attested)


def weight_of(state: State, *, is_attested: bool) -> int:
    """Return how many tickets a worker has in a draw; 0 where it may not be drawn."""
    if state is not State.ACTIVE:
        return 0
    return ATTESTED_WEIGHT if is_attested else UNATTESTED_WEIGHT
