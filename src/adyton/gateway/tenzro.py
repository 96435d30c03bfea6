"""Tenzro's path for attestations: its names and its answer, with what was really checked.

The request is read as Tenzro's clients write it: names in any case and with any separator, bytes in
hexadecimal or base64. Each truth value of the answer is true only where that was checked and holds:
a measurement that was not given is not valid, and evidence under a root of nobody's has no hardware
behind it. No policy comes with the request, so the one here names everything that is built in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from adyton.adapters.store.records import Scope
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.codec.json import Json, JsonObject, as_list, as_object, as_string, canonical, loads
from adyton.codec.text import from_base64
from adyton.errors import MalformedError
from adyton.evidence.collateral import (
    MAX_COLLATERAL_VALUES,
    NO_COLLATERAL,
    Collateral,
)
from adyton.evidence.sev_snp.collateral import AmdCollateral
from adyton.gateway.door import Door
from adyton.gateway.exchange import json_response, read_body, while_caller_waits
from adyton.gateway.ports import Appraiser
from adyton.gateway.routes import Operation, Route
from adyton.gateway.schemas import Document
from adyton.model.claims import Claims, Judged, Platform, Technology, VendorRoot
from adyton.model.ports import Clock
from adyton.model.verdict import Finding, LayerName, Status, finding, shown

__all__ = ["Tenzro"]

_BODY_BYTES: Final = 512 * 1024
_CERTIFICATES: Final = 8
_MAX_CERTIFICATE: Final = 8192
# Tenzro's own limit for a report. What has no time of its own says nothing about its age.
_MAXIMUM_AGE: Final = timedelta(hours=24)

# A service vouches for a token, and not the hardware that it is about.
_SERVICES: Final = frozenset(
    {
        Technology.INTEL_TRUST_AUTHORITY,
        Technology.AZURE_ATTESTATION,
        Technology.GOOGLE_CONFIDENTIAL_SPACE,
        Technology.NVIDIA_NRAS,
    }
)
_PROVIDERS: Final[Mapping[str, tuple[Technology, ...]]] = MappingProxyType(
    {
        "IntelTdx": (Technology.TDX, Technology.AZURE_TDX),
        "IntelSgx": (Technology.SGX,),
        "AmdSevSnp": (Technology.SEV_SNP, Technology.AZURE_SEV_SNP),
        "AwsNitro": (Technology.NITRO, Technology.NITRO_TPM),
        "NvidiaGpu": (Technology.NVIDIA_GPU, Technology.NVIDIA_SWITCH, Technology.NVIDIA_NRAS),
    }
)
# States in which a vendor stands behind a platform no more. Older ones are told, and not refused.
_TAKEN_BACK: Final = frozenset({"Revoked", "NotSupported"})
# What callers write, without case and separators.
_SPELLINGS: Final[Mapping[str, str]] = MappingProxyType(
    {name.lower(): name for name in _PROVIDERS}
    | {"tdx": "IntelTdx", "sgx": "IntelSgx"}
    | dict.fromkeys(("sevsnp", "snp", "amdsnp", "amdsev"), "AmdSevSnp")
    | dict.fromkeys(("nitro", "awsnitroenclave", "awsnitroenclaves", "aws"), "AwsNitro")
    | dict.fromkeys(("nvidia", "gpu", "nvidiacc", "nvidiagpucc"), "NvidiaGpu")
)
# The register that the launched code is in: others hold what a guest or its host chooses.
_LAUNCHED: Final[Mapping[Technology, str]] = MappingProxyType(
    {
        Technology.NITRO: "pcr0",
        # The unified kernel image of an attestable AMI, by its firmware.
        Technology.NITRO_TPM: "pcr4",
        Technology.SGX: "mr_enclave",
        Technology.TDX: "mr_td",
        Technology.AZURE_TDX: "mr_td",
        Technology.SEV_SNP: "measurement",
        Technology.AZURE_SEV_SNP: "measurement",
    }
)
_EVIDENCE: Final = frozenset({"attestation", "reportdata", "quote", "quotehex", "reporthex"})
_PROVIDER: Final = frozenset({"provider", "vendor", "teetype"})
_NAMES: Final = _EVIDENCE | _PROVIDER | {"measurement", "certificatechain", "collateral"}
_SEPARATORS: Final = re.compile(r"[\s_.-]+")
_HEX: Final = re.compile(r"(?:0[xX])?((?:[0-9a-fA-F]{2})+)")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----")
_FROM_URL_SAFE: Final = str.maketrans("-_", "+/")

_POLICY: Final = Policy.from_json(
    {
        "version": "adyton/policy/v1",
        "roots": {root.value: "built-in" for root in VendorRoot},
        "platforms": {
            platform.value: {
                "debug": "refused",
                "tcb": "not-required",
                "measurements": "not-required",
            }
            for platform in Platform
            if platform is not Platform.INSECURE
        },
        "evidence": {
            "maximum_age_seconds": "not-required",
            "challenge": "not-required",
            "binding": "not-required",
        },
    }
)


class TeeAttestationDocument(Document):
    """An attestation. Names may have any case and separator; one of the first five is enough."""

    model_config = ConfigDict(extra="allow")

    attestation: str = Field(description="or `quote`, `quote_hex`, `report_data`, `report_hex`")
    provider: str = Field("", description="or `vendor`, `tee_type`: `IntelTdx`, `aws-nitro`, …")
    measurement: str = Field("", description="of the launched code, in hexadecimal")
    certificate_chain: list[str] = Field([], description="for SEV-SNP: the chip's key first")


class TeeVerdictDocument(Document):
    """What was checked, and holds."""

    valid: bool
    provider: str
    hardware_verified: bool
    measurements_valid: bool
    certificate_chain_valid: bool
    details: dict[str, Any]
    verified_at: str


_OPERATION: Final = Operation(
    summary="Verify a TEE attestation (Tenzro's form)",
    text="Each value is true only where it was checked and holds; `details.reasons` says what does"
    " not. No key needed; with one, its limits count. `POST /v1/evidence/verify` says more, under"
    " a policy of your own.",
    body=TeeAttestationDocument,
    examples={
        "a quote": {
            "attestation": "0x040002008100000000000000…",
            "provider": "IntelTdx",
        }
    },
    answer=TeeVerdictDocument,
    is_open=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the caller wants to know. ``provider`` and ``measurement`` are ``None`` if not given."""

    evidence: bytes
    provider: str | None
    measurement: bytes | None
    collateral: Collateral


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenzro:
    """Answers Tenzro's clients. Nothing of it is stored."""

    door: Door
    appraiser: Appraiser
    clock: Clock

    def routes(self) -> Sequence[Route]:
        """Return Tenzro's path."""
        path = "/api/verify/tee-attestation"
        return (Route(method="POST", path=path, handler=self.answer, operation=_OPERATION),)

    async def answer(self, request: Request) -> Response:
        """Return what holds of the attestation in ``request``.

        1. the caller has a key for verifying, or strangers have not come too often;
        2. the body has one attestation, in time and within its limit;
        3. what holds is said for this instant.
        """
        # Step 1: Tenzro's clients have no key of ours.
        if "authorization" in request.headers or "x-api-key" in request.headers:
            await self.door.admit(request, Scope.VERIFY)
        else:
            self.door.limiter.check_anonymous_rate()
        # Step 2
        asked = _read(await read_body(request, limit_bytes=_BODY_BYTES))
        # Step 3
        now = self.clock()
        judged = await while_caller_waits(
            request,
            self.appraiser.evidence(
                asked.evidence,
                collateral=asked.collateral,
                policy=_POLICY,
                expected=Expected(),
                at=now,
            ),
        )
        return json_response(_show(asked, judged, now))


def _show(asked: _Asked, judged: Judged, now: datetime) -> JsonObject:
    verdict, claims = judged
    reasons = [*verdict.reasons, *_against(asked, claims, now)]
    parts = {part.name: part.status for part in verdict.layer(LayerName.EVIDENCE).parts}
    is_chained = claims is not None and parts["authenticity"] is Status.PASSED
    return {
        "valid": verdict.accepted and not reasons,
        "provider": _provider(claims, asked),
        "hardware_verified": is_chained and _is_hardware(claims, parts),
        "measurements_valid": asked.measurement is not None
        and asked.measurement == _launched(claims),
        # What was given of lists and answers is a part of it: one that is revoked is not valid.
        "certificate_chain_valid": is_chained and parts["tcb"] is not Status.FAILED,
        "details": _details(claims, reasons),
        "verified_at": shown(now),
    }


def _is_hardware(claims: Claims | None, parts: Mapping[str, Status]) -> bool:
    if claims is None or claims.technology in _SERVICES:
        return False
    is_good = parts["configuration"] is Status.PASSED and parts["tcb"] is not Status.FAILED
    return is_good and not _is_taken_back(claims)


def _is_taken_back(claims: Claims) -> bool:
    return claims.tcb is not None and claims.tcb.status in _TAKEN_BACK


def _against(asked: _Asked, claims: Claims | None, now: datetime) -> list[Finding]:
    """Return what speaks against the attestation, beside the verdict on the evidence itself."""
    if claims is None:
        return []
    found = []
    if asked.provider is not None and asked.provider != _provider(claims, asked):
        text = f"the evidence is not {asked.provider}'s"
        found.append(finding("vendor-mismatch", text))
    if claims.technology in _SERVICES:
        text = "a service vouches for this token, and not the hardware that it is about"
        found.append(finding("service-vouches", text))
    if _is_taken_back(claims):
        text = "the platform's firmware is revoked by its vendor, or below all that it supports"
        found.append(finding("tcb-status-rejected", text))
    if asked.measurement is not None and _launched(claims) != asked.measurement:
        text = "the launched code has another measurement"
        found.append(finding("launch-mismatch", text))
    if claims.issued is not None and now - claims.issued > _MAXIMUM_AGE:
        found.append(finding("evidence-too-old", "the evidence is more than 24 hours old"))
    return found


def _launched(claims: Claims | None) -> bytes | None:
    if claims is None:
        return None
    return claims.measurements.get(_LAUNCHED.get(claims.technology, ""))


def _provider(claims: Claims | None, asked: _Asked) -> str:
    if claims is None:
        return asked.provider or "unknown"
    for name, technologies in _PROVIDERS.items():
        if claims.technology in technologies:
            return name
    return claims.technology.value


def _details(claims: Claims | None, reasons: Sequence[Finding]) -> JsonObject:
    details: JsonObject = {"reasons": [reason.to_json() for reason in reasons]}
    if claims is None:
        return details
    tcb = claims.tcb
    return {
        **details,
        "technology": claims.technology.value,
        "platform": claims.platform.value,
        "root": claims.root,
        "measurements": {name: value.hex() for name, value in claims.measurements.items()},
        "measured_by": _LAUNCHED.get(claims.technology),
        "tcb_status": None if tcb is None else tcb.status,
        "revocation_checked": tcb is not None and tcb.is_revocation_checked,
        "report_data": None if claims.report_data is None else claims.report_data.hex(),
    }


def _read(body: bytes) -> _Asked:
    value = loads(body, limit_bytes=_BODY_BYTES, limit_values=MAX_COLLATERAL_VALUES)
    fields = _fields(as_object(value, "the request"))
    (_, evidence) = _one(fields, _EVIDENCE, "attestation") or (None, None)
    if evidence is None:
        raise MalformedError("the request lacks attestation")
    provider = _one(fields, _PROVIDER, "provider")
    measurement = fields.get("measurement")
    return _Asked(
        evidence=_evidence(evidence),
        provider=None if provider is None else _known_provider(provider[1]),
        measurement=None if measurement is None else _bytes(measurement, "measurement"),
        collateral=_collateral(fields),
    )


def _fields(record: JsonObject) -> dict[str, Json]:
    """Return ``record`` with its names as they are without case and separators."""
    fields: dict[str, Json] = {}
    for name, value in record.items():
        plain = _SEPARATORS.sub("", name).lower()
        if plain not in _NAMES:
            # A nonce that nobody compares would look as if it had been.
            raise MalformedError(f"the request has the unknown field {name[:64]!r}")
        if plain in fields:
            raise MalformedError(f"the request has the field {plain} twice")
        if value is not None:
            fields[plain] = value
    return fields


def _one(fields: Mapping[str, Json], names: frozenset[str], where: str) -> tuple[str, Json] | None:
    found = [(name, fields[name]) for name in sorted(names & fields.keys())]
    if len(found) > 1:
        raise MalformedError(f"the request has {where} under {len(found)} names")
    return found[0] if found else None


def _known_provider(value: Json) -> str:
    text = _SEPARATORS.sub("", as_string(value, "provider", limit=64)).lower()
    if text not in _SPELLINGS:
        raise MalformedError(f"provider is not {', '.join(_PROVIDERS)}")
    return _SPELLINGS[text]


def _evidence(value: Json) -> bytes:
    """Return evidence that is written as bytes are, or as the token or the JSON that it is."""
    if isinstance(value, dict | list):
        return canonical(value)
    text = as_string(value, "attestation", limit=_BODY_BYTES).strip()
    return text.encode() if _TOKEN.fullmatch(text) else _bytes(text, "attestation")


def _bytes(value: Json, where: str) -> bytes:
    """Return bytes that are written as hexadecimal or base64."""
    text = as_string(value, where, limit=_BODY_BYTES).strip()
    if match := _HEX.fullmatch(text):
        return bytes.fromhex(match[1])
    if text[:2] in {"0x", "0X"}:
        raise MalformedError(f"{where} is not hexadecimal")
    plain = text.translate(_FROM_URL_SAFE).rstrip("=")
    padded = plain + "=" * (-len(plain) % 4)
    data = from_base64(padded, where, limit_bytes=_BODY_BYTES)
    if not data:
        raise MalformedError(f"{where} is empty")
    return data


def _collateral(fields: Mapping[str, Json]) -> Collateral:
    made = NO_COLLATERAL
    if "collateral" in fields:
        made = Collateral.from_bytes(canonical(as_object(fields["collateral"], "collateral")))
    if "certificatechain" not in fields:
        return made
    chain = _certificates(fields["certificatechain"])
    match chain:
        # From the chip's key upwards; AMD's own files have the two authorities alone.
        case [vek, authority, ark]:
            amd = AmdCollateral(ark=ark, authority=authority, vek=vek)
        case [authority, ark]:
            amd = AmdCollateral(ark=ark, authority=authority)
        case _:
            # Other technologies' evidence brings its own: what is given is not needed.
            return made
    return replace(made, amd=amd) if made.amd is None else made


def _certificates(value: Json) -> list[bytes]:
    texts = (
        [value]
        if isinstance(value, str)
        else as_list(value, "certificate_chain", limit=_CERTIFICATES)
    )
    found: list[bytes] = []
    for item in texts:
        text = as_string(item, "certificate_chain", limit=_CERTIFICATES * _MAX_CERTIFICATE)
        blocks = _PEM.findall(text)
        found += [_bytes("".join(block.split()), "a certificate") for block in blocks or [text]]
    if len(found) > _CERTIFICATES:
        raise MalformedError(f"certificate_chain has more than {_CERTIFICATES} certificates")
    return found
