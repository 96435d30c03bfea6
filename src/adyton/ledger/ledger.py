"""A ledger that is open: it signs steps, settles them, and follows the journal behind itself.

A step is settled when the journal has it and the anchor's head is its last proof; only then may its
proofs leave. Where the anchor carries frames, its one write makes both durable, and the journal is
synced now and then; else the journal is synced first. Whatever fails on the way ends the ledger for
good: nobody knows then what the disk has, and only a new start, which looks, may go on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from adyton.crypto.ed25519 import SEED_SIZE, Ed25519Key
from adyton.errors import AdytonError
from adyton.ledger.chain import Attest, Chain, Step
from adyton.ledger.epoch import epoch_binding, epoch_id
from adyton.ledger.errors import LedgerEndedError
from adyton.ledger.ports import Anchor, Head, Journal, Vault
from adyton.ledger.proof import Enforcement
from adyton.ledger.records import Epoch, Submission
from adyton.ledger.recovery import recover
from adyton.ledger.replay import Position, Replayed, replay
from adyton.ledger.sealed import SealedState
from adyton.model.ports import Clock, Randomness

__all__ = ["Identity", "Ledger", "Ports"]

_T = TypeVar("_T")

_BOOT_NONCE_SIZE = 32
# A journal that is not synced longer than this makes an anchor that carries frames heavy.
_MOST_UNSYNCED = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What a ledger stands on."""

    journal: Journal
    anchor: Anchor
    vault: Vault
    clock: Clock
    random: Randomness


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A new key, before its epoch begins: evidence is made over ``binding``."""

    key: Ed25519Key = field(repr=False)
    epoch: str

    @classmethod
    def generate(cls, random: Randomness) -> "Identity":
        """Return a fresh key and the name of its epoch."""
        key = Ed25519Key(random(SEED_SIZE))
        return cls(key=key, epoch=epoch_id(key.public, random(_BOOT_NONCE_SIZE)))

    @property
    def binding(self) -> bytes:
        """What evidence for the whole epoch is over."""
        return epoch_binding(self.key.public, self.epoch)


class Ledger:
    """One ledger under one epoch's key, until it ends or the process does.

    ``step`` may be called while another thread is in ``settle`` or ``follow``; each of the three is
    for one thread at a time.
    """

    def __init__(self, ports: Ports, chain: Chain, position: Position, identity: Identity) -> None:
        self._ports, self._chain, self._identity = ports, chain, identity
        self._position = self._followed = position
        self._head = position.head
        self._synced = position.head.counter
        self._unsynced_bytes = 0
        self._end: LedgerEndedError | None = None

    @classmethod
    def open(
        cls,
        ports: Ports,
        identity: Identity,
        *,
        enforcement: Enforcement,
        measurement: str,
        evidence: tuple[str, bytes],
    ) -> "Ledger":
        """Return the ledger at the end of what there is; ``evidence`` is a format and a report.

        1. Journal, anchor and sealed state agree on where it ends (``recover`` raises if not).
        2. The sealed state names the new key, before it signs anything.
        """
        # Step 1
        position = recover(ports.journal, ports.anchor, ports.vault)
        # Step 2
        sealed = SealedState(position=position, running=identity.key.public)
        ports.vault.store(sealed.to_bytes())
        before, (kind, report) = position.epoch, evidence
        epoch = Epoch(
            public_key=identity.key.public,
            id=identity.epoch,
            enforcement=enforcement,
            measurement=measurement,
            format=kind,
            report=report,
            anchor=ports.anchor.kind,
            previous=position.head,
            previous_id="" if before is None else before.id,
            previous_key=b"" if before is None else before.public_key,
        )
        chain = Chain(epoch, sign=identity.key.sign, clock=ports.clock, random=ports.random)
        return cls(ports, chain, position, identity)

    @property
    def epoch(self) -> Epoch:
        """The epoch that signs."""
        return self._chain.epoch

    @property
    def head(self) -> Head:
        """The last proof that may leave."""
        return self._head

    @property
    def position(self) -> Position:
        """How far the journal was followed, stored and sealed."""
        return self._position

    @property
    def ended(self) -> LedgerEndedError | None:
        """Why nothing goes on any more, if so."""
        return self._end

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a checkpoint's text, which is never the body of a proof."""
        return self._identity.key.sign(message)

    def step(self, submissions: Sequence[Submission], *, attest: Attest | None = None) -> Step:
        """Sign ``submissions`` as the next step; its proofs may leave once it is settled.

        What ``attest`` raises is raised here, and nothing has happened.
        """
        self._check_running()
        return self._chain.step(submissions, attest=attest)

    def settle(self, step: Step) -> None:
        """Make ``step`` durable, and move the anchor's head to it. Steps come in their order.

        1. The journal has its frames, and on the disk unless the anchor carries them.
        2. The anchor's head moves from the step before to this one, in one compare-and-set.
        """
        self._check_running()
        self._guarded(lambda: self._settle(step))

    def _settle(self, step: Step) -> None:
        journal, anchor = self._ports.journal, self._ports.anchor
        # Step 1
        journal.append(step.frame)
        self._unsynced_bytes += len(step.frame)
        if not anchor.carries or self._unsynced_bytes > _MOST_UNSYNCED:
            journal.sync()
            self._unsynced_bytes = 0
        # Step 2
        anchor.advance(step.before, step.after, frame=step.frame, settled=self._synced)
        self._head = step.after

    def follow(self) -> Iterator[Replayed]:
        """Yield what was settled since the last time, as the disk has it.

        1. What is yielded is durable in the journal.
        2. Every proof was made again from it and has its hash, and the last one is our head.

        Whoever takes it calls ``seal`` once he has stored it; if he fails, he is given it again.
        """
        self._check_running()
        # Step 1: the head first. What is appended after it may or may not be synced.
        head = self._head
        self._guarded(self._ports.journal.sync)
        self._synced = head.counter
        # Step 2
        position = self._position
        steps = replay(self._ports.journal, position, until=head.counter)
        while (step := self._guarded(lambda: next(steps, None))) is not None:
            position = step.after
            yield step
        if position.head != head:
            reason = "the journal does not hold what was written into it"
            self._end = LedgerEndedError(reason=reason)
            raise self._end
        self._followed = position

    def seal(self) -> None:
        """Store how far the journal was followed: ``position`` is there, and a start's begin."""
        self._check_running()
        sealed = SealedState(position=self._followed, running=self._identity.key.public)
        self._guarded(lambda: self._ports.vault.store(sealed.to_bytes()))
        self._position = self._followed

    def end(self, error: BaseException) -> LedgerEndedError:
        """End the ledger because of ``error``, and return why it ended: it ends once."""
        # Whatever it was, foreseen or not: a write that failed leaves nothing to rely on.
        text = str(error) if isinstance(error, AdytonError) else type(error).__name__
        self._end = self._end or LedgerEndedError(reason=text)
        return self._end

    def _check_running(self) -> None:
        if self._end is not None:
            raise self._end

    def _guarded(self, work: Callable[[], _T]) -> _T:
        """Return what ``work`` returns; whatever it raises ends the ledger."""
        try:
            return work()
        except Exception as error:
            raise self.end(error) from error
