"""``verify``: the verdict on a receipt, offline, from whatever form its parts are in."""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from adyton.adapters.verifier import OfflineVerifier
from adyton.appraisal.policy import MAX_POLICY_BYTES, Policy
from adyton.evidence.collateral import NO_COLLATERAL, Collateral
from adyton.model.question import Question
from adyton.model.receipt import MAX_RECEIPT_BYTES, Receipt
from adyton.model.verdict import Verdict
from adyton.sdk.files import FileUnreadableError, Source, from_file
from adyton.sdk.proofs import digest_of, find_proof, judge_proof
from adyton.verification.bind import Expectation
from adyton.verification.notary_policy import NotaryPolicy

__all__ = ["FileUnreadableError", "Source", "from_file", "read_policy", "read_receipt", "verify"]


def verify(
    receipt: Receipt | Source,
    *,
    policy: Policy | NotaryPolicy | Source | None = None,
    nonce: str | None = None,
    question: Question | None = None,
    challenge: bytes | None = None,
    collateral: Collateral = NO_COLLATERAL,
    file: Path | bytes | None = None,
    checkpoint: Source | None = None,
    previous: Source | None = None,
    at: datetime | None = None,
    verifier: OfflineVerifier | None = None,
) -> Verdict:
    """Return the verdict on a receipt or a notary's proof, layer by layer. Nothing is fetched.

    Each is bytes, a path, a mapping as JSON has it, or read already. ``at`` is the instant to judge
    for, now where it is left out.

    Of a receipt, ``nonce`` is the one that you chose for this question, or ``question`` the whole
    of it: a policy, which there must be, usually wants to know. ``challenge`` is what you sent for
    fresh evidence, and ``collateral`` what its vendor publishes beside it, for the time at which
    the receipt was given. ``verifier`` is one to use again; without one, ``bb`` is started and
    ended.

    Of a notary's proof, ``file`` is what it is about, ``checkpoint`` its place in the log (the file
    of ``adyton log prove``), and ``previous`` the proof before it. Whose proofs are accepted, only
    a policy says: without one, whoever made the key.

    ``Verdict.answer`` is the answer where all layers hold, and ``None`` where one does not, or
    where nothing was asked. Raises ``MalformedError`` where there is nothing to judge, and
    ``UnavailableError`` where a proof could not be checked: neither is a verdict.
    """
    instant = at or datetime.now(UTC)
    if instant.tzinfo is None:
        raise ValueError("an instant to judge for has a zone")
    document = None if isinstance(receipt, Receipt) else find_proof(receipt)
    if document is not None:
        return judge_proof(
            document,
            at=instant,
            policy=policy,
            artifact=None if file is None else digest_of(file),
            checkpoint=checkpoint,
            previous=previous,
        )
    if policy is None or isinstance(policy, NotaryPolicy):
        raise ValueError("a receipt is judged under a policy for receipts")
    read, accepted = read_receipt(receipt), read_policy(policy)
    expectation = Expectation(nonce=nonce, question=question, challenge=challenge)
    with nullcontext(verifier) if verifier is not None else OfflineVerifier() as judge:
        return judge.verify(
            read, policy=accepted, expectation=expectation, at=instant, collateral=collateral
        )


def read_receipt(source: Receipt | Source) -> Receipt:
    """Return the receipt in ``source``, or raise ``MalformedError`` or ``FileUnreadableError``."""
    match source:
        case Receipt():
            return source
        case Mapping():
            return Receipt.from_json(dict(source))
        case bytes():
            return Receipt.from_bytes(source)
        case _:
            return from_file(Path(source), Receipt.from_bytes, MAX_RECEIPT_BYTES)


def read_policy(source: Policy | Source) -> Policy:
    """Return the policy in ``source``, or raise ``MalformedError`` or ``FileUnreadableError``."""
    match source:
        case Policy():
            return source
        case Mapping():
            return Policy.from_json(dict(source))
        case bytes():
            return Policy.from_bytes(source)
        case _:
            return from_file(Path(source), Policy.from_bytes, MAX_POLICY_BYTES)
