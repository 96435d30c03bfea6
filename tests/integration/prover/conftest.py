import base64
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from adyton.adapters.acvm import Acvm, Program
from adyton.adapters.barretenberg import BlockingBarretenberg, Proof
from adyton.adapters.installation import find_installation
from adyton.adapters.reference_string import find_reference_string

ROOT = Path(__file__).parents[3]
NODE_MODULES = ROOT / "node_modules"
SHARED_REFERENCE_STRING = ROOT.parent / "shared" / "crs"
DEADLINE = timedelta(seconds=60)


def bytecode_of(circuit: str) -> bytes:
    artifact = json.loads((ROOT / "circuits" / circuit / "artifact.json").read_bytes())
    return base64.b64decode(artifact["bytecode"])


def balance_inputs(*, balances: tuple[int, ...] = (250_00,), lower: int = 100_00) -> dict[int, int]:
    """Inputs of the balance circuit by witness index: parameters in order are 0, 1, 2, ..."""
    currency, upper, salt = 840, 10**15, 0x5EC2E7
    values = [11, 22, 33, 1_700_000_000, currency, lower, upper, salt, len(balances)]
    values += [*balances, *[0] * (16 - len(balances))]
    values += [currency] * len(balances) + [0] * (16 - len(balances))
    return dict(enumerate(values))


@pytest.fixture(scope="session")
def solver_path() -> Path:
    found = find_installation(os.environ, home=Path.home())
    if found.solver is None:
        pytest.skip("the witness solver is not installed; run npm ci")
    return found.solver


@pytest.fixture(scope="session")
def bb_path() -> Path:
    found = find_installation(os.environ, home=Path.home())
    if found.bb is None:
        pytest.skip("the prover is not installed; run npm ci")
    return found.bb


@pytest.fixture(scope="session")
def reference_string() -> Path:
    """A folder with enough points for the largest circuit."""
    found = find_reference_string(os.environ, home=Path.home())
    if not found.points and SHARED_REFERENCE_STRING.is_dir():
        found = find_reference_string({}, home=Path.home(), setting=SHARED_REFERENCE_STRING)
    if found.points < 2**15:
        pytest.skip("there is no reference string to prove with; set CRS_PATH")
    return found.folder


@pytest.fixture(scope="session")
def acvm(solver_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Acvm:
    return Acvm.from_file(solver_path, tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="session")
def balance() -> Program:
    return Program.from_bytecode(bytecode_of("balance_threshold"))


@pytest.fixture(scope="session")
def balance_key() -> bytes:
    return (ROOT / "circuits/balance_threshold/verification_key").read_bytes()


@pytest.fixture
def bb(bb_path: Path, reference_string: Path) -> Iterator[BlockingBarretenberg]:
    with BlockingBarretenberg.start(
        bb_path, reference_string=reference_string, threads=2, deadline=DEADLINE
    ) as running:
        yield running


@pytest.fixture(scope="session")
def balance_proof(
    bb_path: Path, reference_string: Path, acvm: Acvm, balance: Program, balance_key: bytes
) -> Proof:
    """A proof that a balance is enough."""
    witness = acvm.execute(balance.bytecode, balance_inputs()).to_bytes()
    with BlockingBarretenberg.start(
        bb_path, reference_string=reference_string, threads=2, deadline=DEADLINE
    ) as running:
        return running.prove(balance.acir, key=balance_key, witness=witness)
