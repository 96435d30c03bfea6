"""A processor and its devices: all acceptable, all bound, or the reason why not."""

import base64
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.flips import flipped
from tests.fakes.intel import FakeIntel
from tests.fakes.nitro import FakeNitro
from tests.fakes.nvidia import NOW, FakeNvidia, Generation

from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError
from adyton.evidence.collateral import Collateral
from adyton.evidence.nvidia.binding import BindingForm, device_nonce
from adyton.model.verdict import LayerName, Status
from adyton.verification.machine import Device, MachineVerdict, devices_of, verify_machine

NITRO, INTEL = FakeNitro(), FakeIntel()
COMMITMENT = sha256(b"what the processor's code commits to")
NONCE = sha256(b"what the verifier sent")
DERIVED = device_nonce(COMMITMENT)
ASKED = Expected(report_data=COMMITMENT, challenge=COMMITMENT, asked=COMMITMENT)


@cache
def vendor(generation: Generation, serial: int) -> FakeNvidia:
    return FakeNvidia(generation, boot={"serial": serial})


def file(maker: FakeNvidia, **changes: Any) -> bytes:
    return json.dumps([item(maker, **changes)]).encode()


def item(maker: FakeNvidia, **changes: Any) -> dict[str, str]:
    pem = "".join(
        f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"
        for text in (base64.encodebytes(der).decode() for der in maker.chain[::-1])
    )
    report = maker.transcript(**{"nonce": DERIVED, **changes})
    return {
        "evidence": base64.b64encode(report).decode(),
        "certificate": base64.b64encode(pem.encode()).decode(),
    }


def documents(maker: FakeNvidia) -> Collateral:
    return Collateral(nvidia=maker.collateral())


def device(
    generation: Generation = "hopper", *, serial: int = 7, bare: bool = False, **changes: Any
) -> Device:
    maker = vendor(generation, serial)
    collateral = Collateral() if bare else documents(maker)
    return Device(evidence=file(maker, **changes), collateral=collateral)


def policy(**evidence: Any) -> Policy:
    vendors = [vendor("hopper", n) for n in (7, 8)] + [vendor("ls10", n) for n in (8, 9)]
    named = [NITRO.root_sha256, *INTEL.roots.values()]
    for maker in vendors:
        named += [*maker.roots.values(), *maker.rim_roots.values()]
    return Policy.from_json(
        {
            "version": "adyton/policy/v1",
            "roots": {f"fake-{n}": root.hex() for n, root in enumerate(named)},
            "platforms": {
                "insecure": {
                    "debug": "refused",
                    "tcb": "not-required",
                    "measurements": "not-required",
                }
            },
            "evidence": {
                "maximum_age_seconds": 600,
                "challenge": "required",
                **evidence,
            },
        }
    )


def processor(**changes: Any) -> bytes:
    return NITRO.document({**NITRO.fields(), "user_data": COMMITMENT, **changes})


def verify(
    *devices: Device,
    evidence: bytes | None = None,
    expected: Expected = ASKED,
    rules: Policy | None = None,
) -> MachineVerdict:
    return verify_machine(
        processor() if evidence is None else evidence,
        devices=devices,
        policy=rules or policy(),
        expected=expected,
        at=NOW,
    )


def codes(verdict: MachineVerdict) -> set[str]:
    return {finding.code for finding in verdict.reasons}


def test_a_processor_and_its_devices_are_accepted_together() -> None:
    found = verify(device(), device("ls10", serial=8))
    assert found.accepted, found.reasons
    assert found.reasons == ()
    assert [claims.instance for _, claims in found.devices if claims is not None] == ["7", "8"]
    assert found.bound is not None
    assert (found.bound.form, found.bound.commitment) == (BindingForm.DERIVED, COMMITMENT)
    shown = found.to_json()
    assert (shown["accepted"], shown["subject"]) == (True, "machine")
    assert shown["binding"]["status"] == "passed"  # type: ignore[index,call-overload]  # json
    assert shown["binding"]["devices"] == ["7", "8"]  # type: ignore[index,call-overload]  # json


def test_a_trust_domain_commits_with_its_report_data() -> None:
    quote = INTEL.quote("tdx")
    over = verify(device(), evidence=quote).processor[1]
    assert over is not None
    assert over.report_data is not None
    data = over.report_data
    expected = Expected(report_data=data, challenge=data, asked=data)
    found = verify(device(nonce=device_nonce(data)), evidence=quote, expected=expected)
    assert found.accepted, found.reasons


def test_the_same_nonce_for_both_binds() -> None:
    expected = Expected(nonce=NONCE, challenge=NONCE, asked=NONCE)
    evidence = processor(nonce=NONCE, user_data=None)
    found = verify(device(nonce=NONCE), evidence=evidence, expected=expected)
    assert found.accepted, found.reasons
    assert found.bound is not None
    assert found.bound.form is BindingForm.EQUAL


@pytest.mark.parametrize(
    ("devices", "code"),
    [
        pytest.param([device(nonce=NONCE)], "device-binding-rejected", id="another nonce"),
        pytest.param(
            [device(), device(serial=8, nonce=COMMITMENT)],
            "evidence-nonce-mismatch",
            id="two forms",
        ),
        pytest.param([device(), device()], "device-binding-rejected", id="one device twice"),
        pytest.param(
            [Device(evidence=processor())], "device-binding-rejected", id="a processor as a device"
        ),
        pytest.param([device(), Device(evidence=b"{}")], "evidence-format-unknown", id="no device"),
        pytest.param([device(bare=True)], "rim-missing", id="no golden values"),
        pytest.param(
            [device(values=[bytes(48)] * 64)], "golden-value-differs", id="other firmware"
        ),
    ],
)
def test_what_one_device_lacks_the_machine_lacks(devices: list[Device], code: str) -> None:
    found = verify(*devices)
    assert not found.accepted
    assert code in codes(found)
    assert found.processor[0].accepted


def test_a_signature_that_does_not_hold_leaves_nothing_to_bind() -> None:
    maker = vendor("hopper", 7)
    broken = item(maker)
    report = bytearray(base64.b64decode(broken["evidence"]))
    report[-1] ^= 1
    broken["evidence"] = base64.b64encode(report).decode()
    bad = Device(evidence=json.dumps([broken]).encode())
    found = verify(device(serial=8), bad)
    assert not found.accepted
    assert (found.binding.status, found.bound) == (Status.NOT_EVALUATED, None)
    assert "signature-rejected" in codes(found)
    # The other one is judged all the same.
    assert found.devices[0][0].accepted


def test_a_processor_that_can_be_looked_into_brings_no_device_with_it() -> None:
    evidence = processor(pcrs=dict.fromkeys(range(16), bytes(48)))
    found = verify(device(), evidence=evidence)
    assert not found.accepted
    assert "debug-mode" in codes(found)
    assert found.binding.status is Status.PASSED


def test_a_processor_that_is_not_authentic_commits_to_nothing() -> None:
    found = verify(device(), evidence=flipped(processor()))
    assert not found.accepted
    assert found.binding.status is Status.NOT_EVALUATED
    assert not found.devices[0][0].accepted


@pytest.mark.parametrize("binding", [{}, {"binding": "not-required"}], ids=["named", "any"])
def test_a_device_without_an_authentic_processor_is_never_accepted(binding: dict[str, str]) -> None:
    lenient = {"maximum_age_seconds": "not-required", "challenge": "not-required"}
    found = verify(device(), evidence=b"nothing", rules=policy(**lenient, **binding))
    assert not found.devices[0][0].accepted


def test_a_device_stands_in_no_processors_place() -> None:
    gpu = device(nonce=COMMITMENT)
    expected = Expected(nonce=COMMITMENT, challenge=COMMITMENT, asked=COMMITMENT)
    found = verify(device("ls10", serial=8), evidence=gpu.evidence, expected=expected)
    assert not found.accepted
    assert found.binding.findings[0].code == "device-binding-rejected"


@pytest.mark.parametrize("commitment", [bytes(32), COMMITMENT[:31]], ids=["zeros", "short"])
def test_nothing_is_bound_to_a_weak_commitment(commitment: bytes) -> None:
    found = verify(
        device(nonce=device_nonce(commitment)),
        evidence=processor(user_data=commitment),
        expected=Expected(report_data=commitment, challenge=commitment, asked=commitment),
    )
    assert not found.accepted
    assert found.bound is None


def test_a_device_is_no_younger_than_what_the_processor_commits_to() -> None:
    """The processor's nonce is fresh; its report data, over which the device is, may be old."""
    evidence = processor(nonce=NONCE)
    expected = Expected(nonce=NONCE, challenge=NONCE, asked=NONCE)
    found = verify(device(), evidence=evidence, expected=expected)
    assert found.processor[0].accepted
    assert not found.accepted
    assert codes(found) == {"challenge-missing"}
    aged = policy(challenge="not-required")
    found = verify(device(), evidence=evidence, expected=expected, rules=aged)
    assert codes(found) == {"evidence-age-unknown"}
    any_age = policy(challenge="not-required", maximum_age_seconds="not-required")
    assert verify(device(), evidence=evidence, expected=expected, rules=any_age).accepted


def test_what_a_policy_binds_is_the_processor() -> None:
    rules = policy(binding={"report_data": COMMITMENT.hex()})
    assert verify(device(), rules=rules).accepted
    other = policy(binding={"report_data": NONCE.hex()})
    found = verify(device(), rules=other)
    assert codes(found) >= {"report-data-mismatch"}
    assert not found.accepted


def test_a_processor_over_something_else_than_was_asked_is_refused() -> None:
    expected = Expected(report_data=NONCE, challenge=NONCE, asked=NONCE)
    found = verify(device(), expected=expected)
    assert not found.accepted
    assert not found.devices[0][0].accepted


def test_a_file_of_many_devices_is_many_devices() -> None:
    makers = [vendor("hopper", 7), vendor("hopper", 8)]
    listed = {
        "nonce": DERIVED.hex(),
        "evidences": [item(maker) for maker in makers],
    }
    makers.append(vendor("ls10", 9))
    files = [json.dumps(listed).encode(), file(makers[2])]
    devices = devices_of(files, collateral=[documents(maker) for maker in makers])
    assert len(devices) == 3
    found = verify(*devices)
    assert found.bound is not None
    assert found.bound.devices == ("7", "8", "9")
    assert found.accepted
    listed["nonce"] = NONCE.hex()
    pieces = devices_of([json.dumps(listed).encode()], collateral=[Collateral()])
    assert not any(verdict.accepted for verdict, _ in verify(*pieces).devices)


@pytest.mark.parametrize("data", [b"", b"\0", b"[", b"[]", b"[{}]", b"[1]", b'{"evidences": 1}'])
def test_what_is_no_file_of_devices_is_refused_as_one_piece(data: bytes) -> None:
    (piece,) = devices_of([data], collateral=[Collateral()])
    found = verify(piece)
    assert not found.accepted
    assert found.devices[0][1] is None


def test_a_machine_has_its_bounds() -> None:
    with pytest.raises(MalformedError, match="64"):
        devices_of([b"x"] * 65, collateral=[Collateral()])
    with pytest.raises(MalformedError, match="64"):
        devices_of([], collateral=[Collateral()])
    for number in (0, 3):
        with pytest.raises(MalformedError, match="collateral for"):
            devices_of([b"x"] * 2, collateral=[Collateral()] * number)
    with pytest.raises(ValueError, match="devices"):
        verify()


GOOD = device()


@given(st.binary(max_size=256), st.binary(max_size=256))
def test_any_bytes_give_a_verdict(cpu: bytes, gpu: bytes) -> None:
    assert not verify(Device(evidence=gpu), evidence=cpu).accepted


@given(st.integers(0, len(GOOD.evidence) - 1), st.integers(1, 255))
def test_no_changed_byte_of_a_device_brings_another_one(place: int, change: int) -> None:
    data = bytearray(GOOD.evidence)
    data[place] ^= change
    found = verify(*devices_of([bytes(data)], collateral=[GOOD.collateral]))
    # The file around the report is nobody's word: what was signed is the same, or it is refused.
    if found.accepted:
        assert found.bound == verify(GOOD).bound


def test_each_verdict_has_the_five_parts() -> None:
    found = verify(device())
    for verdict, _ in (found.processor, *found.devices):
        assert len(verdict.layer(LayerName.EVIDENCE).parts) == 5
