"""TCB information: what Intel says of every TCB level of one family of platforms.

Follows "TCB Info V3" (Provisioning Certification Service API, version 4), for SGX and for TDX.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adyton.codec.json import JsonObject, as_integer, as_list, as_object, as_string
from adyton.errors import MalformedError
from adyton.evidence.dcap.layout import TeeType
from adyton.evidence.dcap.signed_json import (
    MAX_ITEMS,
    LevelOutcome,
    SvnLevel,
    field,
    hexadecimal,
    instant,
    items,
    outcome,
    signed_object,
    svn_levels,
)

__all__ = ["ModuleIdentity", "PlatformLevel", "TcbInfo"]

_VERSION: Final = 3
_COMPONENTS: Final = 16
_MAX_SVN: Final = 0xFF
_TEES: Final = {"SGX": TeeType.SGX, "TDX": TeeType.TDX}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformLevel:
    """A TCB level of a platform: reached where every version is at least as high as here.

    ``tdx_components`` is ``None`` in information about SGX.
    """

    sgx_components: bytes
    pce_svn: int
    tdx_components: bytes | None
    outcome: LevelOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleIdentity:
    """What a genuine TDX module reports of itself. The first modules have no levels of their own.

    ``name`` is ``TDX_`` and the module's major version in hexadecimal, and empty for the first.
    """

    name: str
    mr_signer: bytes
    attributes: bytes
    attributes_mask: bytes
    levels: tuple[SvnLevel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TcbInfo:
    """TCB information. ``levels`` are newest first, as Intel sorts them.

    ``sgx_names`` and ``tdx_names`` say what the components of the newest level are, where Intel
    does.
    """

    tee_type: TeeType
    fmspc: bytes
    pce_id: bytes
    evaluation_number: int
    issued: datetime
    next_update: datetime
    levels: tuple[PlatformLevel, ...]
    modules: tuple[ModuleIdentity, ...]
    sgx_names: tuple[str, ...]
    tdx_names: tuple[str, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> "TcbInfo":
        """Return the information in a text that was signed, or raise ``MalformedError``."""
        record = signed_object(data, "tcb info")
        version = field(record, "version")
        if version != _VERSION or isinstance(version, bool):
            raise MalformedError("tcb info is not of version 3")
        if field(record, "tcbType") != 0:
            raise MalformedError("tcb info has levels of a type that we cannot compare")
        name = as_string(field(record, "id"), "id", limit=8)
        if name not in _TEES:
            raise MalformedError(f"tcb info is about {name!r}, not SGX or TDX")
        is_tdx = _TEES[name] is TeeType.TDX
        levels = items(record, "tcbLevels", _tdx_platform_level if is_tdx else _sgx_platform_level)
        return cls(
            tee_type=_TEES[name],
            fmspc=hexadecimal(record, "fmspc", size=6),
            pce_id=hexadecimal(record, "pceId", size=2),
            evaluation_number=as_integer(
                field(record, "tcbEvaluationDataNumber"), "tcbEvaluationDataNumber"
            ),
            issued=instant(record, "issueDate"),
            next_update=instant(record, "nextUpdate"),
            levels=levels,
            modules=_modules(record) if is_tdx else (),
            sgx_names=_names(record, "sgxtcbcomponents"),
            tdx_names=_names(record, "tdxtcbcomponents"),
        )

    def module(self, major: int) -> ModuleIdentity | None:
        """Return the identity of the TDX modules of a major version."""
        name = f"TDX_{major:02X}" if major else ""
        return next((module for module in self.modules if module.name == name), None)


def _sgx_platform_level(level: JsonObject) -> PlatformLevel:
    tcb = as_object(field(level, "tcb"), "tcb")
    return PlatformLevel(
        sgx_components=_components(tcb, "sgxtcbcomponents"),
        pce_svn=as_integer(field(tcb, "pcesvn"), "pcesvn", high=0xFFFF),
        tdx_components=None,
        outcome=outcome(level),
    )


def _tdx_platform_level(level: JsonObject) -> PlatformLevel:
    tcb = as_object(field(level, "tcb"), "tcb")
    return PlatformLevel(
        sgx_components=_components(tcb, "sgxtcbcomponents"),
        pce_svn=as_integer(field(tcb, "pcesvn"), "pcesvn", high=0xFFFF),
        tdx_components=_components(tcb, "tdxtcbcomponents"),
        outcome=outcome(level),
    )


def _components(tcb: JsonObject, name: str) -> bytes:
    found = as_list(field(tcb, name), name, limit=_COMPONENTS)
    if len(found) != _COMPONENTS:
        raise MalformedError(f"{name} has {len(found)} components, not {_COMPONENTS}")
    svns = [
        svn
        for item in found
        if isinstance(item, dict) and type(svn := item.get("svn")) is int and 0 <= svn <= _MAX_SVN
    ]
    if len(svns) != _COMPONENTS:
        raise MalformedError(f"{name} has a component without an svn in 0..{_MAX_SVN}")
    return bytes(svns)


def _names(record: JsonObject, name: str) -> tuple[str, ...]:
    """Return the types of the components in the newest level, which was read before."""
    for level in as_list(field(record, "tcbLevels"), "tcbLevels", limit=MAX_ITEMS)[:1]:
        tcb = as_object(field(as_object(level, "a level"), "tcb"), "tcb")
        return tuple(
            as_string(as_object(item, "a component").get("type", ""), "type", limit=128)
            for item in as_list(tcb.get(name, []), name, limit=_COMPONENTS)
        )
    return ()


def _modules(record: JsonObject) -> tuple[ModuleIdentity, ...]:
    first = as_object(field(record, "tdxModule"), "tdxModule")
    later = (
        items(record, "tdxModuleIdentities", _later_module)
        if "tdxModuleIdentities" in record
        else ()
    )
    modules = (_module(first, name="", levels=()), *later)
    if len({module.name for module in modules}) != len(modules):
        raise MalformedError("tcb info has two identities of one tdx module")
    return modules


def _later_module(record: JsonObject) -> ModuleIdentity:
    # Compared without regard to case, as Intel's own library does.
    name = as_string(field(record, "id"), "id", limit=16).upper()
    return _module(record, name=name, levels=svn_levels(record))


def _module(record: JsonObject, *, name: str, levels: tuple[SvnLevel, ...]) -> ModuleIdentity:
    return ModuleIdentity(
        name=name,
        mr_signer=hexadecimal(record, "mrsigner", size=48),
        attributes=hexadecimal(record, "attributes", size=8),
        attributes_mask=hexadecimal(record, "attributesMask", size=8),
        levels=levels,
    )
