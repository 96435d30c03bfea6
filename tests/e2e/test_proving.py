"""Delegated proofs through real processes: restarts, callers that vanish, and the command line."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from tests.integration.delegation.conftest import artifact, inputs, key
from tests.integration.tee_rex.sealing import seal

from adyton.cli.local import LocalStack
from adyton.codec.json import as_object
from adyton.codec.text import to_base64
from adyton.crypto.hpke import SealSuite
from adyton.model.proving import MEDIA_TYPE, Target
from adyton.model.proving_job import UltraHonkJob
from adyton.sdk import Client, noir_job
from adyton.sdk.proving import Mode
from adyton.sdk.sealing import sealed_proving
from adyton.sdk.session import now

SOON = 30.0
EXAMPLE = Path(__file__).parents[2] / "examples" / "adult"


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(ADYTON_CORES="2", ADYTON_PROVE_AT_ONCE="1") as stack:
        yield stack


@pytest.fixture
def client(stack: LocalStack) -> Iterator[Client]:
    with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
        yield client


@pytest.fixture(autouse=True)
def recovered(stack: LocalStack) -> Iterator[None]:
    """After each test the next proof is made, and no prover is left over at work."""
    yield
    with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
        assert client.prove(quick()).is_attested


def quick() -> UltraHonkJob:
    return noir_job(artifact(), inputs=inputs().values, key=key())


def slow() -> UltraHonkJob:
    """The same, with a key that has to be computed first."""
    return noir_job(artifact(), inputs=inputs().values)


class Sender:
    """Sends requests without waiting for them."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
            self.public_key = client.worker().sealing_key(SealSuite.X25519)
        self.headers = {"authorization": f"Bearer {stack.api_key}"}

    def sealed(self, job: UltraHonkJob) -> bytes:
        return sealed_proving(
            job,
            target=Target.EVM,
            nonce=os.urandom(8).hex(),
            audience="",
            public_key=self.public_key,
            suite=SealSuite.X25519,
            now=now(),
        ).to_bytes()

    def job(self, job: UltraHonkJob) -> str:
        response = httpx.post(
            f"{self.stack.url}/v1/prove?mode=job",
            content=self.sealed(job),
            headers={**self.headers, "content-type": MEDIA_TYPE},
        )
        assert response.status_code == 202, response.text
        return str(response.json()["job"])

    def until(self, job: str, *states: str) -> dict[str, Any]:
        """Return a job once it is in one of ``states``."""
        deadline = time.monotonic() + SOON
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                url = f"{self.stack.url}/v1/jobs/{job}"
                document: dict[str, Any] = httpx.get(url, headers=self.headers).json()
                if document.get("state") in states:
                    return document
            time.sleep(0.02)
        raise AssertionError(f"the job was not {states} in time")


@pytest.fixture
def sender(stack: LocalStack) -> Sender:
    return Sender(stack)


def at_work(stack: LocalStack) -> list[psutil.Process]:
    """The provers that compute at this moment."""
    found = []
    for process in psutil.Process(stack.pids["worker"]).children(recursive=True):
        with suppress(psutil.Error):
            is_prover = "msgpack" in process.cmdline()
            if is_prover and sum(process.cpu_times()[:2]) > 0.05:
                found.append(process)
    return found


def test_all_modes_have_one_call_and_one_kind_of_result(client: Client) -> None:
    with pytest.warns(UserWarning, match="no evidence"):
        remote = client.prove(quick(), mode="remote")
    attested, local = client.prove(quick()), client.prove(quick(), mode="local")

    assert [each.mode for each in (local, remote, attested)] == list(Mode)
    assert [each.is_attested for each in (local, remote, attested)] == [False, False, True]
    assert local.public_inputs == remote.public_inputs == attested.public_inputs
    assert local.circuit == attested.circuit


def test_nothing_of_a_witness_is_in_any_file(
    stack: LocalStack, client: Client, sender: Sender, tmp_path: Path
) -> None:
    # The salt is the private input that can be nothing else by chance.
    salt = int.from_bytes(hashlib.sha256(b"a salt that is looked for").digest()[:30])
    marked = noir_job(artifact(), inputs=inputs(salt=str(salt)).values, key=key())
    client.prove(marked)
    client.prove(marked, watch=lambda _progress: None)
    sender.until(sender.job(marked), "done")
    message = seal(str(salt).encode(), tee_rex_key(stack), folder=tmp_path).message
    httpx.post(f"{stack.url}/prove", json={"data": to_base64(message)}, timeout=SOON)

    size = (salt.bit_length() + 7) // 8
    forms = [
        str(salt).encode(),
        f"{salt:x}".encode(),
        salt.to_bytes(size),
        salt.to_bytes(size)[::-1],
    ]
    files = [path for path in stack.state.rglob("*") if path.is_file()]
    assert any(path.name == "adyton.db" for path in files)
    found = [path.name for path in files if any(form in path.read_bytes() for form in forms)]
    assert found == []


def tee_rex_key(stack: LocalStack) -> str:
    return str(httpx.get(f"{stack.url}/attestation").json()["publicKey"])


def test_a_gateway_that_was_killed_loses_no_accepted_job(stack: LocalStack, sender: Sender) -> None:
    jobs = [sender.job(slow()) for _ in range(3)]
    sender.until(jobs[0], "running")

    stack.restart_gateway(crash=True)

    assert [sender.until(job, "done", "failed")["state"] for job in jobs] == ["done"] * 3


def test_a_restart_of_the_worker_fails_its_jobs_and_says_why(
    stack: LocalStack, sender: Sender
) -> None:
    running, waiting = sender.job(slow()), sender.job(slow())
    sender.until(running, "running")

    stack.restart_worker(crash=True)

    assert sender.until(running, "done", "failed")["error"]["code"] == "job-lost"
    assert sender.until(waiting, "done", "failed")["error"]["code"] == "seal-rejected"


def test_a_job_that_is_cancelled_has_its_prover_ended(stack: LocalStack, sender: Sender) -> None:
    job = sender.job(slow())
    deadline = time.monotonic() + SOON
    while not (working := at_work(stack)):
        assert time.monotonic() < deadline

    httpx.delete(f"{stack.url}/v1/jobs/{job}", headers=sender.headers)

    _gone, alive = psutil.wait_procs(working, timeout=SOON)
    assert alive == []


def test_a_caller_who_hangs_up_has_his_prover_ended(stack: LocalStack, sender: Sender) -> None:
    with (
        suppress(httpx.ReadTimeout),
        httpx.Client(timeout=httpx.Timeout(5, read=0.15)) as caller,
    ):
        headers = {**sender.headers, "content-type": MEDIA_TYPE}
        caller.post(f"{stack.url}/v1/prove", content=sender.sealed(slow()), headers=headers)
    deadline = time.monotonic() + SOON
    while at_work(stack):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_tee_rex_s_client_is_understood(stack: LocalStack, tmp_path: Path) -> None:
    sealed = seal(b"not msgpack", tee_rex_key(stack), folder=tmp_path)

    data = to_base64(sealed.message)
    answer = httpx.post(
        f"{stack.url}/prove",
        json={"data": data},
        headers={"x-aztec-version": "5.0.0", "x-request-id": "mine"},
        timeout=SOON,
    )

    # It was opened: what was in it are no steps.
    assert answer.json()["code"] == "steps-malformed"
    assert answer.headers["x-request-id"] == "mine"
    bad = httpx.post(f"{stack.url}/prove", json={"data": data[:-8] + "AAAAAAA="}, timeout=SOON)
    assert (bad.status_code, bad.json()["error"]) == (400, "Failed to decrypt request payload")


def adyton(
    stack: LocalStack, *arguments: str, command: str = "prove", **settings: str
) -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        **stack.environ,
        "ADYTON_API_KEY": stack.api_key,
        "ADYTON_URL": stack.url,
        "ADYTON_POLICY": str(stack.state / "policy.yaml"),
        **settings,
    }
    line = (sys.executable, "-m", "adyton.cli", command, *arguments)
    return subprocess.run(
        line, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def judged(stack: LocalStack, receipt: dict[str, Any]) -> dict[str, Any]:
    """Return the gateway's verdict, which knows no nonce."""
    policy = stack.policy.to_json()
    proving = {**as_object(policy["proving"], "proving"), "nonce": "not-required"}
    verdict: dict[str, Any] = httpx.post(
        f"{stack.url}/v1/verify/proof",
        json={**receipt, "policy": {**policy, "proving": proving}},
        headers={"authorization": f"Bearer {stack.api_key}"},
        timeout=SOON,
    ).json()
    return verdict


def test_the_command_line_proves_and_says_no(stack: LocalStack, tmp_path: Path) -> None:
    program, good, bad = tmp_path / "p.json", tmp_path / "good.json", tmp_path / "bad.json"
    program.write_text(json.dumps(artifact()))
    good.write_text(json.dumps(inputs().values))
    bad.write_text(json.dumps({**inputs().values, "count": 17}))
    receipt, bare, its_key = tmp_path / "receipt.json", tmp_path / "proof", tmp_path / "key"
    kept = ("--out", str(receipt), "--proof-out", str(bare), "--key-out", str(its_key))

    proven = adyton(stack, str(program), "--inputs", str(good), "--json", *kept)
    refused = adyton(stack, str(program), "--inputs", str(bad))
    unread = adyton(stack, str(program), "--inputs", str(program))
    unreached = adyton(stack, str(program), "--inputs", str(good), "--url", "http://127.0.0.1:9")

    assert proven.returncode == 0, proven.stderr
    shown = json.loads(proven.stdout)
    assert (shown["mode"], shown["attested"]) == ("attested", True)
    assert json.loads(receipt.read_text()) == shown["receipt"]
    assert to_base64(bare.read_bytes()) == shown["proof"]
    assert to_base64(its_key.read_bytes()) == shown["verification_key"]
    assert judged(stack, shown["receipt"])["accepted"] is True
    assert judged(stack, {**shown["receipt"], "signature": "A" * 86 + "=="})["accepted"] is False
    assert refused.returncode == 1, refused.stderr
    assert unread.returncode == 2, unread.stderr
    assert unreached.returncode == 3, unreached.stderr


def test_the_example_is_proven_and_one_of_it_that_was_registered(stack: LocalStack) -> None:
    program, given = str(EXAMPLE / "artifact.json"), str(EXAMPLE / "inputs.json")
    left = adyton(stack, program, command="register-circuit")
    assert left.returncode == 0, left.stderr
    digest = left.stdout.strip()

    named = adyton(stack, program, "--circuit", digest, "--inputs", given, "--json")
    sent = adyton(stack, program, "--inputs", given, "--key", str(EXAMPLE / "verification_key"))
    remote = adyton(stack, program, "--inputs", given, "--mode", "remote")
    unknown = adyton(stack, program, "--circuit", "ab" * 32, "--inputs", given)
    elsewhere = adyton(
        stack, program, "--circuit", digest, "--inputs", given, "--target", "noir-recursive"
    )

    assert named.returncode == 0, named.stderr
    shown = json.loads(named.stdout)
    assert (shown["circuit"], shown["attested"]) == (digest, True)
    assert shown["public_inputs"] == [f"0x{2026:064x}"]
    assert sent.returncode == 0, sent.stderr
    # The words agree: no evidence beforehand, and some afterwards.
    assert remote.returncode == 0, remote.stderr
    assert "no evidence is checked before the witness is sealed" in remote.stderr
    assert "evidence came afterwards" in remote.stdout
    assert (unknown.returncode, "another program" in unknown.stderr) == (2, True)
    assert (elsewhere.returncode, "circuit-not-registered" in elsewhere.stderr) == (1, True)


def test_a_wrong_key_is_an_error_and_not_a_no(stack: LocalStack) -> None:
    program, given = str(EXAMPLE / "artifact.json"), str(EXAMPLE / "inputs.json")
    for command, arguments in (("prove", ("--inputs", given)), ("register-circuit", ())):
        done = adyton(stack, program, *arguments, command=command, ADYTON_API_KEY="adk_wrong")
        assert (done.returncode, "(unauthenticated)" in done.stderr) == (2, True), done.stderr
