"""``python -m bench.evidence``: verifying evidence against what it cannot do without.

Everything is minted by the fakes, with keys of the sizes that vendors have. *Bare* is checking the
signatures alone, with keys that are loaded already, or another verifier doing the same work. What
is compared takes turns within one run, and the shortest of many times counts: whatever else the
machine does only adds to them.

Three states of memory: *first*, when nothing is remembered; *known vendor*, when the authorities
and the collateral are, and the platform is a new one; *again*, when the platform is known, too.
"""

import os
import time
from collections.abc import Sequence
from typing import Any

import psutil
from tests.fakes.nitro import NOW, FakeNitro

from adyton.adapters.evidence_pool import EvidencePool
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.codec.json import JsonObject
from adyton.evidence.collateral import NO_COLLATERAL
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.pipeline import verify_evidence
from bench.evidence_cases import Case, Run, cases
from bench.figures import say

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
    pieces: Sequence[bytes] = [vendor.document() for _ in range(PIECES)]
    given: dict[str, Any] = {
        "collateral": NO_COLLATERAL,
        "policy": policy(vendor.root_sha256),
        "expected": Expected(nonce=b"nonce"),
        "at": NOW,
    }
    cores = min(2, os.cpu_count() or 1)
    cache = EvidenceCache()
    alone, together, spent, spent_together = (float("inf"),) * 4
    with EvidencePool(processes=cores) as pool:
        pool.verify_all(pieces, **given)
        for _ in range(POOL_ROUNDS):
            start = cpu_seconds()
            alone = min(alone, seconds_of(lambda: all_of(pieces, cache=cache, **given)))
            middle = cpu_seconds()
            together = min(together, seconds_of(lambda: pool.verify_all(pieces, **given)))
            spent = min(spent, middle - start)
            spent_together = min(spent_together, cpu_seconds() - middle)
    say(f"\nverdicts on {PIECES} Nitro documents, the chain known")
    say(f"  one process                         {PIECES / alone:8.0f} /s")
    say(
        f"  a pool of {cores}                           {PIECES / together:8.0f} /s"
        f"   {alone / together:.2f} x   (wanted: {WANTED_OF_POOL})"
    )
    # What a machine with nothing else to do would give: the processor's time for the same work,
    # that of the process which hands it out included.
    say(f"  by processor time, with both cores free       {cores * spent / spent_together:.2f} x")


def cpu_seconds() -> float:
    """Return what this process and its children have spent."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def all_of(pieces: Sequence[bytes], **given: Any) -> None:
    """Verify all in this process."""
    for piece in pieces:
        verify_evidence(piece, **given)


def policy(root: bytes) -> Policy:
    """Return a policy that accepts a fake vendor's documents."""
    accepted: JsonObject = {
        "debug": "refused",
        "tcb": "not-required",
        "measurements": "not-required",
    }
    return Policy.from_json(
        {
            "version": "adyton/policy/v1",
            "roots": {"fake": root.hex()},
            "platforms": {"insecure": accepted},
            "evidence": {"maximum_age_seconds": 3600, "challenge": "not-required"},
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
