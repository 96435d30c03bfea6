"""Every template accepts nothing as it is written, and the right evidence once it is filled in."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from tests.fakes.nitro import NOW
from tests.fakes.nvidia import FakeNvidia
from tests.fakes.tokens import NONCE
from tests.unit.appraisal.test_policy_schema import SCHEMA
from tests.unit.verification.test_evidence import (
    AMD,
    CASES,
    GOOGLE,
    GPU,
    ITA,
    NITRO,
    NRAS,
    SWITCH,
    amd_collateral,
    codes,
    judged,
)

from adyton.appraisal.document import Choice
from adyton.appraisal.platforms import Reference
from adyton.appraisal.policy import Policy
from adyton.cli.app import run
from adyton.cli.policy_templates import TEMPLATES
from adyton.codec import yaml
from adyton.errors import MalformedError
from adyton.evidence.collateral import Collateral
from adyton.model.claims import Claims, Platform
from adyton.model.verdict import Verdict
from adyton.sdk.evidence import expectation
from adyton.verification.pipeline import verify_evidence

REGISTER: Final = re.compile(r'(\w+): "FILL-IN: (\d+) hexadecimal digits"')
DEVICES: Final[Mapping[str, FakeNvidia]] = {"nvidia-gpu": GPU, "nvidia-switch": SWITCH}
# Where a worker runs: only there are receipts.
WITH_RECEIPTS: Final = {"nitro", "sgx"}


class Shown(NamedTuple):
    """Evidence, and what it is verified with."""

    evidence: bytes
    roots: Mapping[str, bytes]
    collateral: Collateral


def like(technology: str, **changes: Any) -> Shown:
    # The last of a technology comes with all that its vendor publishes.
    case = [case for case in CASES if case.technology == technology][-1]
    return Shown(case.evidence, case.roots, case.collateral)._replace(**changes)


def with_registers(*values: bytes) -> bytes:
    return NITRO.document(NITRO.fields(pcrs=..., nitrotpm_pcrs=dict(enumerate(values))))


SHOWN: Final[Mapping[str, Shown]] = {
    "nitro": like("nitro"),
    "nitro-tpm": like("nitro", evidence=with_registers(*(bytes([n]) * 48 for n in range(24)))),
    "sgx": like("sgx"),
    "tdx": like("tdx"),
    "sev-snp": Shown(AMD.report(), AMD.roots, amd_collateral(crl=AMD.crl())),
    "azure-tdx": like("azure-tdx"),
    "azure-sev-snp": like("azure-sev-snp", collateral=amd_collateral(vek=None, crl=AMD.crl())),
    "nvidia-gpu": like("nvidia-gpu"),
    "nvidia-switch": like("nvidia-switch"),
    "intel-trust-authority": like(
        "intel-trust-authority",
        evidence=ITA.mint(attester_tcb_status="UpToDate", attester_advisory_ids=[]),
    ),
    "azure-attestation": like("azure-attestation"),
    "google-confidential-space": like(
        "google-confidential-space", evidence=GOOGLE.mint(eat_nonce=[NONCE.hex()])
    ),
    "nvidia-nras": like("nvidia-nras"),
}


def claims_of(shown: Shown) -> Claims:
    _, claims = judged(shown.evidence, dict(shown.roots), shown.collateral)
    assert claims is not None
    return claims


def filled(platform: str) -> str:
    """Return a template as its reader fills it in: with what evidence like his has."""
    shown = SHOWN[platform]
    claims = claims_of(shown)

    def value(found: re.Match[str]) -> str:
        measured = claims.measurements[found[1]]
        assert len(measured.hex()) == int(found[2])
        return f'{found[1]}: "{measured.hex()}"'

    text = REGISTER.sub(value, TEMPLATES[platform])
    text = re.sub(r"(\w+): FILL-IN(?=[,}])", lambda of: f"{of[1]}: {claims.numbers[of[1]]}", text)
    for issuer, digest in shown.roots.items():
        asked = rf'"(FILL-IN: )?{re.escape(issuer)}": "FILL-IN: 64 hexadecimal digits"'
        text = re.sub(asked, f'"{issuer}": "{digest.hex()}"', text)
    # Unquoted: what was asked for is a word or a number, and not a text.
    text = text.replace('"FILL-IN: a number"', str(claims.numbers.get("isv_prod_id")))
    text = text.replace('"FILL-IN: not-required"', "not-required")
    return text.replace("FILL-IN: https://you.example", "https://relying.example")


def verdict_on(shown: Shown, policy: Policy) -> Verdict:
    """Return the verdict under a template, with a fake's roots in the place of its vendor's."""
    claims = claims_of(shown)
    (accepted,) = policy.platforms.values()
    verdict, _ = verify_evidence(
        shown.evidence,
        policy=replace(
            policy,
            vendor_roots=frozenset(),
            named_roots=shown.roots,
            platforms={claims.platform: accepted},
        ),
        # Hardware's evidence is as young as what was sent for it, as on the command line.
        expected=expectation(report_data=claims.report_data, nonce=claims.nonce, public_key=None),
        at=NOW,
        collateral=shown.collateral,
    )
    return verdict


def test_there_is_a_template_for_every_platform_that_vouches_and_the_help_names_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {*TEMPLATES, "insecure"} == set(Platform)
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["policy", "init", "--help"]) == 0
    said = re.findall(r"[a-z-]+", capsys.readouterr().out)
    assert [name for name in TEMPLATES if name not in said] == []


@pytest.mark.parametrize("platform", TEMPLATES)
def test_a_template_accepts_nothing_until_it_is_filled_in(platform: str) -> None:
    with pytest.raises(MalformedError, match="fill in what still says FILL-IN"):
        Policy.from_bytes(TEMPLATES[platform].encode())


@pytest.mark.parametrize("platform", TEMPLATES)
def test_a_template_that_is_filled_in_is_a_policy_for_its_platform_alone(platform: str) -> None:
    text = filled(platform).encode()
    SCHEMA.validate(yaml.loads(text, limit_bytes=len(text)))
    policy = Policy.from_bytes(text)
    assert [name.value for name in policy.platforms] == [platform]
    assert (policy.receipt is not None) is (platform in WITH_RECEIPTS)
    assert (policy.proving is not None) is (platform in WITH_RECEIPTS)
    shown = SHOWN[platform]
    # Whose root it is, the policy says by the vendor's name, or by the digest of a key set.
    assert policy.vendor_roots or policy.named_roots == shown.roots


@pytest.mark.parametrize("platform", TEMPLATES)
def test_a_template_that_is_filled_in_accepts_the_right_evidence(platform: str) -> None:
    verdict = verdict_on(SHOWN[platform], Policy.from_bytes(filled(platform).encode()))
    assert codes(verdict) == {}
    assert verdict.accepted


@pytest.mark.parametrize(
    ("platform", "register"),
    [
        (platform, found[1])
        for platform, text in TEMPLATES.items()
        for found in REGISTER.finditer(text)
    ],
)
def test_another_value_of_each_measurement_in_a_template_is_refused(
    platform: str, register: str
) -> None:
    policy = Policy.from_bytes(filled(platform).encode())
    (name, accepted) = next(iter(policy.platforms.items()))
    assert not isinstance(accepted.references, Choice)
    (reference,) = accepted.references
    (value,) = reference.measurements[register]  # type: ignore[misc]  # bytes, and no number
    other = {**reference.measurements, register: frozenset({bytes([value[0] ^ 1]) + value[1:]})}
    refused = replace(accepted, references=(Reference(name="other", measurements=other),))
    verdict = verdict_on(SHOWN[platform], replace(policy, platforms={name: refused}))
    assert codes(verdict) == {"identity": ["measurement-rejected"]}


@pytest.mark.parametrize("platform", DEVICES)
def test_a_device_that_measured_something_else_is_refused_by_its_golden_values(
    platform: str,
) -> None:
    vendor = DEVICES[platform]
    values = vendor.values()
    values[1] = bytes([values[1][0] ^ 1]) + values[1][1:]
    other = SHOWN[platform]._replace(
        evidence=vendor.file(transcript=vendor.transcript(values=values))
    )
    verdict = verdict_on(other, Policy.from_bytes(filled(platform).encode()))
    assert "golden-value-differs" in codes(verdict)["configuration"]


def test_a_device_whose_measurements_the_service_refuses_is_refused() -> None:
    devices = {"GPU-0": NRAS.device("GPU-0", measres="fail")}
    other = SHOWN["nvidia-nras"]._replace(evidence=NRAS.bundle(devices=devices))
    verdict = verdict_on(other, Policy.from_bytes(filled("nvidia-nras").encode()))
    assert codes(verdict) == {"configuration": ["service-check-failed"]}


def test_a_token_that_is_for_somebody_else_is_refused() -> None:
    token = GOOGLE.mint(eat_nonce=[NONCE.hex()], aud="https://somebody.example")
    other = SHOWN["google-confidential-space"]._replace(evidence=token)
    policy = Policy.from_bytes(filled("google-confidential-space").encode())
    assert codes(verdict_on(other, policy)) == {"configuration": ["expression-rejected"]}


@pytest.mark.parametrize("platform", TEMPLATES)
def test_a_template_is_written_and_what_it_says_is_shown(
    platform: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "policy.yaml"
    assert run(["policy", "init", "--platform", platform, "--out", str(out)]) == 0
    assert out.read_text() == TEMPLATES[platform]
    out.write_text(filled(platform))
    assert run(["policy", "check", str(out)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"platform {platform}: " in shown
    assert ("firmware of any age" in shown) is ("tcb: not-required" in TEMPLATES[platform])
