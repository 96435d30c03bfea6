"""The log layer: whether a proof is in a signed log, and since when at the latest."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adyton.appraisal.document import Choice
from adyton.codec.text import from_base64
from adyton.crypto.ed25519 import PUBLIC_KEY_SIZE
from adyton.crypto.timestamp import read_timestamp
from adyton.errors import AdytonError, MalformedError, RejectedError
from adyton.ledger.checkpoint import Checkpoint, NoteKey, open_checkpoint
from adyton.ledger.log_proof import LogProof, check_included
from adyton.ledger.proof import Proof
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
    shown,
)
from adyton.verification.commit import Read
from adyton.verification.notary_policy import LogPolicy

__all__ = ["log_layer"]

_ESTABLISHES: Final = (
    "the log whose operator signed this checkpoint holds this proof, at the place of its number"
)
_DOES_NOT_ESTABLISH: Final = (
    "that everybody is shown the same log: compare checkpoints with others, or ask the log to prove"
    " that yours is a beginning of theirs"
)


def log_layer(read: Read, *, found: LogProof | None, policy: LogPolicy) -> Layer:
    """Return the log layer; ``found`` is the place in the log, where the verifier was given it.

    1. *checkpoint*: it is signed by a key of the policy, or by the proof's own;
    2. *inclusion*: its tree has this very proof, at the index that the proof's counter says;
    3. *timestamp*: an authority that the policy names saw the checkpoint, and says when.
    """
    # Step 1
    opened = _open(read, found, policy)
    parts = (
        _checkpoint(opened, policy),
        # Step 2
        _inclusion(read, found, opened, policy),
        # Step 3
        _timestamp(found, policy),
    )
    return Layer(
        name=LayerName.LOG,
        parts=parts,
        establishes=_ESTABLISHES,
        does_not_establish=_DOES_NOT_ESTABLISH,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Missing:
    """Nothing was given."""


_Opened = Checkpoint | AdytonError | _Missing


def _open(read: Read, found: LogProof | None, policy: LogPolicy) -> _Opened:
    if found is None:
        return _Missing()
    try:
        keys = {*policy.keys, *_own_key(read, found.note)}
        return open_checkpoint(found.note, keys=keys)
    except (MalformedError, RejectedError) as error:
        return error


def _own_key(read: Read, note: bytes) -> list[NoteKey]:
    """Return the proof's own key, as the log's: one key signs both, and evidence is for both."""
    if isinstance(read, MalformedError):
        return []
    key = from_base64(read.public_key_text, "signer.publicKeyB64", limit_bytes=PUBLIC_KEY_SIZE)
    name = note.partition(b"\n")[0].decode("utf-8", "replace")
    try:
        return [NoteKey(name=name, public_key=key)]
    except ValueError:
        # No name of a log, or no key: then no signature can be its.
        return []


def _checkpoint(opened: _Opened, policy: LogPolicy) -> Part:
    match opened:
        case _Missing():
            if policy.inclusion is Choice.REQUIRED:
                text = "the policy wants the place in the log, and the verifier was not given it"
                return not_evaluated("checkpoint", "log-proof-missing", text)
            text = "no checkpoint was given: nothing shows that the proof is in a log"
            return not_required("checkpoint", "log-not-required", text)
        case AdytonError():
            return failed("checkpoint", Finding.from_error(opened))
        case Checkpoint():
            text = f"{opened.origin} with {opened.size} proofs"
            return passed("checkpoint", finding("checkpoint-found", text))


def _inclusion(read: Read, found: LogProof | None, opened: _Opened, policy: LogPolicy) -> Part:
    if found is None:
        if policy.inclusion is Choice.REQUIRED:
            text = "the policy wants the place in the log, and the verifier was not given it"
            return not_evaluated("inclusion", "log-proof-missing", text)
        return not_required("inclusion", "log-not-required", "no place in a log was given")
    if isinstance(read, MalformedError) or not isinstance(opened, Checkpoint):
        text = "there is no proof, or no checkpoint, to compare with"
        return not_evaluated("inclusion", "log-not-readable", text)
    if not _is_at(read, found.index):
        text = f"the place {found.index} in the log is not that of the counter {read.counter}"
        return failed("inclusion", finding("log-index-mismatch", text))
    try:
        check_included(read.hash(), index=found.index, path=found.path, checkpoint=opened)
    except RejectedError as error:
        return failed("inclusion", Finding.from_error(error))
    return passed("inclusion")


def _is_at(proof: Proof, index: int) -> bool:
    # The first proof has the counter 1 and the index 0. Else a log could hold a number twice.
    return proof.counter == str(index + 1)


def _timestamp(found: LogProof | None, policy: LogPolicy) -> Part:
    if found is None or not found.extra:
        if policy.timestamp is Choice.REQUIRED:
            text = "the policy wants a time stamp on the checkpoint, and there is none"
            return not_evaluated("timestamp", "timestamp-missing", text)
        return not_required("timestamp", "timestamp-not-required", "no time stamp was given")
    if not policy.authorities:
        text = "there is a time stamp, and no policy says whose are accepted"
        return not_required("timestamp", "timestamp-authority-unknown", text)
    try:
        stamped = read_timestamp(found.extra, message=found.note, authorities=policy.authorities)
    except (MalformedError, RejectedError) as error:
        return failed("timestamp", Finding.from_error(error))
    return passed("timestamp", _stamped(stamped))


def _stamped(instant: datetime) -> Finding:
    return finding("timestamp-found", f"the checkpoint existed at {shown(instant)}")
