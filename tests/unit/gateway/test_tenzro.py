"""Tenzro's path: its names, its answer, and no value that is true without having been checked."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.amd import FakeAmd
from tests.fakes.appraiser import DirectAppraiser
from tests.fakes.gateway import FakeGateway
from tests.fakes.intel import PCE_SVN, FakeIntel, List, level
from tests.fakes.nitro import NOW, REGISTERS, FakeNitro

from adyton.adapters.store.records import Scope
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.errors import MalformedError
from adyton.evidence.collateral import Collateral
from adyton.gateway.routes import Capability
from adyton.gateway.tenzro import _POLICY, TeeVerdictDocument, Tenzro, _read
from adyton.model.claims import Judged, Platform, VendorRoot

PATH = "/api/verify/tee-attestation"
NITRO, INTEL, AMD = FakeNitro(), FakeIntel(), FakeAmd()
PCR0 = REGISTERS[0].hex()


class TrustingAppraiser(DirectAppraiser):
    """Takes the fake vendors' roots for the vendors' own, as only a test can."""

    async def evidence(
        self,
        evidence: bytes,
        *,
        collateral: Collateral,
        policy: Policy,
        expected: Expected,
        at: datetime,
    ) -> Judged:
        (accepted,) = {repr(item): item for item in policy.platforms.values()}.values()
        trusting = replace(
            policy,
            named_roots={
                f"fake-{n}": root
                for n, roots in enumerate((NITRO.roots, INTEL.roots, AMD.roots))
                for root in roots.values()
            },
            platforms={Platform.INSECURE: accepted},
        )
        verdict, claims = await super().evidence(
            evidence, collateral=collateral, policy=trusting, expected=expected, at=at
        )
        if claims is not None:
            platform = Platform.of(claims.technology, is_genuine=True)
            claims = replace(claims, platform=platform)
        return verdict, claims


class TenzroGateway(FakeGateway):
    appraiser: DirectAppraiser

    def capabilities(self) -> tuple[Capability, ...]:
        self.time.now = NOW
        self.appraiser = TrustingAppraiser()
        return (Tenzro(door=self.door, appraiser=self.appraiser, clock=self.time.clock),)


class StrictGateway(TenzroGateway):
    """Nobody's roots are anybody's."""

    def capabilities(self) -> tuple[Capability, ...]:
        super().capabilities()
        return (Tenzro(door=self.door, appraiser=DirectAppraiser(), clock=self.time.clock),)


@pytest.fixture
def gateway() -> TenzroGateway:
    return TenzroGateway()


@pytest.fixture
async def client(gateway: TenzroGateway) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway.client() as client:
        yield client


async def asked(client: httpx.AsyncClient, body: Any) -> dict[str, Any]:
    response = await client.post(PATH, json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    TeeVerdictDocument.model_validate(answer)
    return answer


def truths(answer: dict[str, Any]) -> tuple[bool, bool, bool, bool]:
    return (
        answer["valid"],
        answer["hardware_verified"],
        answer["measurements_valid"],
        answer["certificate_chain_valid"],
    )


def reasons(answer: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in answer["details"]["reasons"]]


def document(**changes: Any) -> str:
    return f"0x{NITRO.document(NITRO.fields(**changes)).hex()}"


async def test_good_evidence_is_valid(client: httpx.AsyncClient) -> None:
    answer = await asked(
        client, {"attestation": document(), "provider": "AwsNitro", "measurement": PCR0}
    )
    assert truths(answer) == (True, True, True, True)
    assert answer["provider"] == "AwsNitro"
    assert answer["verified_at"] == "2026-11-20T12:00:00Z"
    assert answer["details"]["reasons"] == []


async def test_a_measurement_that_was_not_given_is_not_valid(client: httpx.AsyncClient) -> None:
    answer = await asked(client, {"attestation": document(), "provider": "AwsNitro"})
    assert truths(answer) == (True, True, False, True)


async def test_another_measurement_is_not_valid(client: httpx.AsyncClient) -> None:
    # The second is that of another register: a guest chooses what stands in some of them.
    for other in ("00" * 48, REGISTERS[8].hex()):
        answer = await asked(client, {"attestation": document(), "measurement": other})
        assert truths(answer) == (False, True, False, True)
        assert reasons(answer) == ["launch-mismatch"]


async def test_a_debugged_enclave_is_no_hardware_to_trust(client: httpx.AsyncClient) -> None:
    zero = document(pcrs=dict.fromkeys(range(16), bytes(48)))
    answer = await asked(client, {"attestation": zero, "measurement": "00" * 48})
    assert truths(answer) == (False, False, True, True)
    assert reasons(answer) == ["debug-mode"]


async def test_nobodys_root_verifies_no_hardware() -> None:
    async with StrictGateway().client() as client:
        answer = await asked(client, {"attestation": document(), "measurement": PCR0})
    assert truths(answer) == (False, False, False, False)
    assert reasons(answer)[0] == "root-rejected"


@pytest.mark.parametrize(
    "broken",
    [NITRO.document(signature=bytes(96)), b"nothing", b"\x84", b"{}", b"[[[["],
    ids=["signature", "text", "truncated", "json", "broken json"],
)
async def test_what_is_not_authentic_has_no_true_value(
    client: httpx.AsyncClient, broken: bytes
) -> None:
    answer = await asked(client, {"attestation": broken.hex(), "provider": "tdx"})
    assert truths(answer) == (False, False, False, False)
    assert answer["provider"] == "IntelTdx"


async def test_evidence_of_another_vendor_is_not_what_was_asked_for(
    client: httpx.AsyncClient,
) -> None:
    answer = await asked(client, {"attestation": document(), "provider": "IntelTdx"})
    assert (answer["valid"], answer["provider"]) == (False, "AwsNitro")
    assert reasons(answer) == ["vendor-mismatch"]


async def test_evidence_of_yesterday_is_too_old(
    gateway: TenzroGateway, client: httpx.AsyncClient
) -> None:
    old = int((NOW - timedelta(hours=24, seconds=1)).timestamp() * 1000)
    answer = await asked(client, {"attestation": document(timestamp=old)})
    assert answer["valid"] is False
    gateway.time.now = NOW + timedelta(hours=4)
    answer = await asked(client, {"attestation": document()})
    assert truths(answer) == (False, False, False, False)


async def test_a_quote_needs_nothing_and_says_what_was_not_checked(
    client: httpx.AsyncClient,
) -> None:
    answer = await asked(client, {"quote_hex": INTEL.quote("tdx").hex(), "vendor": "intel_tdx"})
    assert truths(answer) == (True, True, False, True)
    assert answer["details"]["tcb_status"] is None
    assert answer["details"]["revocation_checked"] is False
    body = {
        "quote": INTEL.quote("tdx").hex(),
        "collateral": json.loads(INTEL.collateral("tdx")),
        "measurement": answer["details"]["measurements"]["mr_td"],
    }
    answer = await asked(client, body)
    assert truths(answer) == (True, True, True, True)
    assert answer["details"]["tcb_status"] == "UpToDate"
    assert answer["details"]["revocation_checked"] is True


async def test_what_the_vendor_has_taken_back_is_not_verified(client: httpx.AsyncClient) -> None:
    revoked = INTEL.collateral("tdx", pck_list=List(revoked=(INTEL.serial("pck"),)))
    body = {"quote": INTEL.quote("tdx").hex(), "collateral": json.loads(revoked)}
    answer = await asked(client, body)
    assert truths(answer) == (False, False, False, False)
    assert reasons(answer) == ["certificate-revoked"]


@pytest.mark.parametrize(
    ("levels", "status"),
    [
        ([level("tdx", status="Revoked")], "Revoked"),
        ([level("tdx", pce_svn=PCE_SVN + 1)], "NotSupported"),
    ],
)
async def test_firmware_that_the_vendor_has_taken_back_is_not_verified(
    client: httpx.AsyncClient, levels: list[dict[str, Any]], status: str
) -> None:
    collateral = INTEL.collateral("tdx", info={"tcbLevels": levels})
    body = {"quote": INTEL.quote("tdx").hex(), "collateral": json.loads(collateral)}
    answer = await asked(client, body)
    assert answer["details"]["tcb_status"] == status
    assert truths(answer) == (False, False, False, True)
    assert reasons(answer) == ["tcb-status-rejected"]


async def test_a_report_needs_its_certificates(client: httpx.AsyncClient) -> None:
    parts = AMD.collateral()
    assert parts.vek is not None
    chain = [parts.vek, parts.authority, parts.ark]
    report = {"report_hex": AMD.report().hex(), "tee_type": "SEV-SNP"}
    answer = await asked(client, report)
    assert truths(answer) == (False, False, False, False)
    assert reasons(answer)[0] == "collateral-missing"
    for written in (
        [base64.b64encode(item).decode() for item in chain],
        [item.hex() for item in chain],
        "".join(pem(item) for item in chain),
        [pem(item) for item in chain],
    ):
        answer = await asked(client, {**report, "certificate_chain": written})
        assert truths(answer) == (True, True, False, True)
    answer = await asked(
        client, {**report, "certificate_chain": [item.hex() for item in reversed(chain)]}
    )
    assert truths(answer) == (False, False, False, False)


def pem(der: bytes) -> str:
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "name", ["attestation", "Attestation", "QUOTE", "quoteHex", "quote-hex", "Report Data"]
)
async def test_names_have_any_case_and_separator(client: httpx.AsyncClient, name: str) -> None:
    answer = await asked(client, {name: document(), "Tee_Type": "aws-nitro"})
    assert answer["valid"] is True


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("IntelTdx", "IntelTdx"),
        ("INTEL_TDX", "IntelTdx"),
        ("intel tdx", "IntelTdx"),
        ("AmdSevSnp", "AmdSevSnp"),
        ("amd-sev-snp", "AmdSevSnp"),
        ("NvidiaGpu", "NvidiaGpu"),
        ("nvidia", "NvidiaGpu"),
        ("SGX", "IntelSgx"),
    ],
)
async def test_vendors_have_many_spellings(
    client: httpx.AsyncClient, spelling: str, name: str
) -> None:
    assert (await asked(client, {"quote": "00", "provider": spelling}))["provider"] == name


async def test_bytes_are_hexadecimal_or_base64(client: httpx.AsyncClient) -> None:
    data = NITRO.document()
    standard = base64.b64encode(data).decode()
    urlsafe = base64.urlsafe_b64encode(data).decode().rstrip("=")
    for text in (data.hex(), "0X" + data.hex().upper(), standard, urlsafe):
        assert (await asked(client, {"attestation": text}))["valid"] is True


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"provider": "AwsNitro"},
        {"attestation": None},
        {"attestation": ""},
        {"attestation": 1},
        {"attestation": "0x0"},
        {"attestation": "§"},
        {"attestation": "00", "quote": "00"},
        {"attestation": "00", "Attestation": "00"},
        {"attestation": "00", "provider": "Acme"},
        {"attestation": "00", "provider": "tdx", "vendor": "tdx"},
        {"attestation": "00", "nonce": "00"},
        {"attestation": "00", "measurement": []},
        {"attestation": "00", "measurement": ""},
        {"attestation": "00", "certificate_chain": 1},
        {"attestation": "00", "certificate_chain": ["§"]},
        {"attestation": "00", "certificate_chain": ["00"] * 9},
    ],
)
async def test_what_is_no_request_is_malformed(client: httpx.AsyncClient, body: Any) -> None:
    response = await client.post(PATH, json=body)
    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert isinstance(response.json()["error"], str)


async def test_no_key_is_needed_and_one_that_is_given_counts(gateway: TenzroGateway) -> None:
    body = {"attestation": "00"}
    async with gateway.client(gateway.key(Scope.VERIFY)) as client:
        assert (await client.post(PATH, json=body)).status_code == 200
    async with gateway.client(gateway.key(Scope.ASK)) as client:
        assert (await client.post(PATH, json=body)).status_code == 403
    async with gateway.client() as client:
        headers = {"x-api-key": "adk_unknown"}
        assert (await client.post(PATH, json=body, headers=headers)).status_code == 401


async def test_strangers_cannot_keep_the_verifier_busy(client: httpx.AsyncClient) -> None:
    statuses = [
        (await client.post(PATH, json={"attestation": "00"})).status_code for _ in range(103)
    ]
    assert statuses == [200] * 100 + [503] * 3


def test_the_policy_names_every_vendor_and_no_development_root() -> None:
    assert _POLICY.vendor_roots == frozenset(VendorRoot)
    assert not _POLICY.named_roots
    assert _POLICY.platforms.keys() == set(Platform) - {Platform.INSECURE}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=40),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
        max_leaves=6,
    ),
    st.sampled_from(["attestation", "provider", "measurement", "certificate_chain", "collateral"]),
)
def test_any_values_are_read_or_malformed(value: Any, name: str) -> None:
    body = {"attestation": "00", name: value}
    with suppress(MalformedError):
        _read(json.dumps(body).encode())
