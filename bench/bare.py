"""What everything is held against: the native prover alone, on the witness of a real question."""

import threading
import time
from collections.abc import Sequence
from datetime import timedelta

from adyton.adapters.acvm import Acvm
from adyton.adapters.barretenberg import BlockingBarretenberg
from adyton.adapters.installation import Installation
from adyton.adapters.library import load_circuits, load_programs
from adyton.adapters.reference_string import ReferenceString
from adyton.model.value import Column, DataSource, Extracted, FieldType
from adyton.proofs.binding import Binding
from adyton.proofs.circuit import Asked

__all__ = ["Bare"]

_TIME = 1_706_961_234
_DEADLINE = timedelta(seconds=60)


class Bare:
    """Provers of our own, warm, without anything around them."""

    def __init__(self, installation: Installation, reference: ReferenceString) -> None:
        self._binary, self._reference = installation.require_bb(), reference
        circuits = load_circuits(installation.circuits)
        circuit = circuits["balance_threshold"]
        self.acir = load_programs(circuits)[circuit.name]
        self.key = circuit.verification_key
        asked = Asked(predicate={"type": "gte", "threshold": 10_000}, time=_TIME)
        data = Extracted(
            source=DataSource(name="plaid", institution="ins_109508"),
            columns={
                "balance": Column(type=FieldType.DECIMAL, scale=2, values=(1_234_567, 99, -500)),
                "currency": Column(type=FieldType.STRING, scale=0, values=("USD",) * 3),
            },
        )
        parameters = circuit.parameters.from_predicate(
            asked.predicate, circuit.parameters.facts(data, asked)
        )
        binding = Binding.of(
            nonce="n",
            audience="",
            source=data.source,
            provider_digest=bytes(32),
            time=_TIME,
        )
        inputs = circuit.witness_inputs(
            binding, parameters, parameters.private_inputs(data, asked), salt=7
        )
        solver = Acvm.from_file(installation.require_solver(), installation.cache)
        self.witness = solver.execute(circuit.bytecode, inputs).to_bytes()

    def server(self, threads: int) -> BlockingBarretenberg:
        """Return a warm prover."""
        server = BlockingBarretenberg.start(
            self._binary,
            reference_string=self._reference.folder,
            threads=threads,
            deadline=_DEADLINE,
        )
        self.prove(server)
        return server

    def prove(self, server: BlockingBarretenberg) -> float:
        """Return the seconds of one proof."""
        start = time.perf_counter()
        server.prove(self.acir, key=self.key, witness=self.witness)
        return time.perf_counter() - start

    def rate(self, servers: Sequence[BlockingBarretenberg], seconds: float) -> float:
        """Return the proofs per second of ``servers`` side by side."""
        end = time.perf_counter() + seconds
        counts = [0] * len(servers)

        def work(index: int) -> None:
            while time.perf_counter() < end:
                self.prove(servers[index])
                counts[index] += 1

        start = time.perf_counter()
        threads = [threading.Thread(target=work, args=(index,)) for index in range(len(servers))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / (time.perf_counter() - start)
