"""What the manifest says of Intel's quotes and collateral, for SGX and TDX."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from tests.vectors.manifest import VECTORS, Entry, Fact, entries_of, instant

from adyton.evidence.dcap.authenticate import DcapClaims
from adyton.evidence.dcap.collateral import IntelCollateral

__all__ = [
    "Case",
    "cases",
    "collateral_of",
    "evaluations",
    "pck_instant",
    "platform_facts",
    "quotes",
    "tcb_facts",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A quote at an instant, and what the manifest says of it then; ``None`` without collateral."""

    entry: Entry
    evaluation: dict[str, Any] | None
    at: datetime

    def __str__(self) -> str:
        return f"{Path(self.entry['file']).name}@{self.at:%Y-%m-%d}"


def quotes(family: str) -> list[Entry]:
    """Return the entries of a family that are quotes, and no bundle around one."""
    return [entry for entry in entries_of(family) if entry["file"].endswith(".quote.bin")]


def cases(entry: Entry) -> list[Case]:
    """Return what is known of a quote: once for each collateral, or once without any."""
    found = [
        Case(entry=entry, evaluation=item, at=instant(item["verify_at"]))
        for item in entry["evaluations"]
    ]
    return found or [Case(entry=entry, evaluation=None, at=pck_instant(entry))]


def evaluations(family: str) -> list[Case]:
    """Return every quote with every collateral that the manifest has for it."""
    return [case for entry in quotes(family) for case in cases(entry) if case.evaluation]


def pck_instant(entry: Entry) -> datetime:
    """Return an instant at which the platform's certificate is valid, where it has one."""
    first = entry["fields"].get("pck_validity", ["2025-01-01"])[0]
    return instant(f"{first}T12:00:00Z").replace(month=12)


@cache
def _collateral(name: str) -> IntelCollateral:
    return IntelCollateral.from_bytes((VECTORS / name).read_bytes())


def collateral_of(case: Case) -> IntelCollateral | None:
    """Return the collateral that a case is to be judged by."""
    return None if case.evaluation is None else _collateral(case.evaluation["collateral"])


def tcb_facts(case: Case, claims: DcapClaims, *, refused_as: str | None) -> Iterator[Fact]:
    """Yield the state of a platform's TCB.

    ``refused_as`` is the state that we give to a quote of which the manifest has only that another
    verifier refused it.
    """
    if case.evaluation is None or claims.tcb is None:
        yield Fact(name="tcb", found=claims.tcb, wanted=case.evaluation)
        return
    wanted, tcb, when = case.evaluation, claims.tcb, f"{case.at:%Y-%m-%d}"
    yield Fact(
        name=f"evaluation number at {when}",
        found=tcb.evaluation_number,
        wanted=wanted["tcb_eval_number"],
    )
    is_refused = wanted["tcb_status"] == "ERROR"
    yield Fact(
        name=f"status at {when}",
        found=tcb.status.value,
        wanted=refused_as if is_refused else wanted["tcb_status"],
    )
    if not is_refused:
        yield Fact(
            name=f"advisories at {when}",
            found=[*tcb.advisories],
            wanted=wanted["advisories_or_error"],
        )


def platform_facts(entry: Entry, claims: DcapClaims) -> Iterator[Fact]:
    """Yield what the certificate says of a quote's platform."""
    fields = entry["fields"]
    for name, found in {
        "version": claims.quote_version,
        "header_user_data": claims.user_data.hex(),
        "fmspc": claims.pck.fmspc.hex(),
        "pck_serial": f"{claims.pck_serial:x}",
        "pck_issuer": claims.pck_authority,
    }.items():
        yield Fact(name=name, found=found, wanted=fields[name])
    yield Fact(name="genuine", found=claims.is_genuine, wanted=True)
