"""Lists of proofs: the same text whole and in parts, and no more in memory than a part."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

from adyton.gateway.notary.lists import proof_list

PROOF = b'{"report":"%b"}' % (b"x" * 6000)


async def parts(count: int, made: list[int] | None = None) -> list[bytes]:
    """What is sent of so many proofs; ``made`` has how many were made before each part."""
    number = 0

    def proofs() -> Iterator[bytes]:
        nonlocal number
        for number in range(1, count + 1):  # noqa: B007  # it is read below
            yield PROOF

    sent: list[bytes] = []

    async def send(message: Any) -> None:
        if body := message.get("body"):
            sent.append(body)
            if made is not None:
                made.append(number)

    async def receive() -> Any:
        raise AssertionError("the body was read already")

    request = Request({"type": "http", "asgi": {"spec_version": "2.4"}})
    await proof_list(proofs(), count=count)(request.scope, receive, send)
    return sent


@pytest.mark.parametrize("count", [1, 2, 16, 17, 44, 100, 4096])
async def test_a_list_is_the_same_text_whole_and_in_parts(count: int) -> None:
    assert json.loads(b"".join(await parts(count))) == [json.loads(PROOF)] * count


async def test_a_few_are_sent_at_once() -> None:
    assert len(await parts(16)) == 1


async def test_no_more_of_many_is_made_than_was_sent() -> None:
    made: list[int] = []
    sent = await parts(4096, made)
    assert max(map(len, sent)) < 300_000
    assert made[:2] == [44, 88]
