import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.fakes.nitro import NOW
from tests.unit.verification.test_evidence import CASES, POLICY, Case, name_of

from adyton.appraisal.ear import Tier, verify_ear
from adyton.cli.app import run
from adyton.codec.json import canonical
from adyton.crypto.ecdsa import Es256Key
from adyton.crypto.jwk import JwkSet
from adyton.crypto.jws import TokenSigner
from adyton.evidence.formats import Format
from adyton.verification.machine_bundle import VERSION as MACHINE_VERSION

TDX = CASES[3]
AT = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Return evidence of a TD, a policy and collateral, as files."""
    policy = POLICY.to_json() | {"roots": {"fake": TDX.roots["fake"].hex()}}
    contents = {
        "quote": TDX.evidence,
        "policy": canonical(policy),
        "collateral": TDX.collateral.to_bytes(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: str(tmp_path / name) for name in (*contents, "bundle", "text")}


def judge(files: dict[str, str], *more: str, file: str = "quote") -> int:
    given = ("--policy", files["policy"], "--collateral", files["collateral"], "--at", AT)
    return run(["evidence", "verify", files[file], *given, *more])


def test_good_evidence_is_acceptable_and_says_what_was_checked(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(files) == 0
    out = capsys.readouterr().out
    for word in ("tdx", "authenticity", "tcb", "configuration", "identity", "freshness"):
        assert word in out
    assert "the evidence is acceptable" in out


def test_the_verdict_as_json_has_the_claims(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(files, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["accepted"] is True
    assert record["claims"]["technology"] == "tdx"
    assert record["claims"]["tcb"]["status"] == "UpToDate"


@pytest.mark.parametrize("text", [TDX.evidence.hex(), f"0x{TDX.evidence.hex().upper()}\n"])
def test_evidence_may_be_written_as_text(files: dict[str, str], text: str) -> None:
    Path(files["text"]).write_text(text)
    assert judge(files, file="text") == 0


def test_a_token_may_end_with_its_line(files: dict[str, str]) -> None:
    (token, *_) = (case.evidence for case in CASES if case.format is Format.TOKEN)
    Path(files["text"]).write_bytes(b"\n" + token + b"\r\n")
    assert run(["evidence", "show", files["text"]]) == 0


def test_a_nonce_that_evidence_cannot_have_is_no_match(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(files, "--nonce", "abcd", "--json") == 1
    codes = [
        item["code"]
        for item in json.loads(capsys.readouterr().out)["layers"][0]["parts"][4]["findings"]
    ]
    assert codes == ["evidence-nonce-mismatch"]


def test_a_bundle_repeats_its_verdict_without_anything_else(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(files, "--bundle", files["bundle"], "--json") == 0
    first = capsys.readouterr().out
    assert run(["evidence", "verify", files["bundle"], "--json"]) == 0
    assert capsys.readouterr().out == first


def test_whose_policy_a_bundle_is_judged_by_is_said(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(files, "--bundle", files["bundle"]) == 0
    assert "whoever made it" not in capsys.readouterr().err
    assert run(["evidence", "verify", files["bundle"]]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "whoever made it chose what is accepted" in said
    # Nor does one sign what somebody else's policy accepts.
    (tmp_path / "key.pem").write_bytes(b"")
    assert run(["evidence", "verify", files["bundle"], "--ear-key", str(tmp_path / "key.pem")]) == 2


def test_a_bundle_and_a_policy_are_not_mixed(files: dict[str, str]) -> None:
    assert judge(files, "--bundle", files["bundle"]) == 0
    assert judge(files, file="bundle") == 2


def test_no_policy_is_a_mistake_and_not_a_verdict(files: dict[str, str]) -> None:
    assert run(["evidence", "verify", files["quote"]]) == 2


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_every_field_of_every_format_is_shown(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "evidence"
    file.write_bytes(case.evidence)
    assert run(["evidence", "show", str(file)]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(case.format.value)
    assert "nothing of this is verified" in shown.err
    assert run(["evidence", "show", "--json", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["format"] == case.format.value


def test_a_measurement_of_nothing_is_a_line_and_not_two_of_zeros(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "evidence"
    file.write_bytes(CASES[0].evidence)
    assert run(["evidence", "show", str(file)]) == 0
    out = capsys.readouterr().out
    assert out.count("48 zero bytes") == 12
    assert "0" * 40 not in out
    # Programs get them as they are.
    assert run(["evidence", "show", "--json", str(file)]) == 0
    assert capsys.readouterr().out.count("0" * 96) == 12


def test_what_is_no_evidence_is_malformed(tmp_path: Path) -> None:
    file = tmp_path / "evidence"
    file.write_bytes(b"nothing")
    assert run(["evidence", "show", str(file)]) == 2


def test_the_forecast_names_the_day_on_which_the_verdict_ends(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--policy", files["policy"], "--collateral", files["collateral"], "--at", AT]
    assert run(["evidence", "forecast", files["quote"], *given]) == 0
    out = capsys.readouterr().out
    assert "acceptable until 2026-12-10T12:00:00Z" in out
    assert "tcb info" in out
    newer = ["--newer", files["collateral"], "--json"]
    assert run(["evidence", "forecast", files["quote"], *given, *newer]) == 0
    record: Any = json.loads(capsys.readouterr().out)
    assert record["until"] == "2026-12-10T12:00:00Z"
    assert [outlook["evaluation_number"] for outlook in record["newer"]] == [20]


def test_a_bundle_is_forecast_as_its_evidence_is(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(files, "--bundle", files["bundle"]) == 0
    capsys.readouterr()
    given = ["--policy", files["policy"], "--collateral", files["collateral"], "--at", AT]
    assert run(["evidence", "forecast", files["quote"], *given, "--json"]) == 0
    first = capsys.readouterr().out
    assert run(["evidence", "forecast", files["bundle"], "--json"]) == 0
    assert capsys.readouterr().out == first
    assert run(["evidence", "forecast", files["bundle"], *given]) == 2


def test_a_forecast_of_no_evidence_is_no_verdict(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "evidence"
    file.write_bytes(b"nothing")
    assert run(["evidence", "forecast", str(file), "--policy", files["policy"]]) == 2
    assert "acceptable" not in capsys.readouterr().out
    # Without a policy there is none either.
    assert run(["evidence", "forecast", files["quote"]]) == 2


def test_the_evidence_in_a_bundle_is_shown(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(files, "--bundle", files["bundle"]) == 0
    capsys.readouterr()
    assert run(["evidence", "show", files["quote"], "--json"]) == 0
    first = capsys.readouterr().out
    assert run(["evidence", "show", files["bundle"], "--json"]) == 0
    found = capsys.readouterr()
    assert found.out == first
    assert "in a bundle" in found.err


def test_a_machines_bundle_is_named_and_not_judged_as_evidence(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "machine"
    file.write_text(json.dumps({"version": MACHINE_VERSION}))
    for command in ("show", "forecast"):
        assert run(["evidence", command, str(file)]) == 2
        assert "bundle of a machine" in capsys.readouterr().err


def test_a_verdict_is_signed_as_an_attestation_result(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    assert judge(files, "--ear-key", str(tmp_path / "key.pem"), "--json") == 0
    token = json.loads(capsys.readouterr().out)["ear"]
    keys = JwkSet.from_bytes(TokenSigner(Es256Key.from_pem(pem)).public_set)
    ear = verify_ear(token, keys=keys, at=NOW)
    # The policy names the root, and still nobody vouches for it.
    assert ear.statuses.keys() == {"tdx"}
    assert ear.status is not Tier.AFFIRMING
    (policy,) = ear.policies["tdx"]
    assert policy.startswith("sha256:")
    (tmp_path / "key.pem").write_bytes(b"no key")
    assert judge(files, "--ear-key", str(tmp_path / "key.pem")) == 2
