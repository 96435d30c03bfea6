"""What can be asked, as it is shown: each data source with a command that can be pasted."""

import shlex
from pathlib import Path

import pytest

from adyton.adapters.installation import find_installation
from adyton.adapters.library import load_providers
from adyton.cli.app import run

PROVIDERS = load_providers([find_installation({}, home=Path("/nowhere")).providers])


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_the_command_of_a_provider_can_be_run_once_its_capitals_are_filled_in(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADYTON_API_KEY", "key")
    monkeypatch.setenv("ADYTON_POLICY", "nowhere.yaml")
    assert run(["providers", "show", name]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert "\u2026" not in line
    words = shlex.split(line)
    assert words[:2] == ["adyton", "ask"]
    filled = [word.replace("=@FILE", "=x").replace("@FILE", "{}") for word in words[1:]]
    filled = ['{"type": "is_valid"}' if word == "PREDICATE" else word for word in filled]
    # All of it is understood: the policy is what is not there.
    run(filled)
    assert "nowhere.yaml" in capsys.readouterr().err
