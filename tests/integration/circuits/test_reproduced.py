"""The committed artifacts and keys are what the sources come to, byte for byte."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.integration.circuits.machinery import Machinery
from tests.integration.circuits.samples import SAMPLES

from adyton.adapters.barretenberg import BlockingBarretenberg
from adyton.proofs.registry import CIRCUITS

ROOT = Path(__file__).parents[3]
COMMITTED = ROOT / "circuits"
EXAMPLE = ROOT / "examples" / "adult"
NAMES = sorted(CIRCUITS)


@pytest.fixture(scope="module")
def compiled(bb: BlockingBarretenberg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts and keys, made anew; ``bb`` is asked for because the compiler's tool needs it."""
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules/@noir-lang/noir_wasm").is_dir():
        pytest.skip("the compiler is not installed; install node and run npm ci")
    # From a copy elsewhere: a path that found its way into an artifact would be another one here.
    sources, out = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("compiled")
    for folder in (*COMMITTED.iterdir(), EXAMPLE):
        if folder.is_dir():
            shutil.copytree(folder / "src", sources / folder.name / "src")
            shutil.copy(folder / "Nargo.toml", sources / folder.name)
    subprocess.run(
        [node, "tools/compile_circuits.mjs", "--sources", sources, "--out", out],
        cwd=ROOT,
        check=True,
        timeout=240,
    )
    return out


def _name(folder: Path | str) -> str:
    return Path(folder).name


def test_every_circuit_has_a_folder_and_a_sample() -> None:
    folders = {path.parent.name for path in COMMITTED.glob("*/artifact.json")}

    assert folders == set(NAMES) == set(SAMPLES)


@pytest.mark.parametrize("folder", [*(COMMITTED / name for name in NAMES), EXAMPLE], ids=_name)
@pytest.mark.parametrize("file", ["artifact.json", "verification_key"])
def test_the_committed_file_is_reproduced(compiled: Path, folder: Path, file: str) -> None:
    assert (compiled / folder.name / file).read_bytes() == (folder / file).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_key_is_computed_from_the_committed_bytecode(machinery: Machinery, name: str) -> None:
    key = machinery.bb.compute_key(machinery.programs[name].acir)

    assert key == machinery.circuits[name].verification_key


@pytest.mark.parametrize("name", NAMES)
def test_an_artifact_names_its_compiler_and_no_machine(name: str) -> None:
    artifact = json.loads((COMMITTED / name / "artifact.json").read_bytes())

    assert artifact.keys() == {"noir_version", "abi", "bytecode"}
    version = json.loads((ROOT / "package.json").read_bytes())["devDependencies"]
    assert artifact["noir_version"].split("+")[0] == version["@noir-lang/noir_wasm"]


@pytest.mark.parametrize("name", NAMES)
def test_a_circuit_is_within_two_to_the_fifteen_gates(machinery: Machinery, name: str) -> None:
    stats = machinery.bb.stats(machinery.programs[name].acir)

    assert stats.padded_gates <= 2**15
    if name != "transaction_pattern":
        # One more bit would double the time of every proof.
        assert stats.padded_gates <= 2**12


@pytest.mark.parametrize("name", NAMES)
def test_abi_and_bytecode_agree_on_what_is_public(machinery: Machinery, name: str) -> None:
    circuit, program = machinery.circuits[name], machinery.programs[name]

    assert program.public_parameters == tuple(range(len(circuit.abi.public_labels())))
    assert len(program.returned) == 2
