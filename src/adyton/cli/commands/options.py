"""Options that several commands have: for programs, which gateway, and who is trusted behind it."""

from pathlib import Path
from typing import Annotated, Final

import typer

__all__ = [
    "API_KEY_FILE",
    "AS_JSON",
    "CA_FILE",
    "DEFAULT_URL",
    "HOW",
    "POST_QUANTUM",
    "URL",
    "WORKERS",
]

DEFAULT_URL: Final = "http://127.0.0.1:8423"
HOW: Final = "Through which gateway, trusting whom"

AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
URL = Annotated[str, typer.Option(help="The gateway.", envvar="ADYTON_URL", rich_help_panel=HOW)]
CA_FILE = Annotated[
    Path | None,
    typer.Option(
        help="Roots for the gateway's certificate, in PEM; else Mozilla's.",
        exists=True,
        dir_okay=False,
        rich_help_panel=HOW,
    ),
]
API_KEY_FILE = Annotated[
    Path | None, typer.Option(help="Else ADYTON_API_KEY.", rich_help_panel=HOW)
]
WORKERS = Annotated[
    Path | None,
    typer.Option(
        help="Which workers you trust; else ADYTON_POLICY, or policy.yaml of adyton serve.",
        exists=True,
        dir_okay=False,
        rich_help_panel=HOW,
    ),
]
POST_QUANTUM = Annotated[
    bool, typer.Option("--post-quantum", help="Seal with ML-KEM too.", rich_help_panel=HOW)
]
