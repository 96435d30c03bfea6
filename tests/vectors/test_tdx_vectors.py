"""Real quotes of TDX domains: what the manifest does not say about them."""

from datetime import UTC, datetime

import pytest
from tests.vectors.dcap import Case, collateral_of, evaluations
from tests.vectors.manifest import MANIFEST, NO_VECTORS, content
from tests.vectors.tdx import authenticated

from adyton.errors import AdytonError
from adyton.evidence.dcap.endorsements import DcapCache
from adyton.evidence.dcap.roots import INTEL_ROOTS
from adyton.evidence.tdx.authenticate import authenticate

pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason=NO_VECTORS)


@pytest.mark.parametrize("case", evaluations("tdx"), ids=str)
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
    for case in evaluations("tdx"):
        first = authenticated(case, cache=cache)
        assert authenticated(case, cache=cache) == first
        assert authenticated(case) == first
