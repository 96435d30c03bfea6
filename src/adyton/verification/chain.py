"""The chain layer: a proof's number, and what it says about the proof before it.

That a chain was handed out to everybody alike is nothing that two links of it can show: for sets of
proofs there is ``ledger.walk``, for all of them the log.
"""

from typing import Final

from adyton.appraisal.document import Choice
from adyton.codec.text import to_base64
from adyton.errors import AdytonError, MalformedError
from adyton.ledger.proof import Proof
from adyton.model.verdict import (
    Finding,
    Layer,
    LayerName,
    Part,
    Status,
    failed,
    finding,
    not_evaluated,
    not_required,
    passed,
)
from adyton.verification.commit import Read
from adyton.verification.notary_policy import NotaryPolicy

__all__ = ["chain_layer"]

_ESTABLISHES: Final = "the key's holder gave this commit its number"
_ESTABLISHES_PLACE: Final = (
    "the key's holder put this commit directly behind the one that was given"
)
_DOES_NOT_ESTABLISH: Final = (
    "that no other commit was put there too, and shown to somebody else: a fork shows only where"
    " both are seen, or in the log"
)


def chain_layer(read: Read, *, previous: Proof | None, policy: NotaryPolicy) -> Layer:
    """Return the chain layer; ``previous`` is the proof before, where the verifier has it.

    1. *number*: the counter is a decimal number, the predecessor's hash is one, and a link to the
       epoch before is for this epoch and key;
    2. *predecessor*: the hash is ``previous``'s, and its counter the one before.

    Whether ``previous`` itself holds is another verdict.
    """
    if isinstance(read, MalformedError):
        parts = tuple(
            not_evaluated(name, "not-a-proof", "the document is no proof, so it says nothing")
            for name in ("number", "predecessor")
        )
    else:
        parts = (_number(read), _predecessor(read, previous, policy))
    # Of a proof alone, nobody saw what it stands behind.
    seen = parts[1].status is Status.PASSED
    return Layer(
        name=LayerName.CHAIN,
        parts=parts,
        establishes=_ESTABLISHES_PLACE if seen else _ESTABLISHES,
        does_not_establish=_DOES_NOT_ESTABLISH,
    )


def _number(proof: Proof) -> Part:
    try:
        proof.previous_hash()
        number = proof.number()
    except AdytonError as error:
        return failed("number", Finding.from_error(error))
    if number is None:
        text = "the proof has no counter: nothing says where in the chain it stands"
        return not_required("number", "counter-absent", text)
    return passed("number", finding("counter-found", f"number {number}"))


def _predecessor(proof: Proof, previous: Proof | None, policy: NotaryPolicy) -> Part:
    if previous is None:
        if policy.predecessor is Choice.REQUIRED:
            text = "the policy wants the proof before, and the verifier was not given it"
            return not_evaluated("predecessor", "predecessor-missing", text)
        return _NOT_GIVEN
    try:
        against = _unconnected(proof, previous)
    except AdytonError as error:
        against = Finding.from_error(error)
    return passed("predecessor") if against is None else failed("predecessor", against)


_NOT_GIVEN: Final = not_required(
    "predecessor", "predecessor-not-required", "the proof before was not given"
)


def _unconnected(proof: Proof, previous: Proof) -> Finding | None:
    """Return what speaks against ``previous`` being the proof before, if anything does."""
    if proof.previous_hash() != previous.hash():
        text = "the proof names another one, or none, as the one before"
        return finding("predecessor-mismatch", text)
    if not _is_next(proof, previous):
        text = f"the counter {proof.counter} does not follow {previous.counter}"
        return finding("counter-gap", text)
    place = (previous.epoch_id, previous.public_key_text)
    if (link := proof.link()) is None:
        if place != (proof.epoch_id, proof.public_key_text):
            text = "key or epoch change, and the proof has no link to the epoch before"
            return finding("epoch-unlinked", text)
    elif (link.previous_epoch, to_base64(link.previous_key)) != place:
        text = "the link names another epoch or key than those of the proof before"
        return finding("epoch-link-mismatch", text)
    return None


def _is_next(proof: Proof, previous: Proof) -> bool:
    number, before = proof.number(), previous.number()
    if number is None or before is None:
        return number is before
    return number == before + proof.step()
