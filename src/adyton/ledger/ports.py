"""What the ledger needs from outside, as small protocols that adapters and tests provide.

All of it blocks: who serves others meanwhile calls it in a thread. The journal and the vault lie on
the host's disk, which may tear, lose, change or roll back whatever it was given; the anchor is
trusted for one thing only, that its head never goes back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

__all__ = [
    "GENESIS",
    "Anchor",
    "Anchored",
    "Frames",
    "Head",
    "Journal",
    "Signer",
    "Vault",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last proof of a ledger: its number and its hash."""

    counter: int
    proof_hash: bytes


GENESIS: Final = Head(counter=0, proof_hash=bytes(32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """What an anchor holds: the head, and the frames of the last steps where it keeps them.

    Of several anchors, ``highest`` is a head beyond the one that counts, which ``source`` has.
    """

    head: Head
    pending: tuple[bytes, ...] = ()
    highest: Head | None = None
    source: str = ""


class Anchor(Protocol):
    """Where the head is kept, moved forward by one compare-and-set at a time."""

    @property
    def kind(self) -> str:
        """What it is, as every proof that it protected says."""
        ...

    @property
    def carries(self) -> bool:
        """Whether it keeps frames: then one write makes head and frames durable together."""
        ...

    def read(self) -> Anchored:
        """Return what is anchored, ``GENESIS`` where nothing is yet.

        Raises ``AnchorUnavailableError`` where it does not answer.
        """
        ...

    def advance(self, before: Head, after: Head, *, frame: bytes, settled: int) -> None:
        """Move the head from ``before`` to ``after``, durably, or raise.

        An anchor that carries keeps ``frame`` with it, and forgets those up to counter ``settled``.
        Raises ``AnchorMovedError`` where the head is not ``before``, and ``AnchorUnavailableError``
        where nobody knows what it is.
        """
        ...


class Frames(Protocol):
    """Frames one after the other, to read."""

    def size(self) -> int:
        """Return how many bytes there are."""
        ...

    def read(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset``; fewer at the end."""
        ...


class Journal(Frames, Protocol):
    """One file of frames that grows at its end."""

    def append(self, data: bytes) -> None:
        """Write ``data`` at the end. A crash may still lose or tear it."""
        ...

    def sync(self) -> None:
        """Return when all that was written is durable. A failure is final: never try again."""
        ...

    def truncate(self, size: int) -> None:
        """Cut off what is beyond ``size``, durably."""
        ...


class Vault(Protocol):
    """A small value, kept so that only this code can have written it, and replaced as a whole."""

    def load(self) -> bytes | None:
        """Return the value that was stored last, or ``None``; ``MalformedError`` if it is forged.

        Whoever has the disk can put an older value back: that is what the anchor is for.
        """
        ...

    def store(self, value: bytes) -> None:
        """Replace the value, durably."""
        ...


Signer = Callable[[bytes], bytes]
