"""The section of a policy that says which receipts for delegated proofs are accepted."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from adyton.appraisal.document import (
    Choice,
    NotRequired,
    Required,
    age,
    age_json,
    items,
    required,
    section,
    text,
)
from adyton.codec.json import Json, JsonObject, as_digest

__all__ = ["ProvingPolicy"]

_Any = Literal[Choice.ANY]
_KEYS: Final = frozenset({"audience", "maximum_age_seconds", "nonce", "circuits", "provers"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvingPolicy:
    """What is accepted of a receipt for a proof.

    ``circuits`` are SHA-256 digests of programs; ``provers`` are those of the prover's program,
    which sees the witness: the manifest names the one that a worker runs, and the evidence is over
    the manifest.
    """

    audience: frozenset[str] | NotRequired
    maximum_age: timedelta | NotRequired
    nonce: Required
    circuits: frozenset[bytes] | _Any
    provers: frozenset[bytes] | _Any

    @classmethod
    def from_json(cls, value: Json) -> "ProvingPolicy":
        """Return the section in ``value``, or raise ``MalformedError``."""
        where = "policy.proving"
        record = section(value, where, _KEYS)
        audience = record["audience"]
        return cls(
            audience=Choice.NOT_REQUIRED
            if audience == Choice.NOT_REQUIRED.value
            else items(audience, f"{where}.audience", text),
            maximum_age=age(record["maximum_age_seconds"], f"{where}.maximum_age_seconds"),
            nonce=required(record["nonce"], f"{where}.nonce"),
            circuits=_digests(record["circuits"], f"{where}.circuits"),
            provers=_digests(record["provers"], f"{where}.provers"),
        )

    def to_json(self) -> JsonObject:
        """Return the section that reads as this."""
        audience = self.audience
        return {
            "audience": audience.value if isinstance(audience, Choice) else [*sorted(audience)],
            "maximum_age_seconds": age_json(self.maximum_age),
            "nonce": self.nonce.value,
            "circuits": _digests_json(self.circuits),
            "provers": _digests_json(self.provers),
        }


def _digests(value: Json, where: str) -> frozenset[bytes] | _Any:
    return Choice.ANY if value == Choice.ANY.value else items(value, where, as_digest)


def _digests_json(found: frozenset[bytes] | _Any) -> Json:
    return found.value if isinstance(found, Choice) else [item.hex() for item in sorted(found)]
