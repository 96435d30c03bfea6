"""Stamped checkpoints from an authority over HTTP: asked by the gateway, verified offline."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.fakes.notarized import NotarizedGateway
from tests.fakes.timestamps import NOW, FakeAuthority, StampServer

from adyton.cli.app import run
from adyton.crypto.timestamp import read_timestamp
from adyton.ledger.log_proof import LogProof


@pytest.fixture(scope="module")
def authority() -> Iterator[StampServer]:
    with StampServer() as server:
        yield server


@pytest.fixture(scope="module")
def gateway(
    authority: StampServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NotarizedGateway]:
    roots = tmp_path_factory.mktemp("roots") / "roots.pem"
    roots.write_bytes(FakeAuthority().pem + authority.authority.pem)
    with NotarizedGateway(
        ADYTON_STAMP_AUTHORITY=authority.url,
        ADYTON_STAMP_ROOTS=str(roots),
        ADYTON_STAMP_EVERY_SECONDS="1",
    ) as started:
        yield started


@pytest.fixture
def folder(
    tmp_path: Path,
    gateway: NotarizedGateway,
    authority: StampServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    monkeypatch.setenv("ADYTON_URL", gateway.url)
    monkeypatch.setenv("ADYTON_API_KEY", gateway.key)
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        Path(name).write_bytes(name.encode())
    Path("roots.pem").write_bytes(authority.authority.pem)
    Path("other.pem").write_bytes(FakeAuthority().pem)
    for name in ("roots", "other"):
        Path(f"{name}.json").write_text(json.dumps(policy(Path(f"{name}.pem").read_text())))
    return tmp_path


def policy(root: str) -> object:
    log = {"keys": [], "inclusion": "required", "timestamp": "required", "authorities": [root]}
    return {
        "version": "adyton/notary-policy/v1",
        "signer": {},
        "artifact": "required",
        "predecessor": "not-required",
        "log": log,
        "evidence": "not-required",
    }


def committed(name: str) -> int:
    assert run(["commit", name]) == 0
    return int(json.loads(Path(f"{name}.proof.json").read_bytes())["commit"]["counter"])


def wait_for_stamp(gateway: NotarizedGateway, counter: int) -> dict[str, str]:
    deadline = time.monotonic() + 60
    with gateway.client() as client:
        while time.monotonic() < deadline:
            answer = client.get("/v1/log/stamp", params={"counter": counter})
            if answer.status_code == httpx.codes.OK:
                return dict(answer.json())
            assert (answer.status_code, answer.json()["code"]) == (404, "stamp-unknown")
            time.sleep(0.05)
    raise TimeoutError(gateway.log("gateway").read_text()[-2000:])


def metric(gateway: NotarizedGateway, name: str) -> float:
    with gateway.client() as client:
        lines = client.get("/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split(" ")[1])


def test_a_proof_has_the_notarys_own_stamp_verified_offline(
    folder: Path, gateway: NotarizedGateway, authority: StampServer
) -> None:
    found = wait_for_stamp(gateway, committed("one"))
    assert run(["log", "prove", "one.proof.json"]) == 0
    place = LogProof.from_bytes(Path("one.tlog-proof").read_bytes())
    assert place.note == found["checkpoint"].encode()
    assert place.extra == base64.b64decode(found["stampB64"])
    verify = ["verify", "one.proof.json", "--file", "one", "--checkpoint", "one.tlog-proof"]
    assert run([*verify, "--policy", "roots.json"]) == 0
    assert run([*verify, "--policy", "other.json"]) == 1
    # A stamp covers what was there before, and is found for that, too.
    counter = committed("two")
    wait_for_stamp(gateway, counter)
    assert run(["log", "prove", "one.proof.json"]) == 0
    again = LogProof.from_bytes(Path("one.tlog-proof").read_bytes())
    assert again == place
    assert metric(gateway, "adyton_stamped_size") >= counter
    assert metric(gateway, "adyton_stamps_made_total") >= 2


def test_the_newest_stamped_checkpoint_is_followed(
    folder: Path,
    gateway: NotarizedGateway,
    authority: StampServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["commit", "one"]) == 0
    assert run(["log", "checkpoint", "--out", "old"]) == 0
    wait_for_stamp(gateway, committed("two"))
    capsys.readouterr()
    asked = ["log", "checkpoint", "--stamped", "--old", "old", "--out", "new"]
    assert run([*asked, "--authority", "roots.pem", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["stampedAt"] == "2026-02-03T12:00:00Z"
    assert int(shown["extends"]) < int(shown["size"])
    stamp = Path("new.tsr").read_bytes()
    roots = [authority.authority.root]
    assert read_timestamp(stamp, message=Path("new").read_bytes(), authorities=roots) == NOW
    assert run(["log", "checkpoint", "--stamped"]) == 0
    assert "nobody checked whose" in capsys.readouterr().out
    assert run(["log", "checkpoint", "--stamped", "--authority", "other.pem"]) == 1
    assert run(["log", "checkpoint", "--authority", "roots.pem"]) == 2


def test_a_stamped_checkpoint_that_is_older_than_ones_own_is_its_beginning(
    folder: Path,
    gateway: NotarizedGateway,
    authority: StampServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stamped = int(wait_for_stamp(gateway, committed("one"))["checkpoint"].split("\n")[1])
    authority.respond = lambda _request: None
    try:
        assert committed("two") > stamped
        assert run(["log", "prove", "two.proof.json"]) == 0
        assert run(["log", "checkpoint", "--out", "own"]) == 0
        capsys.readouterr()
        assert run(["log", "checkpoint", "--stamped", "--old", "own", "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["extends"] is None
        assert int(shown["extendedBy"]) > int(shown["size"]) >= stamped
        assert run(["log", "checkpoint", "--stamped", "--old", "own"]) == 0
        assert "extends it" in capsys.readouterr().out
    finally:
        authority.respond = authority.authority.answer


def test_an_authority_that_is_away_or_lies_changes_nothing_and_stamps_outlive_the_gateway(
    folder: Path, gateway: NotarizedGateway, authority: StampServer
) -> None:
    first = committed("one")
    before = wait_for_stamp(gateway, first)
    for respond in (lambda _request: None, FakeAuthority().answer):
        authority.respond = respond
        failed = metric(gateway, "adyton_stamps_failed_total")
        counter = committed("two")
        deadline = time.monotonic() + 60
        while metric(gateway, "adyton_stamps_failed_total") == failed:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with gateway.client() as client:
            answer = client.get("/v1/log/stamp", params={"counter": counter})
            assert answer.status_code == httpx.codes.NOT_FOUND
        assert run(["log", "prove", "two.proof.json"]) == 0
        assert LogProof.from_bytes(Path("two.tlog-proof").read_bytes()).extra == b""
        gateway.kill("gateway")
        gateway.start("gateway")
        gateway.wait()
        assert wait_for_stamp(gateway, first) == before
        Path("two.proof.json").unlink()
    authority.respond = authority.authority.answer
    wait_for_stamp(gateway, counter)
