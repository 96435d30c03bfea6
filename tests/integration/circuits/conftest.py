import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.integration.circuits.machinery import Machinery

from adyton.adapters.acvm import Acvm, Program
from adyton.adapters.barretenberg import BlockingBarretenberg
from adyton.adapters.installation import Installation, find_installation
from adyton.adapters.library import load_circuits
from adyton.adapters.reference_string import (
    ReferenceStringMissingError,
    check_points,
    find_reference_string,
)

LARGEST_CIRCUIT = 2**15


@pytest.fixture(scope="session")
def installation() -> Installation:
    return find_installation(os.environ, home=Path.home())


@pytest.fixture(scope="session")
def bb(installation: Installation) -> Iterator[BlockingBarretenberg]:
    if installation.bb is None:
        pytest.skip("the prover is not installed; run npm ci")
    reference = find_reference_string(os.environ, home=Path.home())
    try:
        check_points(reference, gates=LARGEST_CIRCUIT)
    except ReferenceStringMissingError as error:
        pytest.skip(str(error))
    with BlockingBarretenberg.start(
        installation.bb,
        reference_string=reference.folder,
        threads=2,
        deadline=timedelta(seconds=60),
    ) as bb:
        yield bb


@pytest.fixture(scope="session")
def machinery(
    installation: Installation, bb: BlockingBarretenberg, tmp_path_factory: pytest.TempPathFactory
) -> Machinery:
    if installation.solver is None:
        pytest.skip("the witness solver is not installed; run npm ci")
    circuits = load_circuits(installation.circuits)
    return Machinery(
        acvm=Acvm.from_file(installation.solver, tmp_path_factory.mktemp("compiled")),
        bb=bb,
        circuits=circuits,
        programs={
            name: Program.from_bytecode(circuit.bytecode) for name, circuit in circuits.items()
        },
    )
