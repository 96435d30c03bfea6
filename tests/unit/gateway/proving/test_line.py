"""The line: whoever has many in it delays nobody who has one, and nothing gets lost."""

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.gateway.problems import OverloadedError
from adyton.gateway.proving.line import Line, TooManyWaitingError, Turn


async def served(line: Line, turns: list[Turn]) -> list[str]:
    """Let every turn come, and return whose it was, in order."""
    order: list[str] = []

    async def wait(turn: Turn) -> None:
        async with turn:
            order.append(turn.caller)
            await asyncio.sleep(0)

    await asyncio.gather(*(wait(turn) for turn in turns))
    return order


async def test_turns_go_round_the_callers() -> None:
    line = Line(at_once=1, waiting=100, caller_waiting=100)

    turns = [line.join(caller) for caller in "aaaabc"]

    assert await served(line, turns) == ["a", "a", "b", "c", "a", "a"]


async def test_a_place_says_how_many_turns_are_left() -> None:
    line = Line(at_once=1, waiting=100, caller_waiting=100)
    turns = [line.join(caller) for caller in "aaaabbc"]

    places = [turn.place for turn in turns]

    #                 in work, then a b c a b a
    assert places == [0, 1, 4, 6, 2, 5, 3]


@given(
    callers=st.lists(st.sampled_from("abcd"), min_size=1, max_size=30), at_once=st.integers(1, 3)
)
def test_places_are_the_order_in_which_turns_come(callers: list[str], at_once: int) -> None:
    async def run() -> None:
        line = Line(at_once=at_once, waiting=100, caller_waiting=100)
        turns = [line.join(caller) for caller in callers]
        waiting = [turn for turn in turns if turn.place]
        assert sorted(turn.place for turn in waiting) == list(range(1, len(waiting) + 1))
        working = [turn for turn in turns if not turn.place]
        for expected in sorted(waiting, key=lambda turn: turn.place):
            line.leave(working.pop(), has_begun=True)
            assert expected.place == 0
            working.append(expected)
        assert line.waiting == 0

    asyncio.run(run())


async def test_a_caller_may_wait_so_often_and_all_together_so_often() -> None:
    line = Line(at_once=1, waiting=3, caller_waiting=2)
    turns = [line.join(caller) for caller in "aaa"]

    with pytest.raises(TooManyWaitingError):
        line.join("a")
    turns.append(line.join("b"))
    with pytest.raises(OverloadedError):
        line.join("c")
    # What was accepted before is not bounded.
    turns.append(line.join("a", bounded=False))

    assert len(await served(line, turns)) == 5


async def test_whoever_gives_up_leaves_no_gap() -> None:
    line = Line(at_once=1, waiting=10, caller_waiting=10)
    first, second, third = (line.join("a") for _ in range(3))

    async def wait() -> None:
        async with second:
            raise AssertionError("its turn never came")

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting

    assert third.place == 1
    assert await served(line, [first, third]) == ["a", "a"]


async def test_whoever_gives_up_when_the_turn_has_come_passes_it_on() -> None:
    line = Line(at_once=1, waiting=10, caller_waiting=10)
    first, second, third = line.join("a"), line.join("b"), line.join("c")

    async def wait() -> None:
        async with second:
            raise AssertionError("it was cancelled first")

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    async with first:
        pass
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting

    assert third.place == 0


async def test_a_turn_ends_also_when_the_work_fails() -> None:
    line = Line(at_once=1, waiting=10, caller_waiting=10)

    with pytest.raises(ZeroDivisionError):
        async with line.join("a"):
            raise ZeroDivisionError

    assert line.join("b").place == 0
