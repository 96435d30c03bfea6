"""Real reports of SEV-SNP guests: what the manifest does not say about them."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from tests.vectors.manifest import MANIFEST, NO_VECTORS, Entry, content
from tests.vectors.snp import authenticated, certificate, collateral_of, reports, window

from adyton.crypto.path import CertificateTimeRejectedError, PathCache
from adyton.errors import AdytonError, RejectedError
from adyton.evidence.sev_snp.authenticate import authenticate
from adyton.evidence.sev_snp.layout import Report
from adyton.evidence.sev_snp.roots import AMD_ROOTS

REPORTS: Final = reports()

pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason=NO_VECTORS)


@pytest.mark.parametrize("entry", REPORTS, ids=lambda entry: entry["file"])
def test_a_report_is_refused_outside_of_its_certificates_validity(entry: Entry) -> None:
    first, last = window(entry)
    for at in (first - timedelta(seconds=1), last + timedelta(seconds=1)):
        with pytest.raises(CertificateTimeRejectedError):
            authenticated(entry, at=at)


def test_every_chain_is_refused_for_every_other_report() -> None:
    for entry in REPORTS:
        for other in REPORTS:
            if entry is not other:
                with pytest.raises(RejectedError):
                    authenticated(
                        entry, collateral=collateral_of(other), at=datetime(2025, 1, 30, tzinfo=UTC)
                    )


def test_one_cache_for_all_reports_gives_the_same_claims() -> None:
    cache = PathCache()
    for entry in REPORTS:
        first = authenticated(entry, cache=cache)
        assert authenticated(entry, cache=cache) == first == authenticated(entry)


def test_no_flipped_bit_of_a_real_reports_signed_part_is_accepted() -> None:
    entry = REPORTS[0]
    data, cache = content(entry), PathCache()
    collateral, at = collateral_of(entry), window(entry)[0]
    for bit in range(8 * len(Report.from_bytes(data).signed_bytes)):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AdytonError):
            authenticate(bytes(broken), collateral=collateral, roots=AMD_ROOTS, at=at, cache=cache)


def test_the_pins_are_those_of_the_genuine_certificates() -> None:
    for name, digest in AMD_ROOTS.items():
        ark = certificate(f"ARK-{name.removeprefix('amd-').title()}")
        assert hashlib.sha256(ark).digest() == digest
