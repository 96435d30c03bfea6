"""``verify``: the verdict on a receipt, offline, from whatever form its parts are in."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias, TypeVar

from adyton.adapters.verifier import OfflineVerifier
from adyton.appraisal.policy import MAX_POLICY_BYTES, Policy
from adyton.codec.json import Json
from adyton.errors import MalformedError, UnavailableError
from adyton.model.question import Question
from adyton.model.receipt import MAX_RECEIPT_BYTES, Receipt
from adyton.model.verdict import Verdict
from adyton.verification.bind import Expectation

__all__ = ["FileUnreadableError", "Source", "from_file", "read_policy", "read_receipt", "verify"]

Source: TypeAlias = bytes | str | os.PathLike[str] | Mapping[str, Json]
_T = TypeVar("_T")


class FileUnreadableError(UnavailableError):
    """A file that was named cannot be read."""

    code = "file-unreadable"

    def __init__(self, *, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be read: {reason}")
        self.path = path


def verify(
    receipt: Receipt | Source,
    *,
    policy: Policy | Source,
    nonce: str | None = None,
    question: Question | None = None,
    challenge: bytes | None = None,
    at: datetime | None = None,
    verifier: OfflineVerifier | None = None,
) -> Verdict:
    """Return the verdict on ``receipt`` under ``policy``, layer by layer. Nothing is fetched.

    Both are bytes, a path, a mapping as JSON has it, or read already. ``nonce`` is the one that you
    chose for this question, or ``question`` the whole of it: a policy usually wants to know.
    ``challenge`` is what you sent for fresh evidence. ``at`` is the instant to judge for, now where
    it is left out. ``verifier`` is one to use again; without one, ``bb`` is started and ended.

    ``Verdict.answer`` is the answer where all layers hold, and ``None`` where one does not. Raises
    ``MalformedError`` where there is nothing to judge, and ``UnavailableError`` where a proof
    could not be checked: neither is a verdict.
    """
    read, accepted = read_receipt(receipt), read_policy(policy)
    expectation = Expectation(nonce=nonce, question=question, challenge=challenge)
    instant = at or datetime.now(UTC)
    if instant.tzinfo is None:
        raise ValueError("an instant to judge for has a zone")
    if verifier is not None:
        return verifier.verify(read, policy=accepted, expectation=expectation, at=instant)
    with OfflineVerifier() as fresh:
        return fresh.verify(read, policy=accepted, expectation=expectation, at=instant)


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


def from_file(path: Path, read: Callable[[bytes], _T], limit_bytes: int) -> _T:
    """Return what ``read`` makes of a file; raise as it does, or ``FileUnreadableError``."""
    try:
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileUnreadableError(path=path, reason=reason) from error
    if len(data) > limit_bytes:
        raise MalformedError(f"{path} has more than {limit_bytes} bytes")
    try:
        return read(data)
    except MalformedError as error:
        # Two files are given: which of them it is, is half of the message.
        raise MalformedError(f"{path}: {error}") from error
