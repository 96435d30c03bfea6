"""A prover may replace every unconstrained function. Each lie is compiled in, and has no witness.

The constraints are those of the committed circuits: only the bodies of hints are changed.
"""

import base64
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.integration.circuits.machinery import Machinery
from tests.integration.circuits.samples import SAMPLES, inputs

from adyton.adapters.acvm import WitnessUnsatisfiedError
from adyton.adapters.barretenberg import BlockingBarretenberg

ROOT = Path(__file__).parents[3]
LIBRARY = "adyton/src/lib.nr"
PATTERN = "transaction_pattern/src/main.nr"
BIT = "(x as u128 >> position as u128) & 1 == 1"
ENOUGH = "enough[i] = transactions[i].credit >= minimum;"
PAID = "    (enough, paid, places)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """A hint's text in a file, and what a liar writes there."""

    name: str
    file: str
    honest: str
    lie: str


def lying_bit(name: str, position: int) -> Lie:
    return Lie(name=name, file=LIBRARY, honest=BIT, lie=f"({BIT}) != (position == {position})")


LIES = [
    lying_bit("balance_threshold", 63),
    lying_bit("balance_threshold", 64),
    lying_bit("income", 72),
    lying_bit("employment_status", 31),
    lying_bit("employment_status", 48),
    lying_bit("credential_validity", 8),
    lying_bit("credit_score", 16),
    lying_bit("generic_predicate", 64),
    *(
        Lie(name="balance_threshold", file=LIBRARY, honest="flags[i] = i < count as u32;", lie=lie)
        for lie in (
            # One account fewer, one more, and as many with a gap.
            "flags[i] = i + 1 < count as u32;",
            "flags[i] = i < count as u32 + 1;",
            "flags[i] = (i > 0) & (i < count as u32 + 1);",
        )
    ),
    # Income that did not come, and income that came and is denied.
    Lie(name="transaction_pattern", file=PATTERN, honest=ENOUGH, lie="enough[i] = true;"),
    Lie(name="transaction_pattern", file=PATTERN, honest=ENOUGH, lie="enough[i] = false;"),
    *(
        Lie(name="transaction_pattern", file=PATTERN, honest=PAID, lie=f"{lie}\n{PAID}")
        for lie in (
            "paid[0] = false;",
            "paid[20] = true; places[20] = places[0];",
            "places[1] = places[0];",
            "places[1] = 512;",
        )
    ),
]


# Without it, a compiler that always failed would pass for circuits that are sound.
NO_LIE = Lie(name="credit_score", file=LIBRARY, honest=BIT, lie=BIT)


@pytest.fixture(scope="module")
def compiled(bb: BlockingBarretenberg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each lie, by its number; all are compiled at once, which is much faster."""
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules/@noir-lang/noir_wasm").is_dir():
        pytest.skip("the compiler is not installed; install node and run npm ci")
    sources = tmp_path_factory.mktemp("lies")
    for number, lie in enumerate([NO_LIE, *LIES]):
        write(sources, number, lie)
    subprocess.run(
        [node, "tools/compile_circuits.mjs", "--sources", sources],
        cwd=ROOT,
        check=True,
        timeout=240,
    )
    return sources


def write(sources: Path, number: int, lie: Lie) -> None:
    """Copy a circuit and the library to folders of their own, and tell the lie in one of them."""
    for name, copy in (("adyton", f"library-{number}"), (lie.name, str(number))):
        shutil.copytree(ROOT / "circuits" / name / "src", sources / copy / "src")
        manifest = (ROOT / "circuits" / name / "Nargo.toml").read_text()
        (sources / copy / "Nargo.toml").write_text(
            manifest.replace("../adyton", f"../library-{number}")
        )
    folder = f"library-{number}" if lie.file == LIBRARY else str(number)
    source = sources / folder / lie.file.split("/", 1)[1]
    text = source.read_text()
    assert text.count(lie.honest) == 1
    source.write_text(text.replace(lie.honest, lie.lie))


@pytest.mark.parametrize(
    ("number", "lie"),
    list(enumerate(LIES, start=1)),
    ids=lambda value: f"{value.name}: {value.lie.strip()}" if isinstance(value, Lie) else "",
)
def test_a_lie_has_no_witness(machinery: Machinery, compiled: Path, number: int, lie: Lie) -> None:
    with pytest.raises(WitnessUnsatisfiedError):
        solve(machinery, compiled, number, lie)


def test_an_unchanged_hint_has_a_witness(machinery: Machinery, compiled: Path) -> None:
    solve(machinery, compiled, 0, NO_LIE)


def solve(machinery: Machinery, compiled: Path, number: int, lie: Lie) -> None:
    artifact = json.loads((compiled / str(number) / "artifact.json").read_bytes())
    found = inputs(machinery.circuits[lie.name], SAMPLES[lie.name], answer=True)
    machinery.acvm.execute(base64.b64decode(artifact["bytecode"]), found)
