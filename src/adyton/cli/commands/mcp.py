"""``adyton mcp``."""

import os
from pathlib import Path
from typing import Annotated

import typer

from adyton.cli.commands import options

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("mcp", rich_help_panel="Run it")(mcp)


def mcp(
    *,
    url: options.URL = options.DEFAULT_URL,
    ca_file: options.CA_FILE = None,
    api_key_file: options.API_KEY_FILE = None,
    folder: Annotated[
        Path,
        typer.Option(help="The only folder with files to commit.", exists=True, file_okay=False),
    ] = Path(),
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Which workers are trusted, for questions; else that of adyton serve.",
            exists=True,
            dir_okay=False,
            rich_help_panel=options.HOW,
        ),
    ] = None,
    notary_policy: Annotated[
        Path | None,
        typer.Option(
            help="Whose proofs are accepted.",
            exists=True,
            dir_okay=False,
            rich_help_panel=options.HOW,
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help="A token, or a JSON object of credentials by name, for questions."),
    ] = None,
    http: Annotated[
        int | None,
        typer.Option(
            "--http",
            metavar="<int>",
            min=1,
            max=65535,
            help="Serve on this port of this machine, for who has ADYTON_MCP_TOKEN; else stdio.",
        ),
    ] = None,
) -> None:
    """Serve an assistant over MCP.

    It can commit_text, commit_file, verify_proof and ask_question.

    A model chooses what it calls; which gateway, whose credentials and which folder, you choose
    here. It needs the extra: pip install '.[mcp]'.

    Example: adyton mcp --folder documents --api-key-file key.txt
    """
    from adyton.cli.assistant_settings import AssistantOptions, run_mcp  # noqa: PLC0415

    asked = AssistantOptions(
        url=url,
        ca_file=ca_file,
        api_key_file=api_key_file,
        folder=folder,
        policy=policy,
        notary_policy=notary_policy,
        token_file=token_file,
        http=http,
    )
    run_mcp(asked, os.environ)
