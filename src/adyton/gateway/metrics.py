"""Metrics for Prometheus. No label's value comes from a caller: they are all from short lists."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = ["Metrics", "Readings"]

# Proofs take a tenth of a second to a few seconds; the rest takes milliseconds.
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_STEPS: Final = frozenset(
    {"open", "fetch", "extract", "evaluate", "prove", "turn", "solve", "bb", "certify"}
)

Readings = Mapping[tuple[str, str], Callable[[], float]]
"""What is read when somebody looks: a name and its help, and where the value is."""


class Metrics:
    """The gateway's own registry."""

    def __init__(self, *, gauges: Readings, counters: Readings) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "adyton_requests",
            "Requests answered",
            ("endpoint", "status", "code"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "adyton_request_seconds",
            "Time to answer",
            ("endpoint",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._steps = Histogram(
            "adyton_step_seconds",
            "Time of each step inside the worker",
            ("step",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(_Readings(gauges, counters))
        ProcessCollector(registry=self._registry)

    def answered(self, *, endpoint: str, status: int, code: str, seconds: float) -> None:
        """Count one answer."""
        self._requests.labels(endpoint, str(status), code).inc()
        self._seconds.labels(endpoint).observe(seconds)

    def worked(self, timings: Mapping[str, float]) -> None:
        """Count the steps (in milliseconds) of one question."""
        for step in _STEPS & timings.keys():
            self._steps.labels(step).observe(timings[step] / 1000)

    def exposition(self) -> bytes:
        """Return the text that Prometheus reads."""
        return generate_latest(self._registry)


class _Readings(Collector):
    def __init__(self, gauges: Readings, counters: Readings) -> None:
        self._gauges, self._counters = gauges, counters

    def collect(self) -> Iterable[Metric]:
        return self._families()

    def _families(self) -> Iterator[Metric]:
        for (name, text), read in self._gauges.items():
            yield GaugeMetricFamily(name, text, value=read())
        for (name, text), read in self._counters.items():
            yield CounterMetricFamily(name, text, value=read())
