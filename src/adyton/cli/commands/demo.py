"""``adyton demo``."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", rich_help_panel="Try it")(demo)


def demo(
    *,
    out: Annotated[Path, typer.Option(help="Where to leave the receipts.")] = Path("receipts"),
) -> None:
    """Ask a sandbox bank, prove the answers, verify them again.

    Starts everything on this machine, for as long as it takes. Exit code: 0 if everything came out
    as it must (also what must be refused), 1 if something did not, 3 if it could not be run.

    Example: adyton demo --out receipts
    """
    from adyton.cli.demonstration import run_demo  # noqa: PLC0415

    raise typer.Exit(run_demo(out))
