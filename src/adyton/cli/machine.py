"""``adyton evidence verify CPU --device GPU``: a processor, its devices, and what ties them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from adyton.adapters.attestation_results import unsigned_result
from adyton.appraisal.ear import issue_ear
from adyton.cli.development import write_whole
from adyton.cli.evidence import (
    Logs,
    Options,
    bundle_of,
    check_alone,
    check_signable,
    print_judged,
    print_outcome,
    result_signer_in,
    saved_version,
)
from adyton.cli.exits import NO, YES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import console, notes, plain, print_json
from adyton.evidence.collateral import Collateral
from adyton.sdk.evidence import read_devices
from adyton.sdk.files import from_file
from adyton.verification.machine import Device, MachineVerdict
from adyton.verification.machine_bundle import MAX_MACHINE_BYTES, VERSION, MachineBundle
from adyton.verification.machine_result import machine_result

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
    file: Path,
    options: Options,
    *,
    devices: DeviceFiles | None,
    logs: Logs,
    save: Path | None,
    ear_key: Path | None,
    as_json: bool,
) -> int:
    """Print the verdict on the processor's evidence in ``file`` and on its devices'.

    Without ``devices``, ``file`` is the bundle of a machine.
    """
    check_signable(file, ear_key=ear_key)
    bundle = _bundle(file, options, devices)
    found = bundle.verify()
    verdict, claims = found.processor
    signed = {} if ear_key is None else {"ear": _result(bundle, found, ear_key)}
    explained = () if verdict.accepted else logs.explain(claims, bundle.processor.policy)
    if save is not None:
        write_whole(save, bundle.to_bytes())
        notes().print(plain(f"wrote {save}: adyton evidence verify {save} repeats this verdict"))
    if as_json:
        why = [finding.to_json() for finding in explained]
        print_json({**found.to_json(), "explanation": why, **signed})
    else:
        _show(found)
        for finding in explained:
            console().print(Text("  why: ", style="yellow").append_text(plain(finding.message)))
        for token in signed.values():
            console().print(plain(token), soft_wrap=True)
    return YES if found.accepted else NO


def _bundle(file: Path, options: Options, devices: DeviceFiles | None) -> MachineBundle:
    if devices is None:
        check_alone(options)
        return from_file(file, MachineBundle.from_bytes, MAX_MACHINE_BYTES)
    if saved_version(file) == VERSION:
        raise OptionMalformedError("a bundle of a machine has its devices")
    processor = bundle_of(file, options)
    return MachineBundle(processor=processor, devices=devices.read(otherwise=processor.collateral))


def _result(bundle: MachineBundle, found: MachineVerdict, ear_key: Path) -> str:
    policy, expected = bundle.processor.policy, bundle.processor.expected
    alone = unsigned_result(*found.processor, policy=policy, expected=expected)
    return issue_ear(machine_result(alone, found), signer=result_signer_in(ear_key))


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
