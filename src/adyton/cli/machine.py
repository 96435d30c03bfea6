"""``adyton evidence verify CPU --device GPU``: a processor, its devices, and what ties them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from adyton.cli.evidence import Logs, Options, bundle_of, print_judged, print_outcome
from adyton.cli.exits import NO, YES
from adyton.cli.terminal import console, plain, print_json
from adyton.evidence.collateral import Collateral
from adyton.sdk.evidence import read_devices
from adyton.verification.machine import Device, MachineVerdict, verify_machine

__all__ = ["DeviceFiles", "run_verify_machine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFiles:
    """Files with devices, and with what is published: one for all devices, or one for each."""

    files: Sequence[Path]
    collateral: Sequence[Path]

    def read(self, *, otherwise: Collateral) -> tuple[Device, ...]:
        """Return the devices; ``otherwise`` is for those about which nothing was said."""
        return read_devices(self.files, collateral=self.collateral or (otherwise,))


def run_verify_machine(
    file: Path, options: Options, *, devices: DeviceFiles, logs: Logs, as_json: bool
) -> int:
    """Print the verdict on the processor's evidence in ``file`` and on its devices'."""
    bundle = bundle_of(file, options)
    found = verify_machine(
        bundle.evidence,
        devices=devices.read(otherwise=bundle.collateral),
        policy=bundle.policy,
        expected=bundle.expected,
        at=bundle.at,
        collateral=bundle.collateral,
    )
    verdict, claims = found.processor
    explained = () if verdict.accepted else logs.explain(claims, bundle.policy)
    if as_json:
        why = [finding.to_json() for finding in explained]
        print_json({**found.to_json(), "explanation": why})
    else:
        _show(found)
        for finding in explained:
            console().print(Text("  why: ", style="yellow").append_text(plain(finding.message)))
    return YES if found.accepted else NO


def _show(found: MachineVerdict) -> None:
    out = console()
    named = [("processor", found.processor)]
    named += [(f"device {number}", judged) for number, judged in enumerate(found.devices, 1)]
    for name, judged in named:
        out.print(Text(name, style="bold cyan"))
        print_judged(*judged)
    out.print(Text.assemble(("binding", "bold cyan"), "  ").append_text(plain(_bound(found))))
    out.print()
    print_outcome("machine", found)


def _bound(found: MachineVerdict) -> str:
    if found.bound is None:
        return "; ".join(finding.message for finding in found.binding.findings)
    form = found.bound.form.value
    return f"{len(found.devices)} devices signed a nonce of this evidence's ({form})"
