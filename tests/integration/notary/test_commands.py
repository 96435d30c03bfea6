"""Committing from the command line and from Python, against a gateway and a notary that run."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.javascript import JavaScript
from tests.fakes.notarized import NotarizedGateway
from tests.fakes.timestamps import StampServer

from adyton.appraisal.policy import Policy
from adyton.cli.app import run
from adyton.ledger.log_proof import LogProof
from adyton.sdk import AsyncClient, Client, Committed
from adyton.sdk.log import MOST_LOGGED
from adyton.verification.notary_policy import NotaryPolicy

DATA = b"what is committed"
# Accepts no worker at all: who commits asks none.
NOBODY = Policy.from_json(
    {
        "version": "adyton/policy/v1",
        "roots": {"aws-nitro": "built-in"},
        "platforms": {
            "nitro": {"debug": "refused", "tcb": "not-required", "measurements": "not-required"}
        },
        "evidence": {"maximum_age_seconds": 60, "challenge": "required"},
    }
)


@pytest.fixture(scope="module")
def gateway() -> Iterator[NotarizedGateway]:
    with NotarizedGateway() as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path, gateway: NotarizedGateway, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADYTON_URL", gateway.url)
    monkeypatch.setenv("ADYTON_API_KEY", gateway.key)
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two", "three"):
        Path(name).write_bytes(name.encode())
    return tmp_path


def test_files_are_committed_proven_and_verified(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["commit", "one", "two", "three", "--metadata", '{"for":"a test"}']) == 0
    assert run(["log", "prove", "two.proof.json"]) == 0
    beside = ["--file", "two", "--checkpoint", "two.tlog-proof", "--previous", "one.proof.json"]
    assert run(["verify", "two.proof.json", *beside]) == 0
    assert run(["log", "walk", "one.proof.json", "two.proof.json", "three.proof.json"]) == 0
    assert "one chain without gaps" in capsys.readouterr().out
    assert run(["log", "walk", "one.proof.json", "three.proof.json", "--complete"]) == 1
    assert run(["verify", "two.proof.json", "--file", "three"]) == 1
    assert LogProof.from_bytes(Path("two.tlog-proof").read_bytes()).extra == b""


def test_the_real_package_accepts_what_was_written(folder: Path) -> None:
    assert run(["commit", "one"]) == 0
    with JavaScript() as javascript:
        proof = Path("one.proof.json").read_bytes()
        assert javascript.verify(proof, b"one") == (True, "")
        assert javascript.canonical(proof) == proof


def test_a_proof_that_is_there_is_not_replaced(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["commit", "one"]) == 0
    before = Path("one.proof.json").read_bytes()
    assert run(["commit", "one", "two"]) == 2
    assert "--force" in capsys.readouterr().err
    assert Path("one.proof.json").read_bytes() == before
    assert not Path("two.proof.json").exists()
    assert run(["commit", "one", "--force", "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert shown["counter"] == json.loads(Path("one.proof.json").read_bytes())["commit"]["counter"]


def test_a_policy_that_refuses_the_notary_leaves_no_proof(folder: Path) -> None:
    Path("policy.json").write_text('{"requireEnforcement":"measured-tee"}')
    assert run(["commit", "one", "--policy", "policy.json"]) == 1
    assert not Path("one.proof.json").exists()


def test_a_checkpoint_extends_the_one_before(
    folder: Path, capsys: pytest.CaptureFixture[str], gateway: NotarizedGateway
) -> None:
    assert run(["commit", "one"]) == 0
    assert run(["log", "prove", "one.proof.json"]) == 0
    assert run(["log", "checkpoint", "--out", "old"]) == 0
    assert run(["commit", "two"]) == 0
    assert run(["log", "prove", "two.proof.json"]) == 0
    capsys.readouterr()
    assert run(["log", "checkpoint", "--old", "old", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert int(shown["extends"]) < int(shown["size"])
    other = "adyton.local/log+00000000+" + "A" * 44
    assert run(["log", "checkpoint", "--key", other]) == 2


def test_the_log_of_the_notary_is_walked(
    folder: Path, capsys: pytest.CaptureFixture[str], gateway: NotarizedGateway
) -> None:
    # More than is asked for at a time.
    with Client(gateway.url, api_key=gateway.key, policy=NOBODY) as client:
        client.commit([bytes(32)] * MOST_LOGGED)
    assert run(["commit", "one", "two"]) == 0
    assert run(["log", "prove", "two.proof.json"]) == 0
    capsys.readouterr()
    assert run(["log", "walk", "--json", "--complete"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["complete"] is True
    last = json.loads(Path("two.proof.json").read_bytes())["commit"]["counter"]
    assert shown["proofs"] == int(last) > MOST_LOGGED
    assert run(["log", "walk", "--first", "999999"]) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"name": "a package"}', "other.json is no notary's proof"),
        ("[]", "other.json has no proofs"),
        ("null", "other.json is no notary's proof"),
        ("not json", "other.json: not json"),
        ('[{"version": "provenclave/1"}]', "other.json, document 1 is no notary's proof"),
    ],
)
def test_a_file_that_is_no_proof_says_nothing_against_a_notary(
    text: str, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["commit", "one"]) == 0
    Path("other.json").write_text(text)
    capsys.readouterr()
    assert run(["log", "walk", "one.proof.json", "other.json"]) == 2
    found = capsys.readouterr()
    assert reason in found.err
    assert "honest" not in found.out


def test_a_place_in_the_log_is_stamped_by_an_authority(folder: Path) -> None:
    with StampServer() as server:
        assert run(["commit", "one"]) == 0
        assert run(["log", "prove", "one.proof.json", "--stamp", server.url]) == 0
        assert LogProof.from_bytes(Path("one.tlog-proof").read_bytes()).extra
    assert run(["log", "prove", "one.proof.json", "--stamp", server.url]) == 3


def test_a_notary_without_an_authority_has_no_stamped_checkpoint(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["commit", "one"]) == 0
    capsys.readouterr()
    assert run(["log", "checkpoint", "--stamped"]) == 3
    told = capsys.readouterr().err
    assert "stamp-unknown" in told
    assert "ADYTON_STAMP_AUTHORITY" in told


def test_both_clients_commit(gateway: NotarizedGateway) -> None:
    digests = [hashlib.sha256(bytes([number])).digest() for number in range(3)]
    with Client(gateway.url, api_key=gateway.key, policy=NOBODY) as client:
        first = client.commit(digests, key="the same")
        again = client.commit(digests, key="the same")

    async def committed() -> tuple[Committed, ...]:
        async with AsyncClient(gateway.url, api_key=gateway.key, policy=NOBODY) as client:
            return await client.commit(digests)

    last = asyncio.run(committed())
    assert [proof.proof for proof in first] == [proof.proof for proof in again]
    assert int(last[0].counter) > int(first[-1].counter)
    assert all(proof.verdict.accepted for proof in (*first, *last))


def test_evidence_of_the_notary_is_judged(gateway: NotarizedGateway) -> None:
    with gateway.client() as http:
        epochs = http.get("/v1/log/epochs").json()["epochs"]
    assert epochs[0]["attestation"]["format"] == "aws-nitro"
    with (
        Client(gateway.url, api_key=gateway.key, policy=NOBODY) as client,
        pytest.raises(Exception, match="does not hold"),
    ):
        client.commit([bytes(32)], policy=NotaryPolicy.of(evidence=NOBODY))
