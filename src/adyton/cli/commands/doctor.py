"""``adyton doctor``."""

import typer

from adyton.cli.commands import options

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", rich_help_panel="Look it up")(doctor)


def doctor(
    *,
    as_json: options.AS_JSON = False,
) -> None:
    """Say what is missing on this machine, and how to get it.

    Exit code: 0 nothing is missing, 1 something is.

    Example: adyton doctor
    """
    from adyton.cli.checkup import run_doctor  # noqa: PLC0415

    raise typer.Exit(run_doctor(as_json=as_json))
