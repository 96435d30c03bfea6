import re
from pathlib import Path

import pytest

from adyton.appraisal.policy import Policy
from adyton.cli.app import run
from adyton.cli.policy_templates import TEMPLATES
from adyton.errors import MalformedError

DIGITS = re.compile(r"FILL-IN: (\d+) hexadecimal digits")


def filled(text: str) -> str:
    """Return a template with something in every place that asks for it."""
    text = DIGITS.sub(lambda match: "a" * int(match[1]), text)
    # Unquoted: what was asked for is a word, and not a text.
    text = text.replace('"FILL-IN: not-required"', "not-required")
    return re.sub(r"FILL-IN(?=[,}])", "3", text)


@pytest.mark.parametrize("platform", TEMPLATES)
def test_a_template_accepts_nothing_until_it_is_filled_in(platform: str) -> None:
    text = TEMPLATES[platform]
    with pytest.raises(MalformedError, match="fill in what still says FILL-IN"):
        Policy.from_bytes(text.encode())
    policy = Policy.from_bytes(filled(text).encode())
    assert [item.value for item in policy.platforms] == [platform]


@pytest.mark.parametrize("platform", TEMPLATES)
def test_a_template_is_written_and_what_it_says_is_shown(
    platform: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "policy.yaml"
    assert run(["policy", "init", "--platform", platform, "--out", str(out)]) == 0
    out.write_text(filled(out.read_text()))
    assert run(["policy", "check", str(out)]) == 0
    shown = capsys.readouterr().out
    assert f"platform {platform}" in shown
    assert ("firmware of any age" in shown) is (platform == "nitro")


def test_what_a_policy_forgives_and_asks_besides_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "policy.yaml"
    forgiving = filled(TEMPLATES["tdx"]).replace(
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


def test_a_policy_that_asks_not_what_evidence_is_over_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "policy.yaml"
    text = filled(TEMPLATES["nitro"])
    for binding, said in (
        ("not-required", "over anything"),
        ("{nonce: '5a17', public_key: '00'}", "over nonce and public key"),
    ):
        out.write_text(text.replace("evidence:\n", f"evidence:\n  binding: {binding}\n", 1))
        assert run(["policy", "check", str(out)]) == 0
        assert said in " ".join(capsys.readouterr().out.split())
