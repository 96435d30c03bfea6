"""``adyton registry`` where nobody is registered."""

import pytest

from adyton.cli import registry
from adyton.cli.app import run
from adyton.cli.exits import YES


def test_an_empty_registry_says_which_settings_fill_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "talk", lambda *_arguments: [])
    assert run(["registry", "list"]) == YES
    found = capsys.readouterr()
    assert "no such worker is registered" in found.out
    assert "ADYTON_REGISTRY_POLICY" in found.err
    assert "ADYTON_REGISTRY_URL" in found.err
    assert run(["registry", "list", "--json"]) == YES
    assert "ADYTON" not in capsys.readouterr().out
