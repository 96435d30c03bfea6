"""``adyton serve``, ``gateway`` and ``worker``: what an operator runs."""

import os
from typing import Annotated

import typer

__all__ = ["register"]

_Notify = Annotated[int | None, typer.Option(hidden=True)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    panel = "Run it"
    app.command("worker", rich_help_panel=panel)(worker)
    app.command("gateway", rich_help_panel=panel)(gateway)


def gateway(*, notify_fd: _Notify = None) -> None:
    """Serve HTTP and forward sealed questions to a worker, until stopped.

    Settings are in the environment: ADYTON_PORT, DATABASE_URL and more, see docs/data-path.md.

    Example: ADYTON_PORT=8423 adyton gateway
    """
    from adyton.cli.running import run_gateway  # noqa: PLC0415

    run_gateway(os.environ, notify=notify_fd)


def worker() -> None:
    """Open, fetch, prove and sign behind a gateway on this machine, until stopped.

    Settings are in the environment: ADYTON_PLATFORM, ADYTON_ISOLATION and more.

    Example: ADYTON_ISOLATION=request adyton worker
    """
    from adyton.worker.server import main  # noqa: PLC0415

    main()
