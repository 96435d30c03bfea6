"""Figures of many runs: percentiles, rates, the memory of processes; and how they are printed."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

__all__ = ["Latency", "cpu_seconds", "memory_mb", "say"]


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of single runs."""

    seconds: Sequence[float]

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        """What 19 of 20 runs stay below."""
        return statistics.quantiles(self.seconds, n=20)[-1]

    def __str__(self) -> str:
        return f"p50 {self.p50 * 1000:7.1f} ms   p95 {self.p95 * 1000:7.1f} ms"


def memory_mb(pid: int) -> tuple[float, float]:
    """Return a process's resident memory, and its proportional share, in MB."""
    memory = psutil.Process(pid).memory_full_info()
    return memory.rss / 2**20, memory.pss / 2**20


def cpu_seconds(pid: int) -> float:
    """Return the time that a process has spent on a processor."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def say(line: str) -> None:
    """Print a line at once: a run takes minutes."""
    print(line, flush=True)
