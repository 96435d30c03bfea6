import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_test_that_the_table_of_checks_names_is_there() -> None:
    pages = sorted((ROOT / "docs").glob("evidence*.md"))
    text = "\n".join(page.read_text() for page in pages)
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", text))
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 15
    assert {name for name in named if f"def {name}(" not in sources} == set()
