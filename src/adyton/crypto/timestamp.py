"""Time stamps of RFC 3161: the request for one, and what one shows.

An authority signs a digest with the time at which it saw it. Its certificates have to be valid at
that time, not at the verifier's. A request has no nonce: the digest is of a text that was never
there before, and an answer that was kept is as true as a new one.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from adyton.errors import MalformedError, RejectedError

__all__ = [
    "MAX_TIMESTAMP_BYTES",
    "TimestampRejectedError",
    "read_timestamp",
    "timestamp_request",
]

MAX_TIMESTAMP_BYTES: Final = 64 * 1024


class TimestampRejectedError(RejectedError):
    """The time stamp is not of an accepted authority, or not of these bytes."""

    code = "timestamp-rejected"

    def __init__(self) -> None:
        super().__init__("the time stamp is not of an accepted authority, or not of these bytes")


def timestamp_request(message: bytes) -> bytes:
    """Return the request for a stamp on SHA-256 of ``message``, with the authority's certificates.

    The authority learns the digest, and nothing else.
    """
    builder = (
        TimestampRequestBuilder()
        .data(message)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=False)
        .cert_request(cert_request=True)
    )
    return builder.build().as_bytes()


def read_timestamp(response: bytes, *, message: bytes, authorities: Iterable[bytes]) -> datetime:
    """Return when an authority saw ``message``.

    1. ``response`` is a granted stamp;
    2. its signature leads to one of ``authorities``, roots in DER, at its own time, by a
       certificate that is for time stamps alone;
    3. it is over this message.

    Not established: that nothing was revoked. Raises ``MalformedError`` or
    ``TimestampRejectedError``.
    """
    # Step 1
    stamp = _decoded(response)
    # Steps 2 and 3: root by root, since two of one name would hide each other.
    if not any(_holds(stamp, message, _certificate(root)) for root in authorities):
        raise TimestampRejectedError
    return stamp.tst_info.gen_time


def _holds(stamp: TimeStampResponse, message: bytes, root: x509.Certificate) -> bool:
    try:
        return VerifierBuilder().add_root_certificate(root).build().verify_message(stamp, message)
    except (VerificationError, ValueError):
        return False


def _decoded(response: bytes) -> TimeStampResponse:
    if len(response) > MAX_TIMESTAMP_BYTES:
        raise MalformedError(f"a time stamp has more than {MAX_TIMESTAMP_BYTES} bytes")
    try:
        return decode_timestamp_response(response)
    except ValueError as error:
        raise MalformedError("not a time stamp response") from error


def _certificate(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise MalformedError("an authority's root is not an x.509 certificate") from error
