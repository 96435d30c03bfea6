"""One table from errors to statuses."""

import json
from datetime import timedelta

import pytest

from adyton.errors import AdytonError, MalformedError, RejectedError, UnavailableError
from adyton.gateway import problems


class _LeafError(UnavailableError):
    code = "leaf"


class _WaitingError(UnavailableError):
    code = "waiting"
    retry_after = timedelta(seconds=1.2)


class _CountingError(UnavailableError):
    code = "counting"
    retry_after = 30


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MalformedError("m"), 400),
        (RejectedError("r"), 403),
        (UnavailableError("u"), 503),
        (_LeafError("leaf"), 503),
        (problems.UnauthenticatedError(), 401),
        (problems.ScopeRejectedError(scope="ask"), 403),
        (problems.NotFoundError(), 404),
        (problems.MethodNotAllowedError(allowed="GET"), 405),
        (problems.BodyTooSlowError(within=timedelta(seconds=1)), 408),
        (problems.BodyTooLargeError(limit_bytes=1), 413),
        (problems.MediaTypeError(), 415),
        (problems.TooManyRequestsError(limit="1", retry_after=timedelta(seconds=1)), 429),
        (problems.OverloadedError(), 503),
        (problems.CallerGoneError(), 499),
        (AdytonError("of no family"), 500),
        (ValueError("unforeseen"), 500),
    ],
)
def test_each_error_has_its_status(error: Exception, status: int) -> None:
    response = problems.problem(error)
    assert problems.status_of(error) == response.status_code == status
    body = json.loads(bytes(response.body))
    assert body["status"] == status
    assert body["title"]


def test_an_unforeseen_error_is_not_quoted() -> None:
    body = json.loads(bytes(problems.problem(ValueError("marker")).body))
    assert "marker" not in str(body)
    assert body["code"] == "internal"


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(_LeafError("now"), "1"), (_WaitingError("w"), "2"), (_CountingError("c"), "30")],
)
def test_who_is_told_to_come_back_is_told_when(error: Exception, seconds: str) -> None:
    assert problems.problem(error).headers["retry-after"] == seconds


def test_who_is_refused_is_not_told_to_come_back() -> None:
    assert "retry-after" not in problems.problem(RejectedError("no")).headers
