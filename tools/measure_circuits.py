# ruff: noqa: INP001  # a script for developers, and no package
"""Prints the table of ``circuits/README.md``: gates, sizes and times of each circuit.

    CRS_PATH=... uv run python -m tools.measure_circuits

Times are the best of some rounds, over the samples that the tests prove: what is beyond them is
what else the machine had to do. "solve" is the witness solver with an instance made ahead, "prove"
and "verify" are one ``bb`` with two threads.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from tests.integration.circuits.samples import SAMPLES, inputs

from adyton.adapters.acvm import Acvm, Program
from adyton.adapters.barretenberg import BlockingBarretenberg
from adyton.adapters.installation import find_installation
from adyton.adapters.library import load_circuits
from adyton.adapters.reference_string import find_reference_string
from adyton.proofs.circuit import Circuit

ROUNDS = 15
HEADINGS = ("circuit", "gates", "public inputs", "proof bytes", "solve ms", "prove ms", "verify ms")


def main() -> None:
    """Measure every circuit, and print a row each."""
    found = find_installation(os.environ, home=Path.home())
    reference = find_reference_string(os.environ, home=Path.home())
    print_row(HEADINGS)
    print_row(["---"] + ["--:"] * (len(HEADINGS) - 1))
    with (
        tempfile.TemporaryDirectory() as cache,
        BlockingBarretenberg.start(
            found.require_bb(),
            reference_string=reference.folder,
            threads=2,
            deadline=timedelta(seconds=60),
        ) as bb,
    ):
        acvm = Acvm.from_file(found.require_solver(), Path(cache))
        for circuit in load_circuits(found.circuits).values():
            print_row(measure(circuit, acvm, bb))


def measure(circuit: Circuit, acvm: Acvm, bb: BlockingBarretenberg) -> list[str]:
    """Return a circuit's row."""
    acir = Program.from_bytecode(circuit.bytecode).acir
    stats = bb.stats(acir)
    start = inputs(circuit, SAMPLES[circuit.name], answer=True)
    witness = acvm.execute(circuit.bytecode, start).to_bytes()
    proof = bb.prove(acir, key=circuit.verification_key, witness=witness)
    executions = iter([acvm.prepare() for _ in range(ROUNDS)])
    return [
        f"`{circuit.name}`",
        f"{stats.gates:,}",
        str(len(proof.public_inputs)),
        f"{len(proof.proof):,}",
        best_ms(lambda: next(executions).execute(circuit.bytecode, start)),
        best_ms(lambda: bb.prove(acir, key=circuit.verification_key, witness=witness)),
        best_ms(
            lambda: bb.verify(
                circuit.verification_key, public_inputs=proof.public_inputs, proof=proof.proof
            )
        ),
    ]


def best_ms(action: Callable[[], object]) -> str:
    """Return how long ``action`` takes."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        times.append(1000 * (time.perf_counter() - start))
    return f"{min(times):.1f}"


def print_row(cells: list[str] | tuple[str, ...]) -> None:
    """Print one line of the table."""
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
