"""NVIDIA's opaque data in a measurement transcript: what its fields are called, and what they say.

Follows NVIDIA's own verifiers (nvtrust, ``spdm_msrt_resp_msg.py`` for GPUs and for switches), for
NVIDIA publishes no other table: names, types and the order of bytes. A field that these do not know
is kept by its number; whether its presence is acceptable is for ``findings``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from adyton.errors import MalformedError

__all__ = ["GpuMode", "OpaqueData", "unverified_opaque"]

_COMMON: Final = {
    1: "cert_issuer_name",
    2: "cert_authority_key_identifier",
    3: "driver_version",
    4: "gpu_info",
    5: "sku",
    6: "vbios_version",
    7: "manufacturer_id",
    8: "tamper_detection",
    9: "smc",
    10: "vpr",
    11: "nvdec0_status",
    12: "msrscnt",
    13: "cprinfo",
    14: "board_id",
    15: "chip_sku",
    16: "chip_sku_mod",
    17: "project",
    18: "project_sku",
    19: "project_sku_mod",
    20: "fwid",
    21: "protected_pcie_status",
}
_GPU: Final[Mapping[int, str]] = MappingProxyType(
    _COMMON
    | {
        22: "switch_pdi",
        23: "floorswept_ports",
        24: "position_id",
        25: "lock_switch_status",
        32: "gpu_link_conn",
        33: "sys_enable_status",
        34: "opaque_data_version",
        35: "chip_info",
        36: "feature_flag",
    }
)
_SWITCH: Final[Mapping[int, str]] = MappingProxyType(
    _COMMON
    | {
        22: "device_pdi",
        23: "disabled_ports",
        24: "switch_position_id",
        25: "switch_lock_status",
        26: "switch_gpu_pdis",
    }
)
_MAX_TEXT: Final = 64
_VBIOS_SIZE: Final = 8
_VBIOS_USED: Final = 5
_FLAG_SIZE: Final = 2
# One bit flipped makes neither of the other.
_DISABLED: Final = b"\x55"
_ENABLED: Final = b"\xaa"


class GpuMode(IntEnum):
    """How many GPUs work together, and what is encrypted between them (feature_flag).

    Under ``PPCIE``, what goes over NVLink is in the clear, and the switches belong to what has to
    be trusted.
    """

    SPT = 0
    MPT = 1
    PPCIE = 2


_MODES: Final = {mode.value: mode for mode in GpuMode}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpaqueData:
    """The opaque data of a GPU or of a switch.

    ``fields`` has all of them by NVIDIA's names, as they stand, and ``unknown`` those that have no
    name here. A switch has no driver version and no board. ``mode`` is ``None`` where the driver is
    older than the field, and ``mode_unknown`` where it has a value that nobody here knows.
    """

    fields: Mapping[str, bytes]
    unknown: tuple[int, ...]
    driver_version: str | None
    vbios_version: str
    project: str | None
    project_sku: str | None
    chip_sku: str | None
    chip_info: str | None
    mode: GpuMode | None
    mode_unknown: bool
    protected_pcie: bool
    nvdec0: bool

    @classmethod
    def of_gpu(cls, opaque: Mapping[int, bytes]) -> "OpaqueData":
        """Return what a GPU says, or raise ``MalformedError``."""
        fields = _named(opaque, _GPU)
        flag = fields.get("feature_flag")
        mode = None if flag is None else _MODES.get(_number(flag, "feature_flag", _FLAG_SIZE))
        return cls(
            fields=fields,
            unknown=_unknown(opaque, _GPU),
            driver_version=_text(_field(fields, "driver_version"), "driver_version"),
            vbios_version=_gpu_vbios(_field(fields, "vbios_version")),
            project=_text(_field(fields, "project"), "project"),
            project_sku=_text(_field(fields, "project_sku"), "project_sku"),
            chip_sku=_text(_field(fields, "chip_sku"), "chip_sku"),
            chip_info=_text(fields["chip_info"], "chip_info") if "chip_info" in fields else None,
            mode=mode,
            mode_unknown=flag is not None and mode is None,
            protected_pcie=_is_enabled(fields, "protected_pcie_status", default=_DISABLED),
            nvdec0=_is_enabled(fields, "nvdec0_status", default=_ENABLED),
        )

    @classmethod
    def of_switch(cls, opaque: Mapping[int, bytes]) -> "OpaqueData":
        """Return what a switch says, or raise ``MalformedError``."""
        fields = _named(opaque, _SWITCH)
        return cls(
            fields=fields,
            unknown=_unknown(opaque, _SWITCH),
            driver_version=None,
            vbios_version=_text(_field(fields, "vbios_version"), "vbios_version"),
            project=None,
            project_sku=None,
            chip_sku=None,
            chip_info=None,
            mode=None,
            mode_unknown=False,
            protected_pcie=False,
            nvdec0=True,
        )


def unverified_opaque(opaque: Mapping[int, bytes]) -> OpaqueData:
    """Return what a device says of itself, for people to read: with a driver, it is a GPU.

    Which kind it is, its certificates say to whoever verifies them.
    """
    has_driver = any(_GPU.get(number) == "driver_version" for number in opaque)
    return OpaqueData.of_gpu(opaque) if has_driver else OpaqueData.of_switch(opaque)


def _named(opaque: Mapping[int, bytes], names: Mapping[int, str]) -> Mapping[str, bytes]:
    return MappingProxyType({names[key]: opaque[key] for key in opaque if key in names})


def _unknown(opaque: Mapping[int, bytes], names: Mapping[int, str]) -> tuple[int, ...]:
    return tuple(sorted(opaque.keys() - names.keys()))


def _field(fields: Mapping[str, bytes], name: str) -> bytes:
    if name not in fields:
        raise MalformedError(f"the opaque data lacks {name}")
    return fields[name]


def _text(data: bytes, name: str) -> str:
    """Return a text of ASCII, which NVIDIA fills up with zeros."""
    text = data.rstrip(b"\0")
    if len(text) > _MAX_TEXT or not text.isascii() or not text.decode("ascii").isprintable():
        raise MalformedError(f"the opaque data has something else than a text as {name}")
    return text.decode("ascii")


def _number(data: bytes, name: str, size: int) -> int:
    if len(data) != size:
        raise MalformedError(f"the opaque data has {len(data)} bytes as {name}, not {size}")
    return int.from_bytes(data, "little")


def _gpu_vbios(data: bytes) -> str:
    # Four numbers, the last one first, and a fifth one behind them.
    number = _number(data, "vbios_version", _VBIOS_SIZE)
    if number >> 8 * _VBIOS_USED:
        raise MalformedError("the opaque data has a vbios_version with something behind it")
    return ".".join(f"{byte:02X}" for byte in (*data[3::-1], data[4]))


def _is_enabled(fields: Mapping[str, bytes], name: str, *, default: bytes) -> bool:
    found = fields.get(name, default)
    if found not in {_DISABLED, _ENABLED}:
        raise MalformedError(f"the opaque data has {found.hex()} as {name}")
    return found == _ENABLED
