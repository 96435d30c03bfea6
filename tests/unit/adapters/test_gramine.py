"""Quotes through Gramine's files: what was asked is what is quoted, or there is no evidence."""

import asyncio
from pathlib import Path

import pytest
from tests.fakes.gramine import FakeGramine, Quoting
from tests.fakes.intel import FakeIntel

from adyton.adapters.gramine import GraminePlatform, GramineUnavailableError
from adyton.evidence.dcap.enclave import EnclaveReport
from adyton.evidence.dcap.layout import Quote

INTEL = FakeIntel()


def quoted(evidence: bytes) -> bytes:
    return EnclaveReport.from_bytes(Quote.from_bytes(evidence).body).report_data


async def test_a_quote_is_over_the_report_data_and_zeros(tmp_path: Path) -> None:
    with FakeGramine(tmp_path, INTEL):
        evidence = await GraminePlatform.open(tmp_path).evidence(b"\x05" * 32, None, b"")

    assert quoted(evidence) == b"\x05" * 32 + bytes(32)


async def test_quotes_at_the_same_time_do_not_mix(tmp_path: Path) -> None:
    with FakeGramine(tmp_path, INTEL):
        platform = GraminePlatform.open(tmp_path)
        asked = [bytes([number]) * 64 for number in range(5)]
        found = await asyncio.gather(*(platform.evidence(each, None, b"") for each in asked))

    assert [quoted(each) for each in found] == asked


async def test_a_buffer_that_is_longer_than_the_quote_is_cut(tmp_path: Path) -> None:
    fake = FakeGramine(tmp_path, INTEL, quoting=lambda data: fake.quote(data) + bytes(500))
    with fake:
        evidence = await GraminePlatform.open(tmp_path).evidence(bytes(64), None, b"")

    assert quoted(evidence) == bytes(64)


@pytest.mark.parametrize(
    "quoting",
    [
        pytest.param(lambda _data: b"", id="nothing"),
        pytest.param(lambda _data: b"not a quote" * 100, id="no quote"),
        pytest.param(
            lambda _data: FakeGramine(Path(), INTEL).quote(b"\x09" * 64), id="over something else"
        ),
    ],
)
async def test_anything_else_is_no_evidence(tmp_path: Path, quoting: Quoting) -> None:
    with (
        FakeGramine(tmp_path, INTEL, quoting=quoting),
        pytest.raises(GramineUnavailableError),
    ):
        await GraminePlatform.open(tmp_path).evidence(bytes(64), None, b"")


@pytest.mark.parametrize("kind", ["none", "epid", ""])
def test_another_kind_of_attestation_is_refused_at_the_start(tmp_path: Path, kind: str) -> None:
    (tmp_path / "attestation_type").write_text(kind)

    with pytest.raises(GramineUnavailableError, match="dcap"):
        GraminePlatform.open(tmp_path)


def test_outside_of_an_enclave_there_is_no_platform(tmp_path: Path) -> None:
    with pytest.raises(GramineUnavailableError, match="no files"):
        GraminePlatform.open(tmp_path)
