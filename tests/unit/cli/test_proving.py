"""What is asked to be proven is one thing, and whole, before anybody is asked for it."""

from pathlib import Path

import pytest

from adyton.cli.app import run
from adyton.cli.exits import USAGE

EXAMPLE = Path(__file__).parents[3] / "examples" / "adult"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "what is to be proven"),
        (("PROGRAM",), "one of --inputs and --witness"),
        (("--circuit", "ab" * 32, "--inputs", "INPUTS"), "beside --circuit"),
        (("PROGRAM", "--circuit", "ab", "--inputs", "INPUTS"), "--circuit"),
        (("PROGRAM", "--circuit", "ab" * 32, "--inputs", "INPUTS", "--mode", "local"), "leave out"),
        (("PROGRAM", "--inputs", "INPUTS", "--target", "svm"), "--target is one of"),
        (("PROGRAM", "--inputs", "INPUTS", "--mode", "no"), "--mode is one of"),
        (("PROGRAM", "--inputs", "nowhere.json"), "does not exist"),
        (("--steps", "PROGRAM", "--inputs", "INPUTS"), "for an ARTIFACT"),
    ],
    ids=" ".join,
)
def test_a_mistyped_command_is_usage(
    arguments: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"PROGRAM": "artifact.json", "INPUTS": "inputs.json"}
    given = [str(EXAMPLE / files[item]) if item in files else item for item in arguments]
    assert run(["prove", *given]) == USAGE
    assert reason in capsys.readouterr().err
