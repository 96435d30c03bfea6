"""Evidence over HTTP: the verdict is the answer, and the same that the library gives."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.flips import flipped
from tests.fakes.gateway import FakeGateway
from tests.fakes.intel import FakeIntel
from tests.fakes.nitro import NOW, FakeNitro
from tests.fakes.registrant import ChangingAppraiser
from tests.unit.verification import test_machine as machines

from adyton.adapters.store.records import Scope
from adyton.appraisal.ear import Tier, verify_ear
from adyton.codec.text import to_base64
from adyton.crypto.jwk import JwkSet
from adyton.errors import UnavailableError
from adyton.evidence.collateral import Collateral
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.gateway.evidence import (
    BODY_BYTES,
    EvidenceDocument,
    EvidenceVerifications,
    KeySetDocument,
)
from adyton.gateway.routes import Capability

PATH = "/v1/evidence/verify"
NITRO, INTEL = FakeNitro(), FakeIntel()


class EvidenceGateway(FakeGateway):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__()

    def capabilities(self) -> tuple[Capability, ...]:
        self.appraiser = ChangingAppraiser()
        made = EvidenceVerifications(
            door=self.door,
            appraiser=self.appraiser,
            clock=self.time.clock,
            folder=self.folder,
        )
        return (made,)


@pytest.fixture
def gateway(tmp_path: Path) -> EvidenceGateway:
    made = EvidenceGateway(tmp_path)
    made.time.now = NOW
    return made


@pytest.fixture
async def client(gateway: EvidenceGateway) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway.client(gateway.key(Scope.VERIFY)) as client:
        yield client


def policy(root: bytes = NITRO.root_sha256, **evidence: Any) -> dict[str, Any]:
    return {
        "version": "adyton/policy/v1",
        "roots": {"fake": root.hex()},
        "platforms": {
            "insecure": {
                "debug": "refused",
                "tcb": "not-required",
                "measurements": "not-required",
            }
        },
        "evidence": {
            "maximum_age_seconds": 600,
            "challenge": "not-required",
            "binding": "not-required",
            **evidence,
        },
    }


def body(**changes: Any) -> dict[str, Any]:
    return {"evidence": to_base64(NITRO.document()), "policy": policy(), **changes}


async def test_good_evidence_is_accepted_and_says_what_it_says(client: httpx.AsyncClient) -> None:
    EvidenceDocument.model_validate(body())
    response = await client.post(PATH, json=body())
    assert response.status_code == 200
    verdict = response.json()
    assert (verdict["accepted"], verdict["subject"]) == (True, "evidence")
    assert verdict["claims"]["technology"] == "nitro"
    assert verdict["at"] == "2026-11-20T12:00:00Z"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"evidence": to_base64(flipped(NITRO.document()))}, "signature-rejected"),
        ({"evidence": to_base64(b"something")}, "evidence-format-unknown"),
        ({"policy": policy(bytes(32))}, "root-rejected"),
        ({"expected": {"nonce": to_base64(b"another")}}, "evidence-nonce-mismatch"),
        ({"at": "2026-11-20T12:30:00Z"}, "evidence-too-old"),
        ({"at": "2036-11-20T12:00:00+01:00"}, "certificate-not-valid-at-this-time"),
        ({"policy": policy(challenge="required")}, "challenge-missing"),
    ],
    ids=["signature", "format", "root", "nonce", "age", "certificate", "challenge"],
)
async def test_refused_evidence_is_answered_with_200_and_the_reason(
    client: httpx.AsyncClient, changes: dict[str, Any], code: str
) -> None:
    response = await client.post(PATH, json=body(**changes))
    assert response.status_code == 200
    assert response.json()["accepted"] is False
    assert code in response.text


async def test_what_is_not_authentic_says_nothing(client: httpx.AsyncClient) -> None:
    changed = body(policy=policy(bytes(32)))
    assert (await client.post(PATH, json=changed)).json()["claims"] is None


async def test_what_the_evidence_is_over_is_compared(client: httpx.AsyncClient) -> None:
    expected = {
        "nonce": to_base64(b"nonce"),
        "report_data": to_base64(b"user data"),
        "public_key": to_base64(b"public key"),
        "challenge": to_base64(b"nonce"),
        "asked": to_base64(b"nonce"),
    }
    bound = policy(challenge="required")
    del bound["evidence"]["binding"]
    response = await client.post(PATH, json=body(policy=bound, expected=expected))
    assert response.json()["accepted"] is True


async def test_collateral_is_what_was_given_and_nothing_is_fetched(
    client: httpx.AsyncClient,
) -> None:
    collateral = Collateral(intel=IntelCollateral.from_bytes(INTEL.collateral("tdx")))
    given = body(
        evidence=to_base64(INTEL.quote("tdx")), policy=policy(next(iter(INTEL.roots.values())))
    )
    without = (await client.post(PATH, json=given)).json()
    with_it = (await client.post(PATH, json={**given, "collateral": collateral.to_json()})).json()
    assert without["claims"]["tcb"]["status"] is None
    assert with_it["claims"]["tcb"]["status"] == "UpToDate"


@pytest.mark.parametrize(
    "changes",
    [
        {"evidence": "AAA"},
        {"evidence": 1},
        {"policy": []},
        {"policy": {"version": "adyton/policy/v1"}},
        {"collateral": {"version": "none"}},
        {"expected": {"unknown": ""}},
        {"at": "yesterday"},
        {"at": "2026-11-20T12:00:00"},
        {"version": "adyton/bundle/v1"},
    ],
    ids=",".join,
)
async def test_what_is_no_request_is_malformed(
    client: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    response = await client.post(PATH, json=body(**changes))
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("name", ["evidence", "policy"])
async def test_evidence_and_policy_are_wanted(client: httpx.AsyncClient, name: str) -> None:
    given = body()
    del given[name]
    assert (await client.post(PATH, json=given)).status_code == 400


async def test_a_body_has_a_limit(client: httpx.AsyncClient) -> None:
    response = await client.post(
        PATH, content=b" " * (BODY_BYTES + 1), headers={"content-type": "application/json"}
    )
    assert (response.status_code, response.json()["code"]) == (413, "body-too-large")


async def test_verifying_wants_its_scope(gateway: EvidenceGateway) -> None:
    async with gateway.client() as client:
        assert (await client.post(PATH, json=body())).status_code == 401
    async with gateway.client(gateway.key(Scope.ASK)) as client:
        assert (await client.post(PATH, json=body())).status_code == 403


async def test_no_verdict_is_503(gateway: EvidenceGateway, client: httpx.AsyncClient) -> None:
    gateway.appraiser.error = UnavailableError("none")
    assert (await client.post(PATH, json=body())).status_code == 503


async def test_now_is_the_gateways_now(gateway: EvidenceGateway, client: httpx.AsyncClient) -> None:
    gateway.time.now = NOW + timedelta(minutes=30)
    assert "evidence-too-old" in (await client.post(PATH, json=body())).text


KEYS = "/v1/evidence/keys"


async def test_a_verdict_is_signed_with_a_key_that_the_gateway_publishes(
    gateway: EvidenceGateway, client: httpx.AsyncClient
) -> None:
    expected = {"nonce": to_base64(b"a nonce of mine")}
    evidence = NITRO.document({**NITRO.fields(), "nonce": b"a nonce of mine"})
    given = body(evidence=to_base64(evidence), expected=expected, ear=True)
    EvidenceDocument.model_validate(given)
    answer = (await client.post(PATH, json=given)).json()
    assert answer["accepted"] is True
    async with gateway.client() as anybody:
        published = await anybody.get(KEYS)
    KeySetDocument.model_validate(published.json())
    keys = JwkSet.from_bytes(published.content)
    ear = verify_ear(answer["ear"], keys=keys, at=NOW, nonce=b"a nonce of mine")
    # A development root: never better than a warning.
    assert (ear.status, ear.issued) == (Tier.WARNING, NOW)
    assert set(ear.statuses) == {"nitro"}


async def test_a_refused_verdict_is_signed_as_one(client: httpx.AsyncClient) -> None:
    answer = (await client.post(PATH, json=body(policy=policy(bytes(32)), ear=True))).json()
    keys = JwkSet.from_bytes((await client.get(KEYS)).content)
    assert verify_ear(answer["ear"], keys=keys, at=NOW).status is Tier.CONTRAINDICATED


async def test_nothing_is_signed_that_nobody_asked_for(
    gateway: EvidenceGateway, client: httpx.AsyncClient
) -> None:
    for given in (body(), body(ear=False)):
        assert "ear" not in (await client.post(PATH, json=given)).json()
    assert list(gateway.folder.iterdir()) == []


@pytest.mark.parametrize(
    "changes",
    [{"ear": 1}, {"ear": None}, {"ear": "true"}, {"ear": True, "at": "2026-11-20T12:00:00Z"}],
    ids=["number", "null", "text", "an instant"],
)
async def test_a_result_is_for_now_and_asked_for_plainly(
    client: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    response = await client.post(PATH, json=body(**changes))
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


async def test_a_key_that_others_can_read_signs_nothing(
    gateway: EvidenceGateway, client: httpx.AsyncClient
) -> None:
    assert (await client.get(KEYS)).status_code == 200
    (path,) = gateway.folder.iterdir()
    path.chmod(0o640)
    for response in (await client.get(KEYS), await client.post(PATH, json=body(ear=True))):
        assert (response.status_code, response.json()["code"]) == (503, "result-key-unavailable")


def machine(**changes: Any) -> dict[str, Any]:
    rules = replace(machines.policy(), receipt=None)
    challenge = to_base64(machines.COMMITMENT)
    return {
        "evidence": to_base64(machines.processor()),
        "policy": rules.to_json(),
        "expected": {"report_data": challenge, "challenge": challenge, "asked": challenge},
        "devices": [to_base64(machines.device().evidence)],
        "device_collateral": [machines.device().collateral.to_json()],
        **changes,
    }


async def test_devices_are_judged_with_their_processor(client: httpx.AsyncClient) -> None:
    EvidenceDocument.model_validate(machine())
    answer = (await client.post(PATH, json=machine())).json()
    assert (answer["accepted"], answer["subject"]) == (True, "machine")
    assert answer["processor"]["claims"]["technology"] == "nitro"
    assert answer["devices"][0]["claims"]["technology"] == "nvidia-gpu"
    assert answer["binding"]["form"] == "derived"


async def test_the_collateral_of_the_processor_is_for_its_devices_too(
    client: httpx.AsyncClient,
) -> None:
    given = machine(collateral=machines.device().collateral.to_json())
    del given["device_collateral"]
    assert (await client.post(PATH, json=given)).json()["accepted"] is True


async def test_a_device_of_another_machine_is_refused(client: httpx.AsyncClient) -> None:
    other = to_base64(machines.device(nonce=machines.NONCE).evidence)
    answer = (await client.post(PATH, json=machine(devices=[other]))).json()
    assert (answer["accepted"], answer["processor"]["accepted"]) == (False, True)
    assert answer["binding"]["findings"][0]["code"] == "device-binding-rejected"


async def test_a_machine_is_one_result_with_all_of_its_parts(client: httpx.AsyncClient) -> None:
    keys = JwkSet.from_bytes((await client.get(KEYS)).content)
    other = to_base64(machines.device(nonce=machines.NONCE).evidence)
    for given, tier in (({}, Tier.WARNING), ({"devices": [other]}, Tier.CONTRAINDICATED)):
        answer = (await client.post(PATH, json=machine(ear=True, **given))).json()
        ear = verify_ear(answer["ear"], keys=keys, at=NOW)
        assert (ear.status, set(ear.statuses)) == (tier, {"nitro", "nvidia-gpu-1"})
        assert ear.statuses["nitro"] is Tier.WARNING


@pytest.mark.parametrize(
    "changes",
    [
        {"devices": []},
        {"devices": {}},
        {"devices": [1]},
        {"devices": ["AA=A"]},
        {"devices": ["AAAA"] * 65},
        {"device_collateral": []},
        {"device_collateral": [{}]},
        {"device_collateral": [machines.device().collateral.to_json()] * 2},
        {"ear": True, "at": "2026-11-20T12:00:00Z"},
    ],
    ids=["none", "object", "number", "text", "many", "no collateral", "form", "two", "ear then"],
)
async def test_what_are_no_devices_is_malformed(
    client: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    response = await client.post(PATH, json=machine(**changes))
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


async def test_collateral_of_devices_wants_devices(client: httpx.AsyncClient) -> None:
    given = body(device_collateral=[Collateral().to_json()])
    assert (await client.post(PATH, json=given)).status_code == 400
