"""Barretenberg for code that waits: one request at a time, each with a deadline."""

import socket
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from adyton.adapters.barretenberg import chain, commands
from adyton.adapters.barretenberg.chain import Chain, ChainProof
from adyton.adapters.barretenberg.commands import (
    CircuitStats,
    Command,
    KeyedProof,
    Proof,
    is_verifiable,
)
from adyton.adapters.barretenberg.connection import Connection
from adyton.adapters.barretenberg.frame import HEADER_SIZE, frame_size, pack, unpack
from adyton.adapters.barretenberg.server import Server
from adyton.adapters.barretenberg.settings import DEFAULT_SETTINGS, ProofSettings

__all__ = ["BlockingBarretenberg"]

Answer = TypeVar("Answer")


class BlockingBarretenberg(Connection):
    """A ``bb`` of one's own; threads that share it take turns.

    Every method raises ``ProverCrashedError``, ``ProverTimeoutError`` or ``ProverFailedError``
    where there is no answer, after which the process is gone, and ``ProverRefusedError`` where the
    answer is an error.
    """

    def __init__(self, server: Server, *, deadline: timedelta) -> None:
        super().__init__(server, deadline=deadline)
        self._turn = threading.Lock()

    def compute_key(self, acir: bytes, settings: ProofSettings = DEFAULT_SETTINGS) -> bytes:
        """Return the verification key of a circuit."""
        return self._ask(commands.compute_key(acir, settings))

    def prove(
        self, acir: bytes, *, key: bytes, witness: bytes, settings: ProofSettings = DEFAULT_SETTINGS
    ) -> Proof:
        """Return a proof that ``witness`` satisfies the circuit, whose key is ``key``.

        It was not verified: ``bb`` makes a proof, though none that holds, of a bad witness too.
        """
        return self._ask(commands.prove(acir, key=key, witness=witness, settings=settings))

    def prove_keyed(
        self, acir: bytes, *, key: bytes | None, witness: bytes, settings: ProofSettings
    ) -> KeyedProof:
        """Do what ``prove`` does, and say which key the proof is for, where ``key`` is ``None``."""
        return self._ask(commands.prove_keyed(acir, key=key, witness=witness, settings=settings))

    def prove_chain(self, steps: Chain) -> ChainProof:
        """Return a proof of a whole chain of circuits. It was not verified."""
        self._ask(chain.start(len(steps.steps)))
        for step in steps:
            self._ask(chain.load(step))
            self._ask(chain.accumulate(step))
        proof = self._ask(chain.prove_chain())
        return ChainProof(proof=proof, key=self._ask(chain.chain_key(steps.steps[-1])))

    def verify_chain(self, proof: bytes, *, key: bytes) -> bool:
        """Return whether a proof of a chain holds under ``key``; what is malformed does not."""
        if not chain.is_chain_proof(proof):
            return False
        return self._ask(chain.verify_chain(proof, key=key))

    def verify(
        self,
        key: bytes,
        *,
        public_inputs: Sequence[int],
        proof: bytes,
        settings: ProofSettings = DEFAULT_SETTINGS,
    ) -> bool:
        """Return whether ``proof`` shows that ``public_inputs`` satisfy the circuit of ``key``.

        What is malformed, of any of the three, does not: the answer is ``False``. Whether the key
        is the right one is for the caller to know.
        """
        if not is_verifiable(key, public_inputs=public_inputs, proof=proof, settings=settings):
            return False
        return self._ask(
            commands.verify(key, public_inputs=public_inputs, proof=proof, settings=settings)
        )

    def stats(self, acir: bytes, settings: ProofSettings = DEFAULT_SETTINGS) -> CircuitStats:
        """Return how large a circuit is."""
        return self._ask(commands.stats(acir, settings))

    def poseidon2(self, inputs: Sequence[int]) -> int:
        """Return the Poseidon2 sponge hash of ``inputs``, field elements, at least one."""
        return self._ask(commands.poseidon2(inputs))

    def _ask(self, command: Command[Answer]) -> Answer:
        request = pack(command.name, command.fields)
        with self._turn, self._exchange(command.name):
            until = time.monotonic() + self._seconds
            self._until(until).sendall(request)
            size = frame_size(self._receive(HEADER_SIZE, until))
            return command.answer(*unpack(self._receive(size, until)))

    def _receive(self, size: int, until: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = self._until(until).recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def _until(self, until: float) -> socket.socket:
        """Return the socket, which gives up when ``until`` has come."""
        if (left := until - time.monotonic()) <= 0:
            raise TimeoutError
        self._server.socket.settimeout(left)
        return self._server.socket
