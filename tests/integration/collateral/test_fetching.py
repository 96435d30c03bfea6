"""Collateral for any evidence, over real HTTP, kept in a folder."""

import io
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.amd import NOW, FakeAmd
from tests.fakes.amd_azure import FakeAzureSnp
from tests.fakes.intel import FakeIntel
from tests.fakes.intel_azure import FakeAzure
from tests.fakes.intel_service import Answer, FakeService, answers_of, serving
from tests.fakes.nitro import FakeNitro

from adyton.adapters.collateral import CollateralFolder, Fetcher, Services, _from_archive
from adyton.adapters.vendors import CollateralUnavailableError
from adyton.codec.text import to_base64
from adyton.crypto.path import CertificateRejectedError, RootRejectedError
from adyton.errors import AdytonError, MalformedError
from adyton.evidence.collateral import NO_COLLATERAL

INTEL, NITRO = FakeIntel(), FakeNitro()
MILAN, GENOA, TURIN = FakeAmd(), FakeAmd("Genoa"), FakeAmd("Turin")
VLEK = FakeAmd("Milan", "vlek")
ROOT: Final = "/root.zip"


def pem(der: bytes) -> bytes:
    text = to_base64(der)
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n".encode()


def archive(
    *names: str, content: bytes | None = None, method: int = zipfile.ZIP_DEFLATED
) -> Answer:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as opened:
        for name in names:
            opened.writestr(name, pem(NITRO.chain[0]) if content is None else content)
    return Answer(made.getvalue())


def answers_of_amd(vendor: FakeAmd) -> dict[str, Answer]:
    base = f"/{vendor.kind}/v1/{vendor.name}"
    parts = vendor.collateral()
    size = 8 if vendor.name == "Turin" else 64
    chip = vendor.body()[0x1A0:][:size].hex()
    return {
        f"{base}/cert_chain": Answer(pem(parts.authority) + pem(parts.ark)),
        f"{base}/crl": Answer(vendor.crl()),
        **({f"{base}/{chip}": Answer(vendor.vek_der)} if vendor.kind == "vcek" else {}),
    }


@pytest.fixture
def fake() -> Iterator[FakeService]:
    answers = answers_of(INTEL)
    for vendor in (MILAN, TURIN, VLEK):
        answers |= answers_of_amd(vendor)
    with serving(FakeService({**answers, ROOT: archive("root.pem")})) as running:
        yield running


def fetcher_of(client: httpx.AsyncClient, fake: FakeService, **roots: bytes) -> Fetcher:
    trusted = {
        "intel": INTEL.roots["fake"],
        "milan": MILAN.roots["fake"],
        "turin": TURIN.roots["fake"],
        "genoa": GENOA.roots["fake"],
        "vlek": VLEK.roots["fake"],
        "aws-nitro": NITRO.root_sha256,
        **roots,
    }
    services = Services(
        intel=fake.base,
        intel_certificates=fake.base,
        amd=fake.base,
        aws_root=f"{fake.base}{ROOT}",
    )
    return Fetcher(client, services=services, roots=trusted)


@pytest.fixture
async def fetcher(fake: FakeService) -> AsyncIterator[Fetcher]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield fetcher_of(client, fake)


@pytest.mark.parametrize("evidence", [INTEL.quote(), FakeAzure(INTEL).bundle()], ids=["td", "vm"])
async def test_intels_collateral_is_fetched_for_a_td(fetcher: Fetcher, evidence: bytes) -> None:
    found = await fetcher.fetch(evidence, at=NOW)
    assert found.intel is not None
    assert found.amd is None


@pytest.mark.parametrize("vendor", [MILAN, TURIN], ids=["milan", "turin"])
async def test_amds_certificates_are_fetched_for_a_chip(
    fetcher: Fetcher, fake: FakeService, vendor: FakeAmd
) -> None:
    found = await fetcher.fetch(vendor.report(), at=NOW)
    assert found.amd is not None
    assert found.amd.vek == vendor.vek_der
    assert found.amd.crl is not None
    query = fake.asked[-1].partition("?")[2]
    assert query.startswith("fmcSPL=" if vendor is TURIN else "blSPL=")


async def test_a_vm_on_azure_needs_the_same_chip(fetcher: Fetcher) -> None:
    found = await fetcher.fetch(FakeAzureSnp(MILAN).bundle(), at=NOW)
    assert found.amd is not None
    assert found.amd.authority == MILAN.authority_der


async def test_an_old_report_is_tried_as_each_generation(
    fetcher: Fetcher, fake: FakeService
) -> None:
    for path in answers_of_amd(MILAN):
        del fake.answers[path]
    fake.answers |= answers_of_amd(GENOA)
    found = await fetcher.fetch(GENOA.report(version=2), at=NOW)
    assert found.amd is not None
    assert found.amd.vek == GENOA.vek_der


async def test_an_operators_key_comes_from_its_host(fetcher: Fetcher) -> None:
    found = await fetcher.fetch(VLEK.report(), at=NOW)
    assert found.amd is not None
    assert found.amd.vek is None


async def test_a_masked_chip_has_no_certificate(fetcher: Fetcher) -> None:
    with pytest.raises(CollateralUnavailableError, match="masked"):
        await fetcher.fetch(MILAN.report(chip_id=bytes(64)), at=NOW)


async def test_a_nitro_document_needs_nothing_but_the_root_that_aws_publishes(
    fetcher: Fetcher, fake: FakeService
) -> None:
    assert await fetcher.fetch(NITRO.document(), at=NOW) == NO_COLLATERAL
    # Trusted, and for something else.
    fake.answers[ROOT] = archive("root.pem", content=pem(MILAN.ark_der))
    with pytest.raises(RootRejectedError):
        await fetcher.fetch(NITRO.document(), at=NOW)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"no archive"),
        archive(),
        archive("a.pem", "b.pem"),
        archive("root.pem", content=b"x"),
        archive("root.pem", content=bytes(100_000)),
        archive("root.pem", method=zipfile.ZIP_LZMA),
    ],
    ids=["none", "empty", "two", "no certificate", "a bomb", "another method"],
)
async def test_an_archive_that_is_not_awss_is_malformed(
    fetcher: Fetcher, fake: FakeService, answer: Answer
) -> None:
    fake.answers[ROOT] = answer
    with pytest.raises(MalformedError):
        await fetcher.fetch(NITRO.document(), at=NOW)


ARCHIVE: Final = archive("root.pem").body
STORED: Final = archive("root.pem", method=zipfile.ZIP_STORED).body


@given(st.sampled_from([ARCHIVE, STORED]), st.data())
def test_an_archive_that_is_damaged_is_malformed_or_has_a_certificate(
    whole: bytes, data: st.DataObject
) -> None:
    damaged = bytearray(whole)
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=3)):
        damaged[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))
    with suppress(MalformedError):
        assert _from_archive(bytes(damaged[:end]))


def test_an_archive_whose_compressed_part_is_damaged_is_malformed() -> None:
    damaged = bytearray(ARCHIVE)
    # Behind the head and the name: a kind of block that there is not.
    damaged[30 + len("root.pem")] = 0xFF
    with pytest.raises(MalformedError) as caught:
        _from_archive(bytes(damaged))
    assert isinstance(caught.value.__cause__, zlib.error)


def test_an_archive_that_ends_before_its_part_does_is_malformed() -> None:
    # By what the directory says of its sizes.
    damaged = bytearray(STORED)
    size = STORED.rindex(b"PK\x01\x02") + 20
    for place in (size, size + 4):
        damaged[place : place + 4] = (16_000).to_bytes(4, "little")
    with pytest.raises(MalformedError) as caught:
        _from_archive(bytes(damaged))
    assert isinstance(caught.value.__cause__, EOFError)


async def test_a_header_that_is_no_ascii_is_none_of_ours(
    fetcher: Fetcher, fake: FakeService
) -> None:
    path = "/vcek/v1/Milan/crl"
    fake.answers[path] = Answer(fake.answers[path].body, headers={"Server": "\xe9"})
    found = await fetcher.fetch(MILAN.report(), at=NOW)
    assert found.amd is not None
    assert found.amd.crl == fake.answers[path].body


async def test_certificates_of_somebody_else_are_not_kept(
    fetcher: Fetcher, fake: FakeService, tmp_path: Path
) -> None:
    other = FakeAmd("Milan", vek={"serial": 5})
    parts = other.collateral()
    chain = "/vcek/v1/Milan/cert_chain"
    fake.answers[chain] = Answer(pem(parts.ark) + pem(parts.authority))
    folder = CollateralFolder(tmp_path)
    with pytest.raises((RootRejectedError, CertificateRejectedError)):
        await folder.collateral(fetcher, MILAN.report(), now=NOW)
    assert folder.entries() == ()


async def test_a_vendor_is_asked_once_and_again_after_a_while(
    fetcher: Fetcher, fake: FakeService, tmp_path: Path
) -> None:
    folder, report = CollateralFolder(tmp_path / "kept"), MILAN.report()
    first = await folder.collateral(fetcher, report, now=NOW)
    asked = len(fake.asked)
    for hours in (0, 11):
        later = NOW + timedelta(hours=hours)
        assert await folder.collateral(fetcher, report, now=later) == first
    assert len(fake.asked) == asked
    await folder.collateral(fetcher, report, now=NOW + timedelta(hours=12))
    assert len(fake.asked) == 2 * asked
    assert len(folder.entries()) == 1
    assert folder.clear() == 1
    assert folder.entries() == ()


async def test_a_vendor_that_gives_nothing_is_left_alone_for_a_while(
    fetcher: Fetcher, fake: FakeService, tmp_path: Path
) -> None:
    fake.answers["/vcek/v1/Milan/crl"] = Answer(b"", status=429, headers={"Retry-After": "7"})
    folder, report = CollateralFolder(tmp_path / "kept"), MILAN.report()
    with pytest.raises(CollateralUnavailableError, match="too many requests; ask again in 7 "):
        await folder.collateral(fetcher, report, now=NOW)
    asked = len(fake.asked)
    with pytest.raises(CollateralUnavailableError, match="in vain a moment ago"):
        await folder.collateral(fetcher, report, now=NOW + timedelta(seconds=59))
    assert len(fake.asked) == asked
    fake.answers |= answers_of_amd(MILAN)
    found = await folder.collateral(fetcher, report, now=NOW + timedelta(seconds=60))
    assert found.amd is not None


async def test_what_was_changed_in_the_folder_is_asked_for_again(
    fetcher: Fetcher, tmp_path: Path
) -> None:
    folder, report = CollateralFolder(tmp_path / "kept"), MILAN.report()
    first = await folder.collateral(fetcher, report, now=NOW)
    (path,) = folder.entries()
    for text in (b"", b"[]", b'{"at":5}', b'{"at":"2026-11-20T12:00:00+00:00","collateral":{}}'):
        path.write_bytes(text)
        assert await folder.collateral(fetcher, report, now=NOW) == first


async def test_each_evaluation_is_kept_by_itself(
    fetcher: Fetcher, fake: FakeService, tmp_path: Path
) -> None:
    folder, quote = CollateralFolder(tmp_path / "kept"), INTEL.quote()
    for number in (None, 19, 20):
        await folder.collateral(fetcher, quote, now=NOW, evaluation_number=number)
    assert len(folder.entries()) == 3
    assert any("tcbEvaluationDataNumber=19" in path for path in fake.asked)


async def test_what_is_no_evidence_is_asked_of_nobody(
    fetcher: Fetcher, fake: FakeService, tmp_path: Path
) -> None:
    quote: Any = bytearray(INTEL.quote())
    quote[100] ^= 1
    for evidence in (b"nothing", bytes(quote)):
        with pytest.raises(AdytonError):
            await CollateralFolder(tmp_path).collateral(fetcher, evidence, now=NOW)
    assert fake.asked == []
