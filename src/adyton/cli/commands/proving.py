"""``adyton prove``."""

from pathlib import Path
from typing import Annotated

import typer

from adyton.cli.commands import options

__all__ = ["register"]

_WHAT = "What is proven"
_RESULT = "What comes of it"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("prove", rich_help_panel="Ask and verify")(prove)


def prove(
    artifact: Annotated[
        Path | None,
        typer.Argument(
            help="A Noir program: the JSON that nargo compile writes.", exists=True, dir_okay=False
        ),
    ] = None,
    *,
    inputs: Annotated[
        Path | None,
        typer.Option(help="What main takes by name, as JSON.", rich_help_panel=_WHAT),
    ] = None,
    witness: Annotated[
        Path | None,
        typer.Option(help="A witness that is solved already.", rich_help_panel=_WHAT),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            help="The program's verification key: saves computing it.", rich_help_panel=_WHAT
        ),
    ] = None,
    steps: Annotated[
        Path | None,
        typer.Option(
            help="Instead of a program: Aztec's ivc-inputs.msgpack.", rich_help_panel=_WHAT
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="Who verifies: evm, evm-no-zk, noir-recursive, noir-recursive-no-zk,"
            " noir-rollup, aztec. Else evm; aztec for --steps.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    nonce: Annotated[
        str | None, typer.Option(help="Random where left out.", rich_help_panel=_WHAT)
    ] = None,
    audience: Annotated[
        str, typer.Option(help="Whom the proof is for.", rich_help_panel=_WHAT)
    ] = "",
    mode: Annotated[
        str,
        typer.Option(
            help="attested: the worker's evidence is checked first. remote: it is not."
            " local: on this machine, without a gateway.",
            rich_help_panel=options.HOW,
        ),
    ] = "attested",
    url: options.URL = options.DEFAULT_URL,
    ca_file: options.CA_FILE = None,
    api_key_file: options.API_KEY_FILE = None,
    policy: options.WORKERS = None,
    post_quantum: options.POST_QUANTUM = False,
    out: Annotated[
        Path | None, typer.Option(help="Keep the receipt in this file.", rich_help_panel=_RESULT)
    ] = None,
    proof_out: Annotated[
        Path | None,
        typer.Option(help="Keep the bare proof in this file.", rich_help_panel=_RESULT),
    ] = None,
    as_json: options.AS_JSON = False,
) -> None:
    """Have a program proven without showing its witness.

    The worker's evidence is judged first; only then are program and witness sealed, to that
    worker. What comes back is verified before it is called a proof.

    Exit code: 0 proven, 1 refused, 2 usage or malformed, 3 no proof could be had.

    Example: adyton prove program.json --inputs inputs.json --proof-out proof
    """
    from adyton.cli.proving import Proving, run_prove  # noqa: PLC0415

    asked = Proving(
        artifact=artifact,
        inputs=inputs,
        witness=witness,
        key=key,
        steps=steps,
        target=target,
        mode=mode,
        nonce=nonce,
        audience=audience,
        url=url,
        ca_file=ca_file,
        api_key_file=api_key_file,
        policy=policy,
        post_quantum=post_quantum,
        out=out,
        proof_out=proof_out,
        as_json=as_json,
    )
    raise typer.Exit(run_prove(asked))
