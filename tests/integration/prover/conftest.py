import base64
import json
from pathlib import Path

import pytest

from adyton.adapters.acvm import Acvm, Program

ROOT = Path(__file__).parents[3]
NODE_MODULES = ROOT / "node_modules"
SOLVER = NODE_MODULES / "@noir-lang/acvm_js/web/acvm_js_bg.wasm"


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
    if not SOLVER.exists():
        pytest.skip("the witness solver is not installed; run npm ci")
    return SOLVER


@pytest.fixture(scope="session")
def acvm(solver_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Acvm:
    return Acvm.from_file(solver_path, tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="session")
def balance() -> Program:
    return Program.from_bytecode(bytecode_of("balance_threshold"))
