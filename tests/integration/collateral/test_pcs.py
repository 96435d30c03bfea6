"""Collateral over real HTTP, from a service that is right, wrong, or not there."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.fakes.intel import FMSPC, NOW, FakeIntel
from tests.fakes.intel_service import FakeService, answers_of, serving

from adyton.adapters.pcs import CollateralService, Family, PckAuthority
from adyton.adapters.vendors import CollateralUnavailableError
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
