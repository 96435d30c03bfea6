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
    with pytest.raises(MalformedError):
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
