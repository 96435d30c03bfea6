"""Collateral: what vendors publish that evidence needs beside it, in one value for all of them.

Nothing here is verified; each technology authenticates what it takes. The file format is a JSON
object of its own; Intel's collateral is also read in the form of ``dcap-qvl``, in which it is
commonly passed on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adyton.codec.json import (
    Json,
    JsonObject,
    as_base64,
    as_list,
    as_object,
    canonical,
    check_keys,
    loads,
)
from adyton.codec.text import to_base64
from adyton.crypto.jwk import MAX_SET_BYTES
from adyton.crypto.ocsp import MAX_OCSP_BYTES
from adyton.errors import MalformedError
from adyton.evidence.dcap.collateral import (
    MAX_COLLATERAL_BYTES,
    MAX_COLLATERAL_VALUES,
    IntelCollateral,
)
from adyton.evidence.nvidia.collateral import MAX_ANSWERS, MAX_RIM_BYTES, NvidiaCollateral
from adyton.evidence.sev_snp.collateral import (
    MAX_CERTIFICATE_BYTES,
    MAX_CRL_BYTES,
    AmdCollateral,
)
from adyton.evidence.token.collateral import TokenCollateral

__all__ = [
    "MAX_COLLATERAL_BYTES",
    "MAX_COLLATERAL_VALUES",
    "NO_COLLATERAL",
    "Collateral",
]

VERSION: Final = "adyton/collateral/v1"
_AMD_KEYS: Final = frozenset({"ark", "authority"})
_AMD_OPTIONAL: Final = frozenset({"vek", "crl"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Collateral:
    """What was given beside evidence; ``None`` is "not given"."""

    intel: IntelCollateral | None = None
    amd: AmdCollateral | None = None
    nvidia: NvidiaCollateral | None = None
    token: TokenCollateral | None = None

    @classmethod
    def from_bytes(cls, data: bytes) -> "Collateral":
        """Return the collateral in a JSON file, or raise ``MalformedError``."""
        value = loads(data, limit_bytes=MAX_COLLATERAL_BYTES, limit_values=MAX_COLLATERAL_VALUES)
        record = as_object(value, "the collateral")
        if "version" not in record:
            return cls(intel=IntelCollateral.from_json(record))
        return cls.from_json(record)

    @classmethod
    def from_json(cls, value: Json) -> "Collateral":
        """Return the collateral in ``value``, or raise ``MalformedError``."""
        record = as_object(value, "the collateral")
        check_keys(
            record,
            "the collateral",
            required=frozenset({"version"}),
            optional=frozenset({"intel", "amd", "nvidia", "token"}),
        )
        if record["version"] != VERSION:
            raise MalformedError(f'the collateral\'s version is not "{VERSION}"')
        return cls(
            intel=IntelCollateral.from_json(record["intel"]) if "intel" in record else None,
            amd=_amd(record["amd"]) if "amd" in record else None,
            nvidia=_nvidia(record["nvidia"]) if "nvidia" in record else None,
            token=_token(record["token"]) if "token" in record else None,
        )

    def to_json(self) -> JsonObject:
        """Return the object that reads as this collateral."""
        record: JsonObject = {"version": VERSION}
        if self.intel is not None:
            record["intel"] = self.intel.to_json()
        if self.amd is not None:
            parts = {name: getattr(self.amd, name) for name in (*_AMD_KEYS, *_AMD_OPTIONAL)}
            record["amd"] = _base64(parts)
        if self.nvidia is not None:
            rims = {"driver_rim": self.nvidia.driver_rim, "vbios_rim": self.nvidia.vbios_rim}
            record["nvidia"] = {
                **_base64(rims),
                "ocsp": [to_base64(answer) for answer in self.nvidia.ocsp],
            }
        if self.token is not None:
            record["token"] = _base64({"jwks": self.token.jwks, "root": self.token.root})
        return record

    def to_bytes(self) -> bytes:
        """Return the JSON file that reads as this collateral."""
        return canonical(self.to_json())


NO_COLLATERAL: Final = Collateral()


def _amd(value: Json) -> AmdCollateral:
    record = as_object(value, "amd")
    check_keys(record, "amd", required=_AMD_KEYS, optional=_AMD_OPTIONAL)
    parts: Mapping[str, bytes] = MappingProxyType(
        {
            name: as_base64(item, f"amd.{name}", limit_bytes=_limit(name))
            for name, item in record.items()
        }
    )
    return AmdCollateral(
        ark=parts["ark"],
        authority=parts["authority"],
        vek=parts.get("vek"),
        crl=parts.get("crl"),
    )


def _nvidia(value: Json) -> NvidiaCollateral:
    record = as_object(value, "nvidia")
    check_keys(
        record,
        "nvidia",
        required=frozenset({"ocsp"}),
        optional=frozenset({"driver_rim", "vbios_rim"}),
    )
    rims = {
        name: as_base64(record[name], f"nvidia.{name}", limit_bytes=MAX_RIM_BYTES)
        for name in ("driver_rim", "vbios_rim")
        if name in record
    }
    answers = as_list(record["ocsp"], "nvidia.ocsp", limit=MAX_ANSWERS)
    return NvidiaCollateral(
        driver_rim=rims.get("driver_rim"),
        vbios_rim=rims.get("vbios_rim"),
        ocsp=tuple(as_base64(item, "nvidia.ocsp", limit_bytes=MAX_OCSP_BYTES) for item in answers),
    )


def _token(value: Json) -> TokenCollateral:
    record = as_object(value, "token")
    check_keys(record, "token", required=frozenset(), optional=frozenset({"jwks", "root"}))
    parts = {
        name: as_base64(item, f"token.{name}", limit_bytes=MAX_SET_BYTES)
        for name, item in record.items()
    }
    return TokenCollateral(jwks=parts.get("jwks"), root=parts.get("root"))


def _base64(parts: Mapping[str, bytes | None]) -> JsonObject:
    return {name: to_base64(part) for name, part in parts.items() if part is not None}


def _limit(name: str) -> int:
    return MAX_CRL_BYTES if name == "crl" else MAX_CERTIFICATE_BYTES
