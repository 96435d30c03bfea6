"""Whatever is done to a token or to its keys: refused, or it says what was signed."""

import json
import time
from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.tokens import KINDS, NOW, SERVICES, FakeService, part
from tests.properties.mutation import flipped, mutated, pieces

from adyton.codec.jose import Jws
from adyton.crypto.jwk import JwkSet
from adyton.crypto.path import PathCache
from adyton.errors import AdytonError, MalformedError, RejectedError
from adyton.evidence.token.authenticate import TokenClaims, authenticate, unverified_report
from adyton.evidence.token.bundle import DetachedBundle
from adyton.evidence.token.collateral import TokenCollateral
from adyton.evidence.token.services import Service

CACHE: Final = PathCache()
TOKENS: Final = {service: fake.mint() for service, fake in SERVICES.items()}
NRAS: Final = SERVICES[Service.NVIDIA_NRAS]
SINGLE: Final = [service for service in Service if service is not Service.NVIDIA_NRAS]


def verified(fake: FakeService, token: bytes, **changes: Any) -> TokenClaims:
    arguments: dict[str, Any] = {
        "issuer": fake.issuer,
        "collateral": fake.collateral(),
        "roots": {**fake.pinned(), **fake.roots},
        "at": NOW,
        "cache": CACHE,
        **changes,
    }
    return authenticate(token, **arguments)


GOOD: Final = {service: verified(SERVICES[service], token) for service, token in TOKENS.items()}


def is_accepted(service: Service, token: bytes, **changes: Any) -> bool:
    try:
        claims = verified(SERVICES[service], token, **changes)
    except (MalformedError, RejectedError):
        return False
    # What is accepted says what was signed.
    assert claims == GOOD[service]
    return True


@pytest.mark.parametrize("service", SINGLE)
def test_no_flipped_bit_of_a_token_is_accepted(service: Service) -> None:
    token = TOKENS[service]
    assert [bit for bit in range(8 * len(token)) if is_accepted(service, flipped(token, bit))] == []


def test_no_flipped_bit_of_a_bundle_is_accepted() -> None:
    # Every bit of the frame around the tokens, and every seventh of all.
    data = TOKENS[Service.NVIDIA_NRAS]
    frame = [n for n, byte in enumerate(data) if byte in b'[]{},:" ']
    bits = {8 * n + bit for n in frame for bit in range(8)} | {*range(0, 8 * len(data), 7)}
    found = [bit for bit in sorted(bits) if is_accepted(Service.NVIDIA_NRAS, flipped(data, bit))]
    assert found == []


@pytest.mark.parametrize("service", Service)
def test_a_token_that_is_cut_anywhere_is_refused(service: Service) -> None:
    token = TOKENS[service]
    for size in range(len(token)):
        assert not is_accepted(service, token[:size])


@pytest.mark.parametrize("service", [Service.INTEL_TRUST_AUTHORITY, Service.NVIDIA_NRAS])
def test_a_set_that_is_cut_or_flipped_anywhere_is_refused(service: Service) -> None:
    fake = SERVICES[service]
    jwks, pinned = fake.jwks(), fake.pinned()
    for size in range(len(jwks)):
        for broken in (jwks[:size], flipped(jwks, 8 * size + size % 8)):
            collateral = fake.collateral(broken)
            assert not is_accepted(service, TOKENS[service], collateral=collateral, roots=pinned)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(Service), st.data())
def test_a_mutated_token_is_refused_and_nothing_else(service: Service, data: st.DataObject) -> None:
    token = TOKENS[service]
    broken = mutated(token, data.draw(st.lists(pieces(len(token)), min_size=1, max_size=4)))
    start = time.process_time()
    is_accepted(service, broken)
    assert time.process_time() - start < 1


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(SINGLE), st.data())
def test_mutated_claims_that_are_signed_again_are_read_or_refused(
    service: Service, data: st.DataObject
) -> None:
    fake = SERVICES[service]
    kind = data.draw(st.sampled_from([name for owner, name in KINDS if owner is service]))
    good = json.dumps(fake.claims(kind)).encode()
    changes = data.draw(st.lists(pieces(len(good)), min_size=1, max_size=3))
    with suppress(MalformedError, RejectedError):
        verified(fake, fake.token(mutated(good, changes)).encode())


_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(KINDS), st.data())
def test_claims_of_any_kind_are_read_or_malformed(
    of: tuple[Service, str], data: st.DataObject
) -> None:
    service, kind = of
    fake = SERVICES[service]
    if service is Service.NVIDIA_NRAS:
        names = ["eat_nonce", "submods", "x-nvidia-ver", "x-nvidia-overall-att-result", "iss"]
        changes: dict[str, Any] = {data.draw(st.sampled_from(names)): data.draw(_JSON)}
        token = fake.bundle(kind, **changes)
    else:
        good = fake.claims(kind)
        claims = {**good, data.draw(st.sampled_from(sorted(good))): data.draw(_JSON)}
        header = part({"alg": fake.algorithm, "kid": "fake"})
        token = f"{header}.{part(json.dumps(claims).encode())}.AA".encode()
    with suppress(MalformedError, RejectedError):
        unverified_report(token, service=service)


@settings(max_examples=500, deadline=None)
@given(st.lists(pieces(len(NRAS.jwks())), min_size=1, max_size=4))
def test_a_mutated_set_is_read_or_refused(changes: list[tuple[str, int, bytes]]) -> None:
    jwks = mutated(NRAS.jwks(), changes)
    collateral = TokenCollateral(jwks=jwks, root=NRAS.root)
    # Pinned, so that what is in it decides.
    with suppress(MalformedError, RejectedError):
        verified(
            NRAS,
            TOKENS[Service.NVIDIA_NRAS],
            collateral=collateral,
            roots={**NRAS.pinned(jwks), **NRAS.roots},
        )


@given(st.binary(max_size=400))
def test_any_bytes_are_malformed(data: bytes) -> None:
    for read in (DetachedBundle.from_bytes, JwkSet.from_bytes):
        with pytest.raises(AdytonError):
            read(data)
    for service in Service:
        with pytest.raises(AdytonError):
            unverified_report(data, service=service)


@given(st.text(max_size=200))
def test_any_text_is_no_token_that_anybody_signed(text: str) -> None:
    with suppress(MalformedError):
        Jws.from_text(text)
    assert not is_accepted(Service.INTEL_TRUST_AUTHORITY, text.encode("utf-8", "surrogatepass"))
