"""Real quotes of SGX enclaves: what the manifest does not say about them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.vectors.dcap import Case, collateral_of, evaluations, quotes
from tests.vectors.manifest import MANIFEST, NO_VECTORS, content
from tests.vectors.sgx import authenticated

from adyton.crypto.path import verify_path
from adyton.crypto.suites import ES256
from adyton.errors import AdytonError
from adyton.evidence.dcap.endorsements import DcapCache
from adyton.evidence.dcap.layout import Quote
from adyton.evidence.dcap.roots import (
    INTEL_ROOTS,
    INTEL_SGX_ROOT_CA,
    INTEL_SGX_ROOT_CA_2018,
)
from adyton.evidence.sgx.authenticate import authenticate

pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason=NO_VECTORS)


@pytest.mark.parametrize("case", evaluations("sgx"), ids=str)
def test_what_is_out_of_date_says_which_component(case: Case) -> None:
    tcb = authenticated(case).dcap.tcb
    assert tcb is not None
    assert tcb.shortfalls or tcb.status != "OutOfDate"


@pytest.mark.parametrize("case", evaluations("sgx"), ids=str)
def test_a_quote_is_refused_when_its_collateral_has_expired(case: Case) -> None:
    with pytest.raises(AdytonError):
        authenticate(
            content(case.entry),
            roots=INTEL_ROOTS,
            at=datetime(2026, 11, 20, tzinfo=UTC),
            collateral=collateral_of(case),
        )


def test_one_cache_for_all_quotes_gives_the_same_claims() -> None:
    cache = DcapCache()
    for case in evaluations("sgx"):
        first = authenticated(case, cache=cache)
        assert authenticated(case, cache=cache) == first
        assert authenticated(case) == first


def test_the_bad_chain_is_good_once_the_flipped_bit_is_flipped_back() -> None:
    (entry,) = [entry for entry in quotes("sgx") if "oe-report-bad" in entry["file"]]
    quote = content(entry)
    chain = Quote.from_bytes(quote).pck_chain
    # The type of an attribute of the subject: 2.5.68.10, where "organization" is 2.5.4.10.
    assert chain[1].count(bytes.fromhex("060355440a")) == 1
    repaired = chain[1].replace(bytes.fromhex("060355440a"), bytes.fromhex("060355040a"))
    path = verify_path((chain[2], repaired, chain[0]), roots=INTEL_ROOTS, suite=ES256)
    assert path.root_sha256 == INTEL_SGX_ROOT_CA_2018


def test_both_certificates_of_intels_root_have_one_key() -> None:
    found = {
        entry["file"]: Quote.from_bytes(content(entry)).pck_chain
        for entry in quotes("sgx")
        if Path(entry["file"]).name.startswith(("fortanix-debug", "zkdcap"))
    }
    first = found["sgx/fortanix-debug-2020.quote.bin"]
    today = found["sgx/zkdcap.quote.bin"]
    old = verify_path((first[1], first[2], first[0]), roots=INTEL_ROOTS, suite=ES256)
    new = verify_path((today[2], today[1], today[0]), roots=INTEL_ROOTS, suite=ES256)
    assert [old.root_sha256, new.root_sha256] == [INTEL_SGX_ROOT_CA_2018, INTEL_SGX_ROOT_CA]
    assert old.certificates[0].public_key_info == new.certificates[0].public_key_info
    assert old.certificates[0].subject == new.certificates[0].subject
