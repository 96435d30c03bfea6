"""The commands by name. Each one imports what it needs when it runs: help is quick."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from adyton.cli.commands import (
    administration,
    asking,
    catalogue,
    demo,
    doctor,
    evidence,
    log,
    mcp,
    policies,
    proving,
    registry,
    serving,
    trying,
    verifying,
)
from adyton.cli.exits import report

__all__ = ["app", "run"]


def _print_version(asked: bool) -> None:  # noqa: FBT001  # typer calls it so
    if asked:
        typer.echo(f"adyton {version('adyton')}")
        raise typer.Exit


app = typer.Typer(
    name="adyton",
    epilog="Exit codes: 0 yes, 1 no, 2 usage, malformed or a wrong key, 3 no answer, which is never"
    " a yes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # In "rich", the lines of a docstring stay lines, and "'.[mcp]'" loses its brackets.
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["--help", "-h"]},
)

for _group in (
    demo,
    trying,
    asking,
    proving,
    verifying,
    evidence,
    log,
    policies,
    serving,
    mcp,
    administration,
    catalogue,
    registry,
    doctor,
):
    _group.register(app)


@app.callback()
def _everything(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Answer questions about private data from inside a trusted execution environment (TEE).

    With each answer come a zero-knowledge proof of it and hardware evidence of the code that gave
    it, which anyone can verify offline.

    Example: adyton demo
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run ``arguments`` and return the exit code."""
    command = typer.main.get_command(app)
    try:
        code = command.main(arguments, prog_name="adyton", standalone_mode=False)
    except typer.Abort:
        return 130
    except Exception as error:  # noqa: BLE001  # the process's outermost frame
        return report(error, command=_called(command, arguments))
    return code if isinstance(code, int) else 0


def _called(command: object, arguments: Sequence[str] | None) -> str:
    """Return the command that ``arguments`` begin with: an error does not always know it."""
    path = ["adyton"]
    for word in sys.argv[1:] if arguments is None else arguments:
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            break
        path.append(word)
    return " ".join(path)
