"""A share of ``make fuzz`` for every run of the tests, and whether it could find anything."""

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random, SystemRandom

import pytest
from tests.fuzz.engine import LimitError, Tally, check, mutations
from tests.fuzz.mint import MINTS
from tests.fuzz.targets import CORPUS, TARGETS, ForgedError, Target

from adyton.errors import MalformedError

SHARE = 2500
BESIDE = "beside"
by_name = pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)


@by_name
def test_every_seed_is_good_to_begin_with(target: Target) -> None:
    assert target.seeds
    assert all(target.check(seed) for seed in target.seeds)
    assert bool(target.authentic) is target.is_evidence


@by_name
def test_mutations_are_refused_or_give_a_verdict_in_little_time(target: Target) -> None:
    # Others in every run; an error has its input with it.
    tally = mutations(
        target, Random(SystemRandom().random()), more=lambda tally: tally.inputs < SHARE
    )
    assert tally.inputs == SHARE


@by_name
def test_what_is_cut_anywhere_is_refused_or_gives_a_verdict(target: Target) -> None:
    seed, tally = min(target.seeds, key=len), Tally()
    for size in range(len(seed)):
        check(target, seed[:size], tally)
    # Of evidence, nothing can be left out.
    assert not (target.is_evidence and tally.accepted)


def test_the_corpus_is_what_the_fakes_mint() -> None:
    minted = {name for mint in MINTS for name, _ in mint()}
    found = {str(path.relative_to(CORPUS)) for path in CORPUS.rglob("*") if path.is_file()}
    assert found == minted
    assert {Path(name).parts[0] for name in found} == {*TARGETS, BESIDE}
    assert sum(path.stat().st_size for path in CORPUS.rglob("*")) < 1 << 19


LARGE = 4 << 20
NUMBERED = b"{" + b",".join(b'"%d":0' % index for index in range(45_000)) + b"}"


@pytest.mark.parametrize(
    "data",
    [
        b"[" * LARGE,
        b"[" + b"[]," * (LARGE // 3 - 2) + b"0]",
        b"[" + b"{}," * (LARGE // 3 - 2) + b"0]",
        b"[" + b"1.5," * (LARGE // 4 - 2) + b"0]",
        b"[" + b'"",' * 99_000 + b"0]",
        b"[" + b"{}," * 49_000 + b"0]",
        b'"' + b"\\u00e9" * (LARGE // 6 - 2) + b'"',
        NUMBERED,
    ],
    ids=["deep", "lists", "maps", "fractions", "texts", "fewer maps", "escapes", "keys"],
)
def test_collateral_as_large_as_it_may_be_takes_little(data: bytes) -> None:
    assert len(data) <= LARGE
    check(TARGETS["intel-collateral"], data, Tally())


def faulty(data: bytes) -> bytes | None:
    match data[:1]:
        case b"f":
            return b"forged"
        case b"s":
            end = time.process_time() + 0.2
            while time.process_time() < end:
                pass
        case b"m":
            len(bytearray(b"x") * (200 << 20))
        case b"e":
            raise IndexError
        case b"r":
            raise MalformedError("refused")
    return b"authentic"


FAULTY = Target("nitro", faulty, is_evidence=True)


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"f", ForgedError), (b"s", LimitError), (b"e", IndexError)],
    ids=["forged", "slow", "error"],
)
def test_each_fault_of_a_target_is_found(data: bytes, error: type[Exception]) -> None:
    tally = Tally()
    check(FAULTY, b"authentic", tally)
    check(FAULTY, b"refused", tally)
    assert (tally.inputs, tally.accepted) == (2, 1)
    with pytest.raises(error):
        check(FAULTY, data, tally)


def test_an_input_that_takes_much_memory_is_found() -> None:
    # In a process of its own: this one may have had as much before.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        run = pool.submit(check, FAULTY, b"m", Tally())
        with pytest.raises(LimitError, match=r"(1|2)\d\d MB for 6d"):
            run.result()


def test_a_fault_is_told_with_its_input() -> None:
    def read(data: bytes) -> bytes | None:
        if data not in TARGETS["der"].seeds:
            raise IndexError
        return None

    with pytest.raises(IndexError) as raised:
        mutations(Target("der", read), Random(1), more=lambda _: True)
    assert "der, input: 30" in raised.value.__notes__[0]
