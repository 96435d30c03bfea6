"""Opening a sealed proving request, in the process that proves it and ends."""

from datetime import datetime, timedelta
from typing import Final, Protocol

from adyton.errors import RejectedError
from adyton.model.proving import SealedProving, proving_info
from adyton.model.proving_job import ProvingJob, job_from_bytes
from adyton.model.window import CLOCK_TOLERANCE

__all__ = [
    "MAX_AGE",
    "Opener",
    "RequestFromTheFutureError",
    "RequestTooOldError",
    "open_request",
]

# A request may have waited in line, and a gateway may have been started again meanwhile.
MAX_AGE: Final = timedelta(hours=24)


class RequestTooOldError(RejectedError):
    """A proving request was sealed too long ago."""

    code = "too-old"

    def __init__(self) -> None:
        hours = MAX_AGE / timedelta(hours=1)
        super().__init__(f"the request was sealed more than {hours:g} hours ago")


class RequestFromTheFutureError(RejectedError):
    """A proving request was sealed at a time that the worker's clock has not reached."""

    code = "from-the-future"

    def __init__(self) -> None:
        super().__init__("the request was sealed in the future: compare the clocks")


class Opener(Protocol):
    """The worker's private keys."""

    def open(self, box: bytes, *, info: bytes) -> bytes:
        """Return what was sealed under ``info``, or raise ``RejectedError``."""
        ...


def open_request(sealed: SealedProving, *, opener: Opener, now: datetime) -> ProvingJob:
    """Return the job in ``sealed``.

    1. It opens with this worker's key, for this header.
    2. It was sealed not too long ago, and not in the future.
    3. It is a job of the header's scheme.

    Not established: that it was not sent before (``worker.replay`` saw to that), or that anything
    in it can be proven. Raises ``MalformedError`` or ``RejectedError``.
    """
    # Step 1
    plaintext = opener.open(sealed.box, info=proving_info(sealed.header))
    # Step 2
    if sealed.header.issued_at < (now - MAX_AGE).timestamp():
        raise RequestTooOldError
    if sealed.header.issued_at > (now + CLOCK_TOLERANCE).timestamp():
        raise RequestFromTheFutureError
    # Step 3
    return job_from_bytes(plaintext, sealed.header.scheme)
