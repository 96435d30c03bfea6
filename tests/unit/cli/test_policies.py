import json
import re
from pathlib import Path

import pytest
from tests.unit.cli.test_policy_templates import filled

from adyton.cli.app import run
from adyton.sdk.proofs import read_notary_policy


def test_what_a_policy_forgives_and_asks_besides_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "policy.yaml"
    forgiving = filled("sgx").replace(
        "    debug: refused\n",
        "    debug: refused\n"
        "    findings: [sept-ve-not-disabled]\n"
        "    expression: claims.numbers.pce_svn > 3\n",
    )
    forgiving = re.sub("maximum_age_seconds: 900", "maximum_age_seconds: not-required", forgiving)
    out.write_text(forgiving)
    assert run(["policy", "check", str(out)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "although sept-ve-not-disabled" in shown
    assert "only if claims.numbers.pce_svn > 3" in shown
    assert "of any age, challenge not required, over what the verifier says" in shown
    assert "their provers any" in shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (900, "15 minutes"),
        (86400, "1 day"),
        (3601, "1 hour 1 second"),
        (100000, "1 day 3 hours 46 minutes 40 seconds"),
        (31536000 * 10, "3,650 days"),
    ],
)
def test_how_old_evidence_may_be_is_said_in_words(
    seconds: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "policy.yaml"
    text = filled("tdx")
    assert "maximum_age_seconds: 900" in text
    out.write_text(text.replace("maximum_age_seconds: 900", f"maximum_age_seconds: {seconds}"))
    assert run(["policy", "check", str(out)]) == 0
    assert f"at most {words} old" in " ".join(capsys.readouterr().out.split())


def test_a_policy_that_asks_not_what_evidence_is_over_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "policy.yaml"
    text = filled("nitro")
    for binding, said in (
        ("not-required", "over anything"),
        ("{nonce: '5a17', public_key: '00'}", "over nonce and public key"),
    ):
        out.write_text(text.replace("evidence:\n", f"evidence:\n  binding: {binding}\n", 1))
        assert run(["policy", "check", str(out)]) == 0
        assert said in " ".join(capsys.readouterr().out.split())


_NOTARY = """
version: adyton/notary-policy/v1
signer: {requireEnforcement: measured-tee, requireEpochId: true, minTime: 1500}
artifact: required
predecessor: not-required
log: {keys: [], inclusion: required, timestamp: not-required, authorities: []}
evidence: not-required
"""


def test_a_notarys_policy_is_recognised_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "notary.yaml"
    out.write_text(_NOTARY)
    assert run(["policy", "check", str(out)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "enforcement measured-tee" in shown
    assert "requires epoch yes" in shown
    assert "artifact required" in shown
    assert "inclusion required, time stamp not required" in shown
    assert run(["policy", "check", str(out), "--json"]) == 0
    again = tmp_path / "again.json"
    again.write_text(capsys.readouterr().out)
    assert read_notary_policy(again) == read_notary_policy(out)


def test_what_a_notarys_policy_gets_wrong_is_malformed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "notary.yaml"
    out.write_text(_NOTARY.replace("artifact: required", "artifact: perhaps"))
    assert run(["policy", "check", str(out)]) == 2
    assert "policy.artifact" in capsys.readouterr().err


def test_a_notarys_policy_may_have_one_for_its_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inner, out = tmp_path / "inner.yaml", tmp_path / "notary.yaml"
    inner.write_text(filled("nitro"))
    assert run(["policy", "check", str(inner), "--json"]) == 0
    policy = capsys.readouterr().out
    out.write_text(
        _NOTARY.replace("evidence: not-required", f"evidence: {json.dumps(json.loads(policy))}")
    )
    assert run(["policy", "check", str(out)]) == 0
    assert "nitro: images" in " ".join(capsys.readouterr().out.split())
