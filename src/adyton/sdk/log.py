"""Reading a notary's log over its gateway. What it answers is verified by whoever asked.

The log is public, and the gateway is on the host: a checkpoint is worth what its signature is, and
a path leads to a root or it does not.
"""

from typing import Final

from adyton.codec.javascript import Value, loads
from adyton.codec.text import exact_base64, from_base64
from adyton.crypto.ed25519 import PUBLIC_KEY_SIZE
from adyton.crypto.timestamp import MAX_TIMESTAMP_BYTES
from adyton.errors import MalformedError
from adyton.ledger.checkpoint import MAX_CHECKPOINT_BYTES, Checkpoint, NoteKey
from adyton.ledger.log_proof import LogProof
from adyton.ledger.proof import MAX_PROOF_BYTES
from adyton.ledger.tree import HASH_SIZE, Hash, verify_consistency
from adyton.sdk.transport import Call, Conversation

__all__ = [
    "MOST_LOGGED",
    "extends",
    "log_proof",
    "logged",
    "newest_checkpoint",
    "note_keys",
    "origin_of",
    "stamped_checkpoint",
]

# As many as are held in memory at a time.
MOST_LOGGED: Final = 256
_MOST_EPOCHS: Final = 4096
_MOST_PATH: Final = 128
_ANSWER_BYTES: Final = 1024 * 1024


def newest_checkpoint() -> Conversation[bytes]:
    """Return the newest checkpoint, a signed note of which nothing is verified."""
    return (yield Call(method="GET", path="/v1/log/checkpoint"))


def logged(first: int, *, last: int) -> Conversation[list[Value]]:
    """Return the proofs from number ``first`` on, unverified: some, and none behind ``last``.

    At least one, and ``MOST_LOGGED`` at most: a caller asks on from there.
    """
    last = min(last, first + MOST_LOGGED - 1)
    path = f"/v1/log/range?first={first}&last={last}"
    data = yield Call(method="GET", path=path, limit_bytes=MOST_LOGGED * MAX_PROOF_BYTES)
    lines = data.removesuffix(b"\n").split(b"\n")
    if len(lines) > last - first + 1:
        raise MalformedError("the gateway answered with more proofs than it was asked for")
    return [loads(line, limit_bytes=MAX_PROOF_BYTES) for line in lines]


def stamped_checkpoint() -> Conversation[tuple[bytes, bytes]]:
    """Return the newest checkpoint that has a time stamp, and the stamp; neither is verified."""
    data = yield Call(method="GET", path="/v1/log/stamp")
    answer = loads(data, limit_bytes=_ANSWER_BYTES)
    note = answer.get("checkpoint") if isinstance(answer, dict) else None
    stamp = answer.get("stampB64") if isinstance(answer, dict) else None
    if not isinstance(note, str) or not isinstance(stamp, str):
        raise MalformedError("the gateway did not answer with a stamped checkpoint")
    found = from_base64(stamp, "stampB64", limit_bytes=MAX_TIMESTAMP_BYTES)
    return note.encode("utf-8", "replace"), found


def log_proof(counter: int, *, stamped: bool = False) -> Conversation[LogProof]:
    """Return where in the log the proof with this number is said to be.

    ``stamped`` asks for a checkpoint with a time stamp, where the gateway has one: in ``extra``.
    """
    query = "?stamped=true" if stamped else ""
    data = yield Call(method="GET", path=f"/v1/log/inclusion/{counter}{query}")
    return LogProof.from_bytes(data)


def note_keys(origin: str) -> Conversation[tuple[NoteKey, ...]]:
    """Return the keys that the notary says have signed for the log ``origin``.

    They are as good as the gateway is honest: a relying party who knows them from elsewhere, or
    judged the evidence for one, names them itself.
    """
    keys: list[NoteKey] = []
    after = 0
    while len(keys) < _MOST_EPOCHS:
        data = yield Call(method="GET", path=f"/v1/log/epochs?after={after}")
        found = _epochs(loads(data, limit_bytes=_ANSWER_BYTES))
        if not found or found[-1][0] <= after:
            break
        keys += [_note_key(origin, text) for _, text in found]
        after = found[-1][0]
    return tuple(keys)


def extends(old: Checkpoint, new: Checkpoint) -> Conversation[None]:
    """Raise ``LogRewrittenError`` unless the log of ``new`` begins with the log of ``old``."""
    path: list[Hash] = []
    if 0 < old.size < new.size:
        query = f"old={old.size}&new={new.size}"
        data = yield Call(method="GET", path=f"/v1/log/consistency?{query}")
        path = _path(loads(data, limit_bytes=_ANSWER_BYTES))
    verify_consistency(old=old.size, new=new.size, old_root=old.root, new_root=new.root, path=path)


def origin_of(note: bytes) -> str:
    """Return the name of the log that a note says it is of, unverified."""
    if len(note) > MAX_CHECKPOINT_BYTES:
        raise MalformedError(f"the note has more than {MAX_CHECKPOINT_BYTES} bytes")
    try:
        return note.partition(b"\n")[0].decode()
    except UnicodeDecodeError as error:
        raise MalformedError("the note is not text in utf-8") from error


def _epochs(answer: Value) -> list[tuple[int, str]]:
    """Return, of each epoch, its first counter and its key."""
    listed = answer.get("epochs") if isinstance(answer, dict) else answer
    if not isinstance(listed, list):
        raise MalformedError("the gateway did not answer with epochs")
    found = []
    for item in listed:
        first = item.get("first") if isinstance(item, dict) else None
        key = item.get("publicKeyB64") if isinstance(item, dict) else None
        if not isinstance(first, str) or not isinstance(key, str) or not _is_number(first):
            raise MalformedError("an epoch has no first number or no key")
        found.append((int(first), key))
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= HASH_SIZE


def _note_key(origin: str, text: str) -> NoteKey:
    key = from_base64(text, "publicKeyB64", limit_bytes=PUBLIC_KEY_SIZE)
    try:
        return NoteKey(name=origin, public_key=key)
    except ValueError as error:
        raise MalformedError("an epoch's key, or the log's name, is none") from error


def _path(answer: Value) -> list[Hash]:
    path = answer.get("path") if isinstance(answer, dict) else None
    if not isinstance(path, list) or len(path) > _MOST_PATH:
        raise MalformedError("the gateway did not answer with a path")
    return [_hash(item) for item in path]


def _hash(item: Value) -> Hash:
    if not isinstance(item, str):
        raise MalformedError("a hash of the path is not text")
    return Hash(exact_base64(item, "a hash of the path", size=HASH_SIZE))
