"""Every entry of the manifest, held against what we find: for the tests and for ``make vectors``.

A family that nobody reads yet is said to be so, and never counted as passed. An entry of which the
manifest itself is wrong is named with the reason, and what we find instead is held to just as much.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from tests.vectors import nitro, nvidia, sgx, snp, tdx, tokens, tpm
from tests.vectors.manifest import MANIFEST, NO_VECTORS, Entry, Fact, manifest

from adyton.errors import AdytonError

__all__ = ["FAMILIES", "Outcome", "Result", "report", "result_of"]

Families: TypeAlias = Mapping[str, Callable[[Entry], Iterator[Fact]]]

# A family's facts about one of its entries. Whoever adds a technology adds a line.
FAMILIES: Final[Families] = {
    "nitro": nitro.facts,
    "sgx": sgx.facts,
    "tdx": tdx.facts,
    "snp": snp.facts,
    "nvidia": nvidia.facts,
    "ita": tokens.facts,
    "tpm": tpm.facts,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """An entry of which the manifest is wrong: the verdict that is right, and why."""

    verdict: str
    reason: str


MISTAKES: Final[Mapping[str, Mistake]] = {
    "sgx/oe-report-bad.quote.bin": Mistake(
        verdict="certificate-rejected",
        reason=(
            "the manifest has its chain as valid; a bit is flipped in the authority's certificate"
            " (the type of its organization), and it is refused before debug mode is looked at"
        ),
    )
}


class Outcome(StrEnum):
    """What came of an entry."""

    EXPECTED = "as expected"
    MISTAKE = "refused against the manifest, which is wrong"
    UNEXPECTED = "otherwise than expected"
    NOT_YET = "not yet read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An entry, what came of it, and what there is to say about it."""

    entry: Entry
    outcome: Outcome
    remarks: tuple[str, ...] = ()


def result_of(entry: Entry, families: Families = FAMILIES) -> Result:
    """Return what came of an entry."""
    family = families.get(entry["family"])
    if family is None:
        return Result(entry=entry, outcome=Outcome.NOT_YET)
    try:
        different = [fact for fact in family(entry) if fact.found != fact.wanted]
    except AdytonError as error:
        remark = f"refused: {error.code}: {error}"
        return Result(entry=entry, outcome=Outcome.UNEXPECTED, remarks=(remark,))
    mistake = MISTAKES.get(entry["file"])
    if mistake is not None:
        is_right = [(fact.name, fact.found) for fact in different] == [("verdict", mistake.verdict)]
        outcome = Outcome.MISTAKE if is_right else Outcome.UNEXPECTED
        return Result(entry=entry, outcome=outcome, remarks=(mistake.reason,))
    return Result(
        entry=entry,
        outcome=Outcome.UNEXPECTED if different else Outcome.EXPECTED,
        remarks=tuple(str(fact) for fact in different),
    )


def report(families: Families = FAMILIES) -> tuple[list[str], bool]:
    """Return what came of every entry, family by family, and whether all is as it should be."""
    if not MANIFEST.exists():
        return [f"nothing was verified: {NO_VECTORS}"], False
    results = [result_of(entry, families) for entry in manifest()]
    lines = [
        _line(family, [result for result in results if result.entry["family"] == family])
        for family in dict.fromkeys(entry["family"] for entry in manifest())
    ]
    lines.append(_line("all", results))
    for result in results:
        place = f"{result.entry['file']}: {result.outcome}"
        lines.extend(f"{place}: {remark}" for remark in result.remarks)
    return lines, all(result.outcome is not Outcome.UNEXPECTED for result in results)


def _line(family: str, results: list[Result]) -> str:
    counts = Counter(result.outcome for result in results)
    expected = counts.pop(Outcome.EXPECTED, 0)
    beside = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    return f"{family:<8}{expected:>3} of {len(results):>2}   {beside}".rstrip()
