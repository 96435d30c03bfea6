"""Cells: one request each and then gone, whatever happens in them."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from adyton.adapters.frames import Fields
from adyton.model.isolation import Isolation
from adyton.worker.cells import CellLimits, Cells, CellTimeoutError, OverloadedError
from adyton.worker.channel import CellLostError
from adyton.worker.nursery import Nursery

FAKE = Path(__file__).parents[2] / "fakes" / "cell.py"


@asynccontextmanager
async def running(**changes: Any) -> AsyncIterator[Cells]:
    limits = {
        "isolation": Isolation.REQUEST,
        "turns": 2,
        "in_flight": 4,
        "waiting": 4,
        "spares": 2,
        "seconds": 5.0,
        **changes,
    }
    nursery = Nursery((sys.executable, str(FAKE)), dict(os.environ))
    cells = await Cells(nursery, CellLimits(**limits)).start()
    try:
        yield cells
    finally:
        await cells.close()


async def nothing(_message: Fields) -> Fields:
    return {}


async def test_a_cell_answers_and_is_gone() -> None:
    async with running() as cells:
        answer = await cells.run({"do": "answer", "text": "hello"}, nothing)
        assert answer["done"] == "hello"
        assert _has_no_memory(answer["pid"])


async def test_no_two_requests_share_a_cell() -> None:
    async with running() as cells:
        answers = [await cells.run({"do": "answer"}, nothing) for _ in range(8)]
        assert len({answer["pid"] for answer in answers}) == 8


async def test_a_pooled_cell_is_used_again() -> None:
    async with running(isolation=Isolation.POOLED) as cells:
        jobs = [await cells.run({"do": "answer", "last": False}, nothing) for _ in range(8)]
        assert len({answer["pid"] for answer in jobs}) < 3


async def test_a_lone_request_has_all_cores_and_others_share() -> None:
    async with running() as cells:
        assert (await cells.run({"do": "answer"}, nothing))["threads"] == 2
        together = await asyncio.gather(*(cells.run({"do": "answer"}, nothing) for _ in range(3)))
        assert [answer["threads"] for answer in together].count(1) >= 2


async def test_what_a_cell_asks_is_answered() -> None:
    async def reply(message: Fields) -> Fields:
        return {"twice": message["question"] * 2}

    async with running() as cells:
        assert (await cells.run({"do": "ask"}, reply))["done"] == {"twice": 14}


@pytest.mark.parametrize(
    ("job", "error"),
    [
        ({"do": "crash"}, CellLostError),
        ({"do": "nonsense"}, CellLostError),
        ({"do": "hang"}, CellTimeoutError),
    ],
)
async def test_a_broken_cell_is_a_clear_error_and_leaves_the_pool_whole(
    job: Fields, error: type[Exception]
) -> None:
    async with running(seconds=0.5) as cells:
        for _ in range(6):
            with pytest.raises(error):
                await cells.run(job, nothing)
        assert (await cells.run({"do": "answer", "text": "whole"}, nothing))["done"] == "whole"
        await _until(lambda: not _cells_alive(cells))


async def test_beyond_the_bound_a_request_is_refused_and_told_when_to_come_back() -> None:
    async with running(in_flight=1, waiting=1) as cells:
        slow = {"do": "turn", "seconds": 0.5}
        tasks = [asyncio.create_task(cells.run(slow, nothing)) for _ in range(2)]
        await asyncio.sleep(0.2)
        with pytest.raises(OverloadedError) as refused:
            await cells.run(slow, nothing)
        assert refused.value.retry_after.total_seconds() > 0
        assert [answer["done"] for answer in await asyncio.gather(*tasks)] == [True, True]


async def test_no_more_proofs_are_made_at_a_time_than_there_are_turns() -> None:
    async with running(turns=1, in_flight=4) as cells:
        start = time.monotonic()
        slow = {"do": "turn", "seconds": 0.15}
        await asyncio.gather(*(cells.run(slow, nothing) for _ in range(4)))
        assert time.monotonic() - start >= 0.6


async def test_a_caller_that_gives_up_has_its_cell_ended() -> None:
    async with running() as cells:
        task = asyncio.create_task(cells.run({"do": "hang"}, nothing))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert cells.counts["active"] == 0
        assert (await cells.run({"do": "answer", "text": "on"}, nothing))["done"] == "on"


async def test_many_that_give_up_leave_no_more_spares_than_there_were() -> None:
    async with running(in_flight=8, waiting=8) as cells:
        before = cells.counts["idle"]
        tasks = [asyncio.create_task(cells.run({"do": "hang"}, nothing)) for _ in range(8)]
        await asyncio.sleep(0.3)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.5)
        assert cells.counts["idle"] <= before


async def test_a_template_that_dies_is_started_again() -> None:
    async with running() as cells:
        template = next(p for p in psutil.Process().children() if str(FAKE) in p.cmdline())
        template.kill()
        await asyncio.sleep(0.3)
        answer = await cells.run({"do": "answer", "text": "again"}, nothing)
        assert answer["done"] == "again"


async def test_a_spare_that_died_unnoticed_is_replaced() -> None:
    async with running() as cells:
        for idle in cells._idle.values():
            for cell in idle:
                os.kill(cell.pid, signal.SIGKILL)
        # Nothing was awaited since: the worker cannot have seen it.
        answer = await cells.run({"do": "answer", "text": "replaced"}, nothing)
        assert answer["done"] == "replaced"


async def test_nothing_is_left_after_close() -> None:
    async with running() as cells:
        await cells.run({"do": "answer"}, nothing)
    await _until(lambda: not [p for p in psutil.Process().children(recursive=True) if _is_fake(p)])


def _is_fake(process: psutil.Process) -> bool:
    try:
        return str(FAKE) in process.cmdline()
    except psutil.Error:
        return False


def _cells_alive(cells: Cells) -> bool:
    return cells.counts["active"] > 0


def _has_no_memory(pid: int) -> bool:
    try:
        return not Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return True


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(100):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come true")


async def test_requests_of_one_kind_take_no_place_from_another() -> None:
    started = asyncio.Event()

    async def proving(_message: Fields) -> Fields:
        started.set()
        await asyncio.sleep(60)
        return {}

    limits = CellLimits(
        isolation=Isolation.REQUEST, turns=1, in_flight=1, waiting=0, spares=1, seconds=5.0
    )
    async with running(turns=1, in_flight=1, waiting=0) as long:
        short = await Cells(long._nursery, limits).start()
        proof = asyncio.create_task(long.run({"do": "ask"}, proving))
        await started.wait()
        assert (await short.run({"do": "turn", "seconds": 0}, nothing))["done"] is True
        assert not proof.done()
        proof.cancel()
        await asyncio.gather(proof, return_exceptions=True)
        await short.close()
