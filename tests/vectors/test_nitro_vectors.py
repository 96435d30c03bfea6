"""Real documents of AWS's hardware: what the manifest does not say about them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from tests.vectors.manifest import MANIFEST, NO_VECTORS, Entry, content, entries_of, instant
from tests.vectors.nitro import authenticated, is_authentic

from adyton.appraisal.appraise import appraise
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.crypto.path import PathCache
from adyton.errors import AdytonError
from adyton.evidence.nitro.authenticate import authenticate
from adyton.evidence.nitro.roots import NITRO_ROOTS
from adyton.model.claims import Claims
from adyton.model.verdict import Status

AUTHENTIC: Final = [entry for entry in entries_of("nitro") if is_authentic(entry)]

pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason=NO_VECTORS)


@pytest.mark.parametrize("entry", AUTHENTIC, ids=lambda entry: Path(entry["file"]).stem)
def test_a_policy_refuses_debug_mode_and_nothing_else(entry: Entry) -> None:
    claims = authenticated(entry)
    layer = appraise(
        claims,
        policy=policy_for(claims),
        expected=Expected(
            report_data=claims.report_data or b"",
            public_key=claims.public_key or b"",
            challenge=claims.nonce or b"",
            asked=None,
        ),
        at=instant(entry["verify_at"]),
    )
    status = {part.name: part.status for part in layer.parts}
    assert status["authenticity"] is Status.PASSED
    assert status["configuration"] is (Status.FAILED if claims.is_debug else Status.PASSED)


def policy_for(claims: Claims) -> Policy:
    return Policy.from_json(
        {
            "version": "adyton/policy/v1",
            "roots": {"aws-nitro": "built-in"},
            "platforms": {
                claims.platform.value: {
                    "debug": "refused",
                    "tcb": "not-required",
                    "measurements": "not-required",
                }
            },
            "evidence": {"maximum_age_seconds": 86400, "challenge": "not-required"},
        }
    )


def test_one_cache_for_all_documents_gives_the_same_claims() -> None:
    cache = PathCache()
    for entry in AUTHENTIC:
        first = authenticated(entry, cache=cache)
        assert authenticated(entry, cache=cache) == first == authenticated(entry)


@pytest.mark.parametrize("entry", AUTHENTIC, ids=lambda entry: Path(entry["file"]).stem)
def test_a_document_is_refused_today(entry: Entry) -> None:
    with pytest.raises(AdytonError):
        authenticate(content(entry), roots=NITRO_ROOTS, at=datetime(2049, 1, 1, tzinfo=UTC))
