"""Every error has a code, a family and a row in the documentation, and every row an error."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import adyton
from adyton.adapters.linked_errors import LinkedError
from adyton.errors import AdytonError, MalformedError, RejectedError, UnavailableError
from adyton.gateway.problems import status_of
from adyton.model.claims import DEBUG_MODE
from adyton.sdk.transport import GatewayError

ROOT: Final = Path(__file__).parents[2]
FAMILIES: Final = {
    "malformed": MalformedError,
    "rejected": RejectedError,
    "unavailable": UnavailableError,
}
# They speak for errors of the other end, with its codes.
SPEAKERS: Final = (LinkedError, GatewayError)
CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ROW: Final = re.compile(r"\| `([a-z0-9-]+)` \| (\w+) \| (\d+|—) \| ([^|]+) \| ([^|]*) \|")
FINDING: Final = re.compile(r"\| `([a-z0-9-]+)` \| ([a-z, ]+) \| ([^|]+) \|")


def everything() -> None:
    for module in pkgutil.walk_packages(adyton.__path__, "adyton."):
        # Alembic's files and our commands run when they are imported.
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)


def below(kind: type[AdytonError]) -> Iterator[type[AdytonError]]:
    for one in kind.__subclasses__():
        yield one
        yield from below(one)


def leaves() -> list[type[AdytonError]]:
    everything()
    return [
        kind
        for kind in set(below(AdytonError))
        if kind.__module__.startswith("adyton")
        and kind not in FAMILIES.values()
        and not issubclass(kind, SPEAKERS)
    ]


def rows() -> dict[str, tuple[str, str]]:
    """Return family and status by code, as documented."""
    text, _, _ = (ROOT / "docs" / "errors.md").read_text().partition("\n## Findings\n")
    found = [match.groups() for match in ROW.finditer(text)]
    codes = [code for code, *_ in found]
    assert len(set(codes)) == len(codes), "a code has two rows"
    return {code: (family, status) for code, family, status, *_ in found}


def test_every_code_has_a_row_and_every_row_a_code() -> None:
    documented, known = set(rows()), {kind.code for kind in leaves()}
    assert known - documented == set(), "docs/errors.md lacks these"
    assert documented - known == {"malformed"}, "docs/errors.md has these, and the code has not"


def test_every_row_has_the_family_and_the_status_of_its_error() -> None:
    documented = rows()
    for kind in leaves():
        family, status = documented[kind.code]
        assert issubclass(kind, FAMILIES[family]), kind
        if status != "—":
            assert status == str(status_of(kind.__new__(kind))), kind


def test_every_error_is_of_one_family_and_has_a_code_of_its_own() -> None:
    for kind in leaves():
        assert sum(issubclass(kind, family) for family in FAMILIES.values()) == 1, kind
        assert CODE.fullmatch(kind.code), kind
        assert kind.code not in {"error", "rejected", "unavailable", "malformed"}, kind
        assert kind.__doc__, kind


def test_one_code_is_of_one_family() -> None:
    found: dict[str, set[type[AdytonError]]] = {}
    for kind in leaves():
        for family in FAMILIES.values():
            if issubclass(kind, family):
                found.setdefault(kind.code, set()).add(family)
    assert {code for code, families in found.items() if len(families) > 1} == set()


def findings() -> set[str]:
    """Return the codes of the findings that evidence, appraisal and verification can come to."""
    found = {DEBUG_MODE}
    for folder in ("evidence", "appraisal", "verification"):
        for path in (ROOT / "src" / "adyton" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                texts = _texts(node) if isinstance(node, ast.Call) and _is_finding(node) else ()
                # What a technology finds stands in a table of its own: code and text.
                pair = _pair(node) if path.name == "findings.py" else ()
                found |= {text for text in (*texts, *pair) if CODE.fullmatch(text) and "-" in text}
    return found


def _is_finding(call: ast.Call) -> bool:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    return name.strip("_").lower() in {"finding", "not_evaluated", "not_required"}


def _pair(node: ast.AST) -> tuple[str, ...]:
    match node:
        case ast.Tuple(elts=[ast.Constant(value=str() as code), _]):
            return (code,)
    return ()


def _texts(call: ast.Call) -> Iterator[str]:
    for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value


def test_every_finding_has_a_row_and_every_row_a_finding() -> None:
    _, _, text = (ROOT / "docs" / "errors.md").read_text().partition("\n## Findings\n")
    documented = [match.group(1) for match in FINDING.finditer(text)]
    assert len(set(documented)) == len(documented)
    assert findings() == set(documented)


@pytest.mark.parametrize("name", ["errors.md", "protocol.md"])
def test_the_page_is_there_and_is_linked(name: str) -> None:
    assert (ROOT / "docs" / name).is_file()
    assert "errors.md" in (ROOT / "docs" / "protocol.md").read_text()
