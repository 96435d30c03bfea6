"""Inputs of any program: every type of an ABI, and no value in a message."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.codec.json import Json, JsonObject
from adyton.crypto.hashing import FIELD_MODULUS
from adyton.delegation.inputs import InputsMalformedError, witness_inputs
from adyton.proofs.abi import AbiMalformedError

FIELD: JsonObject = {"kind": "field"}
BYTE: JsonObject = {"kind": "integer", "sign": "unsigned", "width": 8}
SIGNED: JsonObject = {"kind": "integer", "sign": "signed", "width": 8}
PAIR: JsonObject = {"kind": "tuple", "fields": [FIELD, {"kind": "boolean"}]}
POINT: JsonObject = {
    "kind": "struct",
    "path": "Point",
    "fields": [{"name": "x", "type": FIELD}, {"name": "y", "type": SIGNED}],
}


def abi(*types: JsonObject) -> JsonObject:
    return {
        "parameters": [
            {"name": f"p{index}", "type": type_, "visibility": "private"}
            for index, type_ in enumerate(types)
        ],
        "return_type": None,
    }


def flat(type_: JsonObject, value: Json) -> list[int]:
    return list(witness_inputs(abi(type_), {"p0": value}).values())


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        (FIELD, 7, [7]),
        (FIELD, "7", [7]),
        (FIELD, "0x0a", [10]),
        (FIELD, "-1", [FIELD_MODULUS - 1]),
        (BYTE, "255", [255]),
        (SIGNED, -1, [255]),
        (SIGNED, "-0x01", [255]),
        ({"kind": "boolean"}, True, [1]),
        ({"kind": "string", "length": 3}, "abc", [97, 98, 99]),
        ({"kind": "string", "length": 2}, "é", [0xC3, 0xA9]),
        ({"kind": "array", "length": 2, "type": BYTE}, [1, "2"], [1, 2]),
        (PAIR, ["0x05", False], [5, 0]),
        (POINT, {"y": -1, "x": "9"}, [9, 255]),
        ({"kind": "array", "length": 1, "type": POINT}, [{"x": 1, "y": 2}], [1, 2]),
    ],
)
def test_every_type_has_its_witnesses_in_order(
    type_: JsonObject, value: Json, expected: list[int]
) -> None:
    assert flat(type_, value) == expected


def test_parameters_follow_each_other() -> None:
    found = witness_inputs(abi(BYTE, PAIR), {"p1": [2, True], "p0": 1})
    assert dict(found) == {0: 1, 1: 2, 2: 1}


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (FIELD, True),
        (FIELD, "4711x"),
        (FIELD, "4_711"),
        (FIELD, " 4711"),
        (FIELD, "4711" * 25),
        (FIELD, FIELD_MODULUS),
        (FIELD, None),
        (FIELD, [4711]),
        (BYTE, 256),
        (BYTE, "4711"),
        (BYTE, -1),
        ({"kind": "boolean"}, 1),
        ({"kind": "boolean"}, "true"),
        ({"kind": "string", "length": 3}, "4711"),
        ({"kind": "array", "length": 2, "type": BYTE}, [1]),
        ({"kind": "array", "length": 2, "type": BYTE}, "12"),
        (PAIR, [4711]),
        (POINT, {"x": 4711}),
        (POINT, {"x": 1, "y": 2, "z": 4711}),
    ],
)
def test_what_does_not_fit_is_refused_and_not_quoted(type_: JsonObject, value: Any) -> None:
    with pytest.raises(InputsMalformedError) as caught:
        flat(type_, value)
    assert "4711" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("names", [[], ["p0", "p1"], ["other"]])
def test_other_names_are_refused(names: list[str]) -> None:
    with pytest.raises(InputsMalformedError):
        witness_inputs(abi(FIELD), dict.fromkeys(names, 1))


@pytest.mark.parametrize(
    "bad",
    [{}, {"parameters": 1}, abi({"kind": "function"}), abi({"kind": "string", "length": -1})],
)
def test_what_is_no_abi_is_malformed(bad: Any) -> None:
    with pytest.raises(AbiMalformedError):
        witness_inputs(bad, {"p0": 1})


@given(st.integers(0, FIELD_MODULUS - 1))
def test_a_number_is_the_same_in_every_form(value: int) -> None:
    forms: list[Json] = [value, str(value), hex(value), f"0x{value:064x}"]
    assert {tuple(flat(FIELD, form)) for form in forms} == {(value,)}
