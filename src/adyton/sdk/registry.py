"""Reading a registry of workers without believing it: draws are repeated, evidence is judged here.

The registry is a host's. What it can do unnoticed is to leave a worker out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.codec.json import (
    Json,
    JsonObject,
    as_base64,
    as_integer,
    as_list,
    as_object,
    as_string,
    canonical,
)
from adyton.crypto.binding import MAX_CHALLENGE_BYTES, report_data
from adyton.crypto.draw import draw
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError, RejectedError
from adyton.evidence.collateral import NO_COLLATERAL, Collateral
from adyton.model.claims import Claims
from adyton.model.manifest import Manifest
from adyton.model.registry import ATTESTED_WEIGHT
from adyton.model.verdict import Verdict
from adyton.sdk.transport import Call, Conversation, read_json
from adyton.verification.pipeline import verify_evidence

__all__ = ["DrawRejectedError", "JudgedWorker", "Wanted", "drawn", "judged", "listed"]

_PATH: Final = "/v1/registry"
_WORKERS: Final = 4096
_PAGE: Final = 100
_EVIDENCE_BYTES: Final = 256 * 1024


class DrawRejectedError(RejectedError):
    """A draw is not the one that follows from its seed and its list."""

    code = "draw-rejected"

    def __init__(self) -> None:
        super().__init__("the draw does not follow from the seed and the candidates beside it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which workers are asked for; ``measurement`` is a register and its value, ``pcr0:…``."""

    state: str | None = None
    technology: str | None = None
    measurement: str | None = None
    attested: bool = False

    @property
    def query(self) -> dict[str, str]:
        """The names and values to ask with."""
        found = {
            "state": self.state,
            "technology": self.technology,
            "measurement": self.measurement,
            "attested": "true" if self.attested else None,
        }
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedWorker:
    """A worker as the registry shows it, and what its evidence comes to under one's own policy."""

    record: JsonObject
    verdict: Verdict
    claims: Claims | None


def listed(wanted: Wanted) -> Conversation[list[JsonObject]]:
    """Return the workers that the registry lists."""
    found: list[JsonObject] = []
    query = wanted.query
    while len(found) < _WORKERS:
        answer = as_object(read_json((yield _get("/workers", query))), "the answer")
        page = as_list(answer.get("workers"), "workers", limit=_PAGE)
        found += [as_object(item, "a worker") for item in page]
        if "after" not in answer or not page:
            return found
        query = {**wanted.query, "after": as_string(answer["after"], "after", limit=64)}
    raise MalformedError(f"the registry lists more than {_WORKERS} workers")


def drawn(seed: bytes, *, count: int, wanted: Wanted) -> Conversation[JsonObject]:
    """Return the registry's answer to a draw, once it was repeated here.

    Raises ``DrawRejectedError`` for a draw over another seed, or with another outcome.
    """
    query = {**wanted.query, "seed": seed.hex(), "count": str(count)}
    answer = as_object(read_json((yield _get("/selection", query))), "the answer")
    candidates = _candidates(answer.get("candidates"))
    selected = as_list(answer.get("selected"), "selected", limit=_PAGE)
    names = tuple(as_object(item, "a worker").get("id") for item in selected)
    if answer.get("seed") != seed.hex() or names != draw(seed, candidates, count=count):
        raise DrawRejectedError
    return answer


def judged(
    worker: str, *, policy: Policy, at: datetime | None = None
) -> Conversation[JudgedWorker]:
    """Return a worker with the verdict on what it showed, at ``at`` or now.

    The challenge in it was the registry's, and not yours: for you, only the evidence's own time
    shows how old it is. Raises ``MalformedError`` where the manifest is not that of a worker of
    this name.
    """
    record = as_object(read_json((yield _get(f"/workers/{worker}", {}))), "the worker")
    manifest = Manifest.from_json(record.get("manifest"))
    if sha256(manifest.signing_key).hex() != worker:
        raise MalformedError("the manifest is another worker's")
    challenge = _bytes(record, "challenge", MAX_CHALLENGE_BYTES)
    expected = Expected(
        report_data=report_data(manifest.to_bytes(), challenge),
        manifest=sha256(manifest.to_bytes()),
        challenge=challenge,
    )
    verdict, claims = verify_evidence(
        _bytes(record, "evidence", _EVIDENCE_BYTES),
        policy=policy,
        expected=expected,
        at=at or datetime.now(UTC),
        collateral=_collateral(record.get("collateral")),
    )
    return JudgedWorker(record=record, verdict=verdict, claims=claims)


def _get(path: str, query: Mapping[str, str]) -> Call:
    asked = f"?{urlencode(query)}" if query else ""
    return Call(method="GET", path=f"{_PATH}{path}{asked}")


def _candidates(value: Json) -> dict[str, int]:
    items = [
        as_object(item, "a candidate") for item in as_list(value, "candidates", limit=_WORKERS)
    ]
    found = {
        as_string(item.get("id"), "a candidate's id", limit=64): as_integer(
            item.get("weight"), "a weight", low=1, high=ATTESTED_WEIGHT
        )
        for item in items
    }
    if len(found) != len(items):
        raise MalformedError("a candidate is twice in the list")
    return found


def _bytes(record: JsonObject, name: str, limit_bytes: int) -> bytes:
    return as_base64(record.get(name), name, limit_bytes=limit_bytes)


def _collateral(value: Json) -> Collateral:
    if value is None:
        return NO_COLLATERAL
    return Collateral.from_bytes(canonical(as_object(value, "collateral")))
