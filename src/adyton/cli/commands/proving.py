"""``adyton prove`` and ``adyton register-circuit``."""

from pathlib import Path
from typing import Annotated

import typer
from typer.models import OptionInfo

from adyton.cli.commands import options

__all__ = ["register"]

_WHAT = "What is proven"
_RESULT = "What comes of it"


def _given(text: str) -> OptionInfo:
    """Return the option for a file that something is proven from."""
    found: OptionInfo = typer.Option(help=text, exists=True, dir_okay=False, rich_help_panel=_WHAT)
    return found


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("prove", rich_help_panel="Ask and verify")(prove)
    app.command("register-circuit", rich_help_panel="Ask and verify")(register_circuit)


def prove(
    artifact: Annotated[
        Path | None,
        typer.Argument(
            help="A Noir program: the JSON that nargo compile writes.", exists=True, dir_okay=False
        ),
    ] = None,
    *,
    inputs: Annotated[Path | None, _given("What main takes by name, as JSON.")] = None,
    witness: Annotated[Path | None, _given("A witness that is solved already.")] = None,
    key: Annotated[
        Path | None, _given("The program's verification key: saves computing it.")
    ] = None,
    circuit: Annotated[
        str | None,
        typer.Option(
            help="The digest of register-circuit: then the program is not sent.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    steps: Annotated[
        Path | None, _given("Instead of a program: Aztec's ivc-inputs.msgpack.")
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
            help="attested: the worker's evidence is checked before anything is sealed."
            " remote: it is not. local: on this machine, without a gateway.",
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
    key_out: Annotated[
        Path | None,
        typer.Option(
            help="Keep the verification key of the proof in this file.", rich_help_panel=_RESULT
        ),
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
        circuit=circuit,
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
        key_out=key_out,
        as_json=as_json,
    )
    raise typer.Exit(run_prove(asked))


def register_circuit(
    artifact: Annotated[
        Path,
        typer.Argument(
            help="A Noir program: the JSON that nargo compile writes.", exists=True, dir_okay=False
        ),
    ],
    *,
    target: Annotated[str, typer.Option(help="Who verifies, as of adyton prove.")] = "evm",
    url: options.URL = options.DEFAULT_URL,
    ca_file: options.CA_FILE = None,
    api_key_file: options.API_KEY_FILE = None,
    as_json: options.AS_JSON = False,
) -> None:
    """Leave a program with the worker, for many proofs of it.

    Prints its digest: adyton prove --circuit names it by that, and sends witness or inputs alone.
    The gateway's host sees the program. The worker forgets it when it ends, or when others need the
    room.

    Exit code: 0 the worker has it, 1 refused, 2 usage or malformed, 3 no answer.

    Example: adyton register-circuit program.json --api-key-file key.txt
    """
    from adyton.cli.proving import run_register  # noqa: PLC0415

    code = run_register(
        artifact,
        target=target,
        url=url,
        ca_file=ca_file,
        api_key_file=api_key_file,
        as_json=as_json,
    )
    raise typer.Exit(code)
