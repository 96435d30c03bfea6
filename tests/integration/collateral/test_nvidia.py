"""Golden values and answers over real HTTP, from services that are right, wrong, or not there."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.x509 import ocsp
from tests.fakes.nvidia import NOW, Answer, FakeNvidia
from tests.fakes.nvidia_service import FakeNvidiaService, serving

from adyton.adapters.collateral import Fetcher, Services
from adyton.adapters.nvidia import NvidiaService
from adyton.adapters.vendors import CollateralUnavailableError
from adyton.crypto.crl import CertificateRevokedError
from adyton.crypto.ocsp import OcspRejectedError
from adyton.crypto.path import RootRejectedError
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import AdytonError, MalformedError
from adyton.evidence.collateral import Collateral
from adyton.evidence.nvidia.authenticate import authenticate
from adyton.evidence.nvidia.comparison import RimRejectedError
from adyton.evidence.nvidia.findings import findings

VENDOR = FakeNvidia("hopper")
DRIVER, VBIOS = "NV_GPU_DRIVER_GH100_590.48.01", "NV_GPU_VBIOS_1010_0200_882_96009F0001"
DEVICE = VENDOR.evidence()


@pytest.fixture
def fake() -> Iterator[FakeNvidiaService]:
    with serving(FakeNvidiaService.of(VENDOR, driver=DRIVER, vbios=VBIOS)) as running:
        yield running


def service_of(
    client: httpx.AsyncClient, fake: FakeNvidiaService, vendor: FakeNvidia = VENDOR
) -> NvidiaService:
    return NvidiaService(
        client,
        rims=fake.base,
        responder=fake.base,
        roots=vendor.roots,
        rim_roots=vendor.rim_roots,
    )


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as running:
        yield running


@pytest.fixture
def service(client: httpx.AsyncClient, fake: FakeNvidiaService) -> NvidiaService:
    return service_of(client, fake)


async def test_all_that_belongs_to_a_report_is_fetched_once(
    fake: FakeNvidiaService, service: NvidiaService
) -> None:
    found = await service.fetch(DEVICE, at=NOW)
    claims = authenticate(
        DEVICE, collateral=found, roots=VENDOR.roots, rim_roots=VENDOR.rim_roots, at=NOW
    )
    assert findings(claims) == ()
    assert claims.revocation.missing == ()
    # Both RIMs come from under the same authorities, about which one answer is enough.
    assert fake.asked == [
        DRIVER,
        VBIOS,
        *("family", "line", "boot"),
        *("rim_family", "rim_line", "rim_leaf"),
    ]


async def test_a_switch_has_golden_values_of_its_firmware_alone(
    client: httpx.AsyncClient,
) -> None:
    vendor = FakeNvidia("ls10")
    name = "NV_SWITCH_BIOS_5612_0002_890_9610550001"
    with serving(FakeNvidiaService.of(vendor, driver=None, vbios=name)) as fake:
        device = vendor.evidence()
        found = await service_of(client, fake, vendor).fetch(device, at=NOW)
    assert (found.driver_rim, found.vbios_rim) == (None, fake.rims[name])
    assert len(found.ocsp) == 6


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": 500}, CollateralUnavailableError),
        ({"status": 429}, CollateralUnavailableError),
        ({"status": 302}, CollateralUnavailableError),
        ({"rims": {}}, CollateralUnavailableError),
        ({"body": bytes(1024 * 1024)}, CollateralUnavailableError),
        ({"body": b"{"}, MalformedError),
        ({"body": b"[]"}, MalformedError),
        ({"body": b'{"id":"another","rim":"AAAA"}'}, MalformedError),
        ({"body": b'{"id":"%s"}' % DRIVER.encode()}, MalformedError),
        ({"body": b'{"id":"%s","rim":"?"}' % DRIVER.encode()}, MalformedError),
        (
            {"rims": {DRIVER: VENDOR.rim("driver", role="other"), VBIOS: VENDOR.rim("vbios")}},
            SignatureRejectedError,
        ),
        (
            {"rims": {DRIVER: VENDOR.rim("driver", version="1"), VBIOS: VENDOR.rim("vbios")}},
            RimRejectedError,
        ),
        (
            {"recipes": {"boot": Answer(status=ocsp.OCSPCertStatus.REVOKED)}},
            CertificateRevokedError,
        ),
        ({"recipes": {"boot": Answer(last=NOW - timedelta(seconds=1))}}, OcspRejectedError),
        ({"recipes": {"rim_leaf": Answer(signed_by_another=True)}}, OcspRejectedError),
    ],
    ids=[
        *("500", "429", "302", "unknown", "large", "not json", "no object", "another"),
        *("no rim", "no base64", "signature", "version", "revoked", "expired", "responder"),
    ],
)
async def test_what_is_not_answered_as_it_should_be_is_an_error(
    fake: FakeNvidiaService,
    service: NvidiaService,
    changes: dict[str, Any],
    reason: type[AdytonError],
) -> None:
    for name, value in changes.items():
        setattr(fake, name, value)
    with pytest.raises(reason):
        await service.fetch(DEVICE, at=NOW)


async def test_nobody_is_asked_about_a_report_that_is_not_authentic(
    client: httpx.AsyncClient, fake: FakeNvidiaService
) -> None:
    service = NvidiaService(client, rims=fake.base, responder=fake.base)
    with pytest.raises(RootRejectedError):
        await service.fetch(DEVICE, at=NOW)
    assert fake.asked == []


async def test_an_identifier_is_a_name_and_no_other_path(service: NvidiaService) -> None:
    for identifier in ("", "../ids", "a/b", "a?b", "a" * 201):
        with pytest.raises(MalformedError):
            await service.rim(identifier)


async def test_nobody_there_is_no_answer(client: httpx.AsyncClient) -> None:
    nobody = NvidiaService(client, rims="http://127.0.0.1:9")
    with pytest.raises(CollateralUnavailableError, match="could not be had"):
        await nobody.rim(DRIVER)


async def test_evidence_of_a_device_is_found_its_collateral(
    client: httpx.AsyncClient, fake: FakeNvidiaService
) -> None:
    services = Services(nvidia_rims=fake.base, nvidia_responder=fake.base)
    roots = {"device": VENDOR.roots["fake"], "rim": VENDOR.rim_roots["fake-rim"]}
    fetcher = Fetcher(client, services=services, roots=roots)
    for evidence in (VENDOR.file(), VENDOR.transcript() + VENDOR.pem()):
        found = await fetcher.fetch(evidence, at=NOW)
        assert found.nvidia is not None
        assert Collateral.from_bytes(found.to_bytes()) == found
        assert len(found.nvidia.ocsp) == 6
    with pytest.raises(MalformedError, match="2 devices"):
        await fetcher.fetch(b"[" + VENDOR.file()[1:-1] + b"," + VENDOR.file()[1:], at=NOW)
