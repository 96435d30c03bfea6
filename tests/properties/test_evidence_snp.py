"""Whatever is done to a report or to its certificates: refused, or it says what was signed."""

from contextlib import suppress
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.amd import NOW, PROCESSORS, FakeAmd, List, Name, extensions, table
from tests.properties.mutation import flipped, mutated, pieces

from adyton.crypto.path import PathCache
from adyton.errors import AdytonError, MalformedError, RejectedError
from adyton.evidence.sev_snp.authenticate import authenticate
from adyton.evidence.sev_snp.collateral import AmdCollateral
from adyton.evidence.sev_snp.layout import Report
from adyton.evidence.sev_snp.table import ExtendedReport, read_table
from adyton.evidence.sev_snp.vek import Vek

VENDORS: Final = {name: FakeAmd(name) for name in PROCESSORS}
VENDOR: Final = VENDORS["Milan"]
REPORTS: Final = {version: VENDOR.report(version=version) for version in (2, 3, 4, 5)}
REPORT: Final = REPORTS[5]
SIGNED: Final = {report[:0x2A0] for report in REPORTS.values()}
CRL: Final = VENDOR.crl(List(revoked=(1, 2)))
TABLE: Final = table(
    [
        ("vcek", VENDOR.vek_der),
        ("ask", VENDOR.authority_der),
        ("ark", VENDOR.ark_der),
        ("crl", CRL),
    ]
)
CACHE: Final = PathCache()
PARTS: Final = ("ark", "authority", "vek", "crl")


def is_accepted(
    data: bytes, *, collateral: AmdCollateral | None = None, cache: PathCache | None = CACHE
) -> bool:
    given_ = VENDOR.collateral() if collateral is None else collateral
    try:
        claims = authenticate(data, collateral=given_, roots=VENDOR.roots, at=NOW, cache=cache)
    except (MalformedError, RejectedError):
        return False
    # What is accepted says what was signed.
    assert claims.report.signed_bytes in SIGNED
    return True


def test_the_reports_are_good_to_begin_with() -> None:
    assert all(is_accepted(report) for report in REPORTS.values())
    assert is_accepted(REPORT, collateral=VENDOR.collateral(crl=CRL))


@pytest.mark.parametrize("version", REPORTS)
def test_no_flipped_bit_of_a_report_is_accepted(version: int) -> None:
    # Every bit of it: what is signed, the signature, and what is around it.
    report = REPORTS[version]
    assert [bit for bit in range(8 * len(report)) if is_accepted(flipped(report, bit))] == []


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PARTS), st.integers(0, 8 * 4096))
def test_no_flipped_bit_of_collateral_is_accepted(part: str, bit: int) -> None:
    good = VENDOR.collateral(crl=CRL)
    data: bytes = getattr(good, part)
    broken = VENDOR.collateral(**{"crl": CRL, part: flipped(data, bit % (8 * len(data)))})
    assert not is_accepted(REPORT, collateral=broken, cache=None)


def test_a_report_that_is_cut_anywhere_is_malformed() -> None:
    for size in range(len(REPORT)):
        with pytest.raises(MalformedError):
            authenticate(REPORT[:size], collateral=VENDOR.collateral(), roots=VENDOR.roots, at=NOW)


@pytest.mark.parametrize("part", PARTS)
def test_collateral_that_is_cut_anywhere_is_refused(part: str) -> None:
    data: bytes = getattr(VENDOR.collateral(crl=CRL), part)
    for size in range(len(data)):
        broken = VENDOR.collateral(**{"crl": CRL, part: data[:size]})
        assert not is_accepted(REPORT, collateral=broken)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(list(PROCESSORS)), st.lists(pieces(0x2A0), min_size=1, max_size=3))
def test_a_mutated_body_that_is_signed_again_is_read_or_refused(
    name: Name, changes: list[tuple[str, int, bytes]]
) -> None:
    vendor = VENDORS[name]
    report = vendor.report(body=mutated(vendor.body(), changes))
    with suppress(MalformedError, RejectedError):
        authenticate(report, collateral=vendor.collateral(), roots=vendor.roots, at=NOW)


@settings(max_examples=500, deadline=None)
@given(st.lists(pieces(len(TABLE)), min_size=1, max_size=4))
def test_a_mutated_table_is_read_or_refused(changes: list[tuple[str, int, bytes]]) -> None:
    with suppress(MalformedError, RejectedError):
        extended = ExtendedReport.from_bytes(REPORT + mutated(TABLE, changes))
        is_accepted(
            extended.report, collateral=AmdCollateral.from_extended_report(extended), cache=None
        )


def test_a_table_that_is_cut_anywhere_is_malformed() -> None:
    for size in range(len(TABLE)):
        with pytest.raises(MalformedError):
            read_table(TABLE[:size])


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(["1", "2", "3.1", "3.8", "4"]), st.binary(max_size=80))
def test_any_extension_is_read_or_malformed(name: str, value: bytes) -> None:
    found = {**extensions("Milan", "vcek"), name: value}
    with suppress(MalformedError):
        Vek.from_extensions({"1.3.6.1.4.1.3704.1." + key: item for key, item in found.items()})


@given(st.binary(max_size=1300))
def test_any_bytes_are_malformed(data: bytes) -> None:
    for read in (Report.from_bytes, ExtendedReport.from_bytes):
        with pytest.raises(AdytonError):
            read(data)
