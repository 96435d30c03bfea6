"""Our own mutations, and what an input may cost: for the tests, and where there is no atheris.

An input may take a tenth of a second of this process's time, and make its memory grow by 64 MB. A
slow one is tried again before it counts: a machine that pauses is not a slow decoder.
"""

import re
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from tests.fuzz.targets import Target

__all__ = ["LimitError", "Tally", "check", "mutated", "mutations"]

MAX_SECONDS: Final = 0.1
MAX_BYTES: Final = 64 * 2**20
# The kernel counts in KB, but for Apple's.
_UNIT: Final = 1 if sys.platform == "darwin" else 1024
_MAX_CHANGES: Final = 4
_MAX_PIECE: Final = 16
# What lengths, counts and versions are broken with.
_NUMBERS: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63)


_PEAK: Final = re.compile(rb"VmHWM:\s+(\d+) kB")


class LimitError(Exception):
    """An input took more time or memory than any may take."""


@dataclass(slots=True)
class Tally:
    """What came of many inputs."""

    inputs: int = 0
    accepted: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    grown: int = 0


def check(target: Target, data: bytes, tally: Tally) -> None:
    """Count ``data``, or raise: what the target raises against its word, or ``LimitError``."""
    before = _peak()
    accepted, seconds = _timed(target, data)
    if seconds > MAX_SECONDS:
        _, again = _timed(target, data)
        seconds = min(seconds, again)
    grown = _peak() - before
    tally.inputs += 1
    tally.accepted += accepted
    tally.seconds += seconds
    tally.slowest = max(tally.slowest, seconds)
    tally.grown = max(tally.grown, grown)
    if seconds > MAX_SECONDS or grown > MAX_BYTES:
        raise LimitError(f"{target.name}: {seconds:.3f} s, {grown >> 20} MB for {data.hex()}")


def _timed(target: Target, data: bytes) -> tuple[bool, float]:
    start = time.process_time()
    accepted = target.check(data)
    return accepted, time.process_time() - start


def _peak() -> int:
    # The kernel's other figure begins with the peak of whoever started this process.
    try:
        status = Path("/proc/self/status").read_bytes()
        return int(_PEAK.search(status)[1]) << 10  # type: ignore[index]  # it is there
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


def mutations(target: Target, rng: Random, *, more: Callable[[Tally], bool]) -> Tally:
    """Return what came of mutated seeds, made for as long as ``more`` says.

    An error has the input with it, in hexadecimal.
    """
    tally = Tally()
    for seed in target.seeds:
        target.check(seed)
    while more(tally):
        data = mutated(target.seeds, rng)
        try:
            check(target, data, tally)
        except Exception as error:
            error.add_note(f"{target.name}, input: {data.hex()}")
            raise
    return tally


def mutated(seeds: Sequence[bytes], rng: Random) -> bytes:
    """Return one of ``seeds`` with a few changes."""
    data = rng.choice(seeds)
    for _ in range(rng.randint(1, _MAX_CHANGES)):
        data = rng.choice(_CHANGES)(data, seeds, rng)
    return data


def _flip(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _replace(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    piece = rng.randbytes(rng.randint(1, _MAX_PIECE))
    return data[:start] + piece + data[start + len(piece) :]


def _number(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    start, number = rng.randint(0, len(data)), rng.choice(_NUMBERS)
    size = rng.choice([size for size in (1, 2, 4, 8) if number < 1 << 8 * size])
    piece = number.to_bytes(size, rng.choice(["big", "little"]))
    return data[:start] + piece + data[start + size :]


def _insert(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    return data[:start] + rng.randbytes(rng.randint(1, _MAX_PIECE)) + data[start:]


def _delete(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    return data[:start] + data[start + rng.randint(1, _MAX_PIECE) :]


def _repeat(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    piece = data[start : start + rng.randint(1, 4 * _MAX_PIECE)]
    return data[:start] + piece * rng.randint(2, _MAX_PIECE) + data[start:]


def _splice(data: bytes, seeds: Sequence[bytes], rng: Random) -> bytes:
    other = rng.choice(seeds)
    start, place = rng.randint(0, len(data)), rng.randint(0, len(other))
    piece = other[place : place + rng.randint(1, 4 * _MAX_PIECE)]
    return data[:start] + piece + data[start + len(piece) :]


def _cut(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    return data[: rng.randint(0, len(data))]


# Those that leave the length alone more often than not: most formats look at it first.
_CHANGES: Final = (
    _flip,
    _flip,
    _replace,
    _number,
    _number,
    _splice,
    _insert,
    _delete,
    _repeat,
    _cut,
)
