"""``adyton registry`` with its commands."""

from pathlib import Path
from typing import Annotated

import typer

from adyton.cli.commands import options

__all__ = ["register"]

_URL = Annotated[
    str,
    typer.Option(
        help="The gateway with the registry.", envvar="ADYTON_URL", rich_help_panel=options.HOW
    ),
]
_TECHNOLOGY = Annotated[str | None, typer.Option(help="nitro, tdx, sev-snp, …")]
_MEASUREMENT = Annotated[str | None, typer.Option(help="A register and its value: pcr0:4f3c…")]
_ATTESTED = Annotated[
    bool, typer.Option("--attested", help="Only those that hardware vouches for.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Look at a registry of workers.\n\nExample: adyton registry list --state active",
        no_args_is_help=True,
    )
    group.command("list")(list_)
    group.command("check")(check)
    group.command("draw")(draw)
    app.add_typer(group, name="registry", rich_help_panel="Look it up")


def list_(
    *,
    url: _URL = options.DEFAULT_URL,
    ca_file: options.CA_FILE = None,
    state: Annotated[str | None, typer.Option(help="active, draining, offline, …")] = None,
    technology: _TECHNOLOGY = None,
    measurement: _MEASUREMENT = None,
    attested: _ATTESTED = False,
    as_json: options.AS_JSON = False,
) -> None:
    """List the workers that a gateway has registered, as it says.

    Example: adyton registry list --technology nitro --state active
    """
    from adyton.cli.registry import run_list  # noqa: PLC0415
    from adyton.sdk.registry import Wanted  # noqa: PLC0415

    wanted = Wanted(state=state, technology=technology, measurement=measurement, attested=attested)
    raise typer.Exit(run_list(url, ca_file, wanted, as_json=as_json))


def check(
    worker: Annotated[str, typer.Argument(help="Its name as list shows it, or all of it.")],
    *,
    policy: Annotated[
        Path, typer.Option(help="What you accept of a worker.", exists=True, dir_okay=False)
    ],
    url: _URL = options.DEFAULT_URL,
    ca_file: options.CA_FILE = None,
    as_json: options.AS_JSON = False,
) -> None:
    """Judge a registered worker's evidence here, under a policy of your own.

    Its challenge was the registry's: for you, its own time shows how old it is, where it has one.

    Exit code: 0 it is acceptable, 1 it is not, 2 there is none of this name, 3 no answer.

    Example: adyton registry check 02e024f5d71c9b3a --policy policy.yaml
    """
    from adyton.cli.registry import run_check  # noqa: PLC0415

    raise typer.Exit(run_check(url, ca_file, worker, policy=policy, as_json=as_json))


def draw(
    *,
    seed: Annotated[
        str, typer.Option(help="16 to 64 bytes in hexadecimal, that nobody knew beforehand.")
    ],
    count: Annotated[int, typer.Option(metavar="<int>", min=1, max=16, help="How many.")] = 1,
    url: _URL = options.DEFAULT_URL,
    ca_file: options.CA_FILE = None,
    technology: _TECHNOLOGY = None,
    measurement: _MEASUREMENT = None,
    attested: _ATTESTED = False,
    as_json: options.AS_JSON = False,
) -> None:
    """Have a worker drawn, and repeat the draw here.

    Exit code: 0 somebody is drawn, 1 the draw does not follow from its list, 2 usage, 3 there is
    nobody to draw, or no answer.

    Example: adyton registry draw --seed 8f3a1c5e7b90d2464b1e8a07c9f3d5e1
    """
    from adyton.cli.registry import run_draw  # noqa: PLC0415
    from adyton.sdk.registry import Wanted  # noqa: PLC0415

    wanted = Wanted(technology=technology, measurement=measurement, attested=attested)
    code = run_draw(url, ca_file, wanted, seed=seed, count=count, as_json=as_json)
    raise typer.Exit(code)
