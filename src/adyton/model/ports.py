"""What is taken from outside at every height: the time, and chance."""

from datetime import datetime
from typing import Protocol

__all__ = ["Clock", "Randomness"]


class Clock(Protocol):
    """The time, as this process knows it: within a TEE, the host says it."""

    def __call__(self) -> datetime:
        """Return now, with a zone."""
        ...


class Randomness(Protocol):
    """A source of unpredictable bytes."""

    def __call__(self, size: int, /) -> bytes:
        """Return ``size`` bytes."""
        ...
