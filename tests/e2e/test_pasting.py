"""What the pages have one paste works, in the order in which it stands there."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adyton.cli.local import LocalStack

ROOT = Path(__file__).parents[2]
DEFAULT = "http://127.0.0.1:8423"
# The blocks of these sections, as many as are not about files that only their reader has.
SECTIONS = {
    "README.md": {
        "Command line": 1,
        "Python": 1,
        "curl": 2,
        "Have something proven": 1,
        "Notarize": 1,
    },
    "docs/proving.md": {"Having something proven": 2, "Jobs": 2, "Registered circuits": 1},
    "docs/notary.md": {"The notary": 1, "Whose it is": 1},
    "docs/evidence.md": {"Judging evidence": 1},
}
# What comes of it, among the rest.
SAID = {
    "README.md": ("the answer is TRUE", '"accepted": true', "the proof holds"),
    "docs/proving.md": ("the receipt holds", "True (2026,)"),
    "docs/notary.md": ("it extends the log of", "one chain without gaps", "the proof holds"),
    "docs/evidence.md": ("the evidence is acceptable", "acceptable until"),
}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(notary=True) as stack:
        yield stack


@pytest.fixture
def folder(stack: LocalStack, tmp_path: Path) -> Path:
    """A checkout and a home, as a reader has them who has started ``adyton serve``."""
    home, checkout = tmp_path / "home", tmp_path / "checkout"
    state, binaries = home / ".local" / "state", checkout / ".venv" / "bin"
    state.mkdir(parents=True)
    binaries.mkdir(parents=True)
    (state / "adyton").symlink_to(stack.state)
    (checkout / "examples").symlink_to(ROOT / "examples")
    python = Path(sys.executable).parent
    (binaries / "activate").write_text(f'export PATH="{python}:$PATH"\n')
    return checkout


def blocks(page: str) -> list[str]:
    """Return what a page has one paste, as lines for a shell."""
    found = []
    sections = re.split(r"^#+ (.+)\n", (ROOT / page).read_text(), flags=re.MULTILINE)
    for title, text in zip(sections[1::2], sections[2::2], strict=True):
        count = SECTIONS[page].get(title, 0)
        written = re.findall(r"```(sh|python)\n(.*?)```", text, flags=re.DOTALL)[:count]
        assert len(written) == count, title
        found += [
            lines if language == "sh" else f"python - <<'PASTED'\n{lines}PASTED\n"
            for language, lines in written
        ]
    assert len(found) == sum(SECTIONS[page].values())
    return found


@pytest.mark.parametrize("page", SECTIONS)
def test_a_page_can_be_pasted_from_its_beginning_to_its_end(
    page: str, stack: LocalStack, folder: Path
) -> None:
    bash = shutil.which("bash")
    if bash is None or shutil.which("curl") is None:
        pytest.skip("what is pasted is for bash, with curl")
    script = "\n".join(["set -euo pipefail", ". .venv/bin/activate", *blocks(page)])
    done = subprocess.run(
        [bash, "-c", script.replace(DEFAULT, stack.url)],
        cwd=folder,
        env={**os.environ, **stack.environ, "HOME": str(folder.parent / "home")}
        | {"ADYTON_URL": stack.url},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "error: " not in done.stderr
    assert [text for text in SAID[page] if text not in done.stdout] == []
