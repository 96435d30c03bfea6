"""Evidence over HTTP: the verdict is the answer, and the same that the library gives."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.fakes.gateway import FakeGateway
from tests.fakes.intel import FakeIntel
from tests.fakes.nitro import NOW, FakeNitro
from tests.fakes.registrant import ChangingAppraiser

from adyton.adapters.store.records import Scope
from adyton.codec.text import to_base64
from adyton.errors import UnavailableError
from adyton.evidence.collateral import Collateral
from adyton.evidence.dcap.collateral import Collateral as IntelCollateral
from adyton.gateway.evidence import BODY_BYTES, EvidenceDocument, EvidenceVerifications
from adyton.gateway.routes import Capability

PATH = "/v1/evidence/verify"
NITRO, INTEL = FakeNitro(), FakeIntel()


class EvidenceGateway(FakeGateway):
    def capabilities(self) -> tuple[Capability, ...]:
        self.appraiser = ChangingAppraiser()
        made = EvidenceVerifications(
            door=self.door, appraiser=self.appraiser, clock=self.time.clock
        )
        return (made,)


@pytest.fixture
def gateway() -> EvidenceGateway:
    made = EvidenceGateway()
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
        ({"evidence": to_base64(NITRO.document()[:-1] + b"\0")}, "signature-rejected"),
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
