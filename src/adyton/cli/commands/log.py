"""``adyton commit``, and ``adyton log`` with its commands."""

from pathlib import Path
from typing import Annotated

import typer

from adyton.cli.commands import ledger, options

__all__ = ["register"]

_PANEL = "Notarize"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("commit", rich_help_panel=_PANEL)(commit)
    group = typer.Typer(
        help="Look at a notary's log, and check it."
        "\n\nExample: adyton log checkpoint --out today.txt",
        no_args_is_help=True,
    )
    group.command("walk")(walk)
    group.command("checkpoint")(checkpoint)
    group.command("prove")(prove)
    ledger.extend(group)
    app.add_typer(group, name="log", rich_help_panel=_PANEL)


def commit(
    files: Annotated[
        list[Path], typer.Argument(help="What to commit.", exists=True, dir_okay=False)
    ],
    *,
    url: options.URL = options.DEFAULT_URL,
    ca_file: options.CA_FILE = None,
    api_key_file: options.API_KEY_FILE = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Whose proofs you accept.",
            exists=True,
            dir_okay=False,
            rich_help_panel=options.HOW,
        ),
    ] = None,
    metadata: Annotated[
        str | None, typer.Option(help="A JSON object to put beside; nobody signs it.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Have evidence made for each proof.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace proofs that are there already.")
    ] = False,
    as_json: options.AS_JSON = False,
) -> None:
    """Have a notary sign that files existed, and in which order.

    The files are hashed here; only their digests are sent. Up to 256 of them are one commit, all or
    none. Each proof is verified before it is written: FILE.proof.json beside each FILE.

    Example: adyton commit contract.pdf --api-key-file key.txt
    """
    from adyton.cli.committing import Committing, run_commit  # noqa: PLC0415

    committing = Committing(
        files=tuple(files),
        url=url,
        ca_file=ca_file,
        api_key_file=api_key_file,
        policy=policy,
        metadata=metadata,
        fresh=fresh,
        force=force,
        as_json=as_json,
    )
    raise typer.Exit(run_commit(committing))


def walk(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Proofs, or JSON arrays of them. Without any, the notary's own.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    *,
    url: options.URL = options.DEFAULT_URL,
    ca_file: options.CA_FILE = None,
    first: Annotated[
        int, typer.Option(metavar="<int>", min=1, help="The first number, at the notary.")
    ] = 1,
    last: Annotated[
        int | None,
        typer.Option(metavar="<int>", min=1, help="The last one; else the newest checkpoint's."),
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="Missing numbers are wrong, too.")
    ] = False,
    as_json: options.AS_JSON = False,
) -> None:
    """Compare proofs with each other: forks, gaps, numbers given twice, epochs, clocks.

    Exit code: 0 they can be of one honest chain, 1 they cannot, 2 usage, 3 no answer.

    Example: adyton log walk *.proof.json
    """
    from adyton.cli.log import Range, run_walk  # noqa: PLC0415

    asked = Range(url=url, ca_file=ca_file, first=first, last=last)
    raise typer.Exit(run_walk(tuple(files or ()), asked, complete=complete, as_json=as_json))


def checkpoint(
    *,
    url: options.URL = options.DEFAULT_URL,
    ca_file: options.CA_FILE = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="<str>", help="A key that may sign, as name+id+key; else what the notary says."
        ),
    ] = None,
    old: Annotated[
        Path | None,
        typer.Option(
            help="An older checkpoint: the new one must extend it.", exists=True, dir_okay=False
        ),
    ] = None,
    stamped: Annotated[
        bool, typer.Option("--stamped", help="The newest that has a time stamp (RFC 3161).")
    ] = False,
    authority: Annotated[
        Path | None,
        typer.Option(
            help="The roots, in PEM, that the stamp has to lead to.", exists=True, dir_okay=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Keep the new one in this file, and its stamp beside it, as .tsr."),
    ] = None,
    as_json: options.AS_JSON = False,
) -> None:
    """Fetch the log's newest checkpoint, check its signature, and that the log only grew.

    Exit code: 0 it holds, 1 it does not, 2 usage, 3 no answer.

    Example: adyton log checkpoint --old yesterday.txt --out today.txt
    """
    from adyton.cli.log import CheckpointOptions, run_checkpoint  # noqa: PLC0415

    asked = CheckpointOptions(
        url=url,
        ca_file=ca_file,
        keys=tuple(key or ()),
        old=old,
        out=out,
        stamped=stamped,
        authority=authority,
        as_json=as_json,
    )
    raise typer.Exit(run_checkpoint(asked))


def prove(
    proof: Annotated[Path, typer.Argument(help="A proof.", exists=True, dir_okay=False)],
    *,
    url: options.URL = options.DEFAULT_URL,
    ca_file: options.CA_FILE = None,
    stamp: Annotated[
        str | None,
        typer.Option(
            help="A time stamp authority (RFC 3161) to ask; else a stamp that the notary has.",
            envvar="ADYTON_TIME_AUTHORITY",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to; else beside the proof, .tlog-proof.")
    ] = None,
    as_json: options.AS_JSON = False,
) -> None:
    """Fetch a proof's place in the log, check it, and keep it for adyton verify --checkpoint.

    Exit code: 0 it is in the log, 1 it is not, 2 usage, 3 no answer.

    Example: adyton log prove contract.pdf.proof.json
    """
    from adyton.cli.log import run_prove  # noqa: PLC0415

    code = run_prove(proof, url=url, ca_file=ca_file, stamp=stamp, out=out, as_json=as_json)
    raise typer.Exit(code)
