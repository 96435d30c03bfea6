"""The draw: a function of seed and list, in proportion to the weights, and steered by nobody."""

import hashlib
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.crypto.draw import candidates_digest, draw

names = st.text(max_size=8)
lists = st.dictionaries(names, st.integers(0, 3), max_size=8)
seeds = st.binary(max_size=40)


def test_it_is_the_function_that_is_written_down() -> None:
    seed, candidates = b"beacon", {"a": 2, "é": 1}
    tickets = {}
    for name, number in (("a", 0), ("a", 1), ("é", 0)):
        data = b"adyton/draw/v1\n"
        for part in (seed, name.encode(), number.to_bytes(4, "little")):
            data += len(part).to_bytes(8, "little") + part
        tickets[hashlib.sha256(data).digest()] = name
    assert draw(seed, candidates) == (tickets[min(tickets)],)


def test_the_digest_of_a_list_is_the_function_that_is_written_down() -> None:
    data = b"adyton/candidates/v1\n"
    for name, weight in (("a", 2), ("b", 1)):
        data += len(name).to_bytes(8, "little") + name.encode()
        data += (4).to_bytes(8, "little") + weight.to_bytes(4, "little")
    assert candidates_digest({"b": 1, "a": 2}) == hashlib.sha256(data).digest()


def test_one_draw_is_this_one_for_ever() -> None:
    # Whoever kept a draw must be able to repeat it with every later version.
    candidates = {"alpha": 2, "beta": 1, "gamma": 1}
    assert draw(bytes(32), candidates, count=3) == ("gamma", "alpha", "beta")
    digest = "6b5a1b07696caf1280bb2d5d94373838b7ff0322e9c09f6e370d3c1be14f1a18"
    assert candidates_digest(candidates).hex() == digest


@given(seeds, lists, st.randoms(use_true_random=False))
def test_every_order_of_the_list_gives_the_same_draw(
    seed: bytes, candidates: dict[str, int], random: Random
) -> None:
    items = list(candidates.items())
    random.shuffle(items)
    shuffled = dict(items)
    assert draw(seed, shuffled, count=8) == draw(seed, candidates, count=8)
    assert candidates_digest(shuffled) == candidates_digest(candidates)


@given(seeds, lists)
def test_everybody_with_a_weight_is_drawn_once_and_nobody_else(
    seed: bytes, candidates: dict[str, int]
) -> None:
    drawn = draw(seed, candidates, count=len(candidates))
    assert sorted(drawn) == sorted(name for name, weight in candidates.items() if weight)


@given(seeds, lists, st.integers(1, 8))
def test_a_shorter_draw_is_the_beginning_of_a_longer_one(
    seed: bytes, candidates: dict[str, int], count: int
) -> None:
    assert draw(seed, candidates, count=count) == draw(seed, candidates, count=8)[:count]


@given(seeds, lists, names, st.integers(1, 3))
def test_who_joins_can_only_win_for_themselves(
    seed: bytes, candidates: dict[str, int], name: str, weight: int
) -> None:
    # Else whoever keeps the list pads it until a friend wins.
    before = {**candidates, name: 0}
    winner = draw(seed, {**candidates, name: weight})
    assert winner in {draw(seed, before), (name,)}


def test_tickets_follow_the_weights() -> None:
    candidates = {"attested": 2, "other": 1, "third": 1}
    drawn = Counter(draw(n.to_bytes(4, "big"), candidates)[0] for n in range(8000))
    # Four standard deviations of a binomial distribution: 8000 draws, p = 1/2 and 1/4.
    assert abs(drawn["attested"] - 4000) < 180
    assert abs(drawn["other"] - 2000) < 156
    assert abs(drawn["third"] - 2000) < 156


def test_the_second_place_follows_the_weights_of_those_who_are_left() -> None:
    candidates = {"a": 2, "b": 2, "c": 1}
    drawn = (draw(n.to_bytes(4, "big"), candidates, count=2) for n in range(12000))
    seconds = Counter(second for first, second in drawn if first == "a")
    total = sum(seconds.values())
    assert abs(seconds["b"] / total - 2 / 3) < 0.03


@pytest.mark.parametrize("candidates", [{}, {"a": 0}])
def test_where_nobody_may_be_drawn_nobody_is(candidates: dict[str, int]) -> None:
    assert draw(b"seed", candidates) == ()


@given(st.dictionaries(names, st.integers(0, 3), max_size=6), lists)
def test_other_lists_have_other_digests(one: dict[str, int], other: dict[str, int]) -> None:
    assert (candidates_digest(one) == candidates_digest(other)) is (one == other)
