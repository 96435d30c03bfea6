"""Why a ledger does not go on. Each says what to do: none of them ends by trying again."""

from datetime import timedelta
from typing import Final

from adyton.errors import MalformedError, RejectedError, UnavailableError

__all__ = [
    "AnchorBehindError",
    "AnchorMovedError",
    "AnchorUnavailableError",
    "AnchorsDisagreeError",
    "FrameDamagedError",
    "LedgerEndedError",
    "LogBehindError",
    "LogForkedError",
    "SealedStateError",
]


class FrameDamagedError(MalformedError):
    """The journal does not hold what was written into it."""

    code = "journal-damaged"

    def __init__(self, *, offset: int, reason: str) -> None:
        super().__init__(
            f"the journal is damaged at byte {offset}: {reason}; restore it from a copy and run"
            " adyton log fsck"
        )
        self.offset, self.reason = offset, reason


class AnchorUnavailableError(UnavailableError):
    """An anchor does not answer: whether the head has moved, nobody knows."""

    code = "anchor-unavailable"
    retry_after: Final = timedelta(seconds=2)

    def __init__(self, *, kind: str, reason: str) -> None:
        super().__init__(f"the {kind} anchor cannot be used: {reason}")
        self.kind, self.reason = kind, reason


class AnchorMovedError(RejectedError):
    """The head is another one than this notary left: somebody else writes to the same ledger."""

    code = "anchor-moved"

    def __init__(self, *, kind: str) -> None:
        super().__init__(
            f"the {kind} anchor's head was moved by another notary: only one may run on a ledger;"
            " this one ends, and nothing that it had not answered counts"
        )
        self.kind = kind


class AnchorsDisagreeError(RejectedError):
    """Two anchors of one quorum have different proofs under one number."""

    code = "anchors-disagree"

    def __init__(self, *, first: str, second: str, counter: int) -> None:
        super().__init__(
            f"{first} and {second} have different proofs with the number {counter}: one of them"
            " belongs to another ledger, or two notaries wrote; compare both with the journal, and"
            " take the wrong one out of ADYTON_ANCHORS"
        )
        self.first, self.second, self.counter = first, second, counter


class AnchorBehindError(RejectedError):
    """The anchor is older than what this ledger knows to have been anchored."""

    code = "anchor-behind"

    def __init__(self, *, kind: str, found: int, known: int) -> None:
        super().__init__(
            f"the {kind} anchor is at {found}, this ledger was at {known} before: the anchor was"
            " restored from an old copy; bring back its latest state, or begin a new ledger"
        )
        self.kind, self.found, self.known = kind, found, known


class LogBehindError(RejectedError):
    """The anchor is ahead of the journal: proofs that were handed out are missing."""

    code = "log-behind"

    def __init__(self, *, kind: str, anchored: int, found: int) -> None:
        super().__init__(
            f"the {kind} anchor is at {anchored}, the journal ends at {found}: the disk was"
            " restored from an old copy, or lost entries; bring back the latest journal"
        )
        self.kind, self.anchored, self.found = kind, anchored, found


class LogForkedError(RejectedError):
    """Anchor and journal have different proofs under one number."""

    code = "log-forked"

    def __init__(self, *, kind: str, counter: int) -> None:
        super().__init__(
            f"the {kind} anchor and the journal have different proofs with the number {counter}:"
            " one of them belongs to another ledger, or was forged; compare both with a copy"
        )
        self.kind, self.counter = kind, counter


class SealedStateError(RejectedError):
    """The sealed state does not fit the journal it lies beside."""

    code = "sealed-state-refused"

    def __init__(self, *, reason: str) -> None:
        super().__init__(
            f"the sealed state {reason}; bring back the journal that belongs to it, or remove the"
            " file sealed to have the whole journal checked against the anchor instead"
        )
        self.reason = reason


class LedgerEndedError(UnavailableError):
    """A write failed, so that nobody knows what is on the disk: this process is to end."""

    code = "ledger-ended"
    retry_after: Final = timedelta(seconds=2)

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the ledger has stopped: {reason}")
        self.reason = reason
