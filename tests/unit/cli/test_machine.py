"""``adyton evidence verify CPU --device GPU``: all of it printed, and all of it needed."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.nvidia import NOW
from tests.unit.verification.test_machine import (
    COMMITMENT,
    NONCE,
    documents,
    item,
    policy,
    processor,
    vendor,
)

from adyton.appraisal.ear import Tier, verify_ear
from adyton.cli.app import run
from adyton.cli.collateral import one_of
from adyton.codec.json import canonical
from adyton.crypto.ecdsa import Es256Key
from adyton.crypto.jwk import JwkSet
from adyton.crypto.jws import TokenSigner
from adyton.errors import MalformedError
from adyton.evidence.nvidia.serialized import read_evidence
from adyton.sdk.evidence import verify_machine


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Return a processor, two GPUs in one file, a switch, and what is published for both."""
    gpus = [vendor("hopper", serial) for serial in (7, 8)]
    switch = vendor("ls10", 9)
    contents = {
        "cpu": processor(),
        "gpus": json.dumps({"evidences": [item(gpu) for gpu in gpus]}).encode(),
        "other": json.dumps([item(switch, nonce=NONCE)]).encode(),
        "switch": json.dumps([item(switch)]).encode(),
        "first.json": documents(gpus[0]).to_bytes(),
        "second.json": documents(gpus[1]).to_bytes(),
        "switch.json": documents(switch).to_bytes(),
        "policy": canonical(policy().to_json()),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: tmp_path / name for name in contents}


def judge(files: dict[str, Path], *more: str) -> int:
    given = ("--policy", str(files["policy"]), "--at", f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
    asked = ("--report-data", COMMITMENT.hex())
    names = [str(files[word[1:]]) if word.startswith("@") else word for word in more]
    return run(["evidence", "verify", str(files["cpu"]), *given, *asked, *names])


BESIDE = ("--device-collateral", "@first.json", "--device-collateral", "@second.json")
BOTH = ("--device", "@gpus", *BESIDE)
ALL = (*BOTH, "--device", "@switch", "--device-collateral", "@switch.json")


def test_a_machine_is_accepted_and_all_of_it_is_printed(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(files, *ALL) == 0
    out = capsys.readouterr().out
    for word in ("processor", "device 1", "device 3", "nvidia-switch", "derived"):
        assert word in out
    assert "the machine is acceptable" in out


def test_a_machine_as_json_has_every_verdict(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(files, *ALL, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["accepted"] is True
    assert shown["processor"]["claims"]["technology"] == "nitro"
    assert [device["claims"]["instance"] for device in shown["devices"]] == ["7", "8", "9"]
    assert shown["binding"]["form"] == "derived"
    assert "in this processor's machine" in shown["binding"]["does_not_establish"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (("--device", "@other", "--device-collateral", "@switch.json"), "another nonce"),
        ((*BOTH, "--device", "@gpus", *BESIDE), "stands there twice"),
        (("--device", "@policy"), "not authentic"),
        (("--device", "@gpus"), "golden values"),
    ],
    ids=["nonce", "twice", "no device", "no golden values"],
)
def test_what_one_device_lacks_is_said_and_refused(
    files: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
    given: tuple[str, ...],
    reason: str,
) -> None:
    assert judge(files, *given) == 1
    assert reason in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "given",
    [
        ("--device-collateral", "@first.json"),
        ("--device", "@switch", *BESIDE),
        (*BOTH, "--ear-key", "@gpus"),
    ],
    ids=["without a device", "too many", "no key"],
)
def test_options_that_do_not_go_together_are_refused(
    files: dict[str, Path], given: tuple[str, ...]
) -> None:
    before = {name: path.read_bytes() for name, path in files.items()}
    assert judge(files, *given) == 2
    assert {name: path.read_bytes() for name, path in files.items()} == before


def test_a_bundle_of_a_machine_repeats_its_verdict(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "machine.json"
    for given, code in ((ALL, 0), ((*BOTH, "--device", "@other"), 2), (("--device", "@other"), 1)):
        saved.unlink(missing_ok=True)
        assert judge(files, *given, "--json", "--bundle", str(saved)) == code
        first = capsys.readouterr().out
        assert saved.exists() is (code != 2)
        if saved.exists():
            assert run(["evidence", "verify", str(saved), "--json"]) == code
            assert json.loads(capsys.readouterr().out) == json.loads(first)


@pytest.mark.parametrize(
    "given",
    [("--policy", "@policy"), ("--nonce", "00" * 32), ("--ear-key", "@key"), ("--device", "@gpus")],
    ids=["a policy", "a nonce", "a key", "devices"],
)
def test_nothing_is_added_to_a_bundle_of_a_machine(
    files: dict[str, Path], tmp_path: Path, given: tuple[str, str]
) -> None:
    saved = tmp_path / "machine.json"
    (tmp_path / "key").write_bytes(Es256Key().to_pem())
    assert judge(files, *ALL, "--bundle", str(saved)) == 0
    value = str(tmp_path / given[1][1:]) if given[1].startswith("@") else given[1]

    assert run(["evidence", "verify", str(saved), given[0], value]) == 2


def test_a_machine_is_told_as_an_attestation_result(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = Es256Key()
    (tmp_path / "key").write_bytes(key.to_pem())
    keys = JwkSet.from_bytes(TokenSigner(key).public_set)

    bare = ("--device", "@gpus")
    for given, code, status in ((ALL, 0, Tier.WARNING), (bare, 1, Tier.CONTRAINDICATED)):
        assert judge(files, *given, "--json", "--ear-key", str(tmp_path / "key")) == code
        found = verify_ear(json.loads(capsys.readouterr().out)["ear"], keys=keys, at=NOW)
        assert {"nitro", "nvidia-gpu-1", "nvidia-gpu-2"} <= found.statuses.keys()
        assert found.status is status
        assert len(set(found.policies.values())) == 1


def test_from_python_it_is_the_same(files: dict[str, Path]) -> None:
    given: dict[str, Any] = {
        "policy": files["policy"],
        "report_data": COMMITMENT,
        "at": NOW,
        "device_collateral": [files[name] for name in ("first.json", "second.json", "switch.json")],
    }
    devices: list[bytes | Path] = [files["gpus"], files["switch"].read_bytes()]
    assert verify_machine(files["cpu"], devices=devices, **given).accepted
    with pytest.raises(MalformedError, match="collateral"):
        verify_machine(files["cpu"], devices=[*devices, *devices], **given)


def test_one_device_of_a_file_is_fetched_for(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    data = files["gpus"].read_bytes()
    assert [read_evidence(one_of(data, n)) for n in (1, 2)] == [(n,) for n in read_evidence(data)]
    fetch = ("evidence", "collateral", "fetch", str(files["gpus"]))
    assert run([*fetch, "--device", "3"]) == 2
    assert "the file has 2" in capsys.readouterr().err
