"""Real tokens: what the manifest does not say about them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from tests.properties.mutation import flipped
from tests.vectors.manifest import MANIFEST, NO_VECTORS, Entry, content, entries_of
from tests.vectors.tokens import GOOGLES, NO_COLLATERAL, authenticated

from adyton.crypto.path import CertificateTimeRejectedError, PathCache, RootRejectedError
from adyton.errors import AdytonError
from adyton.evidence.token.authenticate import (
    TokenTimeRejectedError,
    authenticate,
    unverified_report,
)
from adyton.evidence.token.bundle import SubmoduleRejectedError
from adyton.evidence.token.roots import TOKEN_ROOTS
from adyton.evidence.token.services import GOOGLE, Service

pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason=NO_VECTORS)


AT: Final = datetime(2025, 10, 15, 13, 30, tzinfo=UTC)


def googles() -> Entry:
    (entry,) = [item for item in entries_of("ita") if item["file"] == GOOGLES]
    return entry


def test_googles_token_is_refused_outside_of_its_time() -> None:
    claims = authenticated(googles(), AT)
    end = claims.windows[-1].last + timedelta(microseconds=1)
    for at in (end, claims.issued - timedelta(seconds=61)):
        with pytest.raises(TokenTimeRejectedError):
            authenticated(googles(), at)
    # Its key's certificate has to hold as well.
    with pytest.raises(CertificateTimeRejectedError):
        authenticated(googles(), claims.windows[2].last + timedelta(seconds=1))


def test_googles_token_is_refused_under_any_other_root() -> None:
    with pytest.raises(RootRejectedError):
        authenticate(
            content(googles()),
            issuer=GOOGLE,
            collateral=NO_COLLATERAL,
            roots={"google-confidential-space": bytes(32)},
            at=AT,
        )


def test_no_flipped_bit_of_googles_token_is_accepted() -> None:
    data, cache = content(googles()), PathCache()
    for bit in range(0, 8 * len(data), 5):
        with pytest.raises(AdytonError):
            authenticate(
                flipped(data, bit),
                issuer=GOOGLE,
                collateral=NO_COLLATERAL,
                roots=TOKEN_ROOTS,
                at=AT,
                cache=cache,
            )


@pytest.mark.parametrize("name", ["GPU-0", "SWITCH-0"])
def test_no_device_of_nvidias_bundles_stands_for_another(name: str) -> None:
    entries = [item for item in entries_of("nvidia") if "detached-eat" in item["file"]]
    bundles = [json.loads(content(entry)) for entry in entries]
    (own,) = [bundle for bundle in bundles if name in bundle[1]]
    (other,) = [bundle for bundle in bundles if name not in bundle[1]]
    for devices in (other[1], {name: next(iter(other[1].values()))}, {**own[1], **other[1]}):
        swapped = json.dumps([own[0], devices]).encode()
        with pytest.raises(SubmoduleRejectedError):
            unverified_report(swapped, service=Service.NVIDIA_NRAS)
