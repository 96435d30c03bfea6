"""Claims about NVIDIA's devices in the form that all technologies share."""

from types import MappingProxyType

from adyton.codec.json import Json
from adyton.evidence.nvidia.authenticate import NvidiaClaims
from adyton.evidence.nvidia.findings import findings
from adyton.model.claims import Claims, Platform, Tcb, Technology

__all__ = ["claims_of"]


def claims_of(claims: NvidiaClaims) -> Claims:
    """Return what an authentic report says.

    NVIDIA has no word for the state of a device: what speaks against its firmware and its mode is
    in ``configuration``, and what came of the golden values, one by one, in ``details``.
    """
    technology = Technology.NVIDIA_SWITCH if claims.is_switch else Technology.NVIDIA_GPU
    revocation = claims.revocation
    return Claims(
        technology=technology,
        platform=Platform.of(technology, is_genuine=claims.is_genuine),
        root=claims.root,
        root_sha256=claims.root_sha256,
        instance=claims.device.serial,
        measurements=claims.measurements,
        numbers=MappingProxyType(_numbers(claims)),
        configuration=findings(claims),
        tcb=Tcb(is_revocation_checked=not revocation.missing, windows=revocation.windows),
        report_data=None,
        nonce=claims.nonce,
        public_key=None,
        issued=None,
        first=claims.first,
        last=claims.last,
        windows=claims.windows,
        details=MappingProxyType(_details(claims)),
        signed_sha256=claims.signed_sha256,
    )


def _numbers(claims: NvidiaClaims) -> dict[str, int]:
    fields = claims.opaque.fields
    names = ("opaque_data_version", "feature_flag")
    return {name: int.from_bytes(fields[name], "little") for name in names if name in fields}


def _details(claims: NvidiaClaims) -> dict[str, Json]:
    device, revocation = claims.device, claims.revocation
    return {
        "architecture": device.architecture.value,
        "chip": device.chip,
        "model": device.model,
        "ueid": device.ueid,
        "driver_version": claims.driver_version,
        "vbios_version": claims.vbios_version,
        "driver_rim_id": claims.driver_rim_id,
        "vbios_rim_id": claims.vbios_rim_id,
        "golden_values": _golden(claims),
        "revocation": {
            "statuses": {name: status.value for name, status in revocation.statuses.items()},
            "missing": [*revocation.missing],
        },
    }


def _golden(claims: NvidiaClaims) -> dict[str, Json]:
    comparison = claims.comparison
    return {
        "matches": comparison.matches,
        "compared": comparison.compared,
        "missing": [kind.value for kind in comparison.missing],
        "unreferenced": [*comparison.unreferenced],
        "differences": [
            {
                "kind": item.kind.value,
                "index": item.index,
                "name": item.name,
                "found": None if item.found is None else item.found.hex(),
                "accepted": [value.hex() for value in item.accepted],
            }
            for item in comparison.differences
        ],
        "rims": {
            kind.value: {
                "version": rim.version,
                "tag_id": rim.tag_id,
                "signed_sha256": rim.signed_sha256.hex(),
            }
            for kind, rim in claims.rims.items()
        },
    }
