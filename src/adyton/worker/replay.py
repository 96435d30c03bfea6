"""What was sealed is opened once: who sends a box again gets an error, not a second answer."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

from adyton.crypto.hashing import sha256
from adyton.errors import RejectedError, UnavailableError

__all__ = ["ReplayGuard", "ReplayGuardFullError", "ReplayRejectedError"]


class ReplayRejectedError(RejectedError):
    """A sealed value was sent before."""

    code = "replayed"

    def __init__(self) -> None:
        super().__init__("a sealed value was sent before; seal it again for each question")


class ReplayGuardFullError(UnavailableError):
    """No more boxes can be remembered for now; to forget one would let it be replayed."""

    code = "overloaded"

    def __init__(self) -> None:
        super().__init__("the worker remembers as many sealed values as it can; ask again later")


class ReplayGuard:
    """Remembers each box for as long as it could be accepted, and no more boxes than ``limit``.

    A box is refused by its age from ``lifetime`` after it was sealed at the latest, so that after
    this time it need not be remembered. Keys live as long as the process: a restart forgets both.
    """

    def __init__(self, *, lifetime: timedelta, limit: int) -> None:
        self._lifetime, self._limit = lifetime, limit
        self._seen: OrderedDict[bytes, datetime] = OrderedDict()

    def admit(self, boxes: Sequence[bytes], *, now: datetime) -> None:
        """Remember ``boxes``, or raise and remember none of them."""
        while self._seen and next(iter(self._seen.values())) <= now - self._lifetime:
            self._seen.popitem(last=False)
        digests = [sha256(box) for box in boxes]
        if len(set(digests)) != len(digests) or any(digest in self._seen for digest in digests):
            raise ReplayRejectedError
        if len(self._seen) + len(digests) > self._limit:
            raise ReplayGuardFullError
        self._seen.update(dict.fromkeys(digests, now))

    def forget(self, boxes: Sequence[bytes]) -> None:
        """Let ``boxes`` be sent again: nothing was answered, and nobody learnt from the attempt."""
        for box in boxes:
            self._seen.pop(sha256(box), None)
