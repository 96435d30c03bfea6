"""Group commit: who waits together is written together, and nobody is told before it is done."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from adyton.adapters.store.failure import StoreUnavailableError
from adyton.adapters.store.records import AuditEntry
from adyton.adapters.store.writer import AuditWriter

NOW = datetime(2026, 2, 3, tzinfo=UTC)


def entry(number: int) -> AuditEntry:
    return AuditEntry(id=str(number), time=NOW, key_id="k", endpoint="balance", status=200)


class Disk:
    """A sink that commits when it is told to."""

    def __init__(self) -> None:
        self.commits: list[list[str]] = []
        self.is_broken = False
        self.go = asyncio.Event()
        self.go.set()

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        await self.go.wait()
        if self.is_broken:
            raise StoreUnavailableError(reason="OperationalError")
        self.commits.append([item.id for item in entries])


async def test_an_entry_is_on_the_disk_when_its_writer_goes_on() -> None:
    disk = Disk()
    writer = AuditWriter(disk)
    await writer.write(entry(1))
    assert disk.commits == [["1"]]
    await writer.close()


async def test_nobody_goes_on_before_the_commit() -> None:
    disk = Disk()
    disk.go.clear()
    writer = AuditWriter(disk)
    waiting = asyncio.create_task(writer.write(entry(1)))
    done, _ = await asyncio.wait({waiting}, timeout=0.01)
    assert not done
    disk.go.set()
    await waiting
    await writer.close()


async def test_entries_that_gather_share_a_commit() -> None:
    disk = Disk()
    writer = AuditWriter(disk)
    disk.go.clear()
    first = asyncio.create_task(writer.write(entry(0)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rest = [asyncio.create_task(writer.write(entry(number))) for number in range(1, 50)]
    await asyncio.sleep(0)
    disk.go.set()
    await asyncio.gather(first, *rest)
    assert len(disk.commits) <= 2
    assert sorted(int(item) for commit in disk.commits for item in commit) == list(range(50))
    assert writer.written == 50
    await writer.close()


async def test_a_commit_has_a_bound() -> None:
    disk = Disk()
    writer = AuditWriter(disk)
    await asyncio.gather(*(writer.write(entry(number)) for number in range(300)))
    assert max(len(commit) for commit in disk.commits) <= 128
    await writer.close()


async def test_a_failed_commit_fails_everybody_in_it_and_nobody_after() -> None:
    disk = Disk()
    writer = AuditWriter(disk)
    disk.is_broken = True
    outcomes = await asyncio.gather(
        *(writer.write(entry(number)) for number in range(5)), return_exceptions=True
    )
    assert all(isinstance(outcome, StoreUnavailableError) for outcome in outcomes)
    assert (writer.written, writer.failed) == (0, 5)
    disk.is_broken = False
    await writer.write(entry(6))
    assert disk.commits == [["6"]]
    await writer.close()


async def test_what_nobody_foresaw_fails_its_batch_and_not_the_writer() -> None:
    class Odd(Disk):
        async def add(self, entries: Sequence[AuditEntry]) -> None:
            if entries[0].id == "1":
                raise TypeError("marker")
            await super().add(entries)

    disk = Odd()
    writer = AuditWriter(disk)
    with pytest.raises(StoreUnavailableError) as caught:
        await writer.write(entry(1))
    assert "marker" not in str(caught.value)
    await writer.write(entry(2))
    assert disk.commits == [["2"]]
    await writer.close()


async def test_more_than_can_wait_is_refused_at_once() -> None:
    disk = Disk()
    disk.go.clear()
    writer = AuditWriter(disk, waiting=2)
    waiting = [asyncio.create_task(writer.write(entry(number))) for number in range(2)]
    await asyncio.sleep(0)
    # The writer has taken these two; two more may wait behind them.
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(writer.write(entry(number))) for number in range(2, 4)]
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailableError, match="too much"):
        await writer.write(entry(9))
    disk.go.set()
    await asyncio.gather(*waiting)
    await writer.close()


async def test_who_gives_up_does_not_take_the_entry_back() -> None:
    disk = Disk()
    disk.go.clear()
    writer = AuditWriter(disk)
    waiting = asyncio.create_task(writer.write(entry(1)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    disk.go.set()
    await writer.close()
    assert disk.commits == [["1"]]


async def test_closing_writes_what_waits_and_takes_no_more() -> None:
    disk = Disk()
    disk.go.clear()
    writer = AuditWriter(disk)
    waiting = [asyncio.create_task(writer.write(entry(number))) for number in range(3)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(writer.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailableError):
        await writer.write(entry(9))
    disk.go.set()
    await asyncio.gather(closing, *waiting)
    assert sorted(item for commit in disk.commits for item in commit) == ["0", "1", "2"]
