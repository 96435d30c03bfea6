"""What format a piece of evidence has: found by its first bytes, so that nobody needs to be told.

Nothing is verified here, and nothing read in full: the format only says who reads it.
"""

import re
from enum import StrEnum
from typing import Final

from adyton.codec.json import Json, loads
from adyton.errors import MalformedError
from adyton.evidence.nvidia.layout import REPORT_BEGIN
from adyton.evidence.nvidia.serialized import MAX_FILE_BYTES
from adyton.evidence.sev_snp.layout import REPORT_SIZE

__all__ = ["Format", "FormatUnknownError", "detect"]

# A COSE_Sign1 begins as an array of four, or with its tag (RFC 9052, section 4.2).
_COSE: Final = (b"\x84", b"\xd2\x84")
# Version and type of the attestation key, little-endian: 3 to 5, and ECDSA with P-256.
_QUOTE: Final = tuple(bytes([version, 0, 2, 0]) for version in (3, 4, 5))
# An SNP report's version has four bytes.
_REPORT: Final = tuple(bytes([version, 0, 0, 0]) for version in (2, 3, 4, 5))
_TEE_TYPE: Final = slice(4, 8)
_SGX: Final = bytes(4)
_LISTS: Final = frozenset({"evidences", "evidence_list"})
# A signed token (RFC 7515, section 7.1), and a bundle of them (RFC 9711, section 5).
_TOKEN: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TOKENS: Final = re.compile(rb'\s*\[\s*\[\s*"JWT"')


class Format(StrEnum):
    """The formats that are read."""

    NITRO = "nitro"
    SGX_QUOTE = "sgx-quote"
    TDX_QUOTE = "tdx-quote"
    SNP_REPORT = "snp-report"
    SNP_EXTENDED_REPORT = "snp-extended-report"
    AZURE_TDX = "azure-tdx"
    AZURE_SEV_SNP = "azure-sev-snp"
    NVIDIA_DEVICE = "nvidia-device"
    TOKEN = "token"  # noqa: S105  # a kind of evidence


class FormatUnknownError(MalformedError):
    """The evidence begins like no format that is read here."""

    code = "evidence-format-unknown"

    def __init__(self) -> None:
        super().__init__("the evidence begins like none that is read here")


def detect(evidence: bytes) -> Format:
    """Return the format that ``evidence`` begins like, or raise ``MalformedError``."""
    if evidence.startswith(_COSE):
        return Format.NITRO
    if evidence.startswith(_QUOTE):
        return Format.SGX_QUOTE if evidence[_TEE_TYPE] == _SGX else Format.TDX_QUOTE
    if evidence.startswith(_REPORT):
        return Format.SNP_REPORT if len(evidence) <= REPORT_SIZE else Format.SNP_EXTENDED_REPORT
    if evidence.startswith(REPORT_BEGIN):
        return Format.NVIDIA_DEVICE
    if _TOKENS.match(evidence) or _TOKEN.fullmatch(evidence):
        return Format.TOKEN
    if evidence[:1] in {b"{", b"["}:
        return _of_json(loads(evidence, limit_bytes=MAX_FILE_BYTES))
    raise FormatUnknownError


def _of_json(value: Json) -> Format:
    # NVIDIA's tools write a list of devices, or an object with one.
    is_list = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    if is_list or (isinstance(value, dict) and _LISTS & value.keys()):
        return Format.NVIDIA_DEVICE
    inner = value.get("evidence", value) if isinstance(value, dict) else None
    if isinstance(inner, dict) and "hcl_report" in inner:
        return Format.AZURE_TDX if "td_quote" in inner else Format.AZURE_SEV_SNP
    raise FormatUnknownError
