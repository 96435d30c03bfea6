"""Asking for the time: what is sent, and what is no answer."""

import gzip
from collections.abc import Callable

import httpx
import pytest
from tests.fakes.timestamps import NOW, FakeAuthority

from adyton.adapters.time_authority import TimeAuthorityUnavailableError, ask_time
from adyton.crypto.timestamp import MAX_TIMESTAMP_BYTES, read_timestamp, timestamp_request

URL = "http://time.example/"
NOTE = b"a checkpoint"
AUTHORITY = FakeAuthority()
TYPE = {"content-type": "application/timestamp-reply"}


def asked(answer: Callable[[httpx.Request], httpx.Response]) -> bytes:
    return ask_time(URL, NOTE, transport=httpx.MockTransport(answer))


def test_the_answer_is_a_stamp_on_the_note() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.content == timestamp_request(NOTE)
        assert request.headers["content-type"] == "application/timestamp-query"
        assert NOTE not in request.content
        return httpx.Response(200, headers=TYPE, content=AUTHORITY.answer(request.content))

    found = read_timestamp(asked(answer), message=NOTE, authorities=[AUTHORITY.root])
    assert found == NOW


def refuse(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no")


@pytest.mark.parametrize(
    "answer",
    [
        refuse,
        lambda _: httpx.Response(500, headers=TYPE),
        lambda _: httpx.Response(302, headers={"location": "http://127.0.0.1/"}),
        lambda _: httpx.Response(200, text="hello"),
        lambda _: httpx.Response(
            200, headers={**TYPE, "content-encoding": "gzip"}, content=gzip.compress(b"x")
        ),
        lambda _: httpx.Response(200, headers=TYPE, content=bytes(MAX_TIMESTAMP_BYTES + 1)),
    ],
)
def test_what_is_no_answer_is_unavailable(
    answer: Callable[[httpx.Request], httpx.Response],
) -> None:
    with pytest.raises(TimeAuthorityUnavailableError):
        asked(answer)


@pytest.mark.parametrize("url", ["ftp://time.example", "no address", "http://[", ""])
def test_what_is_no_address_is_unavailable(url: str) -> None:
    with pytest.raises(TimeAuthorityUnavailableError):
        ask_time(url, NOTE)
