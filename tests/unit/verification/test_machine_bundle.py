"""A machine's verdict repeated from one file, and told to others as an attestation result."""

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.nvidia import NOW
from tests.unit.verification.test_machine import (
    ASKED,
    DERIVED,
    NONCE,
    device,
    documents,
    policy,
    processor,
    vendor,
    verify,
)

from adyton.appraisal.ear import Ear, Tier, VerifierId, issue_ear, verify_ear
from adyton.codec.json import canonical
from adyton.crypto.ecdsa import Es256Key
from adyton.crypto.jwk import JwkSet
from adyton.crypto.jws import TokenSigner
from adyton.errors import MalformedError
from adyton.evidence.collateral import NO_COLLATERAL
from adyton.verification.bundle import Bundle
from adyton.verification.machine import Device, MachineVerdict
from adyton.verification.machine_bundle import MachineBundle
from adyton.verification.machine_result import machine_result


def bundle(*devices: Device) -> MachineBundle:
    single = Bundle(
        evidence=processor(), collateral=NO_COLLATERAL, policy=policy(), expected=ASKED, at=NOW
    )
    return MachineBundle(processor=single, devices=devices)


def record() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(bundle(device()).to_bytes())
    return made


@pytest.mark.parametrize("nonce", [DERIVED, NONCE], ids=["bound", "not bound"])
def test_a_machine_s_verdict_is_repeated_from_its_bundle(nonce: bytes) -> None:
    made = bundle(device(nonce=nonce), device("ls10", serial=8))

    again = MachineBundle.from_bytes(made.to_bytes())

    assert again == made
    assert again.to_bytes() == made.to_bytes()
    assert again.verify().to_json() == made.verify().to_json()
    assert again.verify().accepted is (nonce is DERIVED)


def test_golden_values_that_devices_share_stand_there_once() -> None:
    shared = documents(vendor("hopper", 7))
    made = bundle(*(Device(evidence=device().evidence, collateral=shared) for _ in range(3)))

    found = json.loads(made.to_bytes())

    assert len(found["collateral"]) == 1
    assert [item["collateral"] for item in found["devices"]] == [0, 0, 0]
    assert MachineBundle.from_bytes(made.to_bytes()) == made


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "adyton/machine-bundle/v2"}, "version"),
        ({"version": "adyton/bundle/v1"}, "version"),
        ({"devices": []}, "no devices"),
        ({"devices": [{"evidence": "AA==", "collateral": 1}]}, "none of those"),
        ({"devices": [{"evidence": "AA==", "collateral": -1}]}, "collateral"),
        ({"devices": [{"evidence": "AA==", "collateral": True}]}, "collateral"),
        ({"devices": [{"evidence": "!", "collateral": 0}]}, "evidence"),
        ({"devices": [{"evidence": "AA=="}]}, "lacks"),
        ({"devices": [{"evidence": "AA==", "collateral": 0}] * 65}, "limit"),
        ({"processor": {}}, "lacks"),
        ({"extra": 1}, "unknown"),
    ],
)
def test_what_is_no_bundle_of_a_machine_is_malformed(change: dict[str, Any], message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        MachineBundle.from_bytes(canonical({**record(), **change}))


def test_a_machine_without_devices_is_none() -> None:
    with pytest.raises(ValueError, match="devices"):
        bundle()


@given(st.data())
def test_any_bytes_are_a_machine_s_bundle_or_malformed(data: st.DataObject) -> None:
    text = bundle(Device(evidence=b"evidence")).to_bytes()
    place = data.draw(st.integers(0, len(text) - 1))
    cut = data.draw(st.binary(max_size=4))
    with suppress(MalformedError):
        MachineBundle.from_bytes(text[:place] + cut + text[place + len(cut) :])


def result(found: MachineVerdict) -> Ear:
    verdict, claims = found.processor
    alone = Ear.from_verdict(
        verdict,
        name="evidence" if claims is None else claims.technology.value,
        verifier=VerifierId(developer="test", build="1"),
        policy="sha256:ab",
    )
    return machine_result(alone, found)


def test_a_machine_is_a_result_with_a_submodule_for_each_of_its_parts() -> None:
    made = result(verify(device(), device("ls10", serial=8)))

    assert [*made.statuses] == ["nitro", "nvidia-gpu-1", "nvidia-switch-2"]
    # Nobody vouches for what is under a test's roots.
    assert made.status is Tier.WARNING
    assert set(made.policies.values()) == {("sha256:ab",)}

    signer = TokenSigner(Es256Key())
    keys = JwkSet.from_bytes(signer.public_set)
    read = verify_ear(issue_ear(made, signer=signer), keys=keys, at=NOW + timedelta(seconds=1))
    assert read.statuses == made.statuses
    assert read.vectors == made.vectors


def test_devices_that_are_bound_to_nothing_are_affirmed_by_nobody() -> None:
    made = result(verify(device(nonce=NONCE), device("ls10", serial=8)))

    assert made.statuses["nitro"] is Tier.WARNING
    assert made.statuses["nvidia-gpu-1"] is Tier.CONTRAINDICATED
    # Nor the one whose nonce was right: one of the two may be anybody's.
    assert made.statuses["nvidia-switch-2"] is Tier.CONTRAINDICATED
    assert made.status is Tier.CONTRAINDICATED


def test_one_bad_part_is_the_whole_machine_s_status() -> None:
    for found in (
        verify(device(), device(serial=8, values=[bytes(48)] * 64)),
        verify(device(), Device(evidence=b"{}")),
        verify(device(), evidence=b"nothing"),
    ):
        made = result(found)
        assert not found.accepted
        assert made.status in {Tier.CONTRAINDICATED, Tier.NONE}


def test_as_many_devices_as_a_machine_may_have_can_be_told() -> None:
    made = result(verify(*(Device(evidence=b"{}") for _ in range(64))))
    signer = TokenSigner(Es256Key())
    keys = JwkSet.from_bytes(signer.public_set)

    read = verify_ear(issue_ear(made, signer=signer), keys=keys, at=NOW)

    assert len(read.statuses) == 65
