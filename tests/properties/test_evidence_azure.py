"""Whatever is done to what a vTPM says, or to the hardware's word for it: it is refused."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest
from tests.fakes.amd import NOW, SIGNED, FakeAmd
from tests.fakes.amd_azure import HEADER, FakeAzureSnp
from tests.fakes.intel import FakeIntel
from tests.fakes.intel_azure import FakeAzure, base64url
from tests.properties.mutation import flipped

from adyton.crypto.path import PathCache
from adyton.errors import MalformedError, RejectedError
from adyton.evidence.azure.bundle import SnpBundle, TdxBundle
from adyton.evidence.azure.hcl import HclReport, ReportType
from adyton.evidence.azure.snp import authenticate as authenticate_snp
from adyton.evidence.azure.tdx import authenticate as authenticate_tdx
from adyton.evidence.azure.vtpm import VtpmEvidence, authenticate_vtpm
from adyton.evidence.dcap.endorsements import DcapCache
from adyton.evidence.dcap.layout import Quote, without_padding

INTEL: Final = FakeIntel()
AMD: Final = FakeAmd()
TDX: Final = FakeAzure(INTEL).bundle()
SNP: Final = FakeAzureSnp(AMD).bundle()
VTPM: Final = TdxBundle.from_bytes(TDX).vtpm
QUOTE: Final = without_padding(TdxBundle.from_bytes(TDX).td_quote)
REPORT_DATA: Final = Quote.from_bytes(QUOTE).body[520:584]
PATHS: Final = PathCache()
DCAP: Final = DcapCache()


def is_vouched_for(vtpm: VtpmEvidence) -> bool:
    try:
        authenticate_vtpm(vtpm, report_data=REPORT_DATA, report_type=ReportType.TDX)
    except (MalformedError, RejectedError):
        return False
    return True


def is_accepted(bundle: bytes) -> bool:
    try:
        if bundle.count(b"td_quote"):
            authenticate_tdx(bundle, roots=INTEL.roots, at=NOW, cache=DCAP)
        else:
            beside = AMD.collateral(vek=None)
            authenticate_snp(bundle, collateral=beside, roots=AMD.roots, at=NOW, cache=PATHS)
    except (MalformedError, RejectedError):
        return False
    return True


def changed(bundle: bytes, name: str, value: bytes) -> bytes:
    return json.dumps({**json.loads(bundle), name: base64url(value)}).encode()


def test_the_bundles_are_good_to_begin_with() -> None:
    assert is_vouched_for(VTPM)
    assert is_accepted(changed(TDX, "td_quote", QUOTE))
    assert is_accepted(changed(SNP, "hcl_report", SnpBundle.from_bytes(SNP).vtpm.hcl_report))


@pytest.mark.parametrize("part", ["message", "signature", "runtime data"])
def test_no_flipped_bit_of_what_a_bundle_holds_is_accepted(part: str) -> None:
    if part == "runtime data":
        report = VTPM.hcl_report
        data = HclReport.from_bytes(report).runtime_data
        start = report.index(data)
        broken = (
            replace(
                VTPM, hcl_report=report[:start] + flipped(data, bit) + report[start + len(data) :]
            )
            for bit in range(8 * len(data))
        )
    else:
        value: bytes = getattr(VTPM, part)
        changes: list[Any] = [{part: flipped(value, bit)} for bit in range(8 * len(value))]
        broken = (replace(VTPM, **change) for change in changes)
    assert not any(map(is_vouched_for, broken))


def test_no_flipped_bit_of_a_register_is_accepted() -> None:
    for index, value in enumerate(VTPM.registers):
        for bit in range(8 * len(value)):
            registers = [*VTPM.registers]
            registers[index] = flipped(value, bit)
            assert not is_vouched_for(replace(VTPM, registers=registers))


def test_no_flipped_bit_of_the_hardwares_report_is_accepted() -> None:
    report = SnpBundle.from_bytes(SNP).vtpm.hcl_report
    for bit in range(8 * HEADER, 8 * (HEADER + SIGNED)):
        assert not is_accepted(changed(SNP, "hcl_report", flipped(report, bit)))


def test_no_flipped_bit_of_the_hardwares_quote_is_accepted() -> None:
    size = len(Quote.from_bytes(QUOTE).signed_bytes)
    for bit in range(8 * size):
        assert not is_accepted(changed(TDX, "td_quote", flipped(QUOTE, bit)))
