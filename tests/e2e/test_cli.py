"""The command line as a user has it: against a sandbox, a worker and a gateway that run."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adyton.adapters.reference_string import find_reference_string
from adyton.cli.exits import NO, NO_ANSWER, USAGE, YES
from adyton.cli.local import LocalStack

MARKER = "sandbox-good.mark3r"
NONCE = "chosen-by-the-verifier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A user's shell: the stack's gateway, its key and its policy in the environment."""

    environ: dict[str, str]
    folder: Path

    def __call__(self, *arguments: str, stdin: str = "", **environ: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "adyton.cli", *arguments],
            check=False,
            capture_output=True,
            text=True,
            input=stdin,
            cwd=self.folder,
            env={**self.environ, **environ},
        )
        assert "Traceback" not in done.stderr
        assert MARKER not in done.stdout + done.stderr
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    if find_reference_string(os.environ, home=Path.home()).points < 2**12:
        pytest.skip("there is no reference string on this machine to prove with")
    with LocalStack(ADYTON_BUDGET="1000") as running:
        yield running


@pytest.fixture
def shell(stack: LocalStack, tmp_path: Path) -> Shell:
    environ = {
        **stack.environ,
        "ADYTON_URL": stack.url,
        "ADYTON_API_KEY": stack.api_key,
        "ADYTON_POLICY": str(stack.state / "policy.yaml"),
    }
    token = {"access_token": MARKER, "client_id": "me", "secret": "s"}
    (tmp_path / "token.json").write_text(json.dumps(token))
    (tmp_path / "token").write_text(f"{MARKER}\n")
    (tmp_path / "policy.yaml").write_text((stack.state / "policy.yaml").read_text())
    return Shell(environ=environ, folder=tmp_path)


def plaid(*more: str) -> tuple[str, ...]:
    return ("ask", "balance", "--provider", "plaid-balance", "--token-file", "token.json", *more)


def verification(*more: str) -> tuple[str, ...]:
    return ("verify", "receipt.json", "--policy", "policy.yaml", *more)


def test_a_true_answer_is_kept_and_verified_in_another_process(shell: Shell) -> None:
    asked = shell(*plaid("--gte", "10000", "--nonce", NONCE, "--out", "receipt.json"))
    assert (asked.code, asked.err) == (YES, "")
    assert "TRUE" in asked.out
    assert "adyton verify receipt.json --policy=" in asked.out
    for layer in ("evidence", "receipt", "proof", "transcript"):
        assert layer in asked.out
    verified = shell(*verification("--nonce", NONCE))
    assert (verified.code, verified.err) == (YES, "")
    assert "the receipt holds: the answer is TRUE" in verified.out
    assert "TLS gives no" in verified.out


def test_a_false_answer_has_another_exit_code_and_holds_as_well(shell: Shell) -> None:
    asked = shell(*plaid("--gte", "1000000", "--nonce", NONCE, "--out", "receipt.json"))
    assert asked.code == NO
    assert "FALSE" in asked.out
    verified = shell(*verification("--nonce", NONCE))
    assert verified.code == YES
    assert "the receipt holds: the answer is FALSE" in verified.out


def test_everything_is_json_for_programs(shell: Shell) -> None:
    asked = shell(*plaid("--gte", "10000", "--out", "receipt.json", "--json"))
    answer = json.loads(asked.out)
    assert answer["answer"] is True
    assert answer["verdict"]["accepted"] is True
    assert set(answer["timings_ms"]) == {"evidence", "seal", "answer", "verify", "total"}
    verified = shell(*verification("--nonce", answer["nonce"], "--json"))
    verdict = json.loads(verified.out)
    assert verdict["answer"] is True
    assert [layer["status"] for layer in verdict["layers"]] == ["passed"] * 4
    assert json.loads((shell.folder / "receipt.json").read_text()) == answer["receipt"]


def test_a_lone_token_may_come_from_stdin(shell: Shell) -> None:
    asked = shell(
        *("ask", "balance", "--provider", "yodlee-balance", "--gte", "1", "--token-file", "-"),
        stdin=f"{MARKER}\n",
    )
    assert asked.code == YES


def test_a_token_is_the_first_sealed_credential_and_quantum_computers_wait(shell: Shell) -> None:
    more = ("--credential", "client_id=me", "--credential", "secret=@token", "--post-quantum")
    asked = shell("ask", "balance", "--gte", "10000", "--token-file", "token", *more)
    assert (asked.code, asked.err) == (YES, "")


def test_a_provider_of_ones_own_comes_with_the_question(shell: Shell) -> None:
    provider = {
        "url": "https://api.example.com/data",
        "method": "GET",
        "headers": {"Authorization": "encrypted:"},
    }
    (shell.folder / "provider.json").write_text(json.dumps(provider))
    (shell.folder / "header").write_text(f"Bearer {MARKER}")
    custom = (
        *("ask", "custom", "--inline-provider", "provider.json"),
        *("--credential", "/provider/headers/Authorization=@header"),
        *("--extraction", '{"type": "jsonPath", "pattern": "$.data.balance"}'),
        *("--predicate", '{"type": "gte", "threshold": 1000}'),
    )
    asked = shell(*custom)
    assert (asked.code, asked.err) == (YES, "")
    assert "api.example.com" in asked.out
    unmarked = shell(*(part.replace("/headers/", "/header/") for part in custom))
    assert unmarked.code == USAGE
    assert "differ" in unmarked.err


def test_a_generic_source_takes_its_rule_from_the_question(shell: Shell) -> None:
    (shell.folder / "headers").write_text(json.dumps({"Authorization": f"Bearer {MARKER}"}))
    asked = shell(
        *("ask", "custom", "--provider", "generic-http", "--gte", "1000"),
        *("--credential", "url=https://api.example.com/data", "--credential", "method=GET"),
        *("--credential", "headers=@headers"),
        *("--extraction", '{"path": "$.data.balance", "type": "decimal"}'),
    )
    assert asked.code == YES, asked.err
    assert "generic-http" in asked.out


def test_a_receipt_does_not_hold_for_another_nonce_nor_without_one(shell: Shell) -> None:
    shell(*plaid("--gte", "10000", "--nonce", NONCE, "--out", "receipt.json"))
    other = shell(*verification("--nonce", "another"))
    assert other.code == NO
    assert "nonce-mismatch" in other.out
    assert "TRUE" not in other.out
    without = shell(*verification())
    assert without.code == NO
    assert "nonce-missing" in without.out


def test_a_receipt_does_not_hold_when_it_is_too_old(shell: Shell) -> None:
    shell(*plaid("--gte", "10000", "--nonce", NONCE, "--out", "receipt.json"))
    late = shell(*verification("--nonce", NONCE, "--at", "2099-01-01T00:00:00Z"))
    assert late.code == NO
    assert "too-old" in late.out


def test_a_changed_receipt_does_not_hold(shell: Shell) -> None:
    shell(*plaid("--gte", "10000", "--nonce", NONCE, "--out", "receipt.json"))
    path = shell.folder / "receipt.json"
    record: dict[str, Any] = json.loads(path.read_text())
    record["receipt"]["statement"]["time"] += 1
    record["public_inputs"]["timestamp"] += 1
    path.write_text(json.dumps(record))
    changed = shell(*verification("--nonce", NONCE))
    assert changed.code == NO
    assert "signature" in changed.out


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "\x00", '{"proof": 1}'])
def test_what_is_no_receipt_is_malformed_and_named(shell: Shell, content: str) -> None:
    (shell.folder / "receipt.json").write_text(content)
    found = shell(*verification())
    assert found.code == USAGE
    assert found.err.startswith("error: receipt.json: ")


def test_what_is_no_policy_is_malformed_and_named(shell: Shell) -> None:
    shell(*plaid("--gte", "10000", "--out", "receipt.json"))
    (shell.folder / "policy.yaml").write_text("version: adyton/policy/v1\nanything: goes\n")
    found = shell(*verification())
    assert found.code == USAGE
    assert found.err.startswith("error: policy.yaml: ")


def test_nothing_is_verified_without_the_prover(shell: Shell) -> None:
    shell(*plaid("--gte", "10000", "--nonce", NONCE, "--out", "receipt.json"))
    found = shell(*verification("--nonce", NONCE), ADYTON_BB=str(shell.folder / "nowhere"))
    assert found.code == NO_ANSWER
    assert not found.out


def test_a_worker_that_the_policy_does_not_accept_is_told_nothing(shell: Shell) -> None:
    policy = (shell.folder / "policy.yaml").read_text()
    other = "\n".join(
        f'{line.partition(":")[0]}: "{"0" * 64}"' if "development root:" in line else line
        for line in policy.splitlines()
    )
    (shell.folder / "other.yaml").write_text(other)
    refused = shell(*plaid("--gte", "10000", "--policy", "other.yaml"))
    assert refused.code == NO
    assert "(worker-rejected)" in refused.err


def test_a_refusal_of_the_source_is_no_and_a_failure_is_no_answer(shell: Shell) -> None:
    for case, code in (("unauthorized", NO), ("broken", NO_ANSWER), ("missing-field", USAGE)):
        token = {"access_token": f"sandbox-{case}", "client_id": "me", "secret": "s"}
        (shell.folder / "token.json").write_text(json.dumps(token))
        found = shell(*plaid("--gte", "10000"))
        assert found.code in {code, NO_ANSWER}, found.err
        assert found.err.startswith("error: ")
        assert "TRUE" not in found.out


def test_a_wrong_key_and_a_gateway_that_is_not_there_say_what_to_do(shell: Shell) -> None:
    wrong = shell(*plaid("--gte", "10000"), ADYTON_API_KEY="adk_wrong")
    assert wrong.code == USAGE
    assert "(unauthenticated)" in wrong.err
    assert "adyton keys create" in wrong.err
    nobody = shell(*plaid("--gte", "10000", "--url", "http://127.0.0.1:1"))
    assert nobody.code == NO_ANSWER
    assert "adyton serve" in nobody.err


def test_keys_are_made_listed_used_and_revoked(shell: Shell) -> None:
    create = ("keys", "create", "--name", "shop", "--scope", "ask", "--per-day", "5")
    assert shell(*create).out.startswith("adk_")
    made = shell(*create, "--out", "key")
    assert (made.code, made.out) == (YES, "")
    assert shell(*create, "--out", "key").code == USAGE
    assert (shell.folder / "key").stat().st_mode & 0o777 == 0o600
    _, key_id, secret = (shell.folder / "key").read_text().strip().split("_")
    listed = shell("keys", "list", "--json")
    assert secret not in listed.out + made.err
    key = next(key for key in json.loads(listed.out)["keys"] if key["id"] == key_id)
    assert (key["name"], key["scopes"], key["limits"]["per_day"]) == ("shop", ["ask"], 5)
    asked = shell(*plaid("--gte", "10000", "--api-key-file", "key"), ADYTON_API_KEY="")
    assert asked.code == YES
    assert shell("keys", "revoke", key_id).code == YES
    assert shell("keys", "revoke", key_id).code == NO
    assert "revoked" in shell("keys", "list").out


def test_the_audit_has_the_question_and_none_of_its_data(shell: Shell) -> None:
    shell(*plaid("--gte", "10000"))
    entries = json.loads(shell("audit", "--limit", "1", "--json").out)["entries"]
    assert len(entries) == 1
    assert entries[0]["endpoint"] == "balance"
    assert entries[0]["answer"] is True
    assert "balance" in shell("audit").out


def test_the_gateway_verifies_receipts_too(shell: Shell, stack: LocalStack) -> None:
    import httpx  # noqa: PLC0415

    shell(*plaid("--gte", "10000", "--out", "receipt.json"))
    record = json.loads((shell.folder / "receipt.json").read_text())
    policy = stack.policy.to_json()
    policy["receipt"] = {**policy["receipt"], "nonce": "not-required"}  # type: ignore[dict-item]
    found = httpx.post(
        f"{stack.url}/v1/verify/proof",
        json={**record, "policy": policy},
        headers={"X-API-Key": stack.api_key},
        timeout=30,
    )
    assert found.status_code == 200
    assert found.json()["answer"] is True


def test_a_policy_is_made_for_this_worker_and_never_over_another(shell: Shell) -> None:
    assert shell("policy", "init", "--out", "mine.yaml").code == YES
    assert shell("policy", "init", "--out", "mine.yaml").code == USAGE
    assert shell("policy", "init", "--out", "mine.yaml", "--force").code == YES
    assert shell(*plaid("--gte", "10000", "--policy", "mine.yaml")).code == YES
    said = shell("policy", "check", "mine.yaml")
    assert "INSECURE" in said.out


def test_a_template_accepts_nothing_until_it_is_filled_in(shell: Shell) -> None:
    assert shell("policy", "init", "--platform", "nitro", "--out", "nitro.yaml").code == YES
    assert shell("policy", "check", "nitro.yaml").code == USAGE
    text = (shell.folder / "nitro.yaml").read_text()
    filled = text.replace("FILL-IN: 96 hexadecimal digits", "0a" * 48)
    (shell.folder / "nitro.yaml").write_text(filled)
    assert shell("policy", "check", "nitro.yaml").code == YES


def test_a_wrong_definition_is_named_with_its_file_and_line(shell: Shell) -> None:
    (shell.folder / "bank.yaml").write_text("id: my-bank\nnmae: My bank\n")
    found = shell("providers", "check", "bank.yaml")
    assert found.code == USAGE
    assert "bank.yaml" in found.err
    assert "2" in found.err


def test_providers_and_circuits_are_listed_with_their_digests(shell: Shell) -> None:
    providers = json.loads(shell("providers", "list", "--json").out)["providers"]
    assert {"plaid-balance", "irs-income"} <= {item["id"] for item in providers}
    shown = json.loads(shell("providers", "show", "plaid-balance", "--json").out)
    assert shown["digest"] in {item["digest"] for item in providers}
    circuits = json.loads(shell("circuits", "--json").out)["circuits"]
    assert len(circuits) == 8
    assert "plaid-balance" in shell("providers", "show", "plaid-balance").out


def test_the_doctor_is_content_with_a_machine_that_can_prove(shell: Shell) -> None:
    found = json.loads(shell("doctor", "--json").out)
    names = {check["name"]: check["state"] for check in found["checks"]}
    assert names["prover (bb)"] == "ok"
