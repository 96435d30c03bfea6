"""``adyton ask``."""

from pathlib import Path
from typing import Annotated

import typer

from adyton.cli.commands import options

__all__ = ["register"]

_WHAT = "What is asked"
_WHOM = "Whom, with which secrets"
_RESULT = "What comes of it"
_NUMBER = "in major units: 10000, or 0.30"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ask", rich_help_panel="Ask and verify")(ask)


def ask(
    endpoint: Annotated[
        str,
        typer.Argument(
            help="balance, income, employment, education, credit, transactions or custom."
        ),
    ],
    *,
    gte: Annotated[
        str | None, typer.Option(help=f"At least this, {_NUMBER}.", rich_help_panel=_WHAT)
    ] = None,
    lte: Annotated[str | None, typer.Option(help="At most this.", rich_help_panel=_WHAT)] = None,
    minimum: Annotated[
        str | None, typer.Option("--min", help="A range, with --max.", rich_help_panel=_WHAT)
    ] = None,
    maximum: Annotated[
        str | None, typer.Option("--max", help="Its upper end.", rich_help_panel=_WHAT)
    ] = None,
    predicate: Annotated[
        str | None, typer.Option(help="Any predicate, as JSON.", rich_help_panel=_WHAT)
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="USD where left out.", rich_help_panel=_WHAT)
    ] = None,
    months: Annotated[
        int | None, typer.Option(help="Of income, 1 to 12.", rich_help_panel=_WHAT)
    ] = None,
    extraction: Annotated[
        str | None,
        typer.Option(help="For custom: JSON or @FILE.", rich_help_panel=_WHAT),
    ] = None,
    audience: Annotated[
        str, typer.Option(help="Whom the answer is for.", rich_help_panel=_WHAT)
    ] = "",
    nonce: Annotated[
        str | None, typer.Option(help="Random where left out.", rich_help_panel=_WHAT)
    ] = None,
    provider: Annotated[
        str | None, typer.Option(help="Which data source.", rich_help_panel=_WHOM)
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="A token, or a JSON object of credentials by name; - is stdin.",
            allow_dash=True,
            rich_help_panel=_WHOM,
        ),
    ] = None,
    credential: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=@FILE, or NAME=VALUE for what is no secret. Repeat it for more.",
            metavar="NAME=@FILE",
            rich_help_panel=_WHOM,
        ),
    ] = None,
    inline_provider: Annotated[
        Path | None,
        typer.Option(
            help="For custom: a data source of your own, {url, method, headers, body}.",
            exists=True,
            dir_okay=False,
            rich_help_panel=_WHOM,
        ),
    ] = None,
    url: options.URL = options.DEFAULT_URL,
    ca_file: options.CA_FILE = None,
    api_key_file: options.API_KEY_FILE = None,
    policy: options.WORKERS = None,
    post_quantum: options.POST_QUANTUM = False,
    out: Annotated[
        Path | None, typer.Option(help="Keep the receipt in this file.", rich_help_panel=_RESULT)
    ] = None,
    as_json: options.AS_JSON = False,
) -> None:
    """Ask a question about private data, and verify the answer.

    The worker's evidence is judged first; only then are the credentials sealed, to that worker
    and for this question alone. What comes back is verified before it is called an answer.

    Exit code: 0 TRUE, 1 FALSE or refused, 2 usage or malformed, 3 no answer could be had.

    Example: adyton ask balance --gte 10000 --token-file token.json
    """
    from adyton.cli.asking import Asking, run_ask  # noqa: PLC0415
    from adyton.cli.predicates import PredicateOptions  # noqa: PLC0415

    predicate_options = PredicateOptions(
        gte=gte,
        lte=lte,
        minimum=minimum,
        maximum=maximum,
        predicate=predicate,
        currency=currency,
    )
    asking = Asking(
        endpoint=endpoint,
        provider=provider,
        inline_provider=inline_provider,
        extraction=extraction,
        predicate=predicate_options,
        token_file=token_file,
        credentials=tuple(credential or ()),
        months=months,
        audience=audience,
        nonce=nonce,
        url=url,
        ca_file=ca_file,
        api_key_file=api_key_file,
        policy=policy,
        out=out,
        as_json=as_json,
        post_quantum=post_quantum,
    )
    raise typer.Exit(run_ask(asking))
