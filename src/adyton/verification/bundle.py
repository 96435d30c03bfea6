"""A bundle: evidence with all that its verdict depends on, so that it can be repeated years later.

Evidence, collateral, policy, what the evidence had to be over, and the instant. Nothing else goes
into a verdict, so the same bundle always gives the same one; and whoever repeats it takes no word
of whoever made it, but reads the policy that stands in it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import MAX_POLICY_BYTES, Policy
from adyton.codec.json import (
    Json,
    JsonObject,
    as_base64,
    as_object,
    as_string,
    canonical,
    check_keys,
    loads,
)
from adyton.codec.text import to_base64
from adyton.errors import MalformedError
from adyton.evidence.collateral import (
    MAX_COLLATERAL_BYTES,
    MAX_COLLATERAL_VALUES,
    Collateral,
)
from adyton.model.claims import Claims
from adyton.model.verdict import Verdict, exact
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.pipeline import verify_evidence

__all__ = ["MAX_BUNDLE_BYTES", "MAX_EVIDENCE_BYTES", "VERSION", "Bundle"]

VERSION: Final = "adyton/bundle/v1"
# A GPU's evidence with its certificates is the longest.
MAX_EVIDENCE_BYTES: Final = 1024 * 1024
MAX_BUNDLE_BYTES: Final = 2 * MAX_EVIDENCE_BYTES + MAX_COLLATERAL_BYTES + MAX_POLICY_BYTES
_MAX_BOUND_BYTES: Final = 1024
_KEYS: Final = frozenset({"version", "evidence", "collateral", "policy", "at", "expected"})
_BOUND: Final = ("report_data", "nonce", "public_key", "manifest", "asked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Everything that a verdict on evidence depends on. ``at`` has a zone."""

    evidence: bytes
    collateral: Collateral
    policy: Policy
    expected: Expected
    at: datetime

    @classmethod
    def from_bytes(cls, data: bytes) -> "Bundle":
        """Return the bundle in a JSON file, or raise ``MalformedError``."""
        return cls.from_json(
            loads(data, limit_bytes=MAX_BUNDLE_BYTES, limit_values=MAX_COLLATERAL_VALUES)
        )

    @classmethod
    def from_json(cls, value: Json) -> "Bundle":
        """Return the bundle in ``value``, or raise ``MalformedError``."""
        record = as_object(value, "the bundle")
        check_keys(record, "the bundle", required=_KEYS, optional=frozenset())
        if record["version"] != VERSION:
            raise MalformedError(f'the bundle\'s version is not "{VERSION}"')
        return cls(
            evidence=as_base64(record["evidence"], "evidence", limit_bytes=MAX_EVIDENCE_BYTES),
            collateral=Collateral.from_json(record["collateral"]),
            policy=Policy.from_json(record["policy"]),
            expected=_expected(record["expected"]),
            at=read_instant(record["at"], "at"),
        )

    def to_bytes(self) -> bytes:
        """Return the JSON file that reads as this bundle."""
        return canonical(self.to_json())

    def to_json(self) -> JsonObject:
        """Return the object that reads as this bundle."""
        return {
            "version": VERSION,
            "evidence": to_base64(self.evidence),
            "collateral": self.collateral.to_json(),
            "policy": self.policy.to_json(),
            "expected": _expected_json(self.expected),
            "at": exact(self.at),
        }

    def verify(self, *, cache: EvidenceCache | None = None) -> tuple[Verdict, Claims | None]:
        """Return the verdict, and what the evidence says if it is authentic."""
        return verify_evidence(
            self.evidence,
            policy=self.policy,
            expected=self.expected,
            at=self.at,
            collateral=self.collateral,
            cache=cache,
        )


def read_instant(value: Json, where: str) -> datetime:
    """Return an instant with a zone (RFC 3339), or raise ``MalformedError``."""
    text = as_string(value, where, limit=64)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedError(f"{where} is not a time as 2026-02-03T12:00:00Z") from error
    if instant.tzinfo is None:
        raise MalformedError(f"{where} has no zone: write 2026-02-03T12:00:00Z")
    return instant


def _expected(value: Json) -> Expected:
    record = as_object(value, "expected")
    check_keys(record, "expected", required=frozenset(), optional=frozenset({*_BOUND, "challenge"}))
    parts = {
        name: as_base64(item, f"expected.{name}", limit_bytes=_MAX_BOUND_BYTES)
        for name, item in record.items()
    }
    return Expected(
        report_data=parts.get("report_data"),
        nonce=parts.get("nonce"),
        public_key=parts.get("public_key"),
        manifest=parts.get("manifest"),
        challenge=parts.get("challenge", b""),
        asked=parts.get("asked"),
    )


def _expected_json(expected: Expected) -> JsonObject:
    parts = {name: getattr(expected, name) for name in _BOUND}
    record: JsonObject = {name: to_base64(part) for name, part in parts.items() if part is not None}
    return {**record, "challenge": to_base64(expected.challenge)} if expected.challenge else record
