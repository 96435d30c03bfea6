"""What the documents say about files and codes, held against the tree."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "circuits" / "README.md",
]
# Class attributes: what has a code of its own.
CODE = re.compile(r'^    code(?:: ClassVar\[str\])? = "([a-z-]+)"$', re.MULTILINE)
ROW = re.compile(r"^\| `([a-z-]+)` \| (?:malformed|rejected|unavailable) \|", re.MULTILINE)
# The codes of the tree's trunk, which the page explains in prose.
TRUNK = {"error", "malformed", "rejected", "unavailable"}


def sources() -> str:
    return "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))


def errors_page() -> str:
    return (ROOT / "docs" / "errors.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_every_code_of_an_error_is_documented_and_no_other() -> None:
    assert set(ROW.findall(errors_page())) == set(CODE.findall(sources())) - TRUNK


def test_no_code_is_documented_twice() -> None:
    rows = ROW.findall(errors_page())
    assert len(rows) == len(set(rows))


def test_every_finding_that_is_documented_is_made_somewhere() -> None:
    findings = errors_page().partition("## Findings")[2]
    named = set(re.findall(r"`([a-z-]+)`", findings))
    source = sources()
    assert len(named) > 30
    assert {code for code in named if f'"{code}"' not in source} == set()
