"""``adyton sandbox``: every built-in data source, played on this machine."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sandbox", rich_help_panel="Try it")(sandbox)


def sandbox(
    *,
    port: Annotated[
        int, typer.Option(metavar="<int>", min=0, max=65535, help="0 takes one that is free.")
    ] = 8424,
    ca_out: Annotated[
        Path, typer.Option(help="Where to write the certificate authority that clients trust.")
    ] = Path("sandbox-ca.pem"),
    notify_fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Play every built-in data source over TLS, until stopped.

    For development and tests.

    Example: adyton sandbox --port 8424 --ca-out sandbox-ca.pem
    """
    from adyton.cli.playing import run_sandbox  # noqa: PLC0415

    run_sandbox(port=port, authority=ca_out, notify=notify_fd)
