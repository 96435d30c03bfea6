"""A notary's proofs for whoever has them: read from files, and judged offline."""

import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from adyton.appraisal.policy import MAX_POLICY_BYTES, Policy
from adyton.codec.javascript import Value, loads
from adyton.errors import MalformedError
from adyton.evidence.collateral import NO_COLLATERAL, Collateral
from adyton.ledger.log_proof import MAX_LOG_PROOF_BYTES, LogProof
from adyton.ledger.proof import Proof
from adyton.model.receipt import MAX_RECEIPT_BYTES
from adyton.model.verdict import Verdict
from adyton.sdk.files import Source, from_file, unreadable
from adyton.verification.notary import Beside, verify_commit
from adyton.verification.notary_policy import OPEN, NotaryPolicy

__all__ = [
    "digest_of",
    "find_proof",
    "judge_proof",
    "read_log_proof",
    "read_notary_policy",
]

_CHUNK: Final = 1024 * 1024
_LOG_PROOF_START: Final = b"c2sp.org/tlog-proof"


def find_proof(source: Source) -> Value:
    """Return the notary's proof in ``source``, or ``None`` where it is something else.

    A proof is told by ``version``, or by its members where that is missing or wrong.
    """
    match source:
        case Mapping():
            document: Value = dict(source)
        case bytes():
            document = _json(source)
        case _:
            document = from_file(Path(source), _json, MAX_RECEIPT_BYTES)
    if not isinstance(document, dict):
        return None
    version = document.get("version")
    is_named = isinstance(version, str) and version.startswith("provenclave/")
    return document if is_named or {"artifact", "commit"} <= document.keys() else None


def judge_proof(
    document: Value,
    *,
    at: datetime,
    policy: NotaryPolicy | Policy | Source | None = None,
    artifact: bytes | None = None,
    checkpoint: LogProof | Source | None = None,
    previous: Source | None = None,
    collateral: Collateral = NO_COLLATERAL,
) -> Verdict:
    """Return the verdict on a notary's proof; whatever is not given is not compared.

    ``artifact`` is SHA-256 of what the proof is about; ``checkpoint`` its place in the log (the
    file of ``adyton log prove``); ``previous`` the proof before it; ``collateral`` what its
    evidence needs beside it.
    """
    beside = Beside(
        artifact=artifact,
        previous=None if previous is None else Proof.from_json(find_proof(previous)),
        place=None if checkpoint is None else read_log_proof(checkpoint),
        collateral=collateral,
    )
    accepted = OPEN if policy is None else read_notary_policy(policy)
    return verify_commit(document, at=at, policy=accepted, beside=beside)


def read_notary_policy(source: NotaryPolicy | Policy | Source) -> NotaryPolicy:
    """Return the policy in ``source``, or raise ``MalformedError`` or ``FileUnreadableError``."""
    match source:
        case NotaryPolicy():
            return source
        case Policy():
            return NotaryPolicy.of(evidence=source)
        case Mapping():
            return NotaryPolicy.from_json(dict(source))
        case bytes():
            return NotaryPolicy.from_bytes(source)
        case _:
            return from_file(Path(source), NotaryPolicy.from_bytes, MAX_POLICY_BYTES)


def read_log_proof(source: LogProof | Source) -> LogProof:
    """Return the place in the log that ``source`` has, or raise ``MalformedError``."""
    match source:
        case LogProof():
            return source
        case bytes():
            return _log_proof(source)
        case str() | os.PathLike():
            return from_file(Path(source), _log_proof, MAX_LOG_PROOF_BYTES)
        case _:
            raise TypeError("a place in the log is text, and no mapping")


def digest_of(file: Path | bytes, *, told: Callable[[int], None] | None = None) -> bytes:
    """Return SHA-256 of a file or of bytes, reading a little at a time.

    ``told`` is called with the size of each part. Raises ``FileUnreadableError``.
    """
    if isinstance(file, bytes):
        return hashlib.sha256(file).digest()
    hashed = hashlib.sha256()
    with unreadable(file), file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            hashed.update(chunk)
            if told is not None:
                told(len(chunk))
    return hashed.digest()


def _json(data: bytes) -> Value:
    return loads(data, limit_bytes=MAX_RECEIPT_BYTES)


def _log_proof(data: bytes) -> LogProof:
    if not data.startswith(_LOG_PROOF_START):
        raise MalformedError(
            "a checkpoint alone does not show that a proof is in its log: give the file of"
            " adyton log prove"
        )
    return LogProof.from_bytes(data)
