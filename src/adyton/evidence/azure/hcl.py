"""The report of Azure's paravisor (HCL): bytes to a frozen value, nothing about it verified.

Follows "Azure confidential VMs guest attestation" (learn.microsoft.com, "Confidential VM guest
attestation design") and its open-source client: a header, the hardware's report, and runtime data,
of which the hardware's report has the hash. Numbers are little-endian. The hardware's report is
not read here: SEV-SNP's is evidence of its own, and TDX's is one that only its machine can check.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from adyton.codec.json import Json, JsonObject, as_list, as_object, as_string, loads
from adyton.codec.reader import Reader
from adyton.codec.text import from_base64url, from_hex
from adyton.errors import MalformedError

__all__ = ["HclReport", "ReportType", "RuntimeData"]

MAX_REPORT_BYTES: Final = 16 * 1024
_SIGNATURE: Final = b"HCLA"
_VERSIONS: Final = (1, 2)
_HEADER_SIZE: Final = 32
_HARDWARE_REPORT_SIZE: Final = 1184
_DATA_HEADER_SIZE: Final = 20
_DATA_VERSION: Final = 1
_SHA256: Final = 1
_ATTESTATION_KEY: Final = "HCLAkPub"
_MAX_KEYS: Final = 8
_MAX_KEY_BYTES: Final = 512
_USER_DATA_SIZE: Final = 64


class ReportType(IntEnum):
    """Whose the hardware's report is."""

    SEV_SNP = 2
    TDX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class HclReport:
    """The paravisor's report. ``runtime_data`` is the text that the hardware vouches for."""

    version: int
    report_type: ReportType
    hardware_report: bytes
    runtime_data: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> "HclReport":
        """Return the report in ``data``, or raise ``MalformedError``."""
        if len(data) > MAX_REPORT_BYTES:
            raise MalformedError(f"an hcl report has {len(data)} bytes, limit {MAX_REPORT_BYTES}")
        reader = Reader(data, where="the hcl report")
        header = Reader(reader.take(_HEADER_SIZE, "the header"), where="the hcl header")
        if header.take(len(_SIGNATURE), "the signature") != _SIGNATURE:
            raise MalformedError("the hcl report does not begin like one")
        if (version := header.little_endian(4, "the version")) not in _VERSIONS:
            raise MalformedError(f"the hcl report is of version {version}, not 1 or 2")
        hardware_report = reader.take(_HARDWARE_REPORT_SIZE, "the hardware's report")
        report_type, size = _data_header(reader)
        runtime_data = reader.take(size, "the runtime data")
        # A buffer of a fixed size, of which nothing else is used.
        if any(reader.take(reader.remaining, "the padding")):
            raise MalformedError("the hcl report has something behind its runtime data")
        return cls(
            version=version,
            report_type=report_type,
            hardware_report=hardware_report,
            runtime_data=runtime_data,
        )


def _data_header(reader: Reader) -> tuple[ReportType, int]:
    data_size = reader.little_endian(4, "the size of the data")
    version = reader.little_endian(4, "the version of the data")
    report_type = reader.little_endian(4, "the type of the report")
    hash_type = reader.little_endian(4, "the type of the hash")
    size = reader.little_endian(4, "the size of the runtime data")
    if version != _DATA_VERSION or data_size != size + _DATA_HEADER_SIZE:
        raise MalformedError(f"the hcl report has runtime data of version {version}, size {size}")
    if report_type not in set(ReportType):
        raise MalformedError(f"the hardware's report is of type {report_type}, not 2 or 4")
    if hash_type != _SHA256:
        raise MalformedError(f"the runtime data is hashed as of type {hash_type}, not sha-256")
    return ReportType(report_type), size


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeData:
    """What the paravisor says of the VM. ``key`` are modulus and exponent of its vTPM's AK.

    ``configuration`` is as the paravisor has it (``secure-boot``, ``console-enabled`` and others).
    """

    key: tuple[int, int]
    configuration: Mapping[str, Json]
    user_data: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> "RuntimeData":
        """Return what is in a text that the hardware vouches for, or raise ``MalformedError``."""
        record = as_object(loads(data, limit_bytes=MAX_REPORT_BYTES), "the runtime data")
        keys = [
            as_object(item, "a key")
            for item in as_list(record.get("keys"), "keys", limit=_MAX_KEYS)
        ]
        found = [key for key in keys if key.get("kid") == _ATTESTATION_KEY]
        if len(found) != 1 or found[0].get("kty") != "RSA":
            raise MalformedError(f"the runtime data has not one rsa key {_ATTESTATION_KEY}")
        configuration = as_object(record.get("vm-configuration"), "vm-configuration")
        user_data = as_string(record.get("user-data"), "user-data", limit=2 * _USER_DATA_SIZE)
        return cls(
            key=(_number(found[0], "n"), _number(found[0], "e")),
            configuration=MappingProxyType(configuration),
            user_data=from_hex(user_data.lower(), "user-data", size=_USER_DATA_SIZE),
        )


def _number(key: JsonObject, name: str) -> int:
    text = as_string(key.get(name), name, limit=2 * _MAX_KEY_BYTES)
    return int.from_bytes(from_base64url(text, name, limit_bytes=_MAX_KEY_BYTES), "big")
