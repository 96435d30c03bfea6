from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import pytest
from tests.fakes.workshop import ACCOUNTS, FakeSource, Workshop, counting, providers

from adyton.codec.json import Json, JsonObject
from adyton.errors import AdytonError, MalformedError, UnavailableError
from adyton.flow import fetch as fetching
from adyton.flow.fetch import (
    SourceFailedError,
    SourceRateLimitedError,
    SourceRefusedError,
    fetch,
)
from adyton.flow.open import open_sealed
from adyton.flow.stages import Fetched, Opened


def opened(
    workshop: Workshop,
    endpoint: str = "balance",
    predicate: JsonObject | None = None,
    **extra: Any,
) -> Opened:
    question = workshop.question(endpoint, predicate or {"type": "gte", "threshold": 1}, **extra)
    return open_sealed(
        question, opener=workshop.opening, providers=providers(), now=workshop.ports.clock()
    )


def fetched(workshop: Workshop, source: FakeSource) -> Fetched:
    return fetch(opened(workshop), http=source, randomness=counting())


def test_an_answer_is_fetched_as_the_definition_says(workshop: Workshop) -> None:
    source = FakeSource()
    found = fetched(workshop, source)
    request, limit_bytes, timeout = source.asked[0]
    definition = providers()["plaid-balance"].request
    assert found.body == ACCOUNTS
    assert (request.method, request.host, request.port, request.target) == (
        "POST",
        "production.plaid.com",
        443,
        "/accounts/balance/get",
    )
    assert (limit_bytes, timeout) == (definition.limit_bytes, definition.timeout_seconds)


def test_step_1_what_the_connection_refuses_is_refused(workshop: Workshop) -> None:
    with pytest.raises(UnavailableError, match="no certificate"):
        fetched(workshop, FakeSource(refusal=UnavailableError("no certificate")))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        *((status, SourceRefusedError) for status in (400, 401, 403, 404, 410, 422, 451, 499)),
        (429, SourceRateLimitedError),
        *(
            (status, fetching.SourceRedirectedError)
            for status in (300, 301, 302, 303, 304, 305, 307, 308)
        ),
        *((status, SourceFailedError) for status in (201, 204, 206, 306, 500, 502, 503, 599)),
    ],
)
def test_step_2_every_other_status_than_200_is_no_answer(
    workshop: Workshop, status: int, reason: type[AdytonError]
) -> None:
    with pytest.raises(reason) as refused:
        fetched(workshop, FakeSource(status=status))
    assert str(status) in str(refused.value)


def test_step_2_a_source_that_wants_fewer_requests_says_when_to_come_back(
    workshop: Workshop,
) -> None:
    with pytest.raises(SourceRateLimitedError) as refused:
        fetched(workshop, FakeSource(status=429))
    assert refused.value.retry_after.total_seconds() > 0


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip", "GZIP"])
def test_step_2_a_coded_body_is_no_answer(workshop: Workshop, coding: str) -> None:
    with pytest.raises(fetching.SourceEncodedError):
        fetched(workshop, FakeSource(headers=(("content-ENCODING", coding),)))


@pytest.mark.parametrize("coding", ["identity", " Identity ", ""])
def test_step_2_a_body_as_it_is_may_say_so(workshop: Workshop, coding: str) -> None:
    assert fetched(workshop, FakeSource(headers=(("Content-Encoding", coding),))).body == ACCOUNTS


def test_step_3_the_transcript_commits_to_both_plaintexts_under_different_salts(
    workshop: Workshop,
) -> None:
    transcript = fetched(workshop, FakeSource()).transcript
    salts = counting()
    assert transcript.request_commitment == sha256(salts(32) + b"the request").digest()
    assert transcript.response_commitment == sha256(salts(32) + b"the response").digest()
    assert transcript.sent == sha256(b"sent").digest()
    assert transcript.received == sha256(b"received").digest()
    assert transcript.server_name == "production.plaid.com"


def test_step_3_the_chain_is_hashed_with_its_lengths(workshop: Workshop) -> None:
    # Without them, two other certificates with the same bytes between them would be the same chain.
    expected = sha256()
    for certificate in (b"leaf", b"root"):
        expected.update(len(certificate).to_bytes(8, "little") + certificate)
    assert fetched(workshop, FakeSource()).transcript.certificate_chain == expected.digest()


def days_asked(workshop: Workshop, predicate: JsonObject, *, time: datetime) -> list[str]:
    source = FakeSource()
    question = replace(opened(workshop, "transactions", predicate), time=time)
    fetch(question, http=source, randomness=counting())
    body = source.asked[0][0].body.decode()
    return [part.split('"')[3] for part in body.split("\n") if "_date" in part]


@pytest.mark.parametrize(
    ("name", "days", "first"),
    [("lookbackDays", 1, "2026-03-01"), ("lookback_days", 30, "2026-01-31")],
)
def test_a_question_about_transactions_looks_back_so_many_days(
    workshop: Workshop, name: str, days: int, first: str
) -> None:
    time = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
    predicate: JsonObject = {"type": "no_gambling", name: days}
    assert days_asked(workshop, predicate, time=time) == [first, "2026-03-01"]


@pytest.mark.parametrize("lookback", [0, -1, 3661, "90", True, []])
def test_a_look_back_that_is_no_number_of_days_is_malformed(
    workshop: Workshop, lookback: Json
) -> None:
    predicate: JsonObject = {"type": "no_gambling", "lookbackDays": lookback}
    with pytest.raises(MalformedError):
        days_asked(workshop, predicate, time=datetime(2026, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("time", "months", "first"),
    [
        (date(2026, 11, 20), None, date(2025, 12, 1)),
        (date(2026, 11, 20), 1, date(2026, 11, 1)),
        (date(2026, 11, 20), 12, date(2025, 12, 1)),
        (date(2026, 12, 31), 12, date(2026, 1, 1)),
        (date(2026, 1, 1), 1, date(2026, 1, 1)),
        (date(2026, 1, 31), 2, date(2025, 12, 1)),
    ],
)
def test_a_question_about_income_looks_at_so_many_calendar_months(
    workshop: Workshop, time: date, months: int | None, first: date
) -> None:
    extra: dict[str, Any] = {} if months is None else {"months": months}
    asked = opened(workshop, "income", **extra)
    at = datetime(time.year, time.month, time.day, 12, tzinfo=UTC)
    window = fetching._window(replace(asked, time=at))
    assert (window.first_day, window.last_day) == (first, time)


def test_what_was_fetched_is_not_in_its_text(workshop: Workshop) -> None:
    assert "12345" not in repr(fetched(workshop, FakeSource()))
