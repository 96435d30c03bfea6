"""The manifest of real evidence, and what it says of each entry beside what we find.

Read from ``ADYTON_VECTORS`` or from ``../shared/vectors`` beside the repository; nothing of it is
committed, for the files have licences of their own.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

__all__ = [
    "ACCEPTED",
    "MANIFEST",
    "NO_VECTORS",
    "VECTORS",
    "Entry",
    "Fact",
    "content",
    "entries_of",
    "instant",
    "manifest",
]

BESIDE: Final = Path(__file__).parents[3] / "shared" / "vectors"
VECTORS: Final = Path(os.environ.get("ADYTON_VECTORS", str(BESIDE)))
MANIFEST: Final = VECTORS / "manifest-attestation.json"
NO_VECTORS: Final = f"no attestation vectors in {VECTORS} (set ADYTON_VECTORS)"
# What stands for a verdict without a reason against it; the others are codes of errors or findings.
ACCEPTED: Final = "accepted"

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that the manifest says of an entry, and what we found."""

    name: str
    found: object
    wanted: object

    @classmethod
    def verdict(cls, reasons: Iterable[str], wanted: str) -> "Fact":
        """Return the fact of a verdict: the codes that speak against it, or none."""
        return cls(name="verdict", found=", ".join(reasons) or ACCEPTED, wanted=wanted)

    def __str__(self) -> str:
        return f"{self.name} is {self.found}, the manifest has {self.wanted}"


@cache
def manifest() -> tuple[Entry, ...]:
    """Return all entries; none where the folder is absent."""
    return tuple(json.loads(MANIFEST.read_bytes())) if MANIFEST.exists() else ()


def entries_of(family: str) -> list[Entry]:
    """Return the manifest's entries of a family."""
    return [entry for entry in manifest() if entry["family"] == family]


def content(entry: Entry) -> bytes:
    """Return the file that an entry is about: the one that the manifest was made for."""
    data: bytes = (VECTORS / entry["file"]).read_bytes()
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise ValueError(f"{entry['file']} is not the file that the manifest is about")
    return data


def instant(text: str) -> datetime:
    """Return an instant of the manifest, all of which are in UTC."""
    return datetime.fromisoformat(text if text.endswith("Z") or "+" in text else f"{text}Z")
