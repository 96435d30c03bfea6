"""Circuits that were registered, so that a request need not bring what the last one brought too.

What is longest unused makes room.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from adyton.errors import RejectedError
from adyton.model.proving import Target

__all__ = ["CircuitNotRegisteredError", "CircuitRegistry", "Registered"]


class CircuitNotRegisteredError(RejectedError):
    """The worker does not have this circuit, or not for this target, or no longer."""

    code = "circuit-not-registered"

    def __init__(self) -> None:
        super().__init__("the worker has no such circuit for this target; register it, or send it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A circuit as it came, and its key for one target, which a cell computed."""

    bytecode: bytes = field(repr=False)
    key: bytes = field(repr=False)


class CircuitRegistry:
    """Circuits by digest and target, ``limit_bytes`` of them together. Nothing in it is secret."""

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit, self._size = limit_bytes, 0
        self._circuits: OrderedDict[tuple[bytes, Target], Registered] = OrderedDict()

    def add(self, digest: bytes, target: Target, registered: Registered) -> None:
        """Keep a circuit; one that alone is beyond the limit is not kept."""
        self._drop((digest, target))
        size = _size(registered)
        if size > self._limit:
            return
        while self._size + size > self._limit:
            self._drop(next(iter(self._circuits)))
        self._circuits[digest, target] = registered
        self._size += size

    def find(self, digest: bytes, target: Target) -> Registered:
        """Return a circuit, or raise ``CircuitNotRegisteredError``."""
        try:
            self._circuits.move_to_end((digest, target))
        except KeyError as error:
            raise CircuitNotRegisteredError from error
        return self._circuits[digest, target]

    def _drop(self, name: tuple[bytes, Target]) -> None:
        if (dropped := self._circuits.pop(name, None)) is not None:
            self._size -= _size(dropped)


def _size(registered: Registered) -> int:
    return len(registered.bytecode) + len(registered.key)
