"""Evidence of an Azure VM as tools pass it on: a JSON file with all of its parts.

The form of the ``az-tdx-vtpm`` and ``az-snp-vtpm`` tools: base64url without padding for reports and
certificates, hexadecimal for the TPM's quote and registers.
"""

from dataclasses import dataclass
from typing import Final

from adyton.codec.json import (
    Json,
    JsonObject,
    as_digest,
    as_list,
    as_object,
    as_string,
    check_keys,
    loads,
)
from adyton.codec.text import from_base64url, from_hex
from adyton.errors import MalformedError
from adyton.evidence.azure.vtpm import VtpmEvidence

__all__ = ["MAX_BUNDLE_BYTES", "SnpBundle", "TdxBundle"]

MAX_BUNDLE_BYTES: Final = 64 * 1024
_MAX_PART_BYTES: Final = 16 * 1024
_VERSION: Final = 1
_REGISTERS: Final = 24
_MAX_SIGNATURE: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class TdxBundle:
    """A TD's quote, as Azure pads it, and what the vTPM says."""

    td_quote: bytes
    vtpm: VtpmEvidence

    @classmethod
    def from_bytes(cls, data: bytes) -> "TdxBundle":
        """Return the bundle in a JSON file, or raise ``MalformedError``."""
        record = _record(data, "td_quote", platform="az-tdx")
        return cls(
            td_quote=_part(record["td_quote"], "td_quote"),
            vtpm=_vtpm(record["tpm_quote"], _part(record["hcl_report"], "hcl_report")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpBundle:
    """The certificate of the VM's chip, and what the vTPM says; the report stands in the latter."""

    vcek: bytes
    vtpm: VtpmEvidence

    @classmethod
    def from_bytes(cls, data: bytes) -> "SnpBundle":
        """Return the bundle in a JSON file, or raise ``MalformedError``."""
        record = _record(data, "vcek", platform="az-snp")
        return cls(
            vcek=_part(record["vcek"], "vcek"),
            vtpm=_vtpm(record["tpm_quote"], _part(record["hcl_report"], "hcl_report")),
        )


def _record(data: bytes, hardware: str, *, platform: str) -> JsonObject:
    """Return the fields of a bundle, which may stand in an envelope that names the platform."""
    record = as_object(loads(data, limit_bytes=MAX_BUNDLE_BYTES), "the bundle")
    if "platform" in record:
        check_keys(
            record,
            "the envelope",
            required=frozenset({"platform", "evidence"}),
            optional=frozenset(),
        )
        if record["platform"] != platform:
            raise MalformedError(f"the envelope is not for {platform}")
        record = as_object(record["evidence"], "the bundle")
    check_keys(
        record,
        "the bundle",
        required=frozenset({"version", "tpm_quote", "hcl_report", hardware}),
        optional=frozenset(),
    )
    if record["version"] != _VERSION or isinstance(record["version"], bool):
        raise MalformedError("the bundle is not of version 1")
    return record


def _vtpm(value: Json, hcl_report: bytes) -> VtpmEvidence:
    record = as_object(value, "tpm_quote")
    check_keys(
        record,
        "tpm_quote",
        required=frozenset({"signature", "message", "pcrs"}),
        optional=frozenset(),
    )
    registers = as_list(record["pcrs"], "pcrs", limit=_REGISTERS)
    return VtpmEvidence(
        hcl_report=hcl_report,
        message=_hexadecimal(record["message"], "message"),
        signature=_hexadecimal(record["signature"], "signature"),
        registers=tuple(as_digest(item, "a register") for item in registers),
    )


def _part(value: Json, where: str) -> bytes:
    text = as_string(value, where, limit=2 * _MAX_PART_BYTES)
    return from_base64url(text, where, limit_bytes=_MAX_PART_BYTES)


def _hexadecimal(value: Json, where: str) -> bytes:
    text = as_string(value, where, limit=4 * _MAX_SIGNATURE)
    return from_hex(text, where, size=len(text) // 2)
