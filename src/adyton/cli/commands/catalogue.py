"""``adyton providers`` and ``adyton circuits``."""

from pathlib import Path
from typing import Annotated

import typer

from adyton.cli.commands import options

__all__ = ["register"]

_PANEL = "Look it up"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    providers = typer.Typer(
        help="List, show and check data sources.\n\nExample: adyton providers show plaid-balance",
        no_args_is_help=True,
    )
    providers.command("list")(list_)
    providers.command("show")(show)
    providers.command("check")(check)
    app.add_typer(providers, name="providers", rich_help_panel=_PANEL)
    app.command("circuits", rich_help_panel=_PANEL)(circuits)


def list_(*, as_json: options.AS_JSON = False) -> None:
    """List the data sources: those built in, and those in ADYTON_PROVIDERS.

    Example: adyton providers list
    """
    from adyton.cli.catalogue import run_providers  # noqa: PLC0415

    raise typer.Exit(run_providers(as_json=as_json))


def show(
    provider: Annotated[str, typer.Argument(help="Its id, as providers list shows it.")],
    *,
    as_json: options.AS_JSON = False,
) -> None:
    """Show which credentials a data source takes, and what it answers.

    Example: adyton providers show plaid-balance
    """
    from adyton.cli.catalogue import run_show  # noqa: PLC0415

    raise typer.Exit(run_show(provider, as_json=as_json))


def check(
    files: Annotated[
        list[Path],
        typer.Argument(help="As YAML.", exists=True, dir_okay=False),
    ],
) -> None:
    """Check definitions of your own.

    What is wrong is named with its file and line.

    Exit code: 0 all are right, 2 one is not.

    Example: adyton providers check my-bank.yaml
    """
    from adyton.cli.catalogue import run_check  # noqa: PLC0415

    raise typer.Exit(run_check(files))


def circuits(*, as_json: options.AS_JSON = False) -> None:
    """List the circuits, with the digests that policies name.

    Example: adyton circuits
    """
    from adyton.cli.catalogue import run_circuits  # noqa: PLC0415

    raise typer.Exit(run_circuits(as_json=as_json))
