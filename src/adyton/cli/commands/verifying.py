"""``adyton verify``."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify", rich_help_panel="Ask and verify")(verify)


def verify(
    file: Annotated[
        Path,
        typer.Argument(
            help="A receipt: the answer to a question, as JSON.", exists=True, dir_okay=False
        ),
    ],
    *,
    policy: Annotated[
        Path,
        typer.Option(help="What you accept, as YAML or JSON.", exists=True, dir_okay=False),
    ],
    nonce: Annotated[
        str | None, typer.Option(help="The nonce that you chose for this question.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="The instant to judge for, as 2026-02-03T12:00:00Z.")
    ] = None,
    challenge: Annotated[
        str | None, typer.Option(help="What you sent for fresh evidence, in base64.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Judge a receipt offline, layer by layer: what each one shows, and what it does not.

    Nothing is fetched; of all tools, only bb is needed, and no reference string.

    Exit code: 0 the receipt holds (its answer may be TRUE or FALSE: read it), 1 it does not hold,
    2 a file or an option is malformed, 3 it could not be found out.

    Example: adyton verify receipt.json --policy policy.yaml --nonce my-nonce
    """
    from adyton.cli.verifying import run_verify  # noqa: PLC0415

    code = run_verify(file, policy=policy, nonce=nonce, at=at, challenge=challenge, as_json=as_json)
    raise typer.Exit(code)
