"""``adyton log hammer`` and ``adyton log fsck``: a notary under load, and a ledger on disk."""

import os
from typing import Annotated

import typer

from adyton.cli.commands import options

__all__ = ["extend"]


def extend(group: typer.Typer) -> None:
    """Add the commands to ``adyton log``."""
    group.command("hammer")(hammer)
    group.command("fsck")(fsck)


def hammer(
    *,
    url: options.URL = options.DEFAULT_URL,
    api_key_file: options.API_KEY_FILE = None,
    writers: Annotated[
        int, typer.Option(metavar="<int>", min=1, max=1024, help="Writers at a time.")
    ] = 8,
    readers: Annotated[
        int, typer.Option(metavar="<int>", min=0, max=1024, help="Readers at a time.")
    ] = 2,
    digests: Annotated[
        int, typer.Option(metavar="<int>", min=1, max=4096, help="Digests a request.")
    ] = 1,
    seconds: Annotated[
        float, typer.Option(metavar="<float>", min=0.1, help="For how long.")
    ] = 10.0,
    as_json: options.AS_JSON = False,
) -> None:
    """Commit random digests as fast as it goes, and check every proof and every reading.

    A number that comes twice, a proof that changes, a log that does not extend an earlier one: each
    ends it with exit code 1. What is committed stays committed: do not hammer a ledger that you
    want to keep short.

    Example: adyton log hammer --api-key-file key.txt --seconds 60
    """
    from adyton.cli.hammering import HammerLoad, run_hammer  # noqa: PLC0415

    load = HammerLoad(writers=writers, readers=readers, digests=digests, seconds=seconds)
    raise typer.Exit(run_hammer(url, load, api_key_file=api_key_file, as_json=as_json))


def fsck(*, as_json: options.AS_JSON = False) -> None:
    """Read a notary's whole ledger on this machine, and compare it with anchor and sealed state.

    Every hash and every signature is checked again; nothing is changed. Settings are the notary's:
    ADYTON_LEDGER_DIR, ADYTON_ANCHORS.

    Example: adyton log fsck
    """
    from adyton.cli.fsck import run_fsck  # noqa: PLC0415

    raise typer.Exit(run_fsck(os.environ, as_json=as_json))
