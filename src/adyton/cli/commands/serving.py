"""``adyton serve``, ``gateway``, ``worker`` and ``notary``: what an operator runs."""

import os
from typing import Annotated

import typer

__all__ = ["register"]

_Notify = Annotated[int | None, typer.Option(hidden=True)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    panel = "Run it"
    app.command("serve", rich_help_panel=panel)(serve)
    app.command("worker", rich_help_panel=panel)(worker)
    app.command("gateway", rich_help_panel=panel)(gateway)
    app.command("notary", rich_help_panel=panel)(notary)


def serve(
    *,
    port: Annotated[
        int | None, typer.Option(metavar="<int>", min=0, max=65535, help="ADYTON_PORT, or 8423.")
    ] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Play the data sources too, to try it out.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Log every request, on a terminal too.")
    ] = False,
) -> None:
    """Run a gateway, a worker and a notary, until stopped.

    Keys and the audit are in SQLite in the state folder; DATABASE_URL moves them to PostgreSQL. All
    settings are in the environment: docs/data-path.md lists them.

    Example: adyton serve --sandbox
    """
    from adyton.cli.serving import run_serve  # noqa: PLC0415

    given = {} if port is None else {"ADYTON_PORT": str(port)}
    run_serve({**os.environ, **given}, sandbox=sandbox, verbose=verbose)


def gateway(*, notify_fd: _Notify = None) -> None:
    """Serve HTTP and forward sealed questions to a worker.

    On this machine, until stopped. Settings are in the environment: ADYTON_PORT, DATABASE_URL and
    more, see docs/data-path.md.

    Example: ADYTON_PORT=8423 adyton gateway
    """
    from adyton.cli.running import run_gateway  # noqa: PLC0415

    run_gateway(os.environ, notify=notify_fd)


def worker() -> None:
    """Open, fetch, prove and sign behind a gateway.

    On this machine, until stopped. Settings are in the environment: ADYTON_PLATFORM,
    ADYTON_ISOLATION and more.

    Example: ADYTON_ISOLATION=request adyton worker
    """
    from adyton.cli.working import run_worker  # noqa: PLC0415

    run_worker(os.environ)


def notary() -> None:
    """Sign digests into the ledger behind a gateway.

    On this machine, until stopped. Settings are in the environment: ADYTON_ANCHORS,
    ADYTON_LEDGER_DIR and more. It ends when something of the ledger cannot be written: nobody knows
    then what the disk has.

    Example: ADYTON_ANCHORS=sqlite adyton notary
    """
    from adyton.notary.server import main  # noqa: PLC0415

    main()
