"""Step ``fetch``: put the request to the data source, and keep what a transcript is made of."""

from datetime import date, timedelta
from typing import Final

from adyton.codec.json import as_integer
from adyton.crypto.hashing import prefixed, sha256
from adyton.errors import RejectedError, UnavailableError
from adyton.flow.ports import Exchange, Http
from adyton.flow.stages import Fetched, Opened
from adyton.model.ports import Randomness
from adyton.model.transcript import Transcript
from adyton.sources import Window, render

__all__ = [
    "SourceEncodedError",
    "SourceFailedError",
    "SourceRateLimitedError",
    "SourceRedirectedError",
    "SourceRefusedError",
    "fetch",
]

_SALT_SIZE: Final = 32
_YEAR: Final = 12
_MAX_LOOKBACK: Final = 3660
_CLIENT_ERRORS: Final = 400
_SERVER_ERRORS: Final = 500


class SourceRefusedError(RejectedError):
    """The data source does not accept the credentials, or not for this request."""

    code = "source-refused"

    def __init__(self, *, status: int) -> None:
        super().__init__(f"the data source refused the request with status {status}")
        self.status = status


class SourceRateLimitedError(UnavailableError):
    """The data source has had enough requests for now."""

    code = "source-rate-limited"
    retry_after: Final = timedelta(seconds=60)

    def __init__(self) -> None:
        super().__init__("the data source asks for fewer requests (status 429)")


class SourceFailedError(UnavailableError):
    """The data source answered with something other than data."""

    code = "source-failed"

    def __init__(self, *, status: int) -> None:
        super().__init__(f"the data source answered with status {status}")
        self.status = status


class SourceRedirectedError(UnavailableError):
    """The data source points elsewhere, and credentials are not carried there."""

    code = "source-redirected"

    def __init__(self, *, status: int) -> None:
        super().__init__(f"the data source redirects (status {status}), which is not followed")
        self.status = status


class SourceEncodedError(UnavailableError):
    """The data source sent a content coding that was not asked for."""

    code = "source-malformed"

    def __init__(self) -> None:
        super().__init__("the data source compressed its answer, and was asked not to")


def fetch(opened: Opened, *, http: Http, randomness: Randomness) -> Fetched:
    """Return the data source's answer to the request that the definition makes.

    1. The server has a certificate for its name under a trusted root (``http`` saw to that).
    2. It answered 200, with a body as it is: no redirect, no content coding.
    3. The transcript commits to both plaintexts under fresh salts.

    Not established: that the answer holds what the definition looks for. Raises ``RejectedError``
    where the source says no, and ``UnavailableError`` where it gives no answer.
    """
    definition = opened.definition
    request = render(definition, opened.credentials, window=_window(opened))
    # Step 1
    exchange = http.exchange(
        request,
        limit_bytes=definition.request.limit_bytes,
        timeout=definition.request.timeout_seconds,
    )
    # Step 2
    _check_answer(exchange)
    # Step 3
    return Fetched(
        opened=opened,
        body=exchange.body,
        transcript=_transcript(exchange, randomness),
    )


def _window(opened: Opened) -> Window:
    """Return the days to ask for, up to the day of the statement.

    A question about transactions says how many days; one about income, how many calendar months,
    the one of the statement being the last.
    """
    today = opened.time.date()
    predicate = opened.question.predicate
    lookback = predicate.get("lookback_days", predicate.get("lookbackDays"))
    if lookback is not None:
        days = as_integer(lookback, "predicate.lookback_days", low=1, high=_MAX_LOOKBACK)
        return Window(first_day=today - timedelta(days=days - 1), last_day=today)
    months = today.year * _YEAR + today.month - (opened.question.months or _YEAR)
    return Window(first_day=date(months // _YEAR, months % _YEAR + 1, 1), last_day=today)


def _check_answer(exchange: Exchange) -> None:
    match exchange.status:
        case 200:
            pass
        case 429:
            raise SourceRateLimitedError
        case 300 | 301 | 302 | 303 | 304 | 305 | 307 | 308 as status:
            raise SourceRedirectedError(status=status)
        case status if _CLIENT_ERRORS <= status < _SERVER_ERRORS:
            raise SourceRefusedError(status=status)
        case status:
            raise SourceFailedError(status=status)
    for name, value in exchange.headers:
        if name.lower() == "content-encoding" and value.strip().lower() not in {"", "identity"}:
            raise SourceEncodedError


def _transcript(exchange: Exchange, randomness: Randomness) -> Transcript:
    return Transcript(
        server_name=exchange.server_name,
        protocol=exchange.protocol,
        cipher=exchange.cipher,
        certificate_chain=sha256(prefixed(*exchange.certificates)),
        # The salts are dropped: nobody can try balances or tokens against these digests.
        request_commitment=sha256(randomness(_SALT_SIZE) + exchange.plaintext_request),
        response_commitment=sha256(randomness(_SALT_SIZE) + exchange.plaintext_response),
        sent=exchange.sent,
        received=exchange.received,
    )
