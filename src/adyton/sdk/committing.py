"""Committing digests: only they leave this machine, and what comes back is verified.

What a notary answers is called a proof once it is about these digests, signed, in order, and as the
policy wants it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from adyton.codec.javascript import Value, canonical, loads
from adyton.codec.text import to_base64
from adyton.errors import MalformedError, RejectedError
from adyton.ledger.proof import DIGEST_SIZE, Proof, proof_hash
from adyton.model.verdict import LayerName, Verdict
from adyton.sdk.files import Source
from adyton.sdk.proofs import read_notary_policy
from adyton.sdk.session import fresh_nonce, now
from adyton.sdk.transport import Call, Conversation
from adyton.verification.notary import Beside, verify_commit
from adyton.verification.notary_policy import OPEN, NotaryPolicy

__all__ = ["MOST_DIGESTS", "CommitChangedError", "CommitRejectedError", "Committed", "commit"]

# As many as fit into one answer, evidence included.
MOST_DIGESTS: Final = 256
_ANSWER_BYTES: Final = 16 * 1024 * 1024
# Metadata that are nothing but values, in each of them.
_ANSWER_VALUES: Final = 600_000


class CommitRejectedError(RejectedError):
    """The notary answered, and what it answered does not hold: there is no proof."""

    code = "commit-rejected"

    def __init__(self, *, number: int, verdict: Verdict) -> None:
        reasons = "; ".join(finding.message for finding in verdict.reasons)
        super().__init__(f"the notary's proof of digest {number} does not hold: {reasons}")
        self.number, self.verdict = number, verdict


class CommitChangedError(RejectedError):
    """The notary's proof holds, and is not what was asked for: there is no proof."""

    code = "commit-changed"

    def __init__(self, *, number: int, what: str) -> None:
        super().__init__(f"the notary's proof of digest {number} {what}")
        self.number = number


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A proof, byte for byte as it was hashed, and the verdict on it."""

    proof: bytes = field(repr=False)
    verdict: Verdict = field(repr=False)
    read: Proof = field(repr=False)

    @property
    def counter(self) -> str:
        """Its number; empty where it has none."""
        return self.read.counter or ""

    @property
    def proof_hash(self) -> bytes:
        """What the next proof holds of this one."""
        return proof_hash(self.proof)


def commit(
    digests: Sequence[bytes],
    *,
    policy: NotaryPolicy | Source | None = None,
    metadata: Mapping[str, Value] | None = None,
    key: str | None = None,
    fresh: bool = False,
) -> Conversation[tuple[Committed, ...]]:
    """Return the proofs of SHA-256 ``digests``, in their order: of all of them, or of none.

    Asked again with the same ``key``, a notary gives the same proofs. Raises
    ``CommitRejectedError`` for an answer that does not hold, and ``CommitChangedError`` for one
    with other metadata, or older evidence, than was asked for.
    """
    if not 0 < len(digests) <= MOST_DIGESTS:
        raise ValueError(f"1 to {MOST_DIGESTS} digests are committed at a time")
    if any(len(digest) != DIGEST_SIZE for digest in digests):
        raise ValueError(f"a digest has {DIGEST_SIZE} bytes")
    accepted = OPEN if policy is None else read_notary_policy(policy)
    body: dict[str, Value] = {
        "digests": [{"digestB64": to_base64(digest), "hashAlg": "sha256"} for digest in digests]
    }
    if metadata is not None:
        body["metadata"] = metadata
    if fresh:
        body["attestation"] = "fresh"
    data = yield Call(
        method="POST",
        path="/commit",
        body=canonical(body),
        headers={"Idempotency-Key": key or fresh_nonce()},
        limit_bytes=_ANSWER_BYTES,
    )
    found = tuple(_committed(data, digests, accepted, at=now()))
    for number, proof in enumerate(found, start=1):
        _check_asked(proof, number=number, metadata=metadata, fresh=fresh)
    return found


def _committed(
    data: bytes, digests: Sequence[bytes], policy: NotaryPolicy, *, at: datetime
) -> Iterator[Committed]:
    documents = loads(data, limit_bytes=_ANSWER_BYTES, limit_values=_ANSWER_VALUES)
    if not isinstance(documents, list) or len(documents) != len(digests):
        raise MalformedError(f"the notary did not answer with {len(digests)} proofs")
    previous = None
    for number, (document, digest) in enumerate(zip(documents, digests, strict=True), start=1):
        beside = Beside(artifact=digest, previous=previous)
        verdict = verify_commit(document, at=at, policy=policy, beside=beside)
        if not verdict.accepted:
            raise CommitRejectedError(number=number, verdict=verdict)
        previous = Proof.from_json(document)
        yield Committed(proof=canonical(document), verdict=verdict, read=previous)


def _check_asked(
    proof: Committed, *, number: int, metadata: Mapping[str, Value] | None, fresh: bool
) -> None:
    document = proof.read.document
    given = canonical(document["metadata"]) if "metadata" in document else None
    # Nobody signs them: whoever is on the way could have written others.
    if given != (None if metadata is None else canonical(metadata)):
        raise CommitChangedError(number=number, what="has other metadata than were sent")
    evidence = proof.verdict.layer(LayerName.EVIDENCE)
    notes = {note.code for part in evidence.parts for note in part.findings}
    if fresh and "bound-to-epoch" in notes:
        raise CommitChangedError(number=number, what="has evidence that was not made for it")
