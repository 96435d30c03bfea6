"""``python -m bench.evidence``: verifying evidence against what it cannot do without.

Everything is minted by the fakes, with keys of the sizes that vendors have. *Bare* is checking the
signatures alone, with keys that are loaded already, or another verifier doing the same work. What
is compared takes turns within one run, and the shortest of many times counts: whatever else the
machine does only adds to them.

Three states of memory: *first*, when nothing is remembered; *known vendor*, when the authorities
and the collateral are, and the platform is a new one; *again*, when the platform is known, too.
"""

import asyncio
import os
import time
from collections.abc import Sequence

import psutil
import uvloop
from tests.fakes.nitro import NOW, FakeNitro

from adyton.adapters.evidence_pool import EvidencePool
from adyton.adapters.evidence_process import judge_request
from adyton.codec.json import JsonObject, canonical
from adyton.codec.text import to_base64
from bench.evidence_cases import Case, Run, cases
from bench.figures import cpu_seconds, say

__all__ = ["measure_evidence"]

ROUNDS = 150
PIECES = 320
POOL_ROUNDS = 16
WANTED_OF_POOL = 1.8


def measure(case: Case) -> None:
    """Print a technology's shortest times, taken in turns."""
    best = dict.fromkeys(["bare", *case.ways], float("inf"))
    for _ in range(ROUNDS):
        if case.bare is not None:
            best["bare"] = min(best["bare"], seconds_of(case.bare))
        for name, (prepare, _) in case.ways.items():
            best[name] = min(best[name], seconds_of(prepare()))
    say(f"\n{case.name}")
    if case.bare is not None:
        say(f"  {case.against:<36}{1000 * best['bare']:8.3f} ms")
    for name, (_, wanted) in case.ways.items():
        ratio = f"{best[name] / best['bare']:6.2f} x" if case.bare is not None else ""
        limit = f"   (wanted: {wanted})" if wanted is not None else ""
        each = f"{1000 * best[name]:8.3f} ms {1 / best[name]:7.0f} /s"
        say(f"  {name:<36}{each}{ratio}{limit}")


def seconds_of(run: Run) -> float:
    """Return the seconds of one run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def measure_pool() -> None:
    """Print what a pool of processes gives over one, on the whole path to a verdict."""
    vendor = FakeNitro()
    bodies = [request(vendor) for _ in range(PIECES)]
    cores = min(2, os.cpu_count() or 1)
    alone, together, spent, spent_together = (float("inf"),) * 4
    # On the loop that a gateway has.
    with (
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        EvidencePool(processes=cores) as pool,
    ):

        def ask() -> None:
            runner.run(ask_all(pool, bodies))

        ask()
        for _ in range(POOL_ROUNDS):
            start = spent_seconds()
            alone = min(alone, seconds_of(lambda: answer_all(bodies)))
            middle = spent_seconds()
            together = min(together, seconds_of(ask))
            spent = min(spent, middle - start)
            spent_together = min(spent_together, spent_seconds() - middle)
        runner.get_loop().call_soon(pool.close)
        runner.run(asyncio.sleep(0))
    say(f"\nanswers to {PIECES} requests for a verdict on a Nitro document, the chain known")
    say(f"  one process                         {PIECES / alone:8.0f} /s")
    say(
        f"  a pool of {cores}                           {PIECES / together:8.0f} /s"
        f"   {alone / together:.2f} x   (wanted: {WANTED_OF_POOL})"
    )
    # What a machine with nothing else to do would give: the processor's time for the same work,
    # that of the process which hands it out included.
    say(f"  by processor time, with both cores free       {cores * spent / spent_together:.2f} x")


def spent_seconds() -> float:
    """Return the time that this process and its children have spent on a processor."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return sum(cpu_seconds(process.pid) for process in processes)


def answer_all(bodies: Sequence[bytes]) -> None:
    """Answer all in this process."""
    for body in bodies:
        judge_request(body, now=NOW)


async def ask_all(pool: EvidencePool, bodies: Sequence[bytes]) -> None:
    """Ask a pool for all answers at once."""
    for answer, _ in await asyncio.gather(*(pool.request(body, now=NOW) for body in bodies)):
        assert b'"accepted": true' in answer


def request(vendor: FakeNitro) -> bytes:
    """Return what a caller posts, with a policy that accepts a fake vendor's documents."""
    accepted: JsonObject = {
        "debug": "refused",
        "tcb": "not-required",
        "measurements": "not-required",
    }
    return canonical(
        {
            "evidence": to_base64(vendor.document()),
            "policy": {
                "version": "adyton/policy/v1",
                "roots": {"fake": vendor.root_sha256.hex()},
                "platforms": {"insecure": accepted},
                "evidence": {"maximum_age_seconds": 3600, "challenge": "not-required"},
            },
            "expected": {"nonce": to_base64(b"nonce")},
        }
    )


def measure_evidence() -> None:
    """Measure all technologies, and the pool."""
    say("\nverifying evidence: the shortest of many times, in turns")
    for case in cases():
        measure(case)
    measure_pool()


if __name__ == "__main__":
    measure_evidence()
