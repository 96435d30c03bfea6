"""Whatever is done to a report or to its collateral: refused, or it says what was signed."""

import time
import tracemalloc
from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.nvidia import CHIPS, COMPOSITE, NOW, TCB_INFO, FakeNvidia, Generation
from tests.properties.mutation import flipped, mutated, pieces

from adyton.crypto.ocsp import verify_ocsp
from adyton.crypto.path import PathCache, verify_path
from adyton.crypto.suites import ES384
from adyton.crypto.xml_signature import SignedXml
from adyton.errors import AdytonError, MalformedError, RejectedError
from adyton.evidence.nvidia.authenticate import NvidiaClaims, authenticate
from adyton.evidence.nvidia.claims import claims_of
from adyton.evidence.nvidia.collateral import MAX_RIM_BYTES, NvidiaCollateral
from adyton.evidence.nvidia.dice import FirmwareIdentity
from adyton.evidence.nvidia.layout import Transcript
from adyton.evidence.nvidia.opaque import OpaqueData
from adyton.evidence.nvidia.rim import authenticate_rim
from adyton.evidence.nvidia.serialized import SerializedEvidence, read_evidence

VENDORS: Final = {name: FakeNvidia(name) for name in CHIPS}
VENDOR: Final = VENDORS["ls10"]
REPORTS: Final = {name: vendor.transcript() for name, vendor in VENDORS.items()}
# All that a report has, with two measurements.
SHORT: Final = VENDOR.transcript(values=VENDOR.values()[:2])
SIGNED: Final = {report[:-96] for report in (*REPORTS.values(), SHORT)}
REPORT: Final = REPORTS["ls10"]
ALONE: Final = NvidiaCollateral()
GOOD: Final = VENDOR.collateral()
RIM: Final = VENDOR.rim("vbios", golden={1: [VENDOR.values()[1]]})
CONTENT: Final = SignedXml.from_bytes(RIM, where="it", limit_bytes=MAX_RIM_BYTES).content
ANSWER: Final = VENDOR.answer("boot")
FILE: Final = VENDOR.file(transcript=REPORT)
CACHE: Final = PathCache()


def accepted(
    data: bytes,
    *,
    name: Generation = "ls10",
    chain: tuple[bytes, ...] | None = None,
    collateral: NvidiaCollateral = ALONE,
    cache: PathCache | None = CACHE,
) -> NvidiaClaims | None:
    vendor = VENDORS[name]
    try:
        claims = authenticate(
            SerializedEvidence(transcript=data, chain=chain or vendor.chain),
            collateral=collateral,
            roots=vendor.roots,
            rim_roots=vendor.rim_roots,
            at=NOW,
            cache=cache,
        )
    except (MalformedError, RejectedError):
        return None
    # What is accepted says what was signed.
    assert claims.transcript.signed_bytes in SIGNED
    claims_of(claims).to_json()
    return claims


def test_the_reports_are_good_to_begin_with() -> None:
    for name, report in REPORTS.items():
        assert accepted(report, name=name)
        assert accepted(report, name=name, collateral=VENDORS[name].collateral())


def test_no_flipped_bit_of_a_report_is_accepted() -> None:
    assert accepted(SHORT)
    assert [bit for bit in range(8 * len(SHORT)) if accepted(flipped(SHORT, bit))] == []


@pytest.mark.parametrize("name", CHIPS)
def test_no_bit_here_and_there_of_a_whole_report_can_be_flipped(name: Generation) -> None:
    report = REPORTS[name]
    bits = range(0, 8 * len(report), 37)
    assert [bit for bit in bits if accepted(flipped(report, bit), name=name)] == []


def test_no_flipped_bit_of_golden_values_is_accepted() -> None:
    def is_read(data: bytes) -> bool:
        try:
            found = authenticate_rim(data, roots=VENDOR.rim_roots, at=NOW, cache=CACHE)
        except (MalformedError, RejectedError):
            return False
        assert found.measurements[1].values == (VENDOR.values()[1],)
        return True

    assert is_read(RIM)
    # All of what is read and signed, and of what signs it; of the certificates every seventh.
    start, end = RIM.index(b"<ds:X509Data>"), RIM.index(b"</ds:X509Data>")
    bits = [bit for bit in range(8 * len(RIM)) if not start < bit // 8 < end or bit % 7 == 0]
    assert [bit for bit in bits if is_read(flipped(RIM, bit))] == []


def test_no_flipped_bit_of_an_answer_is_accepted() -> None:
    path = verify_path(VENDOR.chain, roots=VENDOR.roots, suite=ES384)

    def is_read(data: bytes) -> bool:
        try:
            verify_ocsp(
                data,
                certificate=path.certificates[3],
                issuer=path.certificates[2],
                suite=ES384,
                where="it",
            )
        except (MalformedError, RejectedError):
            return False
        return True

    assert is_read(ANSWER)
    assert [bit for bit in range(8 * len(ANSWER)) if is_read(flipped(ANSWER, bit))] == []


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 4), st.integers(0, 8 * 4096))
def test_no_flipped_bit_of_a_certificate_is_accepted(position: int, bit: int) -> None:
    chain = list(VENDOR.chain)
    chain[position] = flipped(chain[position], bit % (8 * len(chain[position])))
    assert accepted(REPORT, chain=tuple(chain), cache=None) is None


def test_a_report_that_is_cut_anywhere_is_malformed() -> None:
    for size in range(len(REPORT)):
        with pytest.raises(MalformedError):
            Transcript.from_bytes(REPORT[:size])


@pytest.mark.parametrize("part", ["vbios_rim", "ocsp"])
def test_collateral_that_is_cut_is_refused(part: str) -> None:
    data = {"vbios_rim": RIM, "ocsp": ANSWER}[part]
    for size in range(0, len(data), 3):
        cut: Any = data[:size] if part == "vbios_rim" else (data[:size],)
        collateral = NvidiaCollateral(**{part: cut})
        assert accepted(REPORT, collateral=collateral) is None


def test_a_file_that_is_cut_anywhere_is_malformed() -> None:
    for size in range(0, len(FILE), 3):
        with pytest.raises(MalformedError):
            read_evidence(FILE[:size])


@settings(max_examples=1000, deadline=None)
@given(st.lists(pieces(len(REPORT)), min_size=1, max_size=4))
def test_a_mutated_report_is_refused_and_nothing_else(
    changes: list[tuple[str, int, bytes]],
) -> None:
    data = mutated(REPORT, changes)
    start = time.process_time()
    found = accepted(data)
    assert time.process_time() - start < 1
    assert found is None or data[:-96] == REPORT[:-96]


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(list(CHIPS)),
    st.integers(0, 700),
    st.lists(pieces(500), min_size=1, max_size=3),
)
def test_a_mutated_body_that_is_signed_again_is_read_or_refused(
    name: Generation, offset: int, changes: list[tuple[str, int, bytes]]
) -> None:
    vendor = VENDORS[name]
    body = vendor.body()
    # Mostly where the fields are: before the measurements, and behind them.
    split = offset if offset < 400 else len(body) - offset
    data = body[:split] + mutated(body[split:], changes)
    with suppress(MalformedError, RejectedError):
        authenticate(
            vendor.evidence(vendor.transcript(body=data)),
            collateral=ALONE,
            roots=vendor.roots,
            rim_roots=vendor.rim_roots,
            at=NOW,
            cache=CACHE,
        )


@settings(max_examples=500, deadline=None)
@given(st.lists(pieces(len(RIM)), min_size=1, max_size=4))
def test_mutated_golden_values_are_refused_or_what_was_signed(
    changes: list[tuple[str, int, bytes]],
) -> None:
    start = time.process_time()
    with suppress(MalformedError, RejectedError):
        data = mutated(RIM, changes)
        signed = SignedXml.from_bytes(data, where="it", limit_bytes=MAX_RIM_BYTES)
        authenticate_rim(data, roots=VENDOR.rim_roots, at=NOW, cache=CACHE)
        assert signed.content == CONTENT
    assert time.process_time() - start < 1


@settings(max_examples=500, deadline=None)
@given(st.lists(pieces(len(ANSWER)), min_size=1, max_size=4))
def test_a_mutated_answer_is_refused_or_what_was_signed(
    changes: list[tuple[str, int, bytes]],
) -> None:
    collateral = NvidiaCollateral(ocsp=(mutated(ANSWER, changes),))
    found = accepted(REPORT, collateral=collateral)
    assert found is None or set(found.revocation.statuses) == {"device: LS_10 A01 FSP BROM"}


@settings(max_examples=500, deadline=None)
@given(st.lists(pieces(len(FILE)), min_size=1, max_size=3))
def test_a_mutated_file_is_read_or_malformed(changes: list[tuple[str, int, bytes]]) -> None:
    with suppress(MalformedError):
        read_evidence(mutated(FILE, changes))


@given(st.binary(max_size=300))
def test_any_bytes_are_malformed(data: bytes) -> None:
    for read in (Transcript.from_bytes, read_evidence):
        with pytest.raises(MalformedError):
            read(data)
    with pytest.raises(AdytonError):
        SignedXml.from_bytes(data, where="it", limit_bytes=MAX_RIM_BYTES)


@settings(max_examples=300)
@given(
    oid=st.sampled_from([COMPOSITE, TCB_INFO]),
    data=st.binary(max_size=200),
    is_mutated=st.booleans(),
)
def test_any_identity_of_firmware_is_read_or_malformed(
    oid: str, data: bytes, *, is_mutated: bool
) -> None:
    good = VENDORS["blackwell" if oid == TCB_INFO else "hopper"].recipes["leaf"].extensions[oid]
    value = good[: len(data)] + data if is_mutated else data
    with suppress(MalformedError):
        FirmwareIdentity.from_extensions({oid: value})


@given(st.dictionaries(st.integers(0, 40), st.binary(max_size=20)))
def test_any_opaque_data_is_read_or_malformed(fields: dict[int, bytes]) -> None:
    for read in (OpaqueData.of_gpu, OpaqueData.of_switch):
        with suppress(MalformedError):
            read(fields)


def test_memory_is_bounded_whatever_comes() -> None:
    hostile = [
        b"<a" + b' b="c"' * 40000 + b">",
        b'<a xmlns="x">' + b"<b>" * 1500 + b"</b>" * 1500 + b"</a>",
        b"<a>" + b"x" * 262000 + b"</a>",
    ]
    tracemalloc.start()
    for data in hostile:
        with suppress(AdytonError):
            SignedXml.from_bytes(data, where="it", limit_bytes=MAX_RIM_BYTES)
    with suppress(AdytonError):
        accepted(REPORT, collateral=GOOD)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * 1024 * 1024
