"""``adyton verify``."""

from pathlib import Path
from typing import Annotated

import typer

from adyton.cli.commands import options

__all__ = ["register"]

_RECEIPT = "Of a receipt"
_PROOF = "Of a notary's proof"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify", rich_help_panel="Ask and verify")(verify)


def verify(
    file: Annotated[
        Path,
        typer.Argument(
            help="A receipt (the answer to a question), or a notary's proof.",
            exists=True,
            dir_okay=False,
        ),
    ],
    *,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="What you accept, as YAML or JSON. A proof can do without.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    about: Annotated[
        Path | None,
        typer.Option(
            "--file",
            help="What a proof is about.",
            exists=True,
            dir_okay=False,
            rich_help_panel=_PROOF,
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="A proof's place in the log, as adyton log prove writes it.",
            exists=True,
            dir_okay=False,
            rich_help_panel=_PROOF,
        ),
    ] = None,
    previous: Annotated[
        Path | None,
        typer.Option(
            help="The proof before it.", exists=True, dir_okay=False, rich_help_panel=_PROOF
        ),
    ] = None,
    nonce: Annotated[
        str | None,
        typer.Option(help="The nonce that you chose for this question.", rich_help_panel=_RECEIPT),
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="The instant to judge for, as 2026-02-03T12:00:00Z.")
    ] = None,
    challenge: Annotated[
        str | None,
        typer.Option(help="What you sent for fresh evidence, in base64.", rich_help_panel=_RECEIPT),
    ] = None,
    collateral: Annotated[
        Path | None,
        typer.Option(
            help="What the vendor published beside the evidence, at the time of the receipt.",
            exists=True,
            dir_okay=False,
            rich_help_panel=_RECEIPT,
        ),
    ] = None,
    as_json: options.AS_JSON = False,
) -> None:
    """Judge a receipt or a notary's proof offline.

    Layer by layer, it says what each shows, and what not. Nothing is fetched; of all tools, only bb
    is needed for receipts, and no reference string.

    Exit code: 0 it holds (a receipt's answer may be TRUE or FALSE: read it), 1 it does not hold,
    2 a file or an option is malformed, 3 it could not be found out.

    Example: adyton verify receipt.json --policy policy.yaml --nonce my-nonce

    Example: adyton verify contract.pdf.proof.json --file contract.pdf
    """
    from adyton.cli.verifying import Verifying, run_verify  # noqa: PLC0415

    verifying = Verifying(
        file=file,
        policy=policy,
        about=about,
        checkpoint=checkpoint,
        previous=previous,
        nonce=nonce,
        at=at,
        challenge=challenge,
        collateral=collateral,
        as_json=as_json,
    )
    raise typer.Exit(run_verify(verifying))
