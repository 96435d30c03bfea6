"""When an authority is asked for a stamp, and what of its answers is kept."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from tests.fakes.proofs import FakeNotary
from tests.fakes.timestamps import NOW, FakeAuthority

from adyton.adapters.stamps import StampFolder
from adyton.adapters.time_authority import TimeAuthorityUnavailableError
from adyton.crypto.timestamp import TimestampRejectedError, read_timestamp, timestamp_request
from adyton.errors import AdytonError, MalformedError
from adyton.gateway.notary.client import Notary
from adyton.gateway.notary.settings import TimeAuthority
from adyton.gateway.notary.stamping import Stamper
from adyton.gateway.notary.stamps import Stamps

URL = "http://time.example/"
HOUR = timedelta(hours=1)
AUTHORITY, OTHER = FakeAuthority(), FakeAuthority()


class Epoch:
    """What a log began with."""

    def __init__(self, name: bytes) -> None:
        self.name = name

    def to_bytes(self) -> bytes:
        return self.name


class Far:
    """A notary and an authority, an hour from each other's clock."""

    def __init__(self, folder: Path) -> None:
        self.log = FakeNotary()
        self.name = b"a log"
        self.now = NOW
        self.asked = 0
        self.answer: Callable[[bytes], bytes] = AUTHORITY.answer
        self.folder = folder

    async def first_epoch(self) -> Epoch:
        return Epoch(self.name)

    async def checkpoint(self) -> bytes:
        return self.log.checkpoint()

    async def ask(self, url: str, note: bytes) -> bytes:
        assert url == URL
        self.asked += 1
        return self.answer(timestamp_request(note))

    def stamper(self, *, every: timedelta = HOUR) -> Stamper:
        """Return one that knows nothing but what is in the folder."""
        stamps = Stamps(notary=cast("Notary", self), folder=StampFolder(self.folder))
        authority = TimeAuthority(url=URL, roots=(AUTHORITY.root,), every=every)
        return Stamper(stamps=stamps, authority=authority, ask=self.ask, clock=lambda: self.now)

    def commit(self, count: int = 1) -> None:
        for number in range(count):
            self.log.commit(b"%d" % number)


@pytest.fixture
def far(tmp_path: Path) -> Far:
    return Far(tmp_path / "stamps")


async def test_a_checkpoint_is_stamped_kept_and_found(far: Far) -> None:
    far.commit(3)
    stamper = far.stamper()
    await stamper.look()
    for stamps in (stamper.stamps, far.stamper().stamps):
        found = await stamps.newest()
        assert found is not None
        assert found.note == far.log.checkpoint()
        assert read_timestamp(found.answer, message=found.note, authorities=[AUTHORITY.root]) == NOW
        assert (await stamps.covering(3)) == found
        assert await stamps.covering(4) is None
    assert (stamper.made, stamper.failed, stamper.size) == (1, 0, 3)


async def test_an_authority_is_asked_once_in_a_while_and_for_something_new(far: Far) -> None:
    await far.stamper().look()
    assert far.asked == 0
    far.commit()
    stamper = far.stamper()
    await stamper.look()
    far.commit()
    far.now += HOUR / 2
    # Nor by the next process: it would ask with each restart.
    await stamper.look()
    await far.stamper().look()
    assert far.asked == 1
    far.now += HOUR
    await stamper.look()
    await stamper.look()
    assert far.asked == 2
    far.now += HOUR
    await stamper.look()
    assert (far.asked, stamper.made) == (2, 2)


async def test_a_clock_that_was_set_back_keeps_no_stamp_away(far: Far) -> None:
    far.commit()
    await far.stamper().look()
    far.commit()
    far.now -= timedelta(days=400)
    await far.stamper().look()
    assert far.asked == 2


async def test_the_stamps_of_another_log_are_not_this_ones(far: Far) -> None:
    far.commit(5)
    await far.stamper().look()
    far.name = b"another log"
    assert await far.stamper().stamps.covering(1) is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (OTHER.answer, TimestampRejectedError),
        (lambda _: AUTHORITY.stamp(bytes(32)), TimestampRejectedError),
        (lambda request: AUTHORITY.answer(request)[:-1], MalformedError),
        (lambda _: b"", MalformedError),
        (lambda request: AUTHORITY.answer(request, at=NOW - 9 * HOUR * 24), TimestampRejectedError),
    ],
    ids=["another authority", "another text", "cut off", "nothing", "before its certificate"],
)
async def test_an_authority_that_lies_leaves_nothing(
    answer: Callable[[bytes], bytes], error: type[AdytonError], far: Far
) -> None:
    far.commit()
    far.answer = answer
    stamper = far.stamper()
    with pytest.raises(error):
        await stamper.look()
    assert await far.stamper().stamps.newest() is None
    assert stamper.made == 0
    # Once it is itself again, the stamp is had.
    far.answer = AUTHORITY.answer
    await stamper.look()
    assert stamper.made == 1


async def test_what_fails_is_counted_and_tried_again(far: Far) -> None:
    def silent(_request: bytes) -> bytes:
        raise TimeAuthorityUnavailableError(url=URL, reason="cannot be reached")

    far.commit()
    far.answer = silent
    stamper = far.stamper(every=timedelta(milliseconds=1))
    keeping = asyncio.create_task(stamper.keep())
    try:
        async with asyncio.timeout(20):
            while stamper.failed < 2:  # noqa: ASYNC110  # a count has no event
                await asyncio.sleep(0.001)
            far.answer = AUTHORITY.answer
            while not stamper.made:  # noqa: ASYNC110  # a count has no event
                await asyncio.sleep(0.001)
    finally:
        keeping.cancel()
    assert stamper.size == 1
