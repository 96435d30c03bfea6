"""``adyton evidence``."""

from pathlib import Path
from typing import Annotated

import typer

from adyton.cli.commands import options

__all__ = ["register"]

_File = Annotated[
    Path,
    typer.Argument(
        help="Evidence of any technology: binary, hexadecimal, base64 or JSON.",
        exists=True,
        dir_okay=False,
    ),
]
_FileOrBundle = Annotated[
    Path,
    typer.Argument(
        help="Evidence of any technology, or a bundle that was saved.", exists=True, dir_okay=False
    ),
]
_Policy = Annotated[
    Path | None,
    typer.Option(help="What you accept; a bundle brings its own.", exists=True, dir_okay=False),
]
_Collateral = Annotated[
    Path | None,
    typer.Option(help="What the vendor publishes beside it.", exists=True, dir_okay=False),
]
_At = Annotated[str | None, typer.Option(help="The instant to judge for, as 2026-02-03T12:00:00Z.")]
_ReportData = Annotated[
    str | None, typer.Option(help="The report data that you chose, in hexadecimal.")
]
_Nonce = Annotated[str | None, typer.Option(help="The nonce that you chose, in hexadecimal.")]
_PublicKey = Annotated[
    str | None, typer.Option(help="The key that it has to be over, in hexadecimal.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    evidence = typer.Typer(
        help="Read and judge hardware evidence.\n\nExample: adyton evidence show td.bin",
        no_args_is_help=True,
    )
    evidence.command("show")(show)
    evidence.command("verify")(verify)
    evidence.command("forecast")(forecast)
    collateral = typer.Typer(
        help="What vendors publish beside evidence."
        "\n\nExample: adyton evidence collateral fetch td.bin --out td.json",
        no_args_is_help=True,
    )
    collateral.command("fetch")(fetch)
    collateral.command("cache")(cache)
    evidence.add_typer(collateral, name="collateral")
    app.add_typer(evidence, name="evidence", rich_help_panel="Ask and verify")


def show(file: _FileOrBundle, *, as_json: options.AS_JSON = False) -> None:
    """Print every field of a piece of evidence. Nothing of it is verified.

    What kind of evidence it is, is found by itself: Nitro and NitroTPM documents, SGX and TDX
    quotes, SEV-SNP reports with and without their certificates, Azure's vTPM evidence, NVIDIA's
    GPUs and switches, tokens.

    Example: adyton evidence show td.bin
    """
    from adyton.cli.evidence import run_show  # noqa: PLC0415

    raise typer.Exit(run_show(file, as_json=as_json))


def verify(
    file: _FileOrBundle,
    *,
    policy: _Policy = None,
    collateral: _Collateral = None,
    report_data: _ReportData = None,
    nonce: _Nonce = None,
    public_key: _PublicKey = None,
    at: _At = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--bundle", help="Write all that the verdict depends on here, to repeat it later."
        ),
    ] = None,
    event_log: Annotated[
        Path | None,
        typer.Option(
            help="The platform's event log, to explain a measurement that is refused.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    reference_log: Annotated[
        Path | None,
        typer.Option(
            help="The event log of an accepted platform, to compare.", exists=True, dir_okay=False
        ),
    ] = None,
    ear_key: Annotated[
        Path | None,
        typer.Option(
            help="A P-256 key in PEM: sign the verdict with it as an EAT Attestation Result (JWT).",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    device: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="<file>",
            help="A GPU's or switch's evidence that belongs to it; again for more files.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    device_collateral: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="<file>",
            help="What is published beside devices: once for all of them, or once for each.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    as_json: options.AS_JSON = False,
) -> None:
    """Judge hardware evidence offline, under one policy for all vendors.

    Nothing is fetched: give what the vendor publishes with --collateral (adyton evidence
    collateral fetch gets it). A policy usually wants to know what the evidence is over: name the
    nonce or the report data that you chose.

    With --device, a processor's devices are judged as well, and that each signed a nonce which
    follows from what the processor's evidence commits to: all of it has to be acceptable.

    Exit code: 0 it is acceptable, 1 it is not (what is no evidence is refused, too), 2 the policy,
    the collateral or an option is malformed.

    Example: adyton evidence verify td.bin --policy td.yaml --collateral td.json
    """
    from adyton.cli.evidence import Logs, Options, run_verify, saved_version  # noqa: PLC0415
    from adyton.cli.machine import DeviceFiles, run_verify_machine  # noqa: PLC0415
    from adyton.cli.predicates import OptionMalformedError  # noqa: PLC0415
    from adyton.verification.machine_bundle import VERSION as MACHINE_VERSION  # noqa: PLC0415

    given = Options(
        policy=policy,
        collateral=collateral,
        report_data=report_data,
        nonce=nonce,
        public_key=public_key,
        at=at,
    )
    logs = Logs(event_log=event_log, reference=reference_log)
    if device is None and device_collateral is not None:
        raise OptionMalformedError("--device-collateral is beside a --device")
    if device is None and saved_version(file) != MACHINE_VERSION:
        code = run_verify(file, given, logs=logs, save=save, ear_key=ear_key, as_json=as_json)
    else:
        beside = device_collateral or []
        code = run_verify_machine(
            file,
            given,
            devices=None if device is None else DeviceFiles(files=device, collateral=beside),
            logs=logs,
            save=save,
            ear_key=ear_key,
            as_json=as_json,
        )
    raise typer.Exit(code)


def forecast(
    file: _FileOrBundle,
    *,
    policy: _Policy = None,
    collateral: _Collateral = None,
    newer: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="<file>",
            help="Collateral of a later evaluation, to see its verdict; again for more.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    report_data: _ReportData = None,
    nonce: _Nonce = None,
    public_key: _PublicKey = None,
    at: _At = None,
    as_json: options.AS_JSON = False,
) -> None:
    """Say until when evidence will be acceptable, and what ends it first.

    Shows today's verdict, the one under a newer evaluation of the vendor's if its collateral is
    given, the day on which each certificate, list and grace period ends, and which firmware is
    short of the newest by how much.

    Exit code: 0 it is acceptable today, 1 it is not, 2 a file or an option is malformed.

    Example: adyton evidence forecast td.bin --policy td.yaml --collateral td.json
    """
    from adyton.cli.evidence import Options, run_forecast  # noqa: PLC0415

    given = Options(
        policy=policy,
        collateral=collateral,
        report_data=report_data,
        nonce=nonce,
        public_key=public_key,
        at=at,
    )
    raise typer.Exit(run_forecast(file, given, newer=newer or [], as_json=as_json))


def fetch(
    file: _File,
    *,
    out: Annotated[Path | None, typer.Option(help="Where to write it; stdout if left out.")] = None,
    evaluation_number: Annotated[
        int | None,
        typer.Option(
            metavar="<int>", min=0, help="Which of Intel's evaluations; the newest if left out."
        ),
    ] = None,
    device: Annotated[
        int | None,
        typer.Option(metavar="<int>", min=1, help="Which device of a file with several, from 1."),
    ] = None,
) -> None:
    """Ask the vendor for what a piece of evidence needs beside it: Intel, AMD, AWS, NVIDIA.

    What comes back is authenticated, and kept for 12 hours: the vendor is not asked twice. After
    a failure it is not asked for a minute.

    Exit code: 0 it was had, 2 the file is no evidence, 3 the vendor did not give it.

    Example: adyton evidence collateral fetch td.bin --out td.json
    """
    from adyton.cli.collateral import run_fetch  # noqa: PLC0415

    code = run_fetch(file, out=out, evaluation_number=evaluation_number, device=device)
    raise typer.Exit(code)


def cache(
    *,
    clear: Annotated[bool, typer.Option("--clear", help="Remove all of it.")] = False,
    as_json: options.AS_JSON = False,
) -> None:
    """List the collateral that is kept on this machine, or remove it.

    Example: adyton evidence collateral cache --clear
    """
    from adyton.cli.collateral import run_cache  # noqa: PLC0415

    raise typer.Exit(run_cache(clear=clear, as_json=as_json))
