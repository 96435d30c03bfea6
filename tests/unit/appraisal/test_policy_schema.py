"""The published JSON Schema and the reader of policies accept the same documents."""

import json
import re
from collections.abc import Sized
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.appraisal.policies import GOOD, changed

from adyton.appraisal.policy import Policy
from adyton.codec.json import JsonObject
from adyton.errors import MalformedError

SCHEMA: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "docs" / "policy.schema.json").read_text()
)
TYPES: Final[dict[str, Any]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
}


def check(value: Any, schema: dict[str, Any]) -> bool:
    """Evaluate the keywords of JSON Schema that the policy's schema uses, and no others."""
    return all(KEYWORDS[keyword](value, schema) for keyword in schema)


def is_equal(value: Any, other: Any) -> bool:
    return type(value) is type(other) and bool(value == other)


def resolve(value: Any, schema: dict[str, Any]) -> bool:
    return check(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")])


def check_type(value: Any, schema: dict[str, Any]) -> bool:
    return isinstance(value, TYPES[schema["type"]]) and not isinstance(value, bool)


def check_properties(value: Any, schema: dict[str, Any]) -> bool:
    known = schema["properties"]
    return not isinstance(value, dict) or all(
        check(value[name], known[name]) for name in known if name in value
    )


def check_additional(value: Any, schema: dict[str, Any]) -> bool:
    if not isinstance(value, dict):
        return True
    rest = [item for name, item in value.items() if name not in schema.get("properties", {})]
    allowed = schema["additionalProperties"]
    return not rest if allowed is False else all(check(item, allowed) for item in rest)


def check_unique(value: Any, _: dict[str, Any]) -> bool:
    texts = [json.dumps(item) for item in value] if isinstance(value, list) else []
    return len(set(texts)) == len(texts)


def size_of(value: Any, kind: type[Sized], otherwise: int) -> int:
    """Return the size of a value that a keyword is about, and ``otherwise`` of any other."""
    return len(value) if isinstance(value, kind) else otherwise


KEYWORDS: Final[dict[str, Any]] = {
    "$schema": lambda *_: True,
    "$id": lambda *_: True,
    "$defs": lambda *_: True,
    "title": lambda *_: True,
    "description": lambda *_: True,
    "$ref": resolve,
    "type": check_type,
    "const": lambda value, schema: is_equal(value, schema["const"]),
    "enum": lambda value, schema: any(is_equal(value, item) for item in schema["enum"]),
    "anyOf": lambda value, schema: any(check(value, item) for item in schema["anyOf"]),
    "required": lambda value, schema: (
        not isinstance(value, dict) or set(schema["required"]) <= set(value)
    ),
    "properties": check_properties,
    "additionalProperties": check_additional,
    "propertyNames": lambda value, schema: (
        not isinstance(value, dict) or all(check(name, schema["propertyNames"]) for name in value)
    ),
    "minProperties": lambda value, schema: size_of(value, dict, 1 << 30) >= schema["minProperties"],
    "maxProperties": lambda value, schema: size_of(value, dict, 0) <= schema["maxProperties"],
    "items": lambda value, schema: (
        not isinstance(value, list) or all(check(item, schema["items"]) for item in value)
    ),
    "minItems": lambda value, schema: (
        not isinstance(value, list) or len(value) >= schema["minItems"]
    ),
    "maxItems": lambda value, schema: (
        not isinstance(value, list) or len(value) <= schema["maxItems"]
    ),
    "uniqueItems": check_unique,
    "pattern": lambda value, schema: (
        not isinstance(value, str)
        # JSON Schema's $ is the end of the text, and not also what stands before a newline.
        or re.search(schema["pattern"].removesuffix("$") + r"\Z", value) is not None
    ),
    "minLength": lambda value, schema: (
        not isinstance(value, str) or len(value) >= schema["minLength"]
    ),
    "maxLength": lambda value, schema: (
        not isinstance(value, str) or len(value) <= schema["maxLength"]
    ),
    "minimum": lambda value, schema: not isinstance(value, int) or value >= schema["minimum"],
    "maximum": lambda value, schema: not isinstance(value, int) or value <= schema["maximum"],
}


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
    1.0,
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
    assert check(GOOD, SCHEMA)
    assert is_read(GOOD)


@pytest.mark.parametrize("path", PATHS)
def test_schema_and_reader_agree_about_every_field(path: str) -> None:
    for value in VALUES:
        try:
            document = changed(path, value)
        except KeyError:  # what is not there cannot be left out
            continue
        assert check(document, SCHEMA) is is_read(document), value


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
    assert check(document, SCHEMA) is is_read(document)


def test_the_example_of_the_documentation_is_a_policy() -> None:
    text = (Path(__file__).parents[3] / "docs" / "evidence.md").read_text()
    examples = re.findall(r"```yaml\n(version: adyton/policy.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        assert check(Policy.from_bytes(example.encode()).to_json(), SCHEMA)
