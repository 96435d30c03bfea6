"""The registry's values as JSON."""

from collections.abc import Mapping
from datetime import datetime

from adyton.codec.json import JsonObject, loads
from adyton.codec.text import to_base64
from adyton.crypto.draw import candidates_digest
from adyton.evidence.collateral import MAX_COLLATERAL_BYTES
from adyton.gateway.registry.reading import BODY_BYTES
from adyton.model.registry import Attestation, Exhibit, RegisteredWorker
from adyton.model.verdict import shown

__all__ = ["FUNCTION", "show_candidates", "show_worker", "with_exhibit"]

FUNCTION = "adyton/draw/v1"


def show_worker(worker: RegisteredWorker) -> JsonObject:
    """Return what anybody may know of a worker, apart from what it showed."""
    attestation = worker.attestation
    record: JsonObject = {
        "id": worker.id,
        "endpoint": worker.endpoint,
        "state": worker.state.value,
        "attested": worker.is_attested,
        "weight": worker.weight,
        "manifest_sha256": worker.manifest_sha256.hex(),
        "registered": shown(worker.registered),
        "heartbeat": shown(worker.heartbeat),
        "attestation": None,
    }
    if worker.reason:
        record["reason"] = worker.reason
    if attestation is not None:
        record["attestation"] = _attestation(attestation)
    return record


def _attestation(attestation: Attestation) -> JsonObject:
    record: JsonObject = {
        "technology": attestation.technology,
        "platform": attestation.platform,
        "measurements": {name: value.hex() for name, value in attestation.measurements.items()},
        "signed_sha256": attestation.signed_sha256.hex(),
        "verified": shown(attestation.verified),
        "until": shown(attestation.until),
    }
    if attestation.collateral_fetched is not None:
        record["collateral_fetched"] = shown(attestation.collateral_fetched)
    return record


def with_exhibit(record: JsonObject, exhibit: Exhibit) -> JsonObject:
    """Return ``record`` with what the worker showed: enough to verify it again elsewhere."""
    return {
        **record,
        "manifest": loads(exhibit.manifest, limit_bytes=BODY_BYTES),
        "challenge": to_base64(exhibit.challenge),
        "evidence": to_base64(exhibit.evidence),
        "collateral": loads(exhibit.collateral, limit_bytes=MAX_COLLATERAL_BYTES)
        if exhibit.collateral
        else None,
    }


def show_candidates(candidates: Mapping[str, int], *, at: datetime) -> JsonObject:
    """Return the list that a draw at this instant would be over."""
    return {
        "function": FUNCTION,
        "candidates": [{"id": name, "weight": weight} for name, weight in candidates.items()],
        "candidates_sha256": candidates_digest(candidates).hex(),
        "at": shown(at),
    }
