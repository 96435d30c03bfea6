"""Reading the manifest's SGX and TDX entries, for the tests of both."""

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from adyton.evidence.dcap.collateral import Collateral

BESIDE: Final = Path(__file__).parents[3] / "shared" / "vectors"
VECTORS: Final = Path(os.environ.get("ADYTON_VECTORS", str(BESIDE)))
MANIFEST: Final = VECTORS / "manifest-attestation.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A quote at an instant, and what the manifest says of it then; ``None`` without collateral."""

    entry: dict[str, Any]
    evaluation: dict[str, Any] | None
    at: datetime

    def __str__(self) -> str:
        return f"{Path(self.entry['file']).name}@{self.at:%Y-%m-%d}"


def all_entries(family: str) -> list[dict[str, Any]]:
    """Return the manifest's entries of a technology."""
    if not MANIFEST.exists():
        return []
    found = json.loads(MANIFEST.read_bytes())
    return [entry for entry in found if entry["family"] == family]


def entries(family: str) -> list[dict[str, Any]]:
    """Return those that are quotes."""
    return [entry for entry in all_entries(family) if entry["file"].endswith(".quote.bin")]


def cases(entry: dict[str, Any]) -> list[Case]:
    """Return what is known of a quote: once for each collateral, or once without any."""
    found = [
        Case(entry=entry, evaluation=item, at=datetime.fromisoformat(item["verify_at"]))
        for item in entry["evaluations"]
    ]
    return found or [Case(entry=entry, evaluation=None, at=pck_instant(entry))]


def evaluations(family: str) -> list[Case]:
    """Return every quote with every collateral that the manifest has for it."""
    return [case for entry in entries(family) for case in cases(entry) if case.evaluation]


def pck_instant(entry: dict[str, Any]) -> datetime:
    """Return an instant at which the platform's certificate is valid, where it has one."""
    first = entry["fields"].get("pck_validity", ["2025-01-01"])[0]
    return datetime.fromisoformat(f"{first}T12:00:00Z").replace(month=12)


def quote_of(entry: dict[str, Any]) -> bytes:
    """Return the file that an entry is about."""
    data: bytes = (VECTORS / entry["file"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    return data


@cache
def _collateral(name: str) -> Collateral:
    return Collateral.from_bytes((VECTORS / name).read_bytes())


def collateral_of(case: Case) -> Collateral | None:
    """Return the collateral that a case is to be judged by."""
    return None if case.evaluation is None else _collateral(case.evaluation["collateral"])
