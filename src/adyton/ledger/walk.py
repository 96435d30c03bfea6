"""Walking a set of proofs: what they say together that none of them says alone.

Any set will do: all proofs of a ledger, or those that somebody happens to have. A proof counts
once, however often it is there, and only if its signature holds: else anybody could make a fork
appear. Whose a key is, a walk does not ask: evidence and policies say that. What a set does not
have, it cannot show: that there is no contradiction here is no word about the proofs that are not
here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby, pairwise
from typing import Final

from adyton.codec.javascript import Value
from adyton.codec.json import JsonObject
from adyton.codec.text import from_base64, to_base64
from adyton.crypto.ed25519 import PUBLIC_KEY_SIZE, SIGNATURE_SIZE, check_ed25519
from adyton.errors import AdytonError
from adyton.ledger.proof import Proof

__all__ = ["Event", "EventKind", "Stretch", "Walk", "walk"]


class EventKind(StrEnum):
    """What a walk can come upon."""

    INVALID = "invalid"
    FORK = "fork"
    DUPLICATE = "duplicate-counter"
    UNCONNECTED = "unconnected"
    GAP = "gap"
    EPOCH = "epoch-change"
    CLOCK = "clock-step"
    UNNUMBERED = "unnumbered"


# Two proofs that cannot both be of one honest chain. The others may have good reasons.
_CONTRADICTIONS: Final = frozenset(
    {EventKind.FORK, EventKind.DUPLICATE, EventKind.UNCONNECTED, EventKind.INVALID}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that was noticed; ``counter`` is where, ``proofs`` are the hashes concerned."""

    kind: EventKind
    counter: int | None
    message: str
    proofs: tuple[bytes, ...] = ()

    @property
    def is_contradiction(self) -> bool:
        """Whether the set cannot be of one honest chain."""
        return self.kind in _CONTRADICTIONS

    def to_json(self) -> JsonObject:
        """Return the form that is shown."""
        return {
            "kind": self.kind.value,
            "contradiction": self.is_contradiction,
            "counter": None if self.counter is None else str(self.counter),
            "message": self.message,
            "proofs": [to_base64(proof) for proof in self.proofs],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The proofs of one epoch that were there: how many, from which counter to which."""

    epoch: str
    public_key: str
    count: int
    first: int
    last: int

    def to_json(self) -> JsonObject:
        """Return the form that is shown."""
        return {
            "epoch": self.epoch,
            "publicKeyB64": self.public_key,
            "count": self.count,
            "first": str(self.first),
            "last": str(self.last),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What a set of proofs says together."""

    proofs: int
    stretches: tuple[Stretch, ...]
    events: tuple[Event, ...]

    @property
    def is_consistent(self) -> bool:
        """Whether the proofs can be of one honest chain, as far as they show it."""
        return not any(event.is_contradiction for event in self.events)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing between the first and the last one, either."""
        gaps = {EventKind.GAP, EventKind.UNNUMBERED}
        return self.is_consistent and not any(event.kind in gaps for event in self.events)

    def to_json(self) -> JsonObject:
        """Return the form that is shown."""
        return {
            "version": "adyton/walk/v1",
            "proofs": self.proofs,
            "consistent": self.is_consistent,
            "complete": self.is_complete,
            "stretches": [stretch.to_json() for stretch in self.stretches],
            "events": [event.to_json() for event in self.events],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """A proof with what a walk needs of it."""

    number: int
    hash: bytes
    previous: bytes | None
    step: int
    place: tuple[str, str]
    before: tuple[str, str] | None
    time: float | None


def walk(documents: Iterable[Value]) -> Walk:
    """Return what the proofs in ``documents`` say together.

    1. *invalid*: one is no proof, or its signature does not hold: it counts no further;
    2. *duplicate-counter*: two proofs of one epoch have one number;
    3. *fork*: two proofs name one predecessor, or begin one epoch;
    4. *unconnected*: a proof does not name the one with the number before it;
    5. *gap*: numbers are missing between two that are there;
    6. *epoch-change*: a key or epoch ends, and whether the next one links to it;
    7. *clock-step*: the notary's clock went back between two numbers. That it went forward cannot
       be told from waiting.
    """
    events: list[Event] = []
    links = _links(documents, events)
    epochs = defaultdict[tuple[str, str], list[_Link]](list)
    for link in sorted(links.values(), key=lambda each: (each.number, each.hash)):
        epochs[link.place].append(link)
    ordered = sorted(epochs.values(), key=lambda chain: (chain[0].number, chain[0].place))
    events += _forks(links.values())
    for chain in ordered:
        events += _along(chain)
    for before, after in pairwise(ordered):
        events += _between(before, after)
    return Walk(
        proofs=len(links),
        stretches=tuple(_stretch(chain) for chain in ordered),
        events=tuple(sorted(events, key=lambda event: (event.counter or 0, event.kind))),
    )


def _links(documents: Iterable[Value], events: list[Event]) -> dict[bytes, _Link]:
    links: dict[bytes, _Link] = {}
    # One for all links of an epoch: a million of them are to fit into a memory.
    places: dict[tuple[str, str], tuple[str, str]] = {}
    for position, document in enumerate(documents):
        # Step 1
        try:
            proof = Proof.from_json(document)
            # The same proof again is no second one.
            if (found := proof.hash()) in links:
                continue
            _check_signature(proof)
            link = _link(proof, found)
        except AdytonError as error:
            text = f"document {position + 1} does not count: {error}"
            events.append(Event(kind=EventKind.INVALID, counter=None, message=text))
            continue
        if link is None:
            text = f"document {position + 1} has no counter"
            events.append(
                Event(kind=EventKind.UNNUMBERED, counter=None, message=text, proofs=(found,))
            )
        else:
            links[found] = replace(link, place=places.setdefault(link.place, link.place))
    return links


def _check_signature(proof: Proof) -> None:
    key = from_base64(proof.public_key_text, "signer.publicKeyB64", limit_bytes=PUBLIC_KEY_SIZE)
    signature = from_base64(proof.signature_text, "signer.signatureB64", limit_bytes=SIGNATURE_SIZE)
    check_ed25519(key, proof.body(), signature)


def _link(proof: Proof, found: bytes) -> _Link | None:
    number, link = proof.number(), proof.link()
    if number is None:
        return None
    return _Link(
        number=number,
        hash=found,
        previous=proof.previous_hash(),
        step=proof.step(),
        place=(proof.epoch_id or "", proof.public_key_text),
        before=None if link is None else (link.previous_epoch, to_base64(link.previous_key)),
        time=proof.time,
    )


def _forks(links: Iterable[_Link]) -> Iterator[Event]:
    # Step 3: the first of an epoch has no predecessor, so its place stands for one.
    followers = defaultdict[object, list[_Link]](list)
    for link in links:
        followers[link.place if link.previous is None else link.previous].append(link)
    for several in followers.values():
        if len(several) > 1:
            ordered = sorted(several, key=lambda each: (each.number, each.hash))
            numbers = ", ".join(str(each.number) for each in ordered)
            text = f"{len(several)} proofs follow one and the same: numbers {numbers}"
            if (keys := len({each.place[1] for each in several})) > 1:
                # Anybody can make a key, and have a proof of his own follow somebody else's.
                text += f", of {keys} keys: look at whose they are"
            yield _event(EventKind.FORK, ordered[0], text, *ordered)


def _along(chain: list[_Link]) -> Iterator[Event]:
    """Yield what is noticed between the proofs of one epoch, in the order of their numbers."""
    ranks = [list(rank) for _, rank in groupby(chain, key=lambda each: each.number)]
    for rank in ranks:
        # Step 2
        if len(rank) > 1:
            text = f"{len(rank)} proofs have the number {rank[0].number}"
            yield _event(EventKind.DUPLICATE, rank[0], text, *rank)
    for before, after in pairwise(ranks):
        yield from _neighbours(before, after)
        # Step 7
        earlier, later = before[0].time, after[0].time
        if earlier is not None and later is not None and later < earlier:
            seconds = (earlier - later) / 1000
            text = f"the clock went back by {seconds:.3f} s before number {after[0].number}"
            yield _event(EventKind.CLOCK, after[0], text, before[0], after[0])


def _between(before: list[_Link], after: list[_Link]) -> Iterator[Event]:
    """Yield what is noticed between the last proof of an epoch and the first of the next."""
    last, first = before[-1], after[0]
    is_linked = first.before == last.place
    # Step 6
    text = f"another epoch begins at number {first.number}, " + (
        "linked to the one before" if is_linked else "with nothing that links it to the one before"
    )
    yield _event(EventKind.EPOCH, first, text, last, first)
    if is_linked:
        lasts = [each for each in before if each.number == last.number]
        yield from _neighbours(lasts, [first])


def _neighbours(before: list[_Link], after: list[_Link]) -> Iterator[Event]:
    """Yield what is noticed between all proofs of one number and all of the next one there is."""
    number, names = before[0].number, {each.hash for each in before}
    for link in after:
        missing = link.number - number - link.step
        # Step 4
        if missing <= 0 and link.previous not in names:
            text = f"number {link.number} does not name number {number} as the one before"
            yield _event(EventKind.UNCONNECTED, link, text, before[0], link)
        # Step 5
        if missing > 0:
            numbers = "1 number is" if missing == 1 else f"{missing} numbers are"
            text = f"between {number} and {link.number}, {numbers} missing"
            yield _event(EventKind.GAP, link, text, before[0], link)


def _event(kind: EventKind, at: _Link, text: str, *links: _Link) -> Event:
    proofs = tuple(link.hash for link in links)
    return Event(kind=kind, counter=at.number, message=text, proofs=proofs)


def _stretch(chain: list[_Link]) -> Stretch:
    epoch, key = chain[0].place
    return Stretch(
        epoch=epoch,
        public_key=key,
        count=len(chain),
        first=chain[0].number,
        last=chain[-1].number,
    )
