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
    return (
        DIGITS.sub(lambda match: "a" * int(match[1]), text)
        .replace("FILL-IN}", "3}")
        .replace("FILL-IN,", "3,")
    )


@pytest.mark.parametrize("platform", [name for name in TEMPLATES if name != "nvidia-gpu"])
def test_a_template_accepts_nothing_until_it_is_filled_in(platform: str) -> None:
    text = TEMPLATES[platform]
    with pytest.raises(MalformedError):
        Policy.from_bytes(text.encode())
    head = text.splitlines()[0]
    policy = Policy.from_bytes(filled(text).replace(head, "").encode())
    assert [item.value for item in policy.platforms] == [platform]


def test_a_gpu_needs_nothing_filled_in_because_golden_values_say_it() -> None:
    policy = Policy.from_bytes(TEMPLATES["nvidia-gpu"].encode())
    assert [item.value for item in policy.platforms] == ["nvidia-gpu"]


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
