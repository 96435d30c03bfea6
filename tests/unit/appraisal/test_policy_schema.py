"""The published JSON Schema and the reader of policies accept the same documents."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from tests.unit.appraisal.policies import GOOD, changed

from adyton.appraisal.policy import Policy
from adyton.codec.json import JsonObject
from adyton.errors import MalformedError


def pattern(_validator: Any, wanted: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
    """Check a pattern as JSON Schema has it: its $ does not also stand before a newline."""
    if isinstance(value, str) and re.search(re.sub(r"\$$", r"\\Z", wanted), value) is None:
        yield ValidationError(f"{value!r} is not like {wanted}")


SCHEMA: Final = extend(Draft202012Validator, {"pattern": pattern})(  # type: ignore[no-untyped-call]
    json.loads((Path(__file__).parents[3] / "docs" / "policy.schema.json").read_text())
)


def is_read(document: JsonObject) -> bool:
    try:
        Policy.from_json(document)
    except MalformedError:
        return False
    return True


PATHS: Final = (
    "version",
    "roots",
    "roots/aws-nitro",
    "roots/laptop",
    "roots/other",
    "roots/",
    "platforms",
    "platforms/nitro",
    "platforms/nitro-tpm",
    "platforms/sgx",
    "platforms/tdx/tcb",
    "platforms/tdx/tcb/statuses",
    "platforms/tdx/tcb/advisories",
    "platforms/tdx/tcb/grace_days",
    "platforms/tdx/tcb/minimum_evaluation_number",
    "platforms/tdx/tcb/minimum_versions",
    "platforms/tdx/tcb/minimum_versions/pce_svn",
    "platforms/tdx/tcb/revocation",
    "platforms/tdx/tcb/extra",
    "platforms/tdx/findings",
    "platforms/tdx/measurements/td/mr_td",
    "platforms/tdx/measurements/td/isv_svn",
    "platforms/tdx/measurements/td/Bad",
    "proving",
    "proving/audience",
    "proving/maximum_age_seconds",
    "proving/nonce",
    "proving/circuits",
    "proving/provers",
    "proving/extra",
    "evidence/binding",
    "evidence/binding/nonce",
    "evidence/binding/manifests",
    "evidence/binding/extra",
    "platforms/nitro/debug",
    "platforms/nitro/tcb",
    "platforms/nitro/measurements",
    "platforms/nitro/measurements/worker-0.1.0",
    "platforms/nitro/measurements/worker-0.1.0/pcr0",
    "platforms/nitro/measurements/worker-0.1.0/pcr31",
    "platforms/nitro/measurements/worker-0.1.0/pcr32",
    "platforms/nitro/extra",
    "evidence",
    "evidence/maximum_age_seconds",
    "evidence/challenge",
    "receipt",
    "receipt/audience",
    "receipt/maximum_age_seconds",
    "receipt/nonce",
    "receipt/circuits",
    "receipt/circuits/other",
    "receipt/providers",
    "receipt/added_roots",
    "receipt/isolation",
    "receipt/extra",
    "extra",
)
VALUES: Final[tuple[Any, ...]] = (
    ...,
    None,
    True,
    False,
    0,
    1,
    3600,
    3_162_240_000,
    3_162_240_001,
    "",
    "x" * 128,
    "x" * 129,
    "x" * 257,
    "not-required",
    "required",
    "refused",
    "accepted",
    "built-in",
    "any",
    "adyton/policy/v1",
    "ab" * 32,
    "ab" * 32 + "\n",
    "AB" * 32,
    "ab" * 48,
    "ab" * 64,
    "ab" * 40,
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    "-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----",
    [],
    ["request"],
    ["request", "pooled"],
    ["request", "request"],
    ["a"] * 2,
    [""],
    ["ab" * 32],
    ["ab" * 32, "cd" * 32],
    ["ab" * 32, "cd" * 33],
    ["debug-mode"],
    ["ab", "ab"],
    2**64 - 1,
    2**64,
    -1,
    3660,
    3661,
    {"pce_svn": 3},
    {"Pce": 3},
    {"pcr0": 3},
    {"nonce": "ab"},
    {"nonce": "a"},
    {"manifests": ["ab" * 32]},
    [None],
    {},
    {"a": []},
    {"a": ["ab" * 32]},
    {"": ["ab" * 32]},
    {"x" * 129: ["ab" * 32]},
    {"w": {"pcr0": "ab" * 48}},
    {"w": {"pcr0": "ab" * 47}},
    {"w": {}},
    {"pcr0": "ab" * 32},
    {"nitro": {"debug": "accepted", "tcb": "not-required", "measurements": "not-required"}},
    {"debug": "accepted", "tcb": "not-required", "measurements": "not-required"},
    {"maximum_age_seconds": 1, "challenge": "required"},
)


def test_the_schema_accepts_what_is_good() -> None:
    assert SCHEMA.is_valid(GOOD)
    assert is_read(GOOD)


@pytest.mark.parametrize("path", PATHS)
def test_schema_and_reader_agree_about_every_field(path: str) -> None:
    for value in VALUES:
        try:
            document = changed(path, value)
        except KeyError:  # what is not there cannot be left out
            continue
        assert SCHEMA.is_valid(document) is is_read(document), value


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(VALUES)), max_size=3))
def test_schema_and_reader_agree_about_several_changes(changes: list[tuple[str, Any]]) -> None:
    document = json.loads(json.dumps(GOOD))
    for path, value in changes:
        *parents, name = path.split("/")
        section = document
        for parent in parents:
            section = section.get(parent) if isinstance(section, dict) else None
        if isinstance(section, dict):
            section.pop(name, None) if value is ... else section.update({name: value})
    assert SCHEMA.is_valid(document) is is_read(document)


def test_the_example_of_the_documentation_is_a_policy() -> None:
    text = (Path(__file__).parents[3] / "docs" / "evidence.md").read_text()
    examples = re.findall(r"```yaml\n(version: adyton/policy.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        assert SCHEMA.is_valid(Policy.from_bytes(example.encode()).to_json())
