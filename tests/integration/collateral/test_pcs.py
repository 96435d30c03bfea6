"""Collateral over real HTTP, from a service that is right, wrong, or not there."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.fakes.intel import FMSPC, NOW, FakeIntel
from tests.fakes.intel_service import Answer, FakeService, answers_of, serving

from adyton.adapters.pcs import (
    CollateralKeeper,
    CollateralService,
    Family,
    PckAuthority,
)
from adyton.adapters.vendors import CollateralUnavailableError
from adyton.crypto.path import RootRejectedError
from adyton.errors import AdytonError, MalformedError
from adyton.evidence.dcap.endorsements import authenticate_collateral
from adyton.evidence.dcap.layout import TeeType
from adyton.evidence.tdx.authenticate import authenticate

VENDOR = FakeIntel()
FAMILY = Family(tee_type=TeeType.TDX, fmspc=FMSPC, authority=PckAuthority.PLATFORM)
TCB = "/tdx/certification/v4/tcb"
CRL = "/sgx/certification/v4/pckcrl"


@pytest.fixture
def fake() -> Iterator[FakeService]:
    with serving(FakeService(answers_of(VENDOR))) as running:
        yield running


@pytest.fixture
async def service(fake: FakeService) -> AsyncIterator[CollateralService]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield CollateralService(client, service=fake.base, certificates=fake.base)


@pytest.fixture
def keeper(service: CollateralService) -> CollateralKeeper:
    return CollateralKeeper(service, roots=VENDOR.roots)


async def test_collateral_is_fetched_for_the_platform_of_a_quote(
    fake: FakeService, service: CollateralService
) -> None:
    quote = VENDOR.quote()
    claims = authenticate(quote, roots=VENDOR.roots, at=NOW)
    family = Family.of(claims.dcap, TeeType.TDX, evaluation_number=20)
    assert family == replace(FAMILY, evaluation_number=20)
    collateral = await service.fetch(family)
    judged = authenticate(quote, roots=VENDOR.roots, at=NOW, collateral=collateral)
    assert judged.dcap.tcb is not None
    assert judged.dcap.tcb.status == "UpToDate"
    assert sorted(fake.asked) == [
        "/IntelSGXRootCA.der",
        "/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
        "/tdx/certification/v4/qe/identity?tcbEvaluationDataNumber=20",
        f"{TCB}?fmspc={FMSPC.hex()}&tcbEvaluationDataNumber=20",
    ]


async def test_sgx_has_paths_of_its_own(fake: FakeService, service: CollateralService) -> None:
    fake.answers = answers_of(VENDOR, "sgx")
    collateral = await service.fetch(replace(FAMILY, tee_type=TeeType.SGX))
    found = authenticate_collateral(collateral, roots=VENDOR.roots)
    assert found.tcb_info.tee_type is TeeType.SGX


@pytest.mark.parametrize(
    ("path", "broken", "reason"),
    [
        (TCB, {"status": 404}, CollateralUnavailableError),
        (TCB, {"status": 410}, CollateralUnavailableError),
        (TCB, {"status": 429}, CollateralUnavailableError),
        (TCB, {"status": 302, "headers": {"Location": "/"}}, CollateralUnavailableError),
        (TCB, {"body": bytes(1024 * 1024 + 1)}, CollateralUnavailableError),
        (TCB, {"body": b""}, MalformedError),
        (TCB, {"body": b'{"tcbInfo":{},"signature":"00"}'}, MalformedError),
        (TCB, {"headers": {}}, MalformedError),
        (TCB, {"headers": {"TCB-Info-Issuer-Chain": "none"}}, MalformedError),
        (CRL, {"status": 500}, CollateralUnavailableError),
        (CRL, {"headers": {}}, MalformedError),
        ("/IntelSGXRootCA.der", {"status": 503}, CollateralUnavailableError),
    ],
)
async def test_what_is_not_answered_as_it_should_be_is_an_error(
    fake: FakeService,
    service: CollateralService,
    path: str,
    broken: dict[str, Any],
    reason: type[AdytonError],
) -> None:
    fake.answers[path] = replace(fake.answers[path], **broken)
    with pytest.raises(reason):
        await service.fetch(FAMILY)


async def test_nobody_there_is_no_answer() -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        nobody = CollateralService(
            client, service="http://127.0.0.1:9", certificates="http://127.0.0.1:9"
        )
        with pytest.raises(CollateralUnavailableError, match="could not be had"):
            await nobody.fetch(FAMILY)


async def test_what_is_good_is_kept_for_some_hours(
    fake: FakeService, keeper: CollateralKeeper
) -> None:
    first, second = await asyncio.gather(
        keeper.collateral(FAMILY, now=NOW), keeper.collateral(FAMILY, now=NOW)
    )
    assert first is second
    assert len(fake.asked) == 4
    assert await keeper.collateral(FAMILY, now=NOW + timedelta(hours=11)) is first
    assert len(fake.asked) == 4
    renewed = await keeper.collateral(FAMILY, now=NOW + timedelta(hours=12))
    assert renewed == first
    assert len(fake.asked) == 8


async def test_old_collateral_serves_while_it_is_valid_and_no_longer(
    fake: FakeService, keeper: CollateralKeeper
) -> None:
    first = await keeper.collateral(FAMILY, now=NOW)
    fake.answers = {}
    assert await keeper.collateral(FAMILY, now=NOW + timedelta(days=19)) is first
    with pytest.raises(CollateralUnavailableError):
        await keeper.collateral(FAMILY, now=NOW + timedelta(days=21))


async def test_after_a_failure_nobody_asks_for_a_while(
    fake: FakeService, keeper: CollateralKeeper
) -> None:
    good, fake.answers = fake.answers, {}
    with pytest.raises(CollateralUnavailableError, match="404"):
        await keeper.collateral(FAMILY, now=NOW)
    # The first failure ends the others, which may be on their way.
    await asyncio.sleep(0.5)
    asked = len(fake.asked)
    fake.answers = good
    with pytest.raises(CollateralUnavailableError, match="in vain a moment ago"):
        await keeper.collateral(FAMILY, now=NOW + timedelta(seconds=59))
    assert len(fake.asked) == asked
    await keeper.collateral(FAMILY, now=NOW + timedelta(seconds=60))
    assert len(fake.asked) == asked + 4


async def test_what_intel_did_not_sign_is_not_kept(
    fake: FakeService, keeper: CollateralKeeper
) -> None:
    fake.answers = answers_of(FakeIntel())
    with pytest.raises(RootRejectedError):
        await keeper.collateral(FAMILY, now=NOW)


async def test_what_has_expired_is_no_answer(fake: FakeService, keeper: CollateralKeeper) -> None:
    with pytest.raises(CollateralUnavailableError, match="not valid at this time"):
        await keeper.collateral(FAMILY, now=NOW + timedelta(days=21))


async def test_no_more_families_are_kept_than_the_limit(
    fake: FakeService, service: CollateralService
) -> None:
    keeper = CollateralKeeper(service, roots=VENDOR.roots, limit=1)
    await keeper.collateral(FAMILY, now=NOW)
    await keeper.collateral(replace(FAMILY, evaluation_number=20), now=NOW)
    assert len(keeper._found) == 1
    await keeper.collateral(FAMILY, now=NOW)
    assert len(fake.asked) == 12
    fake.answers[TCB] = Answer(b"", status=404)
    for number in (1, 2):
        with pytest.raises(CollateralUnavailableError):
            await keeper.collateral(replace(FAMILY, evaluation_number=number), now=NOW)
    assert len(keeper._failed) == len(keeper._locks) == 1
