"""How long a process that has seen raw data lives."""

from enum import StrEnum

__all__ = ["Isolation"]


class Isolation(StrEnum):
    """``REQUEST``: for one request, then gone. ``POOLED``: reused, for throughput."""

    REQUEST = "request"
    POOLED = "pooled"
