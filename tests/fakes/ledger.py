"""A world for a ledger: a disk that fails, an anchor, a clock and randomness, all from one seed.

The disk keeps what was written apart from what is durable. A process that is killed finds what was
written again; after a power failure, each sector that was not synced is there or not, as the seed
says. Every effect has a number, and a crash may be asked for at any: before it, or after it and
before whoever asked for it hears of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from adyton.ledger.errors import AnchorMovedError, AnchorUnavailableError
from adyton.ledger.ledger import Identity, Ledger, Ports
from adyton.ledger.ports import GENESIS, Anchored, Head
from adyton.ledger.proof import Enforcement
from adyton.ledger.records import Submission

SECTOR = 64
REPORT = b"evidence"


class Crashed(BaseException):
    """The process is gone. Not an ``Exception``: nothing of it may catch this."""


class World:
    """Counts effects, and crashes at one of them."""

    def __init__(self, random: Random, *, crash_at: float = float("inf")) -> None:
        self.random, self.crash_at, self.effects = random, crash_at, 0
        self.names: list[str] = []

    def effect(self, name: str, happen: Callable[[], None]) -> None:
        """Let an effect happen, with a point to crash at before it, and one after it."""
        self._pass(f"before {name}")
        happen()
        self._pass(f"after {name}")

    def _pass(self, name: str) -> None:
        self.names.append(name)
        self.effects += 1
        if self.effects > self.crash_at:
            raise Crashed(name)


class SimulatedJournal:
    """What reads show is ``cache``; what is durable is ``disk``; between them are ``pending``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cache, self.disk = bytearray(), bytearray()
        self.pending: list[tuple[int, bytes]] = []
        self.failing_syncs = 0
        self.full_after: int | None = None

    def size(self) -> int:
        return len(self.cache)

    def read(self, offset: int, size: int) -> bytes:
        return bytes(self.cache[offset : offset + size])

    def append(self, data: bytes) -> None:
        # Two writes where the system makes one: what is torn between them is torn.
        half = self.world.random.randint(0, len(data))
        for piece in (data[:half], data[half:]):
            self.world.effect("append", partial(self._write, piece))

    def sync(self) -> None:
        self.world.effect("sync", self._sync)

    def truncate(self, size: int) -> None:
        def cut() -> None:
            del self.cache[size:]
            self._sync()

        self.world.effect("truncate", cut)

    def lose_power(self) -> None:
        """Keep what was synced, and of the rest each sector by chance, in any order."""
        random = self.world.random
        for offset, data in self.pending:
            for start in range(0, len(data), SECTOR):
                if random.random() < 0.5:
                    self._put(self.disk, offset + start, data[start : start + SECTOR])
        self.pending.clear()
        self.cache = bytearray(self.disk)

    def flip(self) -> None:
        """Change one bit of what is durable."""
        if self.cache:
            at = self.world.random.randrange(len(self.cache))
            self.cache[at] ^= 1 << self.world.random.randrange(8)
            self.disk = bytearray(self.cache)
            self.pending.clear()

    def _write(self, data: bytes) -> None:
        if self.full_after is not None and len(self.cache) + len(data) > self.full_after:
            raise OSError(28, "No space left on device")
        self.pending.append((len(self.cache), data))
        self.cache += data

    def _sync(self) -> None:
        if self.failing_syncs:
            self.failing_syncs -= 1
            # The pages are clean now, and not on the disk: the next sync says that all is well.
            self.pending.clear()
            raise OSError(5, "Input/output error")
        self.disk = bytearray(self.cache)
        self.pending.clear()

    @staticmethod
    def _put(disk: bytearray, offset: int, data: bytes) -> None:
        if len(disk) < offset + len(data):
            disk += bytes(offset + len(data) - len(disk))
        disk[offset : offset + len(data)] = data


class SimulatedVault:
    """One value, old or new."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.value: bytes | None = None

    def load(self) -> bytes | None:
        return self.value

    def store(self, value: bytes) -> None:
        def put() -> None:
            self.value = value

        self.world.effect("seal", put)


class SimulatedAnchor:
    """A row somewhere; ``outages`` fail a call each, before or after it took effect."""

    def __init__(self, world: World, *, carries: bool) -> None:
        self.world, self.carries = world, carries
        self.kind = "simulated"
        self.anchored = Anchored(head=GENESIS)
        self.counters: dict[bytes, int] = {}
        self.outages = 0

    def read(self) -> Anchored:
        return self.anchored

    def advance(self, before: Head, after: Head, *, frame: bytes, settled: int) -> None:
        def move() -> None:
            if self.anchored.head != before:
                raise AnchorMovedError(kind=self.kind)
            if self.outages and self.world.random.random() < 0.5:
                self._fail()
            self.counters = {
                piece: counter for piece, counter in self.counters.items() if counter > settled
            }
            if self.carries:
                self.counters[frame] = after.counter
            self.anchored = Anchored(head=after, pending=tuple(self.counters))
            if self.outages:
                self._fail()

        self.world.effect("anchor", move)

    def _fail(self) -> None:
        self.outages -= 1
        raise AnchorUnavailableError(kind=self.kind, reason="it does not answer")


@dataclass
class SimulatedClock:
    """A clock that stands still, runs fast, or jumps, as it is told."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    step: timedelta = timedelta(milliseconds=3)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


@dataclass
class Machine:
    """A disk, an anchor and a clock, which outlive the processes that use them."""

    world: World
    carries: bool = True
    journal: SimulatedJournal = field(init=False)
    vault: SimulatedVault = field(init=False)
    anchor: SimulatedAnchor = field(init=False)
    clock: SimulatedClock = field(default_factory=SimulatedClock)

    def __post_init__(self) -> None:
        self.journal = SimulatedJournal(self.world)
        self.vault = SimulatedVault(self.world)
        self.anchor = SimulatedAnchor(self.world, carries=self.carries)

    def start(self) -> Ledger:
        """Return the ledger that a new process opens."""
        ports = Ports(
            journal=self.journal,
            anchor=self.anchor,
            vault=self.vault,
            clock=self.clock,
            random=self.world.random.randbytes,
        )
        return Ledger.open(
            ports,
            Identity.generate(ports.random),
            enforcement=Enforcement.STUB,
            measurement="00" * 48,
            evidence=("aws-nitro", REPORT),
        )

    def submission(self, count: int = 1, *, key: bytes = b"") -> Submission:
        """Return a submission of digests that nobody else has."""
        digests = tuple(self.world.random.randbytes(32) for _ in range(count))
        return Submission(digests=digests, key=key)
