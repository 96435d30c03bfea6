"""What the journal's frames hold: an epoch, or a batch of entries that one step made.

An entry is what a proof has of its own, 160 bytes; all else is its epoch's or its request's: a log
of entries is a thirtieth of a log of proofs. ``Batch.proof`` puts a proof together again, and it is
the same bytes each time. All numbers are big-endian.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import Final

from adyton.codec.javascript import Value, canonical, loads
from adyton.codec.json import MAX_SAFE_INTEGER
from adyton.codec.reader import Reader
from adyton.errors import MalformedError
from adyton.ledger.epoch import LINK_FIELD, EpochLink
from adyton.ledger.ports import GENESIS, Head
from adyton.ledger.proof import DIGEST_SIZE, Enforcement, ProofTemplate

__all__ = [
    "ENTRY_SIZE",
    "MAX_DIGESTS",
    "MAX_KEY_BYTES",
    "MAX_METADATA_BYTES",
    "Batch",
    "Entry",
    "Epoch",
    "Part",
    "Share",
    "Submission",
    "check_metadata",
]

ENTRY_SIZE: Final = 160
MAX_DIGESTS: Final = 4096
MAX_KEY_BYTES: Final = 32
MAX_METADATA_BYTES: Final = 4096
_DIGEST, _NONCE, _SIGNATURE = slice(0, 32), slice(32, 64), slice(64, 128)
_HASH: Final = slice(128, 160)
_MAX_EPOCH_BYTES: Final = 256 * 1024
_MAX_REPORT_BYTES: Final = 64 * 1024
_HAS_REPORTS: Final = 1
# Counter and hash of the proof before, time, number of parts.
_HEAD: Final = Struct(">Q32sQH")
# Number of entries, flags, size of the key.
_PART: Final = Struct(">HBB")
_NOTHING: Final[Mapping[str, Value]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What one caller wants in the ledger: all of its digests, or none.

    ``metadata`` is canonical JSON of an object, or empty; ``key`` makes a repetition recognizable,
    or is empty. With ``fresh``, the platform makes evidence for each of its proofs.
    """

    digests: tuple[bytes, ...]
    metadata: bytes = b""
    key: bytes = b""
    fresh: bool = False

    def __post_init__(self) -> None:
        """Refuse what no frame can hold."""
        if not 0 < len(self.digests) <= MAX_DIGESTS:
            raise MalformedError(f"a submission has 1 to {MAX_DIGESTS} digests")
        if any(len(digest) != DIGEST_SIZE for digest in self.digests):
            raise MalformedError(f"a digest does not have {DIGEST_SIZE} bytes")
        if len(self.metadata) > MAX_METADATA_BYTES:
            raise MalformedError(f"metadata have more than {MAX_METADATA_BYTES} bytes")
        if len(self.key) > MAX_KEY_BYTES:
            raise MalformedError(f"an idempotency key has more than {MAX_KEY_BYTES} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """What all proofs of one key have in common, and the proof that they follow."""

    public_key: bytes
    id: str
    enforcement: Enforcement
    measurement: str
    format: str
    report: bytes = field(repr=False)
    anchor: str
    previous: Head = GENESIS
    previous_id: str = ""
    previous_key: bytes = b""
    template: ProofTemplate = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the text of the proofs."""
        template = ProofTemplate(
            public_key=self.public_key,
            enforcement=self.enforcement,
            measurement=self.measurement,
            epoch_id=self.id,
            attestation_format=self.format or None,
            anchor=self.anchor,
            report=self.report or None,
        )
        object.__setattr__(self, "template", template)

    @property
    def first(self) -> int:
        """The counter of its first proof."""
        return self.previous.counter + 1

    def added(self, counter: int) -> Mapping[str, Value]:
        """Return what the proof with this counter says that others do not: the link, or nothing."""
        if counter != self.first or not self.previous_id:
            return _NOTHING
        link = EpochLink(
            previous_epoch=self.previous_id,
            previous_key=self.previous_key,
            previous_counter=self.previous.counter,
            previous_hash=self.previous.proof_hash,
            epoch=self.id,
            public_key=self.public_key,
        )
        return {LINK_FIELD: link.to_json()}

    def prev(self, counter: int, proof_hash: bytes) -> bytes | None:
        """Return ``proof_hash`` where the proof with this counter names the one before in it."""
        return None if counter == self.first else proof_hash

    def to_bytes(self) -> bytes:
        """Return the payload of its frame."""
        texts = (self.id, self.enforcement.value, self.measurement, self.format, self.anchor)
        parts = (
            self.public_key,
            *(text.encode() for text in texts),
            self.report,
            self.previous.counter.to_bytes(8, "big"),
            self.previous.proof_hash,
            self.previous_id.encode(),
            self.previous_key,
        )
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Epoch":
        """Return the epoch in a frame's payload, or raise ``MalformedError``."""
        reader = Reader(data, where="an epoch")

        def part(name: str) -> bytes:
            size = reader.big_endian(4, name)
            if size > _MAX_EPOCH_BYTES:
                raise MalformedError(f"an epoch's {name} has {size} bytes")
            return reader.take(size, name)

        try:
            epoch = cls(
                public_key=part("public key"),
                id=part("id").decode(),
                enforcement=Enforcement(part("enforcement").decode()),
                measurement=part("measurement").decode(),
                format=part("format").decode(),
                anchor=part("anchor").decode(),
                report=part("report"),
                previous=Head(
                    counter=int.from_bytes(part("previous counter"), "big"),
                    proof_hash=part("previous hash"),
                ),
                previous_id=part("previous id").decode(),
                previous_key=part("previous key"),
            )
        except ValueError as error:
            # Text that is no UTF-8, an unknown word, a key of another size.
            raise MalformedError("an epoch has a field that is none") from error
        reader.finish()
        return epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one proof has of its own."""

    counter: int
    digest: bytes
    nonce: bytes
    signature: bytes
    proof_hash: bytes

    @classmethod
    def from_bytes(cls, data: bytes, *, counter: int) -> "Entry":
        """Return the entry in ``ENTRY_SIZE`` bytes."""
        return cls(
            counter=counter,
            digest=data[_DIGEST],
            nonce=data[_NONCE],
            signature=data[_SIGNATURE],
            proof_hash=data[_HASH],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One submission's share of a batch: ``count`` entries, from ``first`` on.

    ``reports`` has the evidence for each where that was asked for.
    """

    first: int
    count: int
    key: bytes = b""
    metadata: bytes = b""
    reports: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Entries that were signed in one step, the first of them after ``previous``.

    ``entries`` is their bytes, one after the other.
    """

    previous: Head
    time_ms: int
    parts: tuple[Part, ...]
    entries: bytes = field(repr=False)

    @property
    def count(self) -> int:
        """How many entries there are."""
        return len(self.entries) // ENTRY_SIZE

    @property
    def head(self) -> Head:
        """The last of them."""
        return Head(counter=self.previous.counter + self.count, proof_hash=self.entries[-32:])

    def entry(self, counter: int) -> Entry:
        """Return the entry with this counter, which must be of this batch."""
        start = (counter - self.previous.counter - 1) * ENTRY_SIZE
        return Entry.from_bytes(self.entries[start : start + ENTRY_SIZE], counter=counter)

    def hash_before(self, counter: int) -> bytes:
        """Return the hash of the proof before the one with this counter."""
        end = (counter - self.previous.counter - 1) * ENTRY_SIZE
        return self.entries[end - 32 : end] if end else self.previous.proof_hash

    def part_of(self, counter: int) -> Part:
        """Return the share that the entry with this counter belongs to."""
        for part in self.parts:
            if part.first <= counter < part.first + part.count:
                return part
        raise ValueError("the counter is not of this batch")

    def share(self, part: Part) -> "Batch":
        """Return one submission's share as a batch of its own: what its caller is answered."""
        start = (part.first - self.previous.counter - 1) * ENTRY_SIZE
        before = Head(counter=part.first - 1, proof_hash=self.hash_before(part.first))
        return Batch(
            previous=before,
            time_ms=self.time_ms,
            parts=(part,),
            entries=self.entries[start : start + part.count * ENTRY_SIZE],
        )

    def proofs(self, epoch: Epoch) -> Iterator[bytes]:
        """Yield the proofs, whole and canonical, in order."""
        for part in self.parts:
            for counter in range(part.first, part.first + part.count):
                yield self._proof(epoch, part, counter)

    def proof(self, epoch: Epoch, counter: int) -> bytes:
        """Return the proof with this counter, whole and canonical."""
        return self._proof(epoch, self.part_of(counter), counter)

    def body(self, epoch: Epoch, counter: int) -> bytes:
        """Return what was signed for the proof with this counter."""
        # Most proofs of a ledger are read here: an ``Entry`` of each would cost as much again.
        start = (counter - self.previous.counter - 1) * ENTRY_SIZE
        entry = self.entries[start : start + ENTRY_SIZE]
        is_first = counter == epoch.first
        return epoch.template.body(
            digest=entry[_DIGEST],
            counter=counter,
            nonce=entry[_NONCE],
            time_ms=self.time_ms,
            prev=None if is_first else self.hash_before(counter),
            extra=epoch.added(counter) if is_first else _NOTHING,
        )

    def _proof(self, epoch: Epoch, part: Part, counter: int) -> bytes:
        start = (counter - self.previous.counter - 1) * ENTRY_SIZE
        return epoch.template.proof(
            body=self.body(epoch, counter),
            signature=self.entries[start + 64 : start + 128],
            metadata=part.metadata or None,
            report=part.reports[counter - part.first] if part.reports else None,
        )

    def to_bytes(self) -> bytes:
        """Return the payload of its frame."""
        before = self.previous
        pieces = [_HEAD.pack(before.counter, before.proof_hash, self.time_ms, len(self.parts))]
        for part in self.parts:
            flags = _HAS_REPORTS if part.reports else 0
            pieces += [
                _PART.pack(part.count, flags, len(part.key)),
                part.key,
                len(part.metadata).to_bytes(2, "big"),
                part.metadata,
            ]
            for report in part.reports:
                pieces += [len(report).to_bytes(4, "big"), report]
        return b"".join((*pieces, self.entries))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Batch":
        """Return the batch in a frame's payload, or raise ``MalformedError``."""
        reader = Reader(data, where="a batch")
        counter, proof_hash, time_ms, count = _HEAD.unpack(reader.take(_HEAD.size, "head"))
        previous = Head(counter=counter, proof_hash=proof_hash)
        parts: list[Part] = []
        for _ in range(count):
            parts.append(_part(reader, first=counter + 1))
            counter += parts[-1].count
        count = counter - previous.counter
        if not count:
            raise MalformedError("a batch has no entries")
        entries = reader.take(count * ENTRY_SIZE, "entries")
        reader.finish()
        return cls(previous=previous, time_ms=time_ms, parts=tuple(parts), entries=entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Entries of a batch and the epoch that they belong to: what proofs are put together from."""

    epoch: Epoch
    batch: Batch

    def __post_init__(self) -> None:
        """Refuse what no proofs come from."""
        if self.batch.time_ms > MAX_SAFE_INTEGER:
            raise MalformedError("a batch's time is out of range")
        epoch = self.epoch
        if any(
            bool(part.reports or epoch.report) != bool(epoch.format) for part in self.batch.parts
        ):
            raise MalformedError(
                "a batch has no evidence of its epoch's format, or one without any"
            )

    def proofs(self) -> Iterator[bytes]:
        """Yield the proofs, whole and canonical, in order: each is made when it is asked for."""
        return self.batch.proofs(self.epoch)

    def proof(self, counter: int) -> bytes:
        """Return the proof with this counter, whole and canonical."""
        return self.batch.proof(self.epoch, counter)


def _part(reader: Reader, *, first: int) -> Part:
    count, flags, key_size = _PART.unpack(reader.take(_PART.size, "part"))
    key = reader.take(key_size, "key")
    metadata = reader.take(reader.big_endian(2, "metadata size"), "metadata")
    if not 0 < count <= MAX_DIGESTS or flags > _HAS_REPORTS or len(key) > MAX_KEY_BYTES:
        raise MalformedError("a part of a batch has a field out of range")
    reports = tuple(_report(reader) for _ in range(count)) if flags else ()
    return Part(first=first, count=count, key=key, metadata=metadata, reports=reports)


def _report(reader: Reader) -> bytes:
    size = reader.big_endian(4, "report size")
    if not 0 < size <= _MAX_REPORT_BYTES:
        raise MalformedError("a report's size is out of range")
    return reader.take(size, "report")


def check_metadata(metadata: bytes) -> None:
    """Raise ``MalformedError`` unless ``metadata`` is the canonical JSON of an object, or empty."""
    if not metadata:
        return
    value = loads(metadata, limit_bytes=MAX_METADATA_BYTES)
    if not isinstance(value, dict) or canonical(value) != metadata:
        raise MalformedError("metadata are not the canonical json of an object")
