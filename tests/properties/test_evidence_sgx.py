"""Whatever is done to an enclave's quote: it is refused, or it says what was signed."""

from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.intel import NOW, FakeIntel
from tests.properties.mutation import flipped, mutated, pieces

from adyton.errors import AdytonError, MalformedError, RejectedError
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.endorsements import DcapCache, authenticate_collateral
from adyton.evidence.dcap.layout import Quote
from adyton.evidence.sgx.authenticate import authenticate

VENDOR: Final = FakeIntel()
QUOTES: Final = {version: VENDOR.quote("sgx", version=version) for version in (3, 4, 5)}
QUOTE: Final = QUOTES[3]
SIGNED: Final = Quote.from_bytes(QUOTE).signed_bytes
COLLATERAL: Final = IntelCollateral.from_bytes(VENDOR.collateral("sgx"))
# The shortest that is right.
SMALL: Final = IntelCollateral.from_bytes(
    VENDOR.collateral("sgx", info={"tcbLevels": []}, identity={"tcbLevels": []})
)
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


@pytest.mark.parametrize("version", [3, 4, 5])
def test_no_flipped_bit_of_what_is_signed_is_accepted(version: int) -> None:
    quote = QUOTES[version]
    size = len(Quote.from_bytes(quote).signed_bytes)
    assert [bit for bit in range(8 * size) if is_accepted(flipped(quote, bit))] == []


def test_no_flipped_bit_of_the_quoting_enclaves_report_is_accepted() -> None:
    start = QUOTE.index(Quote.from_bytes(QUOTE).qe_report_bytes)
    bits = range(8 * start, 8 * (start + 384))
    assert [bit for bit in bits if is_accepted(flipped(QUOTE, bit))] == []


@pytest.mark.parametrize("part", ["tcb_info", "qe_identity", "root_ca_crl", "pck_crl"])
def test_no_flipped_bit_of_what_intel_signed_is_accepted(part: str) -> None:
    authenticate_collateral(SMALL, roots=VENDOR.roots)
    value: bytes = getattr(SMALL, part)
    for bit in range(8 * len(value)):
        change: Any = {part: flipped(value, bit)}
        with pytest.raises((MalformedError, RejectedError)):
            authenticate_collateral(replace(SMALL, **change), roots=VENDOR.roots, cache=CACHE)


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
@given(st.lists(pieces(384), min_size=1, max_size=3))
def test_a_mutated_body_that_is_signed_again_is_read_or_malformed(
    changes: list[tuple[str, int, bytes]],
) -> None:
    body = mutated(Quote.from_bytes(QUOTE).body, changes)
    quote = VENDOR.quote("sgx", version=5, body=body, body_type=1)
    with suppress(MalformedError, RejectedError):
        authenticate(quote, roots=VENDOR.roots, at=NOW, collateral=COLLATERAL, cache=CACHE)


@given(st.binary(max_size=1200))
def test_any_bytes_are_malformed_or_refused(data: bytes) -> None:
    with pytest.raises((MalformedError, RejectedError)):
        authenticate(data, roots=VENDOR.roots, at=NOW)
