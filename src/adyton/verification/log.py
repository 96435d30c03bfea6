"""The log layer: whether a proof is in a signed log, and since when at the latest."""

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
    if found is None:
        return _without(policy)
    # Step 1
    opened = _open(read, found, policy)
    return _layer(
        _checkpoint(opened),
        # Step 2
        _inclusion(read, found, opened),
        # Step 3
        _timestamp(found, policy),
    )


def _layer(*parts: Part) -> Layer:
    return Layer(
        name=LayerName.LOG,
        parts=parts,
        establishes=_ESTABLISHES,
        does_not_establish=_DOES_NOT_ESTABLISH,
    )


def _without(policy: LogPolicy) -> Layer:
    """Return the layer where no place in a log was given."""
    stamp = _UNSTAMPED if policy.timestamp is Choice.NOT_REQUIRED else _STAMP_MISSING
    if policy.inclusion is Choice.NOT_REQUIRED:
        return _layer(*_UNLOGGED, stamp)
    text = "the policy wants the place in the log, and the verifier was not given it"
    parts = (not_evaluated(name, "log-proof-missing", text) for name in ("checkpoint", "inclusion"))
    return _layer(*parts, stamp)


_UNLOGGED: Final = tuple(
    not_required(name, "log-not-required", "no place in a log was given: nothing shows one")
    for name in ("checkpoint", "inclusion")
)
_UNSTAMPED: Final = not_required(
    "timestamp", "timestamp-not-required", "no time stamp was given: nothing shows since when"
)
_STAMP_MISSING: Final = not_evaluated(
    "timestamp",
    "timestamp-missing",
    "the policy wants a time stamp on the checkpoint, and there is none",
)


_NO_AUTHORITY: Final = "there is a time stamp, and no policy says whose are accepted"
_AUTHORITY_UNKNOWN: Final = not_required("timestamp", "timestamp-authority-unknown", _NO_AUTHORITY)
_AUTHORITY_MISSING: Final = not_evaluated("timestamp", "timestamp-authority-unknown", _NO_AUTHORITY)


def _open(read: Read, found: LogProof, policy: LogPolicy) -> Checkpoint | AdytonError:
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


def _checkpoint(opened: Checkpoint | AdytonError) -> Part:
    if isinstance(opened, AdytonError):
        return failed("checkpoint", Finding.from_error(opened))
    text = f"{opened.origin} of size {opened.size}"
    return passed("checkpoint", finding("checkpoint-found", text))


def _inclusion(read: Read, found: LogProof, opened: Checkpoint | AdytonError) -> Part:
    if isinstance(read, MalformedError) or not isinstance(opened, Checkpoint):
        text = "there is no proof, or no checkpoint, to compare with"
        return not_evaluated("inclusion", "log-not-readable", text)
    if not _is_at(read, found.index):
        text = f"the place {found.index} in the log is not that of the proof's counter"
        return failed("inclusion", finding("log-index-mismatch", text))
    try:
        check_included(read.hash(), index=found.index, path=found.path, checkpoint=opened)
    except RejectedError as error:
        return failed("inclusion", Finding.from_error(error))
    return passed("inclusion")


def _is_at(proof: Proof, index: int) -> bool:
    # The first proof has the counter 1 and the index 0. Else a log could hold a number twice.
    return proof.counter == str(index + 1)


def _timestamp(found: LogProof, policy: LogPolicy) -> Part:
    if not found.extra:
        return _UNSTAMPED if policy.timestamp is Choice.NOT_REQUIRED else _STAMP_MISSING
    if not policy.authorities:
        # Of nobody, anybody can make one.
        return _AUTHORITY_UNKNOWN if policy.timestamp is Choice.NOT_REQUIRED else _AUTHORITY_MISSING
    try:
        stamped = read_timestamp(found.extra, message=found.note, authorities=policy.authorities)
    except (MalformedError, RejectedError) as error:
        return failed("timestamp", Finding.from_error(error))
    return passed("timestamp", _stamped(stamped))


def _stamped(instant: datetime) -> Finding:
    return finding("timestamp-found", f"the checkpoint existed at {shown(instant)}")
