import pytest
from tests.fakes.amd import NOW, FakeAmd, table

from adyton.errors import MalformedError
from adyton.evidence.sev_snp.authenticate import authenticate
from adyton.evidence.sev_snp.collateral import AmdCollateral, CollateralMissingError
from adyton.evidence.sev_snp.table import MAX_TABLE_BYTES, ExtendedReport, read_table

VENDOR = FakeAmd()
PARTS = [("vcek", VENDOR.vek_der), ("ask", VENDOR.authority_der), ("ark", VENDOR.ark_der)]


def collateral(data: bytes) -> AmdCollateral:
    return AmdCollateral.from_extended_report(ExtendedReport.from_bytes(data))


@pytest.mark.parametrize("crl", [None, VENDOR.crl()])
def test_an_extended_report_brings_what_it_is_verified_with(crl: bytes | None) -> None:
    parts = [*PARTS, ("other", b"an operator's own"), *([] if crl is None else [("crl", crl)])]
    extended = ExtendedReport.from_bytes(VENDOR.report() + table(parts) + bytes(100))
    found = AmdCollateral.from_extended_report(extended)
    assert found == VENDOR.collateral(crl=crl)
    authenticate(extended.report, collateral=found, roots=VENDOR.roots, at=NOW)


def test_an_operators_key_comes_under_its_own_name() -> None:
    vendor = FakeAmd(kind="vlek")
    parts = [("vlek", vendor.vek_der), ("ask", vendor.authority_der), ("ark", vendor.ark_der)]
    extended = ExtendedReport.from_bytes(vendor.report() + table(parts))
    found = AmdCollateral.from_extended_report(extended)
    authenticate(extended.report, collateral=found, roots=vendor.roots, at=NOW)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_what_did_not_come_is_named(missing: int) -> None:
    parts = [part for index, part in enumerate(PARTS) if index != missing]
    with pytest.raises(CollateralMissingError) as refused:
        collateral(VENDOR.report() + table(parts))
    assert refused.value.code == "collateral-missing"
    assert refused.value.names == (("a vcek or vlek", "an ask", "an ark")[missing],)


def test_an_empty_table_is_a_table() -> None:
    assert read_table(bytes(24)) == {}


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        table(PARTS)[:23],
        table([*PARTS, PARTS[0]]),
        table([("other", b"")] * 17),
        table(PARTS)[:-1],
        bytes(16) + b"\1" + bytes(7),
        bytes(20) + b"\1" + bytes(3),
        # An entry that begins inside of the list of entries.
        table([("vcek", b"x")]).replace((48).to_bytes(4, "little"), (47).to_bytes(4, "little"), 1),
    ],
    ids=["empty", "cut", "twice", "many", "outside", "offset", "length", "overlap"],
)
def test_a_broken_table_is_malformed(broken: bytes) -> None:
    with pytest.raises(MalformedError):
        ExtendedReport.from_bytes(VENDOR.report() + broken)


def test_an_extended_report_has_limits() -> None:
    with pytest.raises(MalformedError):
        ExtendedReport.from_bytes(VENDOR.report()[:-1])
    with pytest.raises(MalformedError):
        ExtendedReport.from_bytes(VENDOR.report() + bytes(MAX_TABLE_BYTES + 1))


@pytest.mark.parametrize("part", ["ark", "authority", "vek"])
def test_certificates_have_a_limit(part: str) -> None:
    with pytest.raises(MalformedError, match="limit 4096"):
        VENDOR.collateral(**{part: bytes(4097)})
    with pytest.raises(MalformedError, match="limit 65536"):
        VENDOR.collateral(crl=bytes(64 * 1024 + 1))
