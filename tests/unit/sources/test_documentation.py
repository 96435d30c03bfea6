"""What docs/providers.md says is so."""

import re
from pathlib import Path

import pytest
from tests.unit.sources.definitions import PROVIDERS, built_in

from adyton.errors import AdytonError
from adyton.sandbox import TOKENS
from adyton.sources import load
from adyton.sources.columns import COLUMNS
from adyton.sources.conversion import SourceError
from adyton.sources.credentials import CredentialMalformedError
from adyton.sources.document import ProviderMalformedError
from adyton.sources.rules import MAX_SCALE

DOCUMENT = (Path(__file__).parents[3] / "docs" / "providers.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the tables below a heading, header rows left out."""
    section = re.split(rf"^#+ {re.escape(heading)}\n", DOCUMENT, flags=re.MULTILINE)[1]
    section = re.split(r"^##", section, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_example_loads() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    assert load(example.encode(), file="platypus-balance.yaml").id == "platypus-balance"


def test_the_message_for_a_mistake_is_the_one_that_is_shown() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    lines = example.splitlines()
    lines[11] = "fields_: x"
    text = "\n".join(lines[:12])
    with pytest.raises(ProviderMalformedError) as caught:
        load(text.encode(), file="platypus-balance.yaml")
    assert f"`{caught.value}`" in DOCUMENT


def test_every_token_is_listed_with_its_meaning() -> None:
    listed = {row[0].strip("`"): row[1] for row in rows("The sandbox")}
    assert listed == dict(TOKENS)


def test_every_built_in_provider_is_listed() -> None:
    listed = rows("Built in")
    assert {row[0].strip("`") for row in listed} == {path.stem for path in PROVIDERS.iterdir()}
    for name, endpoint, circuit, credential, _ in listed:
        definition = built_in(name.strip("`"))
        assert definition.endpoint.value == endpoint
        assert definition.noir_circuit == circuit.strip("`")
        sealed = [item.name for item in definition.request.credentials if item.encrypted]
        assert sealed[0] == credential.strip("`")


def test_every_column_is_listed() -> None:
    listed = {row[0].strip("`"): row for row in rows("Columns of a circuit")}
    assert set(listed) == set(COLUMNS)
    for circuit, (_, needed, read) in listed.items():
        required = {name for group in COLUMNS[circuit].required for name in group}
        assert set(re.findall(r"`(\w+)`", needed)) == required
        assert set(re.findall(r"`(\w+)`", read)) == set(COLUMNS[circuit].types or ()) - required


def leaves(error: type[AdytonError]) -> set[type[AdytonError]]:
    return {error}.union(*(leaves(below) for below in error.__subclasses__()))


def test_every_error_is_listed() -> None:
    named: set[type[AdytonError]] = {ProviderMalformedError, CredentialMalformedError}
    ours = {error.code for error in (leaves(SourceError) - {SourceError}) | named}
    assert {row[0].strip("`") for row in rows("Errors")} == ours


def test_the_numbers_are_those_of_the_code() -> None:
    assert MAX_SCALE == 18
    assert "up to 8388608, by default 1048576" in DOCUMENT
