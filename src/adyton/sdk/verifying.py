"""``verify``: the verdict on a receipt, offline, from whatever form its parts are in."""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from adyton.adapters.verifier import OfflineVerifier, receipt_of
from adyton.appraisal.policy import MAX_POLICY_BYTES, Policy
from adyton.codec.json import loads
from adyton.evidence.collateral import NO_COLLATERAL, Collateral
from adyton.model.proving_receipt import ProvingReceipt
from adyton.model.question import Question
from adyton.model.receipt import MAX_RECEIPT_BYTES, Receipt
from adyton.model.verdict import Verdict
from adyton.sdk.files import Source, from_file
from adyton.sdk.proofs import digest_of, find_proof, judge_proof
from adyton.verification.bind import Expectation
from adyton.verification.delegated import ProvingExpectation
from adyton.verification.notary_policy import NotaryPolicy

__all__ = ["read_policy", "read_receipt", "verify"]


def verify(
    receipt: Receipt | ProvingReceipt | Source,
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

    A receipt is one for an answer, or one for a delegated proof.

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
    document = None if isinstance(receipt, Receipt | ProvingReceipt) else find_proof(receipt)
    if document is not None:
        return judge_proof(
            document,
            at=instant,
            policy=policy,
            artifact=None if file is None else digest_of(file),
            checkpoint=checkpoint,
            previous=previous,
            collateral=collateral,
        )
    if policy is None or isinstance(policy, NotaryPolicy):
        raise ValueError("a receipt is judged under a policy for receipts")
    read, accepted = read_receipt(receipt), read_policy(policy)
    with nullcontext(verifier) if verifier is not None else OfflineVerifier() as judge:
        if isinstance(read, ProvingReceipt):
            if question is not None:
                raise ValueError("a proof was made for a request, not for a question")
            return judge.verify_proving(
                read,
                policy=accepted,
                expectation=ProvingExpectation(nonce=nonce, challenge=challenge),
                at=instant,
                collateral=collateral,
            )
        expectation = Expectation(nonce=nonce, question=question, challenge=challenge)
        return judge.verify(
            read, policy=accepted, expectation=expectation, at=instant, collateral=collateral
        )


def read_receipt(source: Receipt | ProvingReceipt | Source) -> Receipt | ProvingReceipt:
    """Return the receipt in ``source``, or raise ``MalformedError`` or ``FileUnreadableError``."""
    match source:
        case Receipt() | ProvingReceipt():
            return source
        case Mapping():
            return receipt_of(dict(source))
        case bytes():
            return _receipt_in(source)
        case _:
            return from_file(Path(source), _receipt_in, MAX_RECEIPT_BYTES)


def _receipt_in(data: bytes) -> Receipt | ProvingReceipt:
    return receipt_of(loads(data, limit_bytes=MAX_RECEIPT_BYTES))


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
