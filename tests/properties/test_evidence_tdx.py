"""Whatever is done to a TD's quote or to its collateral: refused, or it says what was signed."""

from contextlib import suppress
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.intel import NOW, FakeIntel, extension
from tests.properties.mutation import flipped, mutated, pieces

from adyton.errors import AdytonError, MalformedError, RejectedError
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.endorsements import DcapCache, authenticate_collateral
from adyton.evidence.dcap.layout import Quote
from adyton.evidence.dcap.pck import SgxExtension
from adyton.evidence.dcap.qe_identity import QeIdentity
from adyton.evidence.dcap.tcb_info import TcbInfo
from adyton.evidence.tdx.authenticate import authenticate

VENDOR: Final = FakeIntel()
QUOTES: Final = {version: VENDOR.quote(version=version) for version in (4, 5)}
QUOTE: Final = QUOTES[5]
SIGNED: Final = Quote.from_bytes(QUOTE).signed_bytes
FILE: Final = VENDOR.collateral()
COLLATERAL: Final = IntelCollateral.from_bytes(FILE)
INFO: Final = VENDOR.tcb_info().encode()
IDENTITY: Final = VENDOR.qe_identity().encode()
EXTENSION: Final = extension()
CACHE: Final = DcapCache()


def is_accepted(data: bytes) -> bool:
    try:
        claims = authenticate(data, roots=VENDOR.roots, at=NOW, collateral=COLLATERAL, cache=CACHE)
    except (MalformedError, RejectedError):
        return False
    # What is accepted says what was signed: only what nobody signs may differ.
    assert Quote.from_bytes(data).signed_bytes in {
        Quote.from_bytes(quote).signed_bytes for quote in QUOTES.values()
    }
    return claims.dcap.tcb is not None


def test_the_quotes_are_good_to_begin_with() -> None:
    assert all(is_accepted(quote) for quote in QUOTES.values())


@pytest.mark.parametrize("version", [4, 5])
def test_no_flipped_bit_of_what_is_signed_is_accepted(version: int) -> None:
    quote = QUOTES[version]
    size = len(Quote.from_bytes(quote).signed_bytes)
    assert [bit for bit in range(8 * size) if is_accepted(flipped(quote, bit))] == []


def test_no_flipped_bit_of_the_quoting_enclaves_report_is_accepted() -> None:
    start = QUOTE.index(Quote.from_bytes(QUOTE).qe_report_bytes)
    bits = range(8 * start, 8 * (start + 384))
    assert [bit for bit in bits if is_accepted(flipped(QUOTE, bit))] == []


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 8 * len(QUOTE) - 1))
def test_no_flipped_bit_of_a_quote_is_accepted(bit: int) -> None:
    # Signatures, keys, certificates and framing, too.
    assert not is_accepted(flipped(QUOTE, bit))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 8 * len(QUOTE) - 1))
def test_no_flipped_bit_is_accepted_without_a_cache(bit: int) -> None:
    with pytest.raises(AdytonError):
        authenticate(flipped(QUOTE, bit), roots=VENDOR.roots, at=NOW)


def test_a_quote_that_is_cut_anywhere_is_malformed() -> None:
    for size in range(len(QUOTE)):
        with pytest.raises(MalformedError):
            authenticate(QUOTE[:size], roots=VENDOR.roots, at=NOW, cache=CACHE)


@settings(max_examples=300, deadline=None)
@given(st.lists(pieces(648), min_size=1, max_size=3))
def test_a_mutated_body_that_is_signed_again_is_read_or_malformed(
    changes: list[tuple[str, int, bytes]],
) -> None:
    body = mutated(Quote.from_bytes(QUOTE).body, changes)
    quote = VENDOR.quote(version=5, body=body, body_type=3)
    with suppress(MalformedError, RejectedError):
        authenticate(quote, roots=VENDOR.roots, at=NOW, collateral=COLLATERAL, cache=CACHE)


def endorsed(data: bytes) -> bool:
    """Return whether a file of collateral is accepted, which it may be if it says the same."""
    try:
        found = IntelCollateral.from_bytes(data)
        authenticate_collateral(found, roots=VENDOR.roots)
    except (MalformedError, RejectedError):
        return False
    assert found == COLLATERAL
    return True


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 8 * len(FILE) - 1))
def test_a_flipped_bit_of_collateral_is_refused_or_says_the_same(bit: int) -> None:
    changed = flipped(FILE, bit)
    # Hexadecimal digits have two cases.
    assert not endorsed(changed) or changed.lower() == FILE.lower()


@settings(max_examples=300, deadline=None)
@given(st.lists(pieces(len(FILE)), min_size=1, max_size=4))
def test_mutated_collateral_is_refused_or_says_the_same(
    changes: list[tuple[str, int, bytes]],
) -> None:
    endorsed(mutated(FILE, changes))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(FILE) - 1))
def test_collateral_that_is_cut_is_malformed(size: int) -> None:
    with pytest.raises(MalformedError):
        IntelCollateral.from_bytes(FILE[:size])


@settings(max_examples=500, deadline=None)
@given(st.lists(pieces(len(INFO)), min_size=1, max_size=4))
def test_mutated_texts_are_read_or_malformed(changes: list[tuple[str, int, bytes]]) -> None:
    # As if Intel had signed them.
    with suppress(MalformedError):
        TcbInfo.from_bytes(mutated(INFO, changes))
    with suppress(MalformedError):
        QeIdentity.from_bytes(mutated(IDENTITY, changes))


@settings(max_examples=500, deadline=None)
@given(st.lists(pieces(len(EXTENSION)), min_size=1, max_size=4))
def test_a_mutated_extension_is_read_or_malformed(changes: list[tuple[str, int, bytes]]) -> None:
    with suppress(MalformedError):
        SgxExtension.from_bytes(mutated(EXTENSION, changes))


@given(st.binary(max_size=1200))
def test_any_bytes_are_malformed_or_refused(data: bytes) -> None:
    for read in (Quote.from_bytes, IntelCollateral.from_bytes, SgxExtension.from_bytes):
        with pytest.raises((MalformedError, RejectedError)):
            read(data)
