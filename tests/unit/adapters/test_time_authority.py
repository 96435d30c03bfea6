"""Asking for the time: what is sent, and what is no answer."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import httpx
import pytest
from tests.fakes.timestamps import NOW, FakeAuthority

from adyton.adapters.time_authority import TimeAuthorityUnavailableError, ask_time
from adyton.crypto.timestamp import MAX_TIMESTAMP_BYTES, read_timestamp, timestamp_request

URL = "http://time.example/"
NOTE = b"a checkpoint"
AUTHORITY = FakeAuthority()
TYPE = {"content-type": "application/timestamp-reply"}


async def asked(answer: Callable[[httpx.Request], httpx.Response]) -> bytes:
    return await ask_time(URL, NOTE, transport=httpx.MockTransport(answer))


async def test_the_answer_is_a_stamp_on_the_note() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.content == timestamp_request(NOTE)
        assert request.headers["content-type"] == "application/timestamp-query"
        assert NOTE not in request.content
        return httpx.Response(200, headers=TYPE, content=AUTHORITY.answer(request.content))

    found = read_timestamp(await asked(answer), message=NOTE, authorities=[AUTHORITY.root])
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
async def test_what_is_no_answer_is_unavailable(
    answer: Callable[[httpx.Request], httpx.Response],
) -> None:
    with pytest.raises(TimeAuthorityUnavailableError):
        await asked(answer)


async def test_an_authority_that_answers_byte_by_byte_is_given_up() -> None:
    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.01)
                yield b"."

    answer = httpx.MockTransport(lambda _: httpx.Response(200, headers=TYPE, stream=Trickle()))
    with pytest.raises(TimeAuthorityUnavailableError, match=r"within 0\.1 s"):
        await ask_time(URL, NOTE, within=timedelta(seconds=0.1), transport=answer)


@pytest.mark.parametrize(
    "url",
    ["ftp://time.example", "no address", "http://[", "http://xn--a", "http://127.0.0.1:99999", ""],
)
async def test_what_is_no_address_is_unavailable(url: str) -> None:
    with pytest.raises(TimeAuthorityUnavailableError):
        await ask_time(url, NOTE)
