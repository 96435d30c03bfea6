from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.codec.json import Json
from adyton.codec.yaml import loads
from adyton.errors import MalformedError


def read(text: str) -> Json:
    return loads(text.encode(), limit_bytes=4096)


def test_the_plain_part_of_yaml_is_read() -> None:
    text = """
    # a comment
    name: worker-0.1.0
    "quoted": "yes"
    seconds: 3600
    low: -1
    list: [a, b, true, false, null]
    nested:
      - key: |
          one
          two
    version: adyton/policy/v1
    """
    assert read(text) == {
        "name": "worker-0.1.0",
        "quoted": "yes",
        "seconds": 3600,
        "low": -1,
        "list": ["a", "b", True, False, None],
        "nested": [{"key": "one\ntwo\n"}],
        "version": "adyton/policy/v1",
    }


def test_json_is_yaml() -> None:
    assert read('{"a": [1, "b", {"c": null}]}') == {"a": [1, "b", {"c": None}]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2", "'a' twice.*line 2"),
        ("a: &x 1\nb: *x", "anchor or an alias.*line 1"),
        ("a: *x", "anchor or an alias"),
        ("a: !!python/name:os.system x", "has a tag"),
        ("a: !!str 1", "has a tag"),
        ("a: 1\n---\nb: 2", "not one document"),
        ("%YAML 1.1\n---\na: 1", "directive"),
        ("%TAG ! x\n---\na: 1", "directive"),
        ("1: a", "not text"),
        ("[a]: b", "not text"),
        ("<<: {a: 1}", "readers disagree"),
        ("a: yes", "readers disagree.*line 1"),
        ("a: Off", "readers disagree"),
        ("a: ~", "readers disagree"),
        ("a:", "readers disagree"),
        ("a: True", "readers disagree"),
        ("a: 1e3", "readers disagree"),
        ("a: 1.5", "readers disagree"),
        ("a: 0x10", "readers disagree"),
        ("a: 010", "readers disagree"),
        ("a: 1_000", "readers disagree"),
        ("a: 12:30:00", "readers disagree"),
        ("a: 2026-11-20", "readers disagree"),
        ("a: .inf", "readers disagree"),
        ("a: 99999999999999999999", "readers disagree"),
        ("", "not one document"),
        ("a: [", "not yaml in line"),
        ("a: \x01", "not yaml"),
        ("[" * 20 + "]" * 20, "nested deeper"),
        ("a: " + "b" * 5000, "the limit is 4096"),
    ],
)
def test_what_readers_disagree_about_is_refused(text: str, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        read(text)


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(MalformedError, match="utf-8"):
        loads(b"a: \xff", limit_bytes=100)


@given(st.text(alphabet="ab:- {}[]&*!|>'\"#%@,?\n0.1", max_size=60))
def test_any_text_is_read_or_malformed(text: str) -> None:
    with suppress(MalformedError):
        read(text)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        loads(data, limit_bytes=4096)
