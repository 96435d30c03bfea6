"""What the manifest says of NVIDIA's reports, golden values and answers, beside what we find."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from tests.vectors.manifest import ACCEPTED, Entry, Fact, content, entries_of, instant
from tests.vectors.tokens import nras_facts

from adyton.crypto.ocsp import verify_ocsp
from adyton.crypto.path import Path, verify_path
from adyton.crypto.suites import ES384
from adyton.errors import AdytonError
from adyton.evidence.nvidia.authenticate import NvidiaClaims, authenticate
from adyton.evidence.nvidia.collateral import NvidiaCollateral
from adyton.evidence.nvidia.findings import findings
from adyton.evidence.nvidia.rim import RimKind, authenticate_rim
from adyton.evidence.nvidia.roots import NVIDIA_RIM_ROOTS, NVIDIA_ROOTS
from adyton.evidence.nvidia.serialized import SerializedEvidence, read_evidence

__all__ = ["WHOLE", "answer", "authenticated", "device_of", "facts", "named", "reports", "rim"]

# With all that is needed: the report, both RIMs, and answers about nearly all certificates.
WHOLE: Final = "nvidia/hopper-550.90.07-with-rims.evidence.json"
# Golden values that belong to a report, and the day on which all their certificates are valid.
RIMS: Final = {
    WHOLE: ("NV_GPU_DRIVER_GH100_550.90.07", "NV_GPU_VBIOS_1010_0200_882_96009F0001"),
    "nvidia/nvswitch-ls10.evidence.json": (None, "NV_SWITCH_BIOS_5612_0002_890_9610550001"),
    "nvidia/hopper-535.86.09.evidence.json": (
        None,
        "neg-NV_GPU_VBIOS_1010_0200_882_96005E0001_measurement_mismatch",
    ),
}
DAYS: Final = {"nvidia/nvswitch-ls10.evidence.json": "2026-06-01T00:00:00Z"}
DAY: Final = "2025-10-24T12:00:00Z"
# What speaks against a report that comes without golden values: nobody knows what it runs.
UNKNOWN: Final = ("rim-missing", "debug-mode", "confidential-computing-off")
PCIE: Final = "protected-pcie"
VERDICTS: Final = {
    WHOLE: [ACCEPTED],
    "nvidia/nvswitch-ls10.evidence.json": [ACCEPTED],
    "nvidia/hopper-535.86.09.evidence.json": [
        "rim-missing",
        "golden-value-differs",
        "debug-mode",
        "confidential-computing-off",
    ],
    "nvidia/hopper-590.12.evidence.json": ["rim-missing", *UNKNOWN, PCIE],
    "nvidia/hopper-badsig-560.00.evidence.json": ["signature-rejected"],
}
RIM_VERDICTS: Final = {
    "neg-NV_GPU_DRIVER_GH100_535.86.09_measurement_mismatch": "signature-rejected",
    "neg-incorrect_signature_driver_rim": "signature-rejected",
    "neg-incorrect_cert_chain_driver_rim": "root-rejected",
}
# Which certificate of which path an answer is about.
ANSWERS: Final = {
    "certificate_l2": (None, 1),
    "certificate_l3": (None, 2),
    "certificate_l4": (None, 3),
    "rim_l2": (RimKind.DRIVER, 1),
    "driver_rim_l3": (RimKind.DRIVER, 2),
    "driver_rim_l4": (RimKind.DRIVER, 3),
    "vbios_l4": (RimKind.VBIOS, 3),
}


def reports() -> list[Entry]:
    """Return the entries that are reports."""
    return [entry for entry in entries_of("nvidia") if entry["file"].endswith(".evidence.json")]


def named(file: str) -> Entry:
    """Return the entry of a file."""
    (entry,) = [entry for entry in entries_of("nvidia") if entry["file"] == file]
    return entry


def device_of(entry: Entry) -> SerializedEvidence:
    """Return the one device that a file is about."""
    (device,) = read_evidence(content(entry))
    return device


def rim(name: str) -> bytes:
    """Return golden values by their name."""
    return content(named(f"nvidia/rim/{name}.xml"))


def answer(name: str) -> bytes:
    """Return an answer about a certificate."""
    file = f"nvidia/ocsp/test_gpu_{name}_base64encoded_ocsp_response.dat"
    return base64.b64decode(content(named(file)))


def authenticated(
    entry: Entry, *, device: SerializedEvidence | None = None, **changes: Any
) -> NvidiaClaims:
    """Return the claims of a report, with the golden values that there are for it."""
    driver, vbios = RIMS.get(entry["file"], (None, None))
    parts: dict[str, Any] = {
        "driver_rim": None if driver is None else rim(driver),
        "vbios_rim": None if vbios is None else rim(vbios),
        **{
            name: changes.pop(name) for name in ("driver_rim", "vbios_rim", "ocsp") & changes.keys()
        },
    }
    arguments: dict[str, Any] = {
        "collateral": NvidiaCollateral(**parts),
        "roots": NVIDIA_ROOTS,
        "rim_roots": NVIDIA_RIM_ROOTS,
        "at": instant(DAYS.get(entry["file"], DAY)),
        **changes,
    }
    return authenticate(device_of(entry) if device is None else device, **arguments)


def facts(entry: Entry) -> Iterator[Fact]:
    """Yield verdict and fields of a report, of golden values, of an answer, or of a token."""
    if entry["file"].endswith(".evidence.json"):
        yield from _report_facts(entry)
    elif entry["file"].endswith(".xml"):
        yield from _rim_facts(entry)
    elif entry["file"].endswith(".dat"):
        yield from _answer_facts(entry)
    else:
        yield from nras_facts(entry)


def _report_facts(entry: Entry) -> Iterator[Fact]:
    wanted = ", ".join(VERDICTS.get(entry["file"], ["rim-missing", *UNKNOWN]))
    try:
        claims = authenticated(entry)
    except AdytonError as error:
        yield Fact.verdict([error.code], wanted)
        return
    fields = entry["fields"]
    yield Fact.verdict([item.code for item in findings(claims)], wanted)
    yield Fact(name="genuine", found=claims.is_genuine, wanted=True)
    record = b"".join(
        bytes([block.index, 1, 51, 0, block.value_type, 48, 0]) + block.value
        for block in claims.transcript.blocks
    )
    for name, found in {
        "nonce": claims.nonce.hex(),
        "vbios": claims.vbios_version,
        "driver": claims.driver_version,
        "project": claims.opaque.project,
        "project_sku": claims.opaque.project_sku,
        "chip_sku": claims.opaque.chip_sku,
        "n_measurements": len(claims.transcript.blocks),
        "measurement_record_sha256": hashlib.sha256(record).hexdigest(),
        "root_sha256": claims.root_sha256.hex(),
    }.items():
        yield Fact(name=name, found=found, wanted=fields.get(name))
    # The manifest has the beginning of it, where the report has it at all.
    reported = claims.opaque.fields.get("fwid", b"").hex()
    wanted_fwid = fields.get("fwid") or ""
    yield Fact(name="fwid", found=reported[: len(wanted_fwid) or None], wanted=wanted_fwid)
    yield Fact(name="model", found=claims.device.model, wanted=fields["chain"][1])
    first, _, last = entry["verify_at"].partition(" .. ")
    days = [f"{window:%Y-%m-%d}" for window in _device_time(claims)]
    yield Fact(name="window", found=days, wanted=[first, last])


def _device_time(claims: NvidiaClaims) -> tuple[datetime, datetime]:
    # The first windows are those of the device, and the golden values' come behind.
    windows = claims.windows[: len(claims.windows) - sum(_lengths(claims))]
    return max(item.first for item in windows), min(item.last for item in windows)


def _lengths(claims: NvidiaClaims) -> list[int]:
    return [len(rim.path.certificates) for rim in claims.rims.values()]


def _rim_facts(entry: Entry) -> Iterator[Fact]:
    name = entry["file"].removeprefix("nvidia/rim/").removesuffix(".xml")
    wanted = RIM_VERDICTS.get(name, ACCEPTED)
    first, _, last = entry["verify_at"].partition(" .. ")
    try:
        # On its first day, its certificates begin.
        at = instant(f"{first}T00:00:00") + timedelta(days=1)
        found = authenticate_rim(content(entry), roots=NVIDIA_RIM_ROOTS, at=at)
    except AdytonError as error:
        yield Fact.verdict([error.code], wanted)
        return
    fields = entry["fields"]
    yield Fact.verdict([], wanted)
    yield Fact(name="version", found=found.version, wanted=fields["colloquial_version"])
    yield Fact(
        name="measurements", found=len(found.measurements), wanted=fields["active_measurements"]
    )
    yield Fact(name="certificates", found=len(found.path.certificates), wanted=fields["n_certs"])
    days = [f"{at:%Y-%m-%d}" for at in (found.path.first, found.path.last)]
    yield Fact(name="window", found=days, wanted=[first, last])


def _answer_facts(entry: Entry) -> Iterator[Fact]:
    name = entry["file"].removeprefix("nvidia/ocsp/test_gpu_").split("_base64")[0]
    kind, position = ANSWERS[name]
    path = _device_path() if kind is None else authenticated(named(WHOLE)).rims[kind].path
    found = verify_ocsp(
        answer(name),
        certificate=path.certificates[position],
        issuer=path.certificates[position - 1],
        suite=ES384,
        where="the answer",
    )
    fields = entry["fields"]
    yield Fact.verdict([], ACCEPTED)
    for key, value in {
        "cert_status": found.status.name,
        "serial": f"{found.serial:x}",
        "this": str(found.first),
        "next": str(found.last),
    }.items():
        yield Fact(name=key, found=value, wanted=fields[key])


def _device_path() -> Path:
    return verify_path(device_of(named(WHOLE)).chain, roots=NVIDIA_ROOTS, suite=ES384)
