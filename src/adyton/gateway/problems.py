"""Errors as HTTP: RFC 9457 problem details, by one table from errors to statuses.

``code`` is stable. ``error`` repeats ``detail`` for clients of other systems, which read a string
there. Nothing in a problem comes from a body, but for short names that the error itself quotes.
"""

import json
import math
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import ClassVar, Final

from starlette.responses import Response

from adyton.adapters.ledger.archive import ProofUnknownError
from adyton.adapters.linked_errors import retry_after
from adyton.adapters.store.registry_reader import WorkerUnknownError
from adyton.errors import AdytonError, MalformedError, RejectedError, UnavailableError

__all__ = [
    "INTERNAL",
    "PROBLEM_MEDIA_TYPE",
    "BodyTooLargeError",
    "BodyTooSlowError",
    "CallerGoneError",
    "MediaTypeError",
    "MethodNotAllowedError",
    "NotFoundError",
    "OverloadedError",
    "ScopeRejectedError",
    "TooManyRequestsError",
    "UnauthenticatedError",
    "problem",
    "status_of",
]

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
INTERNAL: Final = "internal"


class UnauthenticatedError(RejectedError):
    """No key came with the request, or none that is valid. Which, nobody is told."""

    code = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("an api key is wanted: Authorization: Bearer adk_…, or X-API-Key")


class ScopeRejectedError(RejectedError):
    """The key is valid, and not for this."""

    code = "scope-missing"

    def __init__(self, *, scope: str) -> None:
        super().__init__(f"the api key lacks the scope {scope}")


class NotFoundError(MalformedError):
    """There is no such path."""

    code = "not-found"

    def __init__(self, text: str = "there is no such path; /docs lists those there are") -> None:
        super().__init__(text)


class MethodNotAllowedError(MalformedError):
    """The path exists and takes another method."""

    code = "method-not-allowed"

    def __init__(self, *, allowed: str) -> None:
        super().__init__("the path takes another method")
        self.allowed = allowed


class BodyTooLargeError(MalformedError):
    """The body is longer than the endpoint takes."""

    code = "body-too-large"

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(f"the body has more than {limit_bytes} bytes")


class BodyTooSlowError(MalformedError):
    """The body did not arrive in time."""

    code = "body-too-slow"

    def __init__(self, *, within: timedelta) -> None:
        super().__init__(f"the body did not arrive within {within.total_seconds():g} s")


class MediaTypeError(MalformedError):
    """The body is something else than the endpoint takes, plain JSON most of the time."""

    code = "media-type"

    def __init__(self, *, wanted: str = "application/json") -> None:
        super().__init__(f"the body is to be {wanted}, without content-encoding")


class TooManyRequestsError(UnavailableError):
    """The key has reached one of its limits."""

    code = "too-many-requests"

    def __init__(
        self, *, limit: str, retry_after: timedelta, whose: str = "the api key has reached its"
    ) -> None:
        super().__init__(f"{whose} limit: {limit}")
        self.retry_after = retry_after


class OverloadedError(UnavailableError):
    """The gateway has as much in work as it takes."""

    code = "overloaded"
    retry_after: ClassVar[timedelta] = timedelta(seconds=1)

    def __init__(self) -> None:
        super().__init__("the gateway has too many requests in work")


class CallerGoneError(UnavailableError):
    """The caller hung up before the answer."""

    code = "caller-gone"

    def __init__(self) -> None:
        super().__init__("the caller hung up before the answer")


# Not in any standard; servers write it to their logs for a caller that has hung up.
_CALLER_GONE: Final = 499

# The first entry along an error's class and its bases.
_STATUSES: Final[Mapping[type[BaseException], int]] = {
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    NotFoundError: HTTPStatus.NOT_FOUND,
    WorkerUnknownError: HTTPStatus.NOT_FOUND,
    ProofUnknownError: HTTPStatus.NOT_FOUND,
    MethodNotAllowedError: HTTPStatus.METHOD_NOT_ALLOWED,
    BodyTooSlowError: HTTPStatus.REQUEST_TIMEOUT,
    BodyTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    MediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TooManyRequestsError: HTTPStatus.TOO_MANY_REQUESTS,
    CallerGoneError: _CALLER_GONE,
    MalformedError: HTTPStatus.BAD_REQUEST,
    RejectedError: HTTPStatus.FORBIDDEN,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}

_TITLES: Final[Mapping[int, str]] = {
    400: "The request cannot be understood",
    401: "No valid API key",
    403: "The answer is no",
    404: "No such path",
    405: "Another method",
    408: "Too slow",
    413: "Too large",
    415: "Another media type",
    429: "Too many requests",
    500: "A fault of ours",
    503: "No answer now",
}

_RETRY_STATUSES: Final = frozenset({429, 503})
_DEFAULT_RETRY: Final = timedelta(seconds=1)


def status_of(error: BaseException) -> int:
    """Return the status that ``error`` has over HTTP; 500 for what is none of ours."""
    for parent in type(error).__mro__:
        if parent in _STATUSES:
            return int(_STATUSES[parent])
    return int(HTTPStatus.INTERNAL_SERVER_ERROR)


def problem(error: BaseException) -> Response:
    """Return the problem details for ``error``. An unforeseen error says nothing but that."""
    status = status_of(error)
    foreseen = isinstance(error, AdytonError)
    code = error.code if isinstance(error, AdytonError) else INTERNAL
    detail = str(error) if foreseen else "the gateway failed; its log names the kind of error"
    body = {
        "type": f"urn:adyton:error:{code}",
        "title": _TITLES.get(status, "No answer"),
        "status": status,
        "detail": detail,
        "code": code,
        "error": detail,
    }
    headers = {"cache-control": "no-store"}
    if status in _RETRY_STATUSES:
        pause = retry_after(error) or _DEFAULT_RETRY
        headers["retry-after"] = str(max(1, math.ceil(pause.total_seconds())))
    if status == HTTPStatus.UNAUTHORIZED:
        # RFC 9110, section 11.6.1: a 401 says how to do better.
        headers["www-authenticate"] = 'Bearer realm="adyton"'
    if isinstance(error, MethodNotAllowedError) and error.allowed:
        headers["allow"] = error.allowed
    return Response(
        json.dumps(body, ensure_ascii=False).encode(),
        status_code=status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers=headers,
    )
