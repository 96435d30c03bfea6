"""``make fuzz``: broken inputs for everything that reads bytes, until something is wrong.

Without ``--seconds``: so many mutations of every target, by our own engine, in as many processes as
there are cores, with the limits of ``engine`` held against each. With ``--seconds``: that long in
all, guided by what is covered, with atheris; where atheris is not installed, by our own engine.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from random import Random

from tests.fuzz.engine import Tally, mutations
from tests.fuzz.targets import TARGETS

MUTATIONS = 100_000
NO_ATHERIS = (
    "atheris is not installed (there is no build of it for every system): inputs are not guided by"
    " what they cover, but made by our own mutations"
)


def by_count(name: str, count: float, seed: int) -> Tally:
    """Return what came of ``count`` mutations."""
    return mutations(TARGETS[name], Random(seed), more=lambda tally: tally.inputs < count)


def by_time(name: str, seconds: float, seed: int) -> Tally:
    """Return what came of mutations for so many seconds."""
    end = time.monotonic() + seconds
    return mutations(TARGETS[name], Random(seed), more=lambda _: time.monotonic() < end)


def main() -> int:
    """Fuzz as told; return 1 where something was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", default=[*TARGETS], help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=float, help="how long in all, instead of a number")
    parser.add_argument("--mutations", type=int, default=MUTATIONS, help="of each target")
    parser.add_argument("--seed", type=int, default=Random().randrange(2**31))
    told = parser.parse_args()
    say(f"seed {told.seed}")
    if told.seconds is None:
        return mutate(told.targets, by_count, told.mutations, told.seed)
    share = told.seconds * (os.cpu_count() or 1) / len(told.targets)
    if importlib.util.find_spec("atheris") is None:
        say(NO_ATHERIS)
        return mutate(told.targets, by_time, share, told.seed)
    return guide(told.targets, share, told.seed)


def mutate(
    names: Sequence[str], run: Callable[[str, float, int], Tally], amount: float, seed: int
) -> int:
    """Print what came of our own mutations, a line a target; return 1 for a fault."""
    say("target                inputs  accepted  ms each  ms slowest  MB most")
    failed = 0
    with ProcessPoolExecutor() as pool:
        runs = {name: pool.submit(run, name, amount, seed) for name in names}
        for name, found in runs.items():
            if (error := found.exception()) is not None:
                failed = 1
                say(f"{name:<18}{type(error).__name__}: {error}")
                say("\n".join(getattr(error, "__notes__", [])))
            else:
                say(line(name, found.result()))
    return failed


def line(name: str, tally: Tally) -> str:
    """Return what came of a target's mutations, in a line."""
    each = 1000 * tally.seconds / max(1, tally.inputs)
    return (
        f"{name:<18}{tally.inputs:>10}{tally.accepted:>10}{each:>9.3f}"
        f"{1000 * tally.slowest:>12.1f}{tally.grown / 2**20:>9.1f}"
    )


def guide(names: Sequence[str], seconds: float, seed: int) -> int:
    """Print what came of guided inputs, a line a target; return 1 for a fault."""
    failed = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        runs = {name: pool.submit(guided, name, seconds, seed) for name in names}
        for name, found in runs.items():
            code, printed = found.result()
            done = [text for text in printed.splitlines() if text.startswith("Done ")]
            say(f"{name:<18}{done[-1] if code == 0 and done else printed}")
            failed |= code != 0
    return failed


def guided(name: str, seconds: float, seed: int) -> tuple[int, str]:
    """Return the exit code of atheris for one target, and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.guided", name, str(max(1, round(seconds))), str(seed)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
