"""The chain layer: a proof's number, and what it says about the proof before it.

That a chain was handed out to everybody alike is nothing that two links of it can show: for sets of
proofs there is ``ledger.walk``, for all of them the log.
"""

import re
from typing import Final

from adyton.appraisal.document import Choice
from adyton.codec.text import from_base64, to_base64
from adyton.errors import AdytonError, MalformedError
from adyton.ledger.epoch import LINK_FIELD, EpochLink
from adyton.ledger.proof import DIGEST_SIZE, Proof
from adyton.model.verdict import (
    Finding,
    Layer,
    LayerName,
    Part,
    failed,
    finding,
    not_evaluated,
    not_required,
    passed,
)
from adyton.verification.commit import Read
from adyton.verification.notary_policy import NotaryPolicy

__all__ = ["chain_layer"]

_COUNTER: Final = re.compile(r"0|[1-9][0-9]{0,38}", re.ASCII)
_ESTABLISHES: Final = "the key's holder put this commit directly behind the one that was given"
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
    return Layer(
        name=LayerName.CHAIN,
        parts=parts,
        establishes=_ESTABLISHES,
        does_not_establish=_DOES_NOT_ESTABLISH,
    )


def _number(proof: Proof) -> Part:
    try:
        link = _link(proof)
        _before(proof, link)
    except AdytonError as error:
        return failed("number", Finding.from_error(error))
    if proof.counter is None:
        text = "the proof has no counter: nothing says where in the chain it stands"
        return not_required("number", "counter-absent", text)
    if not _COUNTER.fullmatch(proof.counter):
        text = "the counter is not a decimal number without leading zeros"
        return failed("number", finding("counter-malformed", text))
    if link is not None and not _fits(proof, link):
        text = "the link to the epoch before is not from this epoch, key and counter"
        return failed("number", finding("epoch-link-mismatch", text))
    return passed("number", finding("counter-found", f"number {proof.counter}"))


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
    link = _link(proof)
    if _before(proof, link) != previous.hash():
        text = "the proof names another one, or none, as the one before"
        return finding("predecessor-mismatch", text)
    if not _is_next(proof, previous):
        text = f"the counter {proof.counter} does not follow {previous.counter}"
        return finding("counter-gap", text)
    place = (previous.epoch_id, previous.public_key_text)
    if link is None:
        if place != (proof.epoch_id, proof.public_key_text):
            text = "key or epoch change, and the proof has no link to the epoch before"
            return finding("epoch-unlinked", text)
    elif (link.previous_epoch, to_base64(link.previous_key)) != place:
        text = "the link names another epoch or key than those of the proof before"
        return finding("epoch-link-mismatch", text)
    return None


def _link(proof: Proof) -> EpochLink | None:
    return EpochLink.from_json(proof.commit[LINK_FIELD]) if LINK_FIELD in proof.commit else None


def _before(proof: Proof, link: EpochLink | None) -> bytes | None:
    """Return the hash of the proof before, ``None`` on the first of all."""
    named = None
    if proof.prev_text is not None:
        named = from_base64(proof.prev_text, "commit.prevB64", limit_bytes=DIGEST_SIZE)
        if len(named) != DIGEST_SIZE:
            raise MalformedError(f"commit.prevB64 has {len(named)} bytes, not {DIGEST_SIZE}")
    if link is None:
        return named
    if named is not None and named != link.previous_hash:
        raise MalformedError("commit.prevB64 and the epoch link name different proofs")
    return link.previous_hash


def _fits(proof: Proof, link: EpochLink) -> bool:
    return (link.epoch, to_base64(link.public_key), str(link.previous_counter + 1)) == (
        proof.epoch_id,
        proof.public_key_text,
        proof.counter,
    )


def _is_next(proof: Proof, previous: Proof) -> bool:
    if proof.counter is None or previous.counter is None:
        return proof.counter is previous.counter
    if not (_COUNTER.fullmatch(proof.counter) and _COUNTER.fullmatch(previous.counter)):
        return False
    # Later services take one number for a slot and the next one for its commit.
    step = 2 if "slotCounter" in proof.commit else 1
    return int(proof.counter) == int(previous.counter) + step
