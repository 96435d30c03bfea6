"""Barretenberg for an event loop: one request at a time, each with a deadline."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from adyton.adapters.barretenberg import commands
from adyton.adapters.barretenberg.commands import CircuitStats, Command, Proof, is_verifiable
from adyton.adapters.barretenberg.connection import Connection
from adyton.adapters.barretenberg.frame import HEADER_SIZE, frame_size, pack, unpack
from adyton.adapters.barretenberg.server import Server
from adyton.adapters.barretenberg.settings import DEFAULT_SETTINGS, ProofSettings

__all__ = ["Barretenberg"]

Answer = TypeVar("Answer")


class Barretenberg(Connection):
    """A ``bb`` of one's own; tasks that share it take turns.

    Every method raises what those of ``BlockingBarretenberg`` raise. A task that is cancelled while
    it waits for an answer ends the process.
    """

    def __init__(self, server: Server, *, deadline: timedelta) -> None:
        super().__init__(server, deadline=deadline)
        server.socket.setblocking(False)
        self._turn = asyncio.Lock()

    async def compute_key(self, acir: bytes, settings: ProofSettings = DEFAULT_SETTINGS) -> bytes:
        """Return the verification key of a circuit."""
        return await self._ask(commands.compute_key(acir, settings))

    async def prove(
        self, acir: bytes, *, key: bytes, witness: bytes, settings: ProofSettings = DEFAULT_SETTINGS
    ) -> Proof:
        """Return a proof that ``witness`` satisfies the circuit, whose key is ``key``.

        It was not verified: ``bb`` makes a proof, though none that holds, of a bad witness too.
        """
        return await self._ask(commands.prove(acir, key=key, witness=witness, settings=settings))

    async def verify(
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
        return await self._ask(
            commands.verify(key, public_inputs=public_inputs, proof=proof, settings=settings)
        )

    async def stats(self, acir: bytes, settings: ProofSettings = DEFAULT_SETTINGS) -> CircuitStats:
        """Return how large a circuit is."""
        return await self._ask(commands.stats(acir, settings))

    async def poseidon2(self, inputs: Sequence[int]) -> int:
        """Return the Poseidon2 sponge hash of ``inputs``, field elements, at least one."""
        return await self._ask(commands.poseidon2(inputs))

    async def _ask(self, command: Command[Answer]) -> Answer:
        request = pack(command.name, command.fields)
        async with self._turn:
            with self._exchange(command.name):
                async with asyncio.timeout(self._seconds):
                    loop = asyncio.get_running_loop()
                    await loop.sock_sendall(self._server.socket, request)
                    size = frame_size(await self._receive(loop, HEADER_SIZE))
                    response = await self._receive(loop, size)
                return command.answer(*unpack(response))

    async def _receive(self, loop: asyncio.AbstractEventLoop, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = await loop.sock_recv(self._server.socket, size - len(data))
            if not part:
                raise EOFError
            data += part
        return bytes(data)
