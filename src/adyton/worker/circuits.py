"""Circuits that were registered, so that a request need not bring what the last one brought too.

What is longest unused makes room.
"""

from collections import OrderedDict

from adyton.errors import RejectedError
from adyton.model.proving import Target
from adyton.model.proving_job import NoirCircuit

__all__ = ["CircuitNotRegisteredError", "RegisteredCircuits"]


class CircuitNotRegisteredError(RejectedError):
    """The worker does not have this circuit, or not for this target, or no longer."""

    code = "circuit-not-registered"

    def __init__(self) -> None:
        super().__init__("the worker has no such circuit for this target; register it, or send it")


class RegisteredCircuits:
    """Circuits by digest and target, ``limit_bytes`` of them together. Nothing in it is secret.

    Each is as it came, with its key for the target, which a cell computed.
    """

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit, self._size = limit_bytes, 0
        self._circuits: OrderedDict[tuple[bytes, Target], NoirCircuit] = OrderedDict()

    def add(self, digest: bytes, target: Target, circuit: NoirCircuit) -> None:
        """Keep a circuit; one that alone is beyond the limit is not kept."""
        self._drop((digest, target))
        size = _size(circuit)
        if size > self._limit:
            return
        while self._size + size > self._limit:
            self._drop(next(iter(self._circuits)))
        self._circuits[digest, target] = circuit
        self._size += size

    def find(self, digest: bytes, target: Target) -> NoirCircuit:
        """Return a circuit, or raise ``CircuitNotRegisteredError``."""
        try:
            self._circuits.move_to_end((digest, target))
        except KeyError as error:
            raise CircuitNotRegisteredError from error
        return self._circuits[digest, target]

    def _drop(self, name: tuple[bytes, Target]) -> None:
        if (dropped := self._circuits.pop(name, None)) is not None:
            self._size -= _size(dropped)


def _size(circuit: NoirCircuit) -> int:
    return len(circuit.bytecode) + len(circuit.key or b"")
