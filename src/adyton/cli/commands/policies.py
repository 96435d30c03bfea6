"""``adyton policy``."""

from pathlib import Path
from typing import Annotated

import typer

from adyton.cli.commands import options

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    policy = typer.Typer(
        help="Write and check what you accept."
        "\n\nExample: adyton policy init --platform nitro --out policy.yaml",
        no_args_is_help=True,
    )
    policy.command("init")(init)
    policy.command("check")(check)
    app.add_typer(policy, name="policy", rich_help_panel="Ask and verify")


def init(
    *,
    platform: Annotated[
        str,
        typer.Option(help="insecure, or one of those above."),
    ] = "insecure",
    out: Annotated[Path, typer.Option(help="Where to write it.")] = Path("policy.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a policy to start from.

    For insecure it names the development root in this machine's own state folder
    (ADYTON_STATE_DIR) and the authorities in ADYTON_ADDED_ROOTS. For a real platform it is a
    template with comments that accepts nothing until it is filled in.

    Processors and machines: nitro, nitro-tpm, sgx, tdx, sev-snp, azure-tdx, azure-sev-snp.
    Devices: nvidia-gpu, nvidia-switch. Tokens of services: intel-trust-authority,
    azure-attestation, google-confidential-space, nvidia-nras.

    Example: adyton policy init --platform nitro --out policy.yaml
    """
    from adyton.cli.policies import run_init  # noqa: PLC0415

    raise typer.Exit(run_init(platform=platform, out=out, force=force))


def check(
    file: Annotated[
        Path, typer.Argument(help="A policy, as YAML or JSON.", exists=True, dir_okay=False)
    ],
    *,
    as_json: options.AS_JSON = False,
) -> None:
    """Read a policy strictly, a notary's too, and say what it accepts.

    Exit code: 0 it reads, 2 it does not.

    Example: adyton policy check policy.yaml
    """
    from adyton.cli.policies import run_check  # noqa: PLC0415

    raise typer.Exit(run_check(file, as_json=as_json))
