"""What the pages of the documentation say about each other, held against the tree."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "circuits" / "README.md",
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_every_module_that_a_page_names_is_there() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"`((?:src/adyton/)?[a-z_]+(?:/[a-z0-9_]+)*/[a-z0-9_]+\.py)`", text))
    homes = (ROOT, ROOT / "src" / "adyton")
    missing = {name for name in named if not any((home / name).is_file() for home in homes)}
    assert missing == set()
    assert len(named) > 30


def test_every_test_that_a_page_names_is_there() -> None:
    named = {
        name for page in PAGES for name in re.findall(r"`(test_[a-z0-9_]+)`", page.read_text())
    }
    found = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_[a-z0-9_]+)", file.read_text(), re.MULTILINE)
    }
    assert named - found == set()
    assert len(named) > 50
