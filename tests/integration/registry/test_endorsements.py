"""Collateral that the registry fetches itself, from fake vendors over HTTP: what it changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from tests.fakes.amd import FakeAmd
from tests.fakes.amd import List as AmdList
from tests.fakes.intel import NOW, FakeIntel, td_report
from tests.fakes.intel import List as IntelList
from tests.fakes.intel_service import Answer, FakeService, answers_of, serving
from tests.fakes.nvidia import FakeNvidia
from tests.fakes.nvidia_service import FakeNvidiaService
from tests.fakes.nvidia_service import serving as nvidia_serving
from tests.integration.collateral.test_fetching import answers_of_amd
from tests.integration.registry.conftest import Fleet, RegistryGateway

from adyton.adapters.collateral import Services
from adyton.adapters.store import Scope
from adyton.appraisal.policy import Policy
from adyton.codec.json import Json
from adyton.codec.text import from_base64
from adyton.crypto.binding import report_data
from adyton.evidence.collateral import Collateral
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.gateway.assembly import _endorsements
from adyton.gateway.registry.endorsements import Endorsements
from adyton.gateway.registry.settings import CollateralOrigin, RegistrySettings
from adyton.gateway.registry.vendors import Vendors
from adyton.model.registry import UsedCollateral

INTEL, AMD, VLEK = FakeIntel(), FakeAmd(), FakeAmd("Milan", "vlek")
ROOTS = {"intel": INTEL.roots["fake"], "amd": AMD.roots["fake"], "vlek": VLEK.roots["fake"]}
POLICY = Policy.from_json(
    {
        "version": "adyton/policy/v1",
        "roots": {name: root.hex() for name, root in ROOTS.items()},
        "platforms": {
            "insecure": {
                "debug": "refused",
                "tcb": {
                    "statuses": "not-required",
                    "advisories": "any",
                    "grace_days": 0,
                    "minimum_evaluation_number": "not-required",
                    "minimum_versions": {},
                    "revocation": "required",
                },
                "measurements": "not-required",
            }
        },
        "evidence": {"maximum_age_seconds": 300, "challenge": "required"},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A vendor whose platform a worker runs on: evidence, collateral, and a bad day."""

    quote: Any
    given: Collateral
    path: str
    revoking: Answer


TDX = Vendor(
    quote=lambda over: INTEL.quote(body=td_report(report_data=over)),
    given=Collateral(intel=IntelCollateral.from_bytes(INTEL.collateral())),
    path="/sgx/certification/v4/pckcrl",
    revoking=Answer(
        INTEL.crl("authority", IntelList(revoked=(INTEL.serial("pck"),))),
        headers=answers_of(INTEL)["/sgx/certification/v4/pckcrl"].headers,
    ),
)
SNP = Vendor(
    quote=lambda over: AMD.report(report_data=over),
    given=Collateral(amd=AMD.collateral(crl=AMD.crl())),
    path="/vcek/v1/Milan/crl",
    revoking=Answer(AMD.crl(AmdList(revoked=(AMD.authority.serial,)))),
)


def asking(services: Services, roots: Mapping[str, bytes]) -> Vendors:
    """Asks these services, whatever proxy this machine has."""
    client = partial(httpx.AsyncClient, trust_env=False)
    return Vendors(services, roots=roots, client=client)


@pytest.fixture
def vendors() -> Iterator[FakeService]:
    answers = {**answers_of(INTEL), **answers_of_amd(VLEK), **answers_of_amd(AMD)}
    with serving(FakeService(answers)) as running:
        yield running


@pytest.fixture
def gateway(start: Any, vendors: FakeService) -> RegistryGateway:
    """A registry that asks the fake vendors, at the time of what they sign."""
    services = Services(intel=vendors.base, intel_certificates=vendors.base, amd=vendors.base)
    made: RegistryGateway = start(policy=POLICY, vendors=asking(services, ROOTS))
    made.time.now = NOW
    return made


async def post(fleet: Fleet, vendor: Vendor, **more: Json) -> tuple[Any, dict[str, Any]]:
    """Register a worker on the vendor's platform; return it, and the answer."""
    worker, challenge = fleet.worker(), await fleet.challenge()
    asked = from_base64(challenge, "challenge", limit_bytes=64)
    evidence = vendor.quote(report_data(worker.manifest.to_bytes(), asked))
    application = await worker.application(challenge, evidence=evidence)
    return worker, (await fleet.post({**application, **more})).json()


async def entry(fleet: Fleet, worker: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await fleet.client.get(f"/v1/registry/workers/{worker.id}")).json()
    return found


async def tend(gateway: RegistryGateway, fleet: Fleet, worker: Any, *, hours: float) -> None:
    """Let time pass, in which the worker says that it is there, and do what is due then."""
    gateway.time.pass_by(hours * 3600)
    await fleet.beat(worker)
    await gateway.keeper.tend(gateway.time.now)


@pytest.mark.parametrize("vendor", [TDX, SNP], ids=["intel", "amd"])
async def test_a_worker_need_bring_nothing_that_its_vendor_publishes(
    fleet: Fleet, vendors: FakeService, vendor: Vendor
) -> None:
    worker, answer = await post(fleet, vendor)

    assert answer["state"] == "active", answer
    assert answer["attestation"]["collateral_fetched"] == answer["attestation"]["verified"]
    found = await entry(fleet, worker)
    # Who doubts the registry has all that it takes to verify it again.
    assert Collateral.from_json(found["collateral"]) != Collateral()
    assert any(path.startswith(vendor.path) for path in vendors.asked)


@pytest.mark.parametrize("vendor", [TDX, SNP], ids=["intel", "amd"])
async def test_a_worker_cannot_bring_a_list_from_before_it_was_taken_back(
    fleet: Fleet, vendors: FakeService, vendor: Vendor
) -> None:
    vendors.answers[vendor.path] = vendor.revoking

    _, answer = await post(fleet, vendor, collateral=vendor.given.to_json())

    assert answer["code"] == "evidence-refused"
    assert "revoked" in answer["detail"]


@pytest.mark.parametrize("vendor", [TDX, SNP], ids=["intel", "amd"])
async def test_a_worker_that_was_taken_back_later_loses_trust(
    gateway: RegistryGateway, fleet: Fleet, vendors: FakeService, vendor: Vendor
) -> None:
    worker, _ = await post(fleet, vendor, collateral=vendor.given.to_json())
    vendors.answers[vendor.path] = vendor.revoking

    await tend(gateway, fleet, worker, hours=7)

    found = await entry(fleet, worker)
    assert (found["state"], gateway.keeper.refused) == ("untrusted", 1)
    # And the entry has the list by which it did.
    assert found["attestation"]["collateral_fetched"] != found["attestation"]["verified"]
    assert Collateral.from_json(found["collateral"]) != vendor.given


async def test_what_is_new_is_fetched_again_after_some_hours_and_not_before(
    gateway: RegistryGateway, fleet: Fleet, vendors: FakeService
) -> None:
    worker, answer = await post(fleet, TDX)
    first, asked = answer["attestation"]["collateral_fetched"], len(vendors.asked)

    await tend(gateway, fleet, worker, hours=2)
    attestation = (await entry(fleet, worker))["attestation"]
    assert attestation["collateral_fetched"] == first
    assert attestation["verified"] > first
    assert len(vendors.asked) == asked

    await tend(gateway, fleet, worker, hours=5)
    attestation = (await entry(fleet, worker))["attestation"]
    assert attestation["collateral_fetched"] == attestation["verified"] > first


@pytest.mark.parametrize(
    "trouble",
    [Answer(b"", status=500), Answer(b"", status=429), Answer(b"not what was asked for")],
    ids=["out of order", "too many requests", "nonsense"],
)
async def test_what_the_worker_brought_counts_where_its_vendor_gives_no_answer(
    gateway: RegistryGateway, fleet: Fleet, vendors: FakeService, trouble: Answer
) -> None:
    for path in vendors.answers:
        vendors.answers[path] = trouble
    worker, answer = await post(fleet, TDX, collateral=TDX.given.to_json())
    assert answer["state"] == "active", answer
    assert "collateral_fetched" not in answer["attestation"]

    await tend(gateway, fleet, worker, hours=2)
    assert await fleet.state(worker) == "active"
    vendors.answers |= answers_of(INTEL)
    await tend(gateway, fleet, worker, hours=2)

    attestation = (await entry(fleet, worker))["attestation"]
    assert attestation["collateral_fetched"] == attestation["verified"]


async def test_what_the_worker_brought_counts_as_long_as_it_is_valid_itself(
    gateway: RegistryGateway, fleet: Fleet, vendors: FakeService
) -> None:
    vendors.answers.clear()
    short = IntelList(last=NOW + timedelta(hours=3))
    brought = Collateral(intel=IntelCollateral.from_bytes(INTEL.collateral(pck_list=short)))
    worker, answer = await post(fleet, TDX, collateral=brought.to_json())
    assert answer["state"] == "active", answer

    await tend(gateway, fleet, worker, hours=2)
    assert await fleet.state(worker) == "active"
    await tend(gateway, fleet, worker, hours=2)
    assert await fleet.state(worker) == "attestation-expired"

    _, late = await post(fleet, TDX, collateral=brought.to_json())
    assert late["code"] == "evidence-refused"
    _, bare = await post(fleet, TDX)
    assert bare["code"] == "evidence-refused"


def masked(over: bytes) -> bytes:
    """Return a report whose host has masked the chip's name."""
    return AMD.report(report_data=over, chip_id=bytes(64))


@pytest.mark.parametrize("is_masked", [True, False], ids=["masked", "too many requests"])
async def test_a_host_that_has_its_chip_s_certificate_withheld_withholds_no_list(
    fleet: Fleet, vendors: FakeService, *, is_masked: bool
) -> None:
    for path in vendors.answers:
        if path.startswith("/vcek/v1/Milan/") and not path.endswith(("/cert_chain", "/crl")):
            vendors.answers[path] = Answer(b"", status=429)
    vendors.answers[SNP.path] = SNP.revoking
    vendor = replace(SNP, quote=masked) if is_masked else SNP

    _, answer = await post(fleet, vendor, collateral=SNP.given.to_json())

    assert answer["code"] == "evidence-refused", answer
    assert "revoked" in answer["detail"]


async def test_a_masked_chip_s_certificate_is_the_worker_s_to_bring(fleet: Fleet) -> None:
    vendor = replace(SNP, quote=masked)

    _, answer = await post(fleet, vendor, collateral=SNP.given.to_json())

    assert answer["state"] == "active", answer
    assert answer["attestation"]["collateral_fetched"] == answer["attestation"]["verified"]


async def test_an_operator_s_key_is_the_worker_s_to_bring(vendors: FakeService) -> None:
    services = Services(amd=vendors.base)
    brought = UsedCollateral(file=Collateral(amd=VLEK.collateral()).to_bytes(), fetched=None)

    used = await Endorsements(source=asking(services, ROOTS)).beside(
        VLEK.report(), brought, now=NOW
    )

    assert used.fetched == NOW
    found = Collateral.from_bytes(used.file).amd
    assert found is not None
    assert found.vek == VLEK.vek_der
    assert found.crl is not None


async def test_golden_values_and_answers_about_a_device_are_fetched_as_well() -> None:
    gpu = FakeNvidia("hopper")
    driver, vbios = "NV_GPU_DRIVER_GH100_590.48.01", "NV_GPU_VBIOS_1010_0200_882_96009F0001"
    roots = {"device": gpu.roots["fake"], "rim": gpu.rim_roots["fake-rim"]}
    nothing = UsedCollateral(file=b"", fetched=None)
    with nvidia_serving(FakeNvidiaService.of(gpu, driver=driver, vbios=vbios)) as fake:
        services = Services(nvidia_rims=fake.base, nvidia_responder=fake.base)
        used = await Endorsements(source=asking(services, roots)).beside(
            gpu.file(), nothing, now=NOW
        )

    assert used.fetched == NOW
    found = Collateral.from_bytes(used.file).nvidia
    assert found is not None
    assert found.driver_rim is not None
    assert found.ocsp


async def test_a_vendor_that_keeps_everybody_waiting_is_left_alone_for_a_while() -> None:
    asked = 0

    def silent() -> httpx.AsyncClient:
        nonlocal asked
        asked += 1
        # As the deadline would be over: no test waits for it.
        raise TimeoutError

    found = Endorsements(source=Vendors(Services(), roots=ROOTS, client=silent))
    nothing, quote = UsedCollateral(file=b"", fetched=None), INTEL.quote()
    for evidence, later, expected in (
        (quote, 0, 1),
        (quote, 59, 1),
        # Another vendor's is another matter, and so is a minute later.
        (AMD.report(), 59, 2),
        (quote, 60, 3),
    ):
        now = NOW + timedelta(seconds=later)
        assert await found.beside(evidence, nothing, now=now) == nothing
        assert asked == expected


async def test_nobody_is_asked_where_the_operator_did_not_say_so(
    start: Any, vendors: FakeService
) -> None:
    gateway: RegistryGateway = start(policy=POLICY)
    gateway.time.now = NOW
    fleet = await gateway.fleet(*Scope)
    async with fleet.client:
        _, answer = await post(fleet, TDX, collateral=TDX.given.to_json())

    assert answer["state"] == "active", answer
    assert vendors.asked == []


@pytest.mark.parametrize(
    ("settings", "asks"),
    [
        (RegistrySettings(policy=POLICY, collateral=CollateralOrigin.FETCHED), True),
        (RegistrySettings(policy=POLICY), False),
        # Nothing is accepted without a policy: there is nobody to ask about.
        (RegistrySettings(collateral=CollateralOrigin.FETCHED), False),
    ],
    ids=["fetched", "given", "no policy"],
)
def test_a_gateway_asks_vendors_where_the_operator_said_so(
    settings: RegistrySettings, *, asks: bool
) -> None:
    source = _endorsements(settings).source
    assert isinstance(source, Vendors) is asks
    if isinstance(source, Vendors):
        assert source._roots == ROOTS
