"""Inputs of any program: every type of an ABI, and no value in a message."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.codec.json import Json, JsonObject
from adyton.crypto.hashing import FIELD_MODULUS
from adyton.delegation.inputs import MAX_ELEMENTS, InputsMalformedError, witness_inputs
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


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ([], "missing: p0"),
        (["p0", "p1"], "not its own: p1"),
        (["other"], "missing: p0; not its own: other"),
        (["p0", *"abcde"], "not its own: a, b, c and 2 more"),
        (["p0", "x\n" + "y" * 100], "not its own: x?" + "y" * 22),
    ],
    ids=repr,
)
def test_other_names_are_refused_and_said(names: list[str], problem: str) -> None:
    with pytest.raises(InputsMalformedError) as caught:
        witness_inputs(abi(FIELD), dict.fromkeys(names, 4711))
    assert str(caught.value) == f"the inputs are not the program's: {problem}"


def test_the_names_that_are_told_of_are_few_and_cut_so_that_both_kinds_are() -> None:
    given: JsonObject = {"z" * 100 + str(number): 1 for number in range(9)}
    wanted: list[Json] = [
        {"name": "w" * 100 + str(number), "type": FIELD, "visibility": "private"}
        for number in range(9)
    ]
    with pytest.raises(InputsMalformedError, match=r"w and 6 more; not its own: z.*z and 6 more$"):
        witness_inputs({"parameters": wanted}, given)


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


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ({"kind": "string", "length": MAX_ELEMENTS}, "a" * MAX_ELEMENTS),
        ({"kind": "array", "length": MAX_ELEMENTS, "type": BYTE}, [1] * MAX_ELEMENTS),
    ],
    ids=["text", "array"],
)
def test_as_many_values_as_may_be_are_taken_and_no_more(type_: JsonObject, value: Json) -> None:
    assert len(flat(type_, value)) == MAX_ELEMENTS
    with pytest.raises(InputsMalformedError, match="send a witness"):
        witness_inputs(abi(type_, FIELD), {"p0": value, "p1": 1})


def test_a_name_of_the_sender_s_cannot_upset_whoever_writes_the_message_down() -> None:
    name, field = "a\x00\n" + "b" * 100, "c" * 100
    type_: JsonObject = {"kind": "struct", "fields": [{"name": field, "type": BYTE}]}
    parameter: JsonObject = {"name": name, "type": type_, "visibility": "private"}
    with pytest.raises(InputsMalformedError) as caught:
        witness_inputs({"parameters": [parameter]}, {name: {field: 256}})

    message = str(caught.value)
    assert message.isprintable()
    assert "a??bbb" in message
    assert len(message) < 300


TYPES = st.recursive(
    st.sampled_from([FIELD, BYTE, SIGNED, {"kind": "boolean"}, {"kind": "string", "length": 2}]),
    lambda inner: (
        st.builds(
            lambda length, type_: {"kind": "array", "length": length, "type": type_},
            st.integers(0, 3),
            inner,
        )
        | st.builds(lambda items: {"kind": "tuple", "fields": items}, st.lists(inner, max_size=3))
        | st.builds(
            lambda items: {
                "kind": "struct",
                "fields": [{"name": f"f{n}", "type": item} for n, item in enumerate(items)],
            },
            st.lists(inner, max_size=3),
        )
    ),
    max_leaves=8,
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 300), 1 << 300)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=100),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["f0", "f1", "f2"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@st.composite
def fitting(draw: st.DrawFn, type_: Any) -> Any:
    """A value of the type, for most types; what stands in it may still be out of range."""
    match type_:
        case {"kind": "array", "length": length, "type": item}:
            return [draw(fitting(item)) for _ in range(length)]
        case {"kind": "tuple", "fields": items}:
            return [draw(fitting(item)) for item in items]
        case {"kind": "struct", "fields": fields}:
            return {field["name"]: draw(fitting(field["type"])) for field in fields}
        case {"kind": "boolean"}:
            return draw(st.booleans())
        case {"kind": "string"}:
            return draw(st.text(min_size=2, max_size=2))
        case _:
            return draw(st.integers(-200, 300))


@given(st.data(), TYPES)
def test_any_values_are_field_elements_or_refused_whatever_the_type(
    data: st.DataObject, type_: JsonObject
) -> None:
    value = data.draw(st.one_of(fitting(type_), VALUES))
    with suppress(InputsMalformedError):
        assert all(0 <= element < FIELD_MODULUS for element in flat(type_, value))
