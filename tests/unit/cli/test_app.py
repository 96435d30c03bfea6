"""Every command explains itself, and what was mistyped is one line and exit code 2."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from adyton.adapters.store.records import Scope
from adyton.cli.app import app, run
from adyton.cli.exits import USAGE

_HEAVY = ("cryptography", "httpx", "fastapi", "sqlalchemy", "wasmtime", "uvicorn", "lxml")
_HELP = f"""
import sys
from adyton.cli.app import run
code = run(["--help"])
print(code, [name for name in {_HEAVY!r} if name in sys.modules])
"""


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        found = getattr(command, "commands", None)
        if found is None:
            yield path, command
            return
        for name, child in found.items():
            yield from walk(child, (*path, name))

    yield from walk(typer.main.get_command(app), ())


COMMANDS = dict(commands())
GROUPS = sorted({path[:size] for path in COMMANDS for size in range(len(path))})


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert run([*path, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example: " in out
    assert f"adyton {' '.join(path)}" in out
    assert all(len(line) <= 100 for line in out.splitlines())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_an_example_is_one_line_to_paste_on_a_narrow_terminal(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*path, "--help"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert all(len(line) <= 80 for line in lines)
    written = re.findall(r"Example: (.+)", COMMANDS[path].help)
    assert [line.removeprefix("Example: ") for line in lines if "Example: " in line] == written
    # Behind the last one is a line without text.
    assert lines[lines.index(f"Example: {written[-1]}") + 1] == ""


def test_the_list_of_commands_has_one_line_for_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["--help"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    assert [line for line in lines if line.startswith("│  ")] == []
    named = {line.split()[1] for line in lines} - {"--version", "--help"}
    assert named == {path[0] for path in COMMANDS}


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: " ".join(path) or "all")
def test_the_help_of_a_group_has_an_example_of_one_of_its_commands(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*path, "--help"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    (example,) = [line for line in lines if line.startswith("Example: adyton ")]
    words = example.split()[2:]
    assert any(tuple(words[: len(command)]) == command for command in COMMANDS)
    assert tuple(words[: len(path)]) == path


def test_a_question_that_is_none_is_repeated_and_the_others_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["ask", "balances", "--gte", "1"]) == USAGE
    said = capsys.readouterr().err
    assert "'balances'" in said
    assert "balance, income" in said


def test_a_key_is_not_written_over_and_what_to_do_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "key.txt").write_text("a key")
    out = str(tmp_path / "key.txt")
    assert run(["keys", "create", "--name", "x", "--out", out]) == USAGE
    assert "name another with --out" in capsys.readouterr().err
    assert (tmp_path / "key.txt").read_text() == "a key"


def test_help_that_nobody_asked_for_is_no_error_without_a_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([]) == USAGE
    found = capsys.readouterr()
    assert "Usage: adyton" in found.out + found.err
    assert "error" not in found.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["log", "prove", "--out"], "adyton log prove"),
        (["log", "prove", "--nonsense"], "adyton log prove"),
        (["ask", "nonsense", "--gte", "1"], "adyton ask"),
        (["log", "nonsense"], "adyton log"),
        (["nonsense"], "adyton"),
    ],
    ids=str,
)
def test_a_mistake_is_answered_with_the_help_of_its_command(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == USAGE
    assert capsys.readouterr().err.splitlines()[-1] == f"  see: {named} --help"


def test_help_fits_80_columns_and_its_paragraphs_are_filled(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["mcp", "--help"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert all(len(line) <= 80 for line in lines)
    first = next(n for n, line in enumerate(lines) if line.startswith("A model chooses"))
    assert lines[first + 1].startswith("folder, you choose here.")
    assert lines[first + 1].endswith("pip install '.[mcp]'.")


def test_json_is_the_same_option_wherever_it_is() -> None:
    options = [item for command in COMMANDS.values() for item in command.params]
    helps = [item.help for item in options if "--json" in item.opts]
    assert set(helps) == {"Print JSON, for programs."}
    assert len(helps) > 15


def test_every_scope_is_in_the_help(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert run(["keys", "create", "--help"]) == 0
    out = capsys.readouterr().out
    assert [scope for scope in Scope if scope.value not in out] == []


def test_there_is_every_command_that_was_promised() -> None:
    names = {path[0] for path in COMMANDS}
    assert names >= {"ask", "audit", "circuits", "demo", "doctor", "gateway", "keys", "policy"}
    assert names >= {"providers", "sandbox", "serve", "verify", "worker"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["verify"],
        ["verify", "nowhere.json", "--policy", "nowhere.yaml"],
        ["ask"],
        ["ask", "nonsense", "--gte", "1"],
        ["ask", "balance", "--gte", "1", "--lte", "2"],
        ["ask", "balance", "--gte", "1", "--extraction", "{}"],
        ["ask", "balance", "--gte", "1", "--url", "ftp://x"],
        ["keys", "create"],
        ["keys", "create", "--name", "x", "--scope", "everything"],
        ["providers", "show", "nonsense"],
        ["policy", "init", "--platform", "sev"],
    ],
    ids=" ".join,
)
def test_what_was_mistyped_is_one_line_and_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADYTON_POLICY", "nowhere.yaml")
    assert run(arguments) == USAGE
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 2


def test_help_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", _HELP], capture_output=True, check=True)
    assert done.stdout.decode().splitlines()[-1] == "0 []"
