"""Evidence field by field, as its bytes have it: for people to read. Nothing of it is verified."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum, IntFlag
from typing import Final, TypeAlias

from adyton.codec.json import Json
from adyton.crypto.description import describe_certificate
from adyton.crypto.hashing import sha256
from adyton.evidence.azure.bundle import SnpBundle, TdxBundle
from adyton.evidence.azure.hcl import HclReport, RuntimeData
from adyton.evidence.azure.tpm import TpmQuote
from adyton.evidence.azure.vtpm import VtpmEvidence
from adyton.evidence.dcap.enclave import EnclaveReport
from adyton.evidence.dcap.layout import Quote, without_padding
from adyton.evidence.formats import Format, detect
from adyton.evidence.nitro.layout import Document
from adyton.evidence.nvidia.layout import Transcript
from adyton.evidence.nvidia.opaque import unverified_opaque
from adyton.evidence.nvidia.serialized import SerializedEvidence, read_evidence
from adyton.evidence.sev_snp.layout import Report
from adyton.evidence.sev_snp.table import ExtendedReport
from adyton.evidence.tdx.layout import TdReport
from adyton.evidence.token.authenticate import unverified_report
from adyton.evidence.token.detection import unverified_issuer

__all__ = ["unverified_fields"]

_Parts: TypeAlias = Mapping[str, object]
# Longer values are shown by their size and digest. A register is shorter, a signature is not.
_SHOWN_BYTES: Final = 64
_SEQUENCE: Final = b"\x30\x82"


def unverified_fields(evidence: bytes) -> dict[str, Json]:
    """Return every field of ``evidence``, by the vendor's names, or raise ``MalformedError``.

    Bytes are hexadecimal, long ones their size and SHA-256, and certificates are described.
    """
    found = detect(evidence)
    return {"format": found.value, **_shown_mapping(_parts(evidence, found))}


def _parts(evidence: bytes, found: Format) -> _Parts:
    parts: _Parts
    match found:
        case Format.NITRO:
            parts = {"document": Document.from_bytes(evidence)}
        case Format.SGX_QUOTE | Format.TDX_QUOTE:
            parts = _quote(evidence)
        case Format.SNP_REPORT:
            parts = {"report": Report.from_bytes(evidence)}
        case Format.SNP_EXTENDED_REPORT:
            extended = ExtendedReport.from_bytes(evidence)
            parts = {"report": Report.from_bytes(extended.report), "table": extended.parts}
        case Format.AZURE_TDX:
            td = TdxBundle.from_bytes(evidence)
            parts = {**_quote(without_padding(td.td_quote)), **_vtpm(td.vtpm)}
        case Format.AZURE_SEV_SNP:
            vm = SnpBundle.from_bytes(evidence)
            report = HclReport.from_bytes(vm.vtpm.hcl_report).hardware_report
            parts = {"report": Report.from_bytes(report), "vcek": vm.vcek, **_vtpm(vm.vtpm)}
        case Format.NVIDIA_DEVICE:
            parts = _devices(evidence)
        case Format.TOKEN:
            parts = _token(evidence)
    return parts


def _quote(evidence: bytes) -> _Parts:
    quote = Quote.from_bytes(evidence)
    if detect(evidence) is Format.SGX_QUOTE:
        return {"quote": quote, "report": EnclaveReport.from_bytes(quote.body)}
    return {"quote": quote, "report": TdReport.from_bytes(quote.body, quote.body_type)}


def _devices(evidence: bytes) -> _Parts:
    devices = read_evidence(evidence)
    return {f"device_{index}": _device(device) for index, device in enumerate(devices)}


def _device(device: SerializedEvidence) -> _Parts:
    transcript = Transcript.from_bytes(device.transcript)
    opaque = unverified_opaque(transcript.opaque)
    return {"transcript": transcript, "opaque_data": opaque, "chain": device.chain}


def _token(evidence: bytes) -> _Parts:
    issuer = unverified_issuer(evidence)
    overall, devices = unverified_report(evidence, service=issuer.service)
    return {"issuer": issuer, "reported": overall, "devices": devices}


def _vtpm(vtpm: VtpmEvidence) -> _Parts:
    hcl = HclReport.from_bytes(vtpm.hcl_report)
    return {
        "hcl_report": hcl,
        "runtime_data": RuntimeData.from_bytes(hcl.runtime_data),
        "tpm_quote": TpmQuote.from_bytes(vtpm.message),
        "tpm_signature": vtpm.signature,
        "registers": vtpm.registers,
    }


def _shown_mapping(value: Mapping[object, object] | _Parts) -> dict[str, Json]:
    return {str(name): _shown(item) for name, item in value.items()}


def _shown(value: object) -> Json:
    shown: Json
    match value:
        case bytes():
            shown = _shown_bytes(value)
        case IntFlag():
            shown = f"{int(value):#x} ({value.name or 'none'})"
        case Enum():
            shown = value.name
        case None | bool() | int() | str():
            shown = value
        case Mapping():
            shown = _shown_mapping(value)
        case tuple() | list():
            shown = [_shown(item) for item in value]
        case _ if is_dataclass(value):
            shown = {item.name: _shown(getattr(value, item.name)) for item in fields(value)}
        case _:
            # Instants, and versions that write themselves.
            shown = str(value)
    return shown


def _shown_bytes(value: bytes) -> Json:
    if len(value) <= _SHOWN_BYTES:
        return value.hex()
    if value.startswith(_SEQUENCE) and (found := describe_certificate(value)) is not None:
        return {**found}
    return {"bytes": len(value), "sha256": sha256(value).hex()}
