"""A cell's prover that crashes, hangs or talks nonsense: replaced once, and then a clear error."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.workshop import FakeSource, Workshop, circuits
from tests.integration.circuits.samples import BINDING, SAMPLES
from tests.integration.flow.machinery import reference_string

from adyton.adapters.acvm import Acvm
from adyton.adapters.barretenberg import (
    BlockingBarretenberg,
    ProverCrashedError,
    ProverFailedError,
    ProverTimeoutError,
)
from adyton.adapters.installation import find_installation
from adyton.adapters.library import load_programs
from adyton.adapters.reference_string import (
    ReferenceString,
    ReferenceStringMissingError,
)
from adyton.errors import UnavailableError
from adyton.flow.ports import Proof
from adyton.worker.proving import CellProver

NAME = "credit_score"
FAKES = {
    "gone": "#!/bin/sh\nexit 3\n",
    "silent": "#!/bin/sh\nexec sleep 1000\n",
    "noise": "#!/bin/sh\nexec yes nonsense\n",
}


class Provers:
    """Starts provers in the order that a test names; counts them, and keeps their ids."""

    def __init__(self, folder: Path, kinds: list[str], *, deadline: float) -> None:
        real = find_installation(os.environ, home=Path.home()).bb
        if real is None:
            pytest.skip("the prover is not installed; run npm ci")
        self._real, self._folder = real, folder
        self._kinds, self._deadline = list(kinds), timedelta(seconds=deadline)
        self.started: list[BlockingBarretenberg] = []

    def __call__(self) -> BlockingBarretenberg:
        kind = self._kinds.pop(0) if self._kinds else "good"
        binary = self._real
        if kind != "good":
            binary = self._folder / kind
            binary.write_text(FAKES[kind])
            binary.chmod(0o755)
        self.started.append(
            BlockingBarretenberg.start(
                binary, reference_string=reference_string(), threads=1, deadline=self._deadline
            )
        )
        return self.started[-1]


@contextmanager
def cell_prover(
    folder: Path, *kinds: str, deadline: float = 20, points: int | None = None
) -> Iterator[tuple[CellProver, Provers]]:
    installation = find_installation(os.environ, home=Path.home())
    if installation.solver is None:
        pytest.skip("the witness solver is not installed; run npm ci")
    provers = Provers(folder, list(kinds), deadline=deadline)
    known = {NAME: circuits()[NAME]}
    prover = CellProver(
        solver=Acvm.from_file(installation.solver, installation.cache),
        programs=load_programs(known),
        reference=ReferenceString(folder=folder, points=points or 2**15),
        start=provers,
        turn=lambda: None,
    )
    try:
        yield prover, provers
    finally:
        prover.close()


def prove(prover: CellProver) -> Proof:
    circuit, sample = circuits()[NAME], SAMPLES[NAME]
    inputs = circuit.witness_inputs(BINDING, sample.parameters, sample.yes, salt=7)
    return prover.prove(circuit, inputs)


def test_a_good_prover_is_started_once(tmp_path: Path) -> None:
    with cell_prover(tmp_path) as (prover, provers):
        assert prove(prover).public_inputs[-1] == 1
        assert len(provers.started) == 1
        assert {"turn", "solve", "bb"} == prover.timings.keys()


@pytest.mark.parametrize("kind", ["gone", "noise"])
def test_a_prover_that_is_none_is_replaced_once(tmp_path: Path, kind: str) -> None:
    with cell_prover(tmp_path, kind) as (prover, provers):
        assert prove(prover).public_inputs[-1] == 1
        assert len(provers.started) == 2


def test_a_prover_that_hangs_is_ended_and_replaced_once(tmp_path: Path) -> None:
    with cell_prover(tmp_path, "silent", deadline=3) as (prover, provers):
        assert prove(prover).public_inputs[-1] == 1
        assert len(provers.started) == 2
        assert not provers.started[0].is_alive


def test_a_prover_that_was_killed_while_it_waited_is_replaced(tmp_path: Path) -> None:
    with cell_prover(tmp_path) as (prover, provers):
        os.kill(provers.started[0].pid, signal.SIGKILL)
        assert prove(prover).public_inputs[-1] == 1
        assert len(provers.started) == 2


def test_a_prover_that_was_stopped_is_ended_and_replaced(tmp_path: Path) -> None:
    with cell_prover(tmp_path, deadline=3) as (prover, provers):
        os.kill(provers.started[0].pid, signal.SIGSTOP)
        assert prove(prover).public_inputs[-1] == 1
        assert not provers.started[0].is_alive


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("gone", ProverCrashedError),
        ("noise", ProverFailedError),
        ("silent", ProverTimeoutError),
    ],
)
def test_a_second_prover_that_is_none_is_a_clear_error(
    tmp_path: Path, kind: str, reason: type[UnavailableError]
) -> None:
    with cell_prover(tmp_path, kind, kind, deadline=0.5) as (prover, provers):
        with pytest.raises(reason):
            prove(prover)
        assert len(provers.started) == 2
        assert not any(started.is_alive for started in provers.started)


def test_a_cell_that_is_used_again_has_a_prover_again(tmp_path: Path) -> None:
    with cell_prover(tmp_path, "good", "good") as (prover, provers):
        prove(prover)
        os.kill(provers.started[0].pid, signal.SIGKILL)
        provers.started[0].close()
        prover.renew()
        assert prove(prover).public_inputs[-1] == 1
        assert len(provers.started) == 2


def test_too_few_points_are_found_out_before_anything_is_asked(
    tmp_path: Path, workshop: Workshop
) -> None:
    with cell_prover(tmp_path, points=16) as (prover, _):
        source = FakeSource()
        with pytest.raises(ReferenceStringMissingError):
            workshop.derive(workshop.question(), prover=prover, http=source)
        assert source.asked == []
