"""Reading a body within its limits."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from adyton.errors import MalformedError
from adyton.gateway.exchange import read_body, read_challenge, while_caller_waits
from adyton.gateway.problems import BodyTooLargeError, BodyTooSlowError, CallerGoneError

JSON = [(b"content-type", b"application/json")]


def request(
    messages: list[Message], *, query: bytes = b"", headers: list[tuple[bytes, bytes]] = JSON
) -> Request:
    queue = list(messages)

    async def receive() -> Message:
        if queue:
            return queue.pop(0)
        await asyncio.Event().wait()
        raise AssertionError("nothing more comes")

    return Request({"type": "http", "headers": headers, "query_string": query}, receive)


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_parts_is_read_whole() -> None:
    found = await read_body(request([part(b"{", more=True), part(b"}")]), limit_bytes=2)
    assert found == b"{}"


@pytest.mark.parametrize("length", [b"3", b"99999999999999999999999999"])
async def test_a_body_that_is_announced_too_large_is_not_awaited(length: bytes) -> None:
    with pytest.raises(BodyTooLargeError):
        await read_body(request([], headers=[*JSON, (b"content-length", length)]), limit_bytes=2)


async def test_a_body_that_lies_about_its_length_is_counted() -> None:
    with pytest.raises(BodyTooLargeError):
        await read_body(
            request([part(b"{ }")], headers=[*JSON, (b"content-length", b"1")]), limit_bytes=2
        )


async def test_a_body_that_never_ends_is_given_up() -> None:
    with pytest.raises(BodyTooSlowError):
        await read_body(
            request([part(b"{", more=True)]), limit_bytes=2, within=timedelta(milliseconds=1)
        )


async def test_a_caller_that_hangs_up_while_sending_is_gone() -> None:
    with pytest.raises(CallerGoneError):
        await read_body(
            request([part(b"{", more=True), {"type": "http.disconnect"}]), limit_bytes=2
        )


@given(st.binary(max_size=60).map(lambda data: b"challenge=" + data))
def test_any_query_is_a_challenge_or_malformed(query: bytes) -> None:
    try:
        challenge = read_challenge(request([], query=query))
    except MalformedError:
        return
    assert len(challenge) <= 64


async def test_work_that_fails_fails_for_its_own_reason() -> None:
    async def work() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await while_caller_waits(request([]), work())


async def test_work_is_cancelled_with_the_one_who_waits() -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    waiting = asyncio.create_task(while_caller_waits(request([]), work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert cancelled.is_set()
