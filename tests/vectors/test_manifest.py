"""Every entry of the manifest has its expected verdict and its expected fields, at its own time."""

from pathlib import Path

import pytest
from tests.vectors.manifest import MANIFEST, NO_VECTORS, Entry, Fact, entries_of, manifest
from tests.vectors.runner import FAMILIES, MISTAKES, Outcome, report, result_of

pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason=NO_VECTORS)

COUNTS = {"nitro": 17, "sgx": 13, "tdx": 20, "snp": 16, "nvidia": 25, "ita": 4, "tpm": 1}


def test_the_manifest_has_all_its_entries() -> None:
    assert {family: len(entries_of(family)) for family in COUNTS} == COUNTS
    assert len(manifest()) == sum(COUNTS.values()) == 96


@pytest.mark.parametrize("entry", manifest(), ids=lambda entry: Path(entry["file"]).stem)
def test_every_entry_is_as_expected(entry: Entry) -> None:
    result = result_of(entry)
    if result.outcome is Outcome.NOT_YET:
        assert entry["family"] not in FAMILIES
        pytest.skip(f"nobody reads {entry['family']} yet")
    assert result.outcome is not Outcome.UNEXPECTED, result.remarks
    assert (result.outcome is Outcome.MISTAKE) is (entry["file"] in MISTAKES)


def test_what_is_not_as_expected_is_said() -> None:
    families = {"nitro": lambda entry: iter([Fact.verdict(["debug-mode"], entry["verdict"])])}
    assert result_of(manifest()[0], families).outcome is Outcome.UNEXPECTED
    lines, is_good = report(families)
    assert not is_good
    assert any("verdict is debug-mode, the manifest has ACCEPT" in line for line in lines)


def test_a_family_that_nobody_reads_does_not_pass() -> None:
    assert result_of(manifest()[0], {}).outcome is Outcome.NOT_YET
    assert "all       0 of 96   96 not yet read" in report({})[0]
