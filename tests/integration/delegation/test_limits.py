"""What one delegated proof may take: each limit has a code, and is the prover's own."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.chonk import write_chonk
from tests.integration.delegation.conftest import (
    balance_job,
    bytecode,
    calling,
    installed,
    key,
    solver,
    witness,
    worker_process,
)
from tests.integration.delegation.test_chains import STEPS
from tests.integration.flow.machinery import reference_string

from adyton.adapters.acvm import WitnessUnsatisfiedError
from adyton.adapters.barretenberg import (
    BlockingBarretenberg,
    ProverMemoryExceededError,
    ProverTimeoutError,
)
from adyton.adapters.delegate import CircuitTooLargeError, Delegate
from adyton.adapters.linked_errors import LinkedError
from adyton.adapters.reference_string import (
    GrumpkinPointsMissingError,
    ReferenceString,
    ReferenceStringMissingError,
)
from adyton.model.proving import Target
from adyton.model.proving_job import ChonkJob, NoirCircuit, ProvingJob
from adyton.worker.settings import ProvingLimits


def keyless() -> ProvingJob:
    return balance_job(circuit=NoirCircuit(bytecode=bytecode(), key=None), solution=witness())


@contextmanager
def delegate(
    *,
    points: int = 2**15,
    grumpkin: bool = True,
    program: Path | None = None,
    threads: int = 1,
    **changes: int,
) -> Iterator[Delegate]:
    limits: dict[str, Any] = {
        "gates": 2**15,
        "seconds": 60,
        "memory_bytes": 2**30,
        "group": None,
        "waiting": 0,
        "circuits_bytes": 0,
        **changes,
    }
    folder = reference_string()
    with BlockingBarretenberg.start(
        program or installed().require_bb(),
        reference_string=folder,
        threads=1,
        deadline=timedelta(seconds=60),
    ) as native:
        yield Delegate(
            native=native,
            execution=solver().prepare(),
            reference=ReferenceString(folder=Path("points"), points=points, grumpkin=grumpkin),
            limits=ProvingLimits(**limits),
            threads=threads,
            recall=lambda _digest, _target: NoirCircuit(bytecode=bytecode(), key=None),
            tell=lambda _phase: None,
        )


@pytest.mark.parametrize("make", [keyless, balance_job], ids=["by its program", "by its key"])
def test_a_circuit_beyond_the_limit_names_both(make: Callable[[], ProvingJob]) -> None:
    with delegate(gates=2048) as small:
        with pytest.raises(CircuitTooLargeError, match="4096 gates, the limit is 2048"):
            small.prove(make(), Target.EVM)
        with pytest.raises(CircuitTooLargeError, match="4096 gates, the limit is 2048"):
            small.measure(bytecode(), Target.EVM)


def test_a_circuit_beyond_the_reference_string_names_what_is_there() -> None:
    with (
        delegate(points=2048) as small,
        pytest.raises(ReferenceStringMissingError, match="4096 points and points has 2048: set"),
    ):
        small.prove(keyless(), Target.EVM)


def test_a_target_on_the_second_curve_is_refused_without_its_points() -> None:
    with delegate(grumpkin=False) as small:
        for prove in (
            lambda: small.prove(keyless(), Target.NOIR_ROLLUP),
            lambda: small.measure(bytecode(), Target.NOIR_ROLLUP),
            lambda: small.prove(ChonkJob(steps=STEPS), Target.AZTEC),
        ):
            with pytest.raises(GrumpkinPointsMissingError, match="which is not in points"):
                prove()


def test_a_proof_takes_so_much_memory_and_no_more() -> None:
    with delegate(memory_bytes=16 * 2**20) as small, pytest.raises(ProverMemoryExceededError):
        small.measure(bytecode("transaction_pattern"), Target.EVM)


def test_a_proof_takes_so_long_and_no_longer() -> None:
    # So many threads may compute for longer than a second; the one that there is cannot.
    with delegate(seconds=1, threads=8) as small, pytest.raises(ProverTimeoutError):
        # The inner-product argument alone takes longer on one thread.
        small.prove(keyless(), Target.NOIR_ROLLUP)


def test_a_chain_whose_proof_does_not_hold_is_not_vouched_for(tmp_path: Path) -> None:
    program = write_chonk(tmp_path / "bb", makes_bad_proofs=True)
    with delegate(program=program) as lying, pytest.raises(WitnessUnsatisfiedError):
        lying.prove(ChonkJob(steps=STEPS), Target.AZTEC)


def test_a_key_that_lies_about_the_size_gains_nothing() -> None:
    # With a small circuit's key, a large one is not looked at before it is proven.
    large = NoirCircuit(bytecode=bytecode("transaction_pattern"), key=key())
    job = balance_job(circuit=large, solution=b"\x03" + bytes(100))
    with delegate(gates=4096) as small, pytest.raises(CircuitTooLargeError):
        small.prove(job, Target.EVM)


async def test_a_prover_without_the_control_group_that_was_asked_for_is_not_run() -> None:
    with tempfile.TemporaryDirectory(prefix="adyton-") as name:
        folder = Path(name)
        with worker_process(folder, ADYTON_PROVE_CGROUP=str(folder / "none")):
            async with calling(folder) as caller:
                with pytest.raises(LinkedError) as caught:
                    await caller.prove(balance_job())
                assert caught.value.code == "control-group-unavailable"
                groups = folder / "none"
                groups.mkdir()
                assert (await caller.prove(balance_job())).public_inputs[-1] == 1
                (group,) = groups.iterdir()
                assert (group / "memory.max").read_text() == f"{4096 * 2**20}\n"
