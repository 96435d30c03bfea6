"""``adyton keys`` and ``adyton audit``."""

from pathlib import Path
from typing import Annotated

import typer

from adyton.cli.commands import options

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    keys = typer.Typer(
        help="Make, list and revoke API keys."
        "\n\nExample: adyton keys create --name shop --out key.txt",
        no_args_is_help=True,
    )
    keys.command("create")(create)
    keys.command("list")(list_)
    keys.command("revoke")(revoke)
    app.add_typer(keys, name="keys", rich_help_panel="Run it")
    app.command("audit", rich_help_panel="Run it")(audit)


def create(
    *,
    name: Annotated[str, typer.Option(help="Whose key it is.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            metavar="<str>",
            help="ask, commit, prove, register, verify: all where left out; operate.",
        ),
    ] = None,
    days: Annotated[
        int | None, typer.Option(metavar="<int>", min=1, help="Until it expires; else never.")
    ] = None,
    per_minute: Annotated[
        int | None, typer.Option(metavar="<int>", min=1, help="Requests a minute.")
    ] = None,
    per_day: Annotated[
        int | None, typer.Option(metavar="<int>", min=1, help="Questions a day.")
    ] = None,
    in_flight: Annotated[
        int | None, typer.Option(metavar="<int>", min=1, help="Questions at a time.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write it to this file, for its owner only.")
    ] = None,
    as_json: options.AS_JSON = False,
) -> None:
    """Make a key. Its text is shown once: what is stored is a digest.

    Example: adyton keys create --name shop --scope ask --days 90 --out key.txt
    """
    from adyton.adapters.store.records import KeyLimits  # noqa: PLC0415
    from adyton.cli.administration import run_create  # noqa: PLC0415

    limits = KeyLimits(per_minute=per_minute, in_flight=in_flight, per_day=per_day)
    raise typer.Exit(
        run_create(name, scopes=scope or [], days=days, limits=limits, out=out, as_json=as_json)
    )


def list_(*, as_json: options.AS_JSON = False) -> None:
    """List all keys, without what opens anything.

    Example: adyton keys list
    """
    from adyton.cli.administration import run_list  # noqa: PLC0415

    raise typer.Exit(run_list(as_json=as_json))


def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id, as keys list shows it.")],
) -> None:
    """Revoke a key.

    Exit code: 0 revoked, 1 there is no such usable key.

    Example: adyton keys revoke 0123456789abcdef
    """
    from adyton.cli.administration import run_revoke  # noqa: PLC0415

    raise typer.Exit(run_revoke(key_id))


def audit(
    *,
    limit: Annotated[
        int, typer.Option(metavar="<int>", min=1, max=10_000, help="How many, newest first.")
    ] = 20,
    key: Annotated[str | None, typer.Option(metavar="ID", help="Of this key only.")] = None,
    as_json: options.AS_JSON = False,
) -> None:
    """List the newest questions, and what came of them.

    Who asked what kind when. There are digests in it and no data: neither credentials nor what a
    source answered.

    Example: adyton audit --limit 50
    """
    from adyton.cli.administration import run_audit  # noqa: PLC0415

    raise typer.Exit(run_audit(limit=limit, key_id=key, as_json=as_json))
