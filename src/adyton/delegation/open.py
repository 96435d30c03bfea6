"""Opening a sealed proving request, in the process that proves it and ends."""

from datetime import datetime, timedelta
from typing import Final

from adyton.crypto.hpke import OpeningKey
from adyton.model.proving import SealedProving, proving_info
from adyton.model.proving_job import ProvingJob, job_from_bytes
from adyton.model.sealing import check_age

__all__ = ["MAX_AGE", "open_request"]

# A request may have waited in line, and a gateway may have been started again meanwhile.
MAX_AGE: Final = timedelta(hours=24)


def open_request(sealed: SealedProving, *, opener: OpeningKey, now: datetime) -> ProvingJob:
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
    check_age(sealed.header.issued_at, what="the request", maximum=MAX_AGE, now=now)
    # Step 3
    return job_from_bytes(plaintext, sealed.header.scheme)
