"""The commands by name. Each one imports what it needs when it runs: help is quick."""

from collections.abc import Sequence

import typer

from adyton.cli.commands import (
    administration,
    asking,
    catalogue,
    demo,
    doctor,
    policies,
    serving,
    trying,
    verifying,
)
from adyton.cli.exits import report

__all__ = ["app", "run"]

app = typer.Typer(
    name="adyton",
    help=(
        "Answers questions about private data from inside a trusted execution environment,"
        " with a zero-knowledge proof and hardware evidence."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
)

for _group in (
    demo,
    trying,
    asking,
    verifying,
    policies,
    serving,
    administration,
    catalogue,
    doctor,
):
    _group.register(app)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run ``arguments`` and return the exit code."""
    command = typer.main.get_command(app)
    try:
        code = command.main(arguments, prog_name="adyton", standalone_mode=False)
    except typer.Abort:
        return 130
    except Exception as error:  # noqa: BLE001  # the process's outermost frame
        return report(error)
    return code if isinstance(code, int) else 0
