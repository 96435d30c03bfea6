"""The chain: digests become signed proofs, each with the next number and the hash before it.

What is signed here has not happened yet: a proof may leave the process only when its step is
settled (``ledger``). Steps may be signed ahead of that; if one of them fails, the process ends with
all of them, and nobody has seen any.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from adyton.crypto.hashing import sha256
from adyton.ledger.frame import FrameKind, pack_frame
from adyton.ledger.ports import Head, Signer
from adyton.ledger.records import Batch, Epoch, Part, Submission
from adyton.model.ports import Clock, Randomness

__all__ = ["Attest", "Chain", "Step"]

# Evidence for one proof: from what it is to be over, to the platform's report.
Attest = Callable[[bytes], bytes]

_NONCE_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A signed batch, and the frames that make it part of the journal."""

    batch: Batch
    frame: bytes = field(repr=False)

    @property
    def before(self) -> Head:
        """The head that it follows."""
        return self.batch.previous

    @property
    def after(self) -> Head:
        """The head that it makes."""
        return self.batch.head


class Chain:
    """Signs one step after the other under one epoch's key."""

    def __init__(self, epoch: Epoch, *, sign: Signer, clock: Clock, random: Randomness) -> None:
        self.epoch = epoch
        self._sign, self._clock, self._random = sign, clock, random
        self._head = epoch.previous

    def step(self, submissions: Sequence[Submission], *, attest: Attest | None = None) -> Step:
        """Return the step that holds ``submissions``, in order.

        ``attest`` is asked once for each proof of a submission that wants fresh evidence.
        """
        time_ms = int(self._clock().timestamp() * 1000)
        nonces = self._random(_NONCE_SIZE * sum(len(item.digests) for item in submissions))
        previous, parts, entries = self._head, [], bytearray()
        counter, proof_hash, used = previous.counter, previous.proof_hash, 0
        template, sign, epoch = self.epoch.template, self._sign, self.epoch
        for submission in submissions:
            first, reports = counter + 1, []
            metadata = submission.metadata or None
            for digest in submission.digests:
                counter += 1
                nonce = nonces[used : used + _NONCE_SIZE]
                used += _NONCE_SIZE
                body = template.body(
                    digest=digest,
                    counter=counter,
                    nonce=nonce,
                    time_ms=time_ms,
                    prev=epoch.prev(counter, proof_hash),
                    extra=epoch.added(counter),
                )
                report = None
                if submission.fresh and attest is not None:
                    report = attest(template.evidence_digest(body))
                    reports.append(report)
                signature = sign(body)
                proof_hash = sha256(
                    template.proof(body=body, signature=signature, metadata=metadata, report=report)
                )
                entries += digest + nonce + signature + proof_hash
            parts.append(
                Part(
                    first=first,
                    count=len(submission.digests),
                    key=submission.key,
                    metadata=submission.metadata,
                    reports=tuple(reports),
                )
            )
        batch = Batch(
            previous=previous, time_ms=time_ms, parts=tuple(parts), entries=bytes(entries)
        )
        self._head = batch.head
        return Step(batch=batch, frame=self._frames(batch))

    def _frames(self, batch: Batch) -> bytes:
        frame = pack_frame(FrameKind.BATCH, batch.to_bytes())
        if batch.previous.counter == self.epoch.previous.counter:
            # An epoch comes into the journal with its first proofs: one without any leaves nothing.
            return pack_frame(FrameKind.EPOCH, self.epoch.to_bytes()) + frame
        return frame
