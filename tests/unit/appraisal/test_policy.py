import hashlib
import json
import ssl
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.nitro import FakeNitro
from tests.unit.appraisal.policies import GOOD, changed

from adyton.appraisal.policy import Choice, Policy, TcbPolicy
from adyton.codec.json import JsonObject
from adyton.errors import MalformedError
from adyton.model.claims import Platform, VendorRoot
from adyton.model.isolation import Isolation


def test_every_field_is_read() -> None:
    policy = Policy.from_json(GOOD)
    assert policy.vendor_roots == {VendorRoot.AWS_NITRO, VendorRoot.INTEL_SGX}
    assert policy.named_roots == {"laptop": b"\xab" * 32}
    nitro, insecure = (policy.platforms[item] for item in (Platform.NITRO, Platform.INSECURE))
    assert nitro.debug is Choice.REFUSED
    assert not isinstance(nitro.references, Choice)
    assert [reference.name for reference in nitro.references] == ["worker-0.1.0", "worker-0.2.0"]
    assert nitro.references[1].measurements == {
        "pcr0": frozenset({b"\x1a" * 48}),
        "pcr8": frozenset({b"\x0d" * 48}),
    }
    assert insecure.debug is Choice.ACCEPTED
    assert insecure.references is Choice.NOT_REQUIRED
    tdx = policy.platforms[Platform.TDX]
    assert tdx.findings == {"sept-ve-not-disabled"}
    assert tdx.tcb == TcbPolicy(
        statuses=frozenset({"UpToDate", "SWHardeningNeeded"}),
        advisories=frozenset({"INTEL-SA-00615"}),
        grace=timedelta(days=30),
        minimum_evaluation_number=17,
        minimum_versions={"pce_svn": 11},
        revocation=Choice.REQUIRED,
    )
    assert not isinstance(tdx.references, Choice)
    assert tdx.references[0].measurements == {
        "mr_td": frozenset({b"\x0e" * 48, b"\x0f" * 48}),
        "isv_svn": 2,
        "rtmr0": frozenset({b"\xaa" * 48}),
    }
    assert policy.evidence.maximum_age == timedelta(hours=1)
    assert policy.evidence.challenge is Choice.NOT_REQUIRED
    receipt = policy.receipt
    assert receipt is not None
    assert receipt.audience == frozenset({"https://shop.example"})
    assert receipt.maximum_age is Choice.NOT_REQUIRED
    assert receipt.nonce is Choice.REQUIRED
    assert receipt.circuits == {"balance_threshold": frozenset({b"\xcd" * 32})}
    assert receipt.providers == {"plaid-balance": frozenset({b"\xef" * 32, b"\xee" * 32})}
    assert receipt.added_roots == frozenset()
    assert receipt.isolation == {Isolation.REQUEST}


@pytest.mark.parametrize(
    ("path", "word", "field"),
    [
        ("receipt/audience", "not-required", "audience"),
        ("receipt/circuits", "built-in", "circuits"),
        ("receipt/providers", "any", "providers"),
        ("receipt/nonce", "not-required", "nonce"),
    ],
)
def test_what_is_not_required_is_said_in_a_word(path: str, word: str, field: str) -> None:
    assert getattr(Policy.from_json(changed(path, word)).receipt, field) == Choice(word)


@pytest.mark.parametrize(
    "document",
    [
        GOOD,
        changed("receipt", ...),
        changed("receipt/audience", "not-required"),
        changed("receipt/circuits", "built-in"),
        changed("receipt/providers", "any"),
        changed("receipt/maximum_age_seconds", 60),
        changed("receipt/added_roots", ["ab" * 32]),
        changed("evidence/challenge", "required"),
        changed("evidence/maximum_age_seconds", "not-required"),
    ],
)
def test_what_is_written_reads_as_the_same_policy(document: JsonObject) -> None:
    policy = Policy.from_json(document)
    assert Policy.from_json(policy.to_json()) == policy
    assert Policy.from_bytes(json.dumps(policy.to_json()).encode()) == policy


def test_a_policy_is_written_in_yaml() -> None:
    text = """
    version: adyton/policy/v1
    roots: {aws-nitro: built-in}
    platforms:
      nitro:
        debug: refused
        tcb: not-required
        measurements: not-required   # any code at all
    evidence: {maximum_age_seconds: 10800, challenge: required}
    """
    policy = Policy.from_bytes(text.encode())
    assert policy.receipt is None
    assert policy.evidence.challenge is Choice.REQUIRED


def test_a_root_may_be_given_as_its_certificate() -> None:
    der = FakeNitro().chain[0]
    pem = ssl.DER_cert_to_PEM_cert(der)
    policy = Policy.from_json(changed("roots/laptop", pem))
    assert policy.named_roots == {"laptop": hashlib.sha256(der).digest()}


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("version", "adyton/policy/v2", "policy.version is not"),
        ("version", ..., "policy lacks version"),
        ("roots", ..., "policy lacks roots"),
        ("platforms", ..., "policy lacks platforms"),
        ("evidence", ..., "policy lacks evidence"),
        ("extra", 1, "policy has the unknown field 'extra'"),
        ("roots", {}, "policy.roots has 0 entries"),
        ("roots", ["aws-nitro"], "policy.roots is not an object"),
        ("roots/aws-nitro", "ab" * 32, "policy.roots.aws-nitro is not built-in"),
        (
            "roots/laptop",
            "built-in",
            "policy.roots.laptop is not built in; built in is amd-genoa, ",
        ),
        ("roots/laptop", "AB" * 32, "policy.roots.laptop is not 32 bytes in lower-case"),
        ("roots/laptop", "ab" * 31, "policy.roots.laptop is not 32 bytes"),
        ("roots/laptop", "laptop", "policy.roots.laptop is not hexadecimal"),
        ("roots/laptop", None, "policy.roots.laptop is not a string"),
        (
            "roots/laptop",
            "-----BEGIN CERTIFICATE-----\nAAB=\n-----END CERTIFICATE-----\n",
            "policy.roots.laptop is not canonical base64",
        ),
        ("roots/", "ab" * 32, "policy.roots has a name of 0 characters"),
        ("platforms", {}, "policy.platforms has 0 entries"),
        ("platforms/sev", {}, "policy.platforms.sev is no platform; there are azure-attestation, "),
        ("platforms/nitro", "any", "policy.platforms.nitro is not an object"),
        ("platforms/nitro/debug", ..., "policy.platforms.nitro lacks debug"),
        ("platforms/nitro/debug", False, "nitro.debug is not refused or accepted"),
        ("platforms/nitro/debug", "allowed", "nitro.debug is not refused or accepted"),
        ("platforms/nitro/tcb", ..., "policy.platforms.nitro lacks tcb"),
        ("platforms/nitro/tcb", "required", "nitro.tcb is not not-required"),
        ("platforms/nitro/measurements", ..., "policy.platforms.nitro lacks measurements"),
        ("platforms/nitro/measurements", "any", "nitro.measurements is not an object"),
        ("platforms/nitro/measurements", {}, "nitro.measurements has 0 entries"),
        ("platforms/nitro/measurements/worker-0.1.0", {}, "worker-0.1.0 has 0 entries"),
        ("platforms/nitro/measurements/worker-0.1.0/pcr32", "0a" * 48, "pcr32 is no register"),
        ("platforms/nitro/measurements/worker-0.1.0/pcr00", "0a" * 48, "pcr00 is no register"),
        (
            "platforms/nitro/measurements/worker-0.1.0/PCR0",
            "0a" * 48,
            "PCR0 is no name of a measurement",
        ),
        ("platforms/nitro/measurements/worker-0.1.0/pcr0", "0a" * 47, "pcr0 has 47 bytes"),
        ("platforms/nitro/measurements/worker-0.1.0/pcr0", "0A" * 48, "pcr0 is not 48 bytes"),
        ("platforms/nitro/measurements/worker-0.1.0/pcr0", 1, "pcr0 is not a string"),
        ("platforms/nitro/extra", 1, "policy.platforms.nitro has the unknown field 'extra'"),
        ("evidence/maximum_age_seconds", ..., "policy.evidence lacks maximum_age_seconds"),
        ("evidence/maximum_age_seconds", 0, "maximum_age_seconds is not in"),
        ("evidence/maximum_age_seconds", -1, "maximum_age_seconds is not in"),
        ("evidence/maximum_age_seconds", 10**12, "maximum_age_seconds is not in"),
        ("evidence/maximum_age_seconds", "3600", "maximum_age_seconds is not an integer"),
        ("evidence/maximum_age_seconds", None, "maximum_age_seconds is not an integer"),
        ("evidence/challenge", True, "challenge is not required or not-required"),
        ("receipt", None, "policy.receipt is not an object"),
        ("receipt/extra", 1, "policy.receipt has the unknown field 'extra'"),
        *[
            (f"receipt/{name}", ..., f"policy.receipt lacks {name}")
            for name in (
                "audience",
                "maximum_age_seconds",
                "nonce",
                "circuits",
                "providers",
                "added_roots",
                "isolation",
            )
        ],
        ("proving/provers", [], "policy.proving.provers is empty"),
        ("proving/provers", "built-in", "policy.proving.provers is not an array"),
        ("proving/circuits", ["ab"], r"policy.proving.circuits\[0\] is not 32 bytes"),
        ("proving/nonce", ..., "policy.proving lacks nonce"),
        ("receipt/audience", [], "policy.receipt.audience is empty"),
        ("receipt/audience", ["a", "a"], "audience is empty, or has an item twice"),
        ("receipt/audience", [""], r"audience\[0\] is empty"),
        ("receipt/audience", "https://shop.example", "audience is not an array"),
        ("receipt/nonce", "maybe", "nonce is not required or not-required"),
        ("receipt/circuits", "any", "policy.receipt.circuits is not an object"),
        ("receipt/circuits", {"balance": []}, "circuits.balance is empty"),
        ("receipt/circuits", {"balance": ["ab"]}, r"circuits.balance\[0\] is not 32 bytes"),
        ("receipt/providers", "built-in", "policy.receipt.providers is not an object"),
        ("receipt/providers", {}, "policy.receipt.providers has 0 entries"),
        ("receipt/added_roots", ["ab" * 32, "ab" * 32], "added_roots is empty, or has an item"),
        ("receipt/added_roots", "any", "added_roots is not an array"),
        ("receipt/isolation", [], "isolation is empty"),
        ("receipt/isolation", ["none"], r"isolation\[0\] is not request or pooled"),
        ("receipt/isolation", [[]], r"isolation\[0\] is not request or pooled"),
    ],
)
def test_a_field_that_is_wrong_is_named_with_its_place(path: str, value: Any, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        Policy.from_json(changed(path, value))


def test_a_duplicate_field_is_refused() -> None:
    with pytest.raises(MalformedError, match="twice"):
        Policy.from_bytes(b"version: a\nversion: b\n")


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(MalformedError, match="policy is not an object"):
        Policy.from_bytes(b"[]")


@pytest.mark.parametrize(
    ("platform", "others"),
    [
        ("sgx", {"isv_prod_id": 1, "config_id": "0c" * 64}),
        ("tdx", {"rtmr0": "0a" * 48, "mr_config_id": "0b" * 48}),
        ("azure-tdx", {"pcr4": "0a" * 32, "rtmr0": "0a" * 48}),
        ("sev-snp", {"host_data": "0a" * 32, "vmpl": 0}),
        ("azure-sev-snp", {"pcr4": "0a" * 32, "pcr7": "0b" * 32}),
    ],
)
def test_a_reference_to_what_anybodys_code_can_have_is_malformed(
    platform: str, others: JsonObject
) -> None:
    accepted: JsonObject = {
        "debug": "refused",
        "tcb": "not-required",
        "measurements": {"mine": {**others}},
    }
    with pytest.raises(MalformedError, match="names none of"):
        Policy.from_json(changed("platforms", {platform: accepted}))
    launched = {"sgx": "mr_signer", "tdx": "mr_td", "azure-tdx": "mr_td"}
    named = {**others, launched.get(platform, "measurement"): "0d" * 32}
    accepted["measurements"] = {"mine": named}
    Policy.from_json(changed("platforms", {platform: accepted}))
