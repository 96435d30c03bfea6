"""Ranges of proofs: bounded in what is asked for, in how many read, and in how long they take."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

import pytest

from adyton.adapters.ledger.archive import ProofUnknownError
from adyton.errors import MalformedError
from adyton.gateway.notary.client import Notary, NotaryUnavailableError
from adyton.gateway.notary.ranges import MOST_PROOFS, Ranges
from adyton.gateway.observer import Record
from adyton.gateway.problems import OverloadedError

LOG = [b'{"number":%d}' % number for number in range(1, 101)]


class Far:
    """A notary that gives ten proofs at a time, until it is gone."""

    def __init__(self) -> None:
        self.gone_from = 10**6

    async def proofs_from(self, first: int, *, last: int) -> list[bytes]:
        if first >= self.gone_from:
            raise NotaryUnavailableError
        if first > len(LOG):
            raise ProofUnknownError
        return LOG[first - 1 : min(last, first + 9)]


class Reader:
    """Who asked: takes what is sent, a piece at a time, as fast as ``pause`` says."""

    def __init__(self, *, pause: float = 0) -> None:
        self.pause = pause
        self.messages: list[Mapping[str, Any]] = []
        self.scope: dict[str, Any] = {"type": "http", "adyton.record": Record()}

    async def send(self, message: Mapping[str, Any]) -> None:
        if message.get("more_body"):
            await asyncio.sleep(self.pause)
        self.messages.append(message)

    async def ask(self, ranges: Ranges, first: int, last: int) -> list[bytes]:
        answer = await ranges.answer(first, last)
        await answer(self.scope, cast("Any", None), self.send)
        assert self.messages[0]["status"] == 200
        assert not self.messages[-1]["more_body"]
        body = b"".join(message.get("body", b"") for message in self.messages)
        assert body[-1:] in {b"", b"\n"}
        return body.splitlines()

    @property
    def code(self) -> str:
        return str(self.scope["adyton.record"].code)


def ranges_of(far: Far, *, within: float = 60) -> Ranges:
    return Ranges(notary=cast("Notary", far), within=timedelta(seconds=within))


async def test_a_range_is_its_proofs_a_line_each() -> None:
    ranges = ranges_of(Far())
    assert await Reader().ask(ranges, 1, 100) == LOG
    assert await Reader().ask(ranges, 7, 7) == LOG[6:7]
    reader = Reader()
    assert await reader.ask(ranges, 95, 4000) == LOG[94:]
    assert reader.code == ""
    with pytest.raises(ProofUnknownError):
        await ranges.answer(101, 101)


@pytest.mark.parametrize(
    ("first", "last"), [(0, 5), (5, 4), (1, MOST_PROOFS + 1), (10**18 - 1, 0)], ids=str
)
async def test_a_range_that_is_none_or_too_long_is_refused(first: int, last: int) -> None:
    with pytest.raises(MalformedError):
        await ranges_of(Far()).answer(first, last)


async def test_a_notary_that_goes_away_ends_the_answer_behind_a_proof() -> None:
    far = Far()
    far.gone_from = 41
    reader = Reader()
    assert await reader.ask(ranges_of(far), 1, 100) == LOG[:40]
    assert reader.code == "notary-unavailable"
    with pytest.raises(NotaryUnavailableError):
        await ranges_of(far).answer(41, 50)


async def test_who_reads_slowly_gets_what_there_was_time_for() -> None:
    ranges = ranges_of(Far(), within=0.1)
    reader = Reader(pause=0.04)
    found = await reader.ask(ranges, 1, 100)
    assert found == LOG[: len(found)]
    assert len(found) < 100
    assert reader.code == "caller-gone"


async def test_so_many_read_at_a_time_and_their_places_are_free_again() -> None:
    far = Far()
    ranges = ranges_of(far)
    waiting = [await ranges.answer(1, 100) for _ in range(32)]
    with pytest.raises(OverloadedError):
        await ranges.answer(1, 1)
    for answer in waiting:
        reader = Reader(pause=60)
        sending = asyncio.create_task(answer(reader.scope, cast("Any", None), reader.send))
        await asyncio.sleep(0)
        # The server is told to end, say.
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
    assert await Reader().ask(ranges, 1, 100) == LOG
    far.gone_from = 1
    for _ in range(40):
        with pytest.raises(NotaryUnavailableError):
            await ranges.answer(1, 1)
