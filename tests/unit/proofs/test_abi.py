import json
from pathlib import Path
from typing import Any

import pytest

from adyton.crypto.hashing import FIELD_MODULUS
from adyton.proofs.abi import Abi, AbiMalformedError, AbiValue

FIELD = {"kind": "field"}
I8 = {"kind": "integer", "sign": "signed", "width": 8}
U8 = {"kind": "integer", "sign": "unsigned", "width": 8}
BOOLEAN = {"kind": "boolean"}
PAIR = {
    "kind": "struct",
    "path": "x",
    "fields": [{"name": "a", "type": FIELD}, {"name": "b", "type": I8}],
}
RETURNED = {
    "abi_type": {"kind": "tuple", "fields": [FIELD, BOOLEAN]},
    "visibility": "public",
}


def abi(*parameters: tuple[str, Any, str], returned: Any = RETURNED) -> Any:
    return {
        "parameters": [
            {"name": name, "type": type_, "visibility": visibility}
            for name, type_, visibility in parameters
        ],
        "return_type": returned,
    }


GOOD = Abi.from_json(
    abi(
        ("pair", PAIR, "public"),
        ("flag", BOOLEAN, "private"),
        ("list", {"kind": "array", "length": 2, "type": U8}, "public"),
    )
)


def test_values_become_witnesses_in_order() -> None:
    values: dict[str, AbiValue] = {"list": [7, 8], "flag": True, "pair": {"b": -1, "a": 5}}

    assert GOOD.flatten(values) == {0: 5, 1: 255, 2: 1, 3: 7, 4: 8}


def test_the_public_ones_are_told_apart() -> None:
    assert GOOD.flatten_public({"pair": {"a": 5, "b": -128}, "list": [7, 8]}) == (5, 128, 7, 8)
    assert GOOD.public_labels() == ("pair.a", "pair.b", "list[0]", "list[1]")
    assert [label for item in GOOD.parameters for label in item.type.labels(item.name)] == [
        "pair.a",
        "pair.b",
        "flag",
        "list[0]",
        "list[1]",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pair", {"a": FIELD_MODULUS, "b": 0}),
        ("pair", {"a": -1, "b": 0}),
        ("pair", {"a": 0, "b": 128}),
        ("pair", {"a": 0, "b": -129}),
        ("pair", {"a": 0}),
        ("pair", {"a": 0, "b": 0, "c": 0}),
        ("pair", {"a": True, "b": 0}),
        ("pair", 3),
        ("flag", 1),
        ("list", [1]),
        ("list", [1, 256]),
        ("list", 1),
    ],
)
def test_a_value_of_another_type_is_our_own_mistake(name: str, value: AbiValue) -> None:
    values: dict[str, AbiValue] = {"list": [7, 8], "flag": True, "pair": {"a": 5, "b": 1}}

    with pytest.raises(ValueError):
        GOOD.flatten({**values, name: value})


def test_a_value_that_lacks_is_our_own_mistake() -> None:
    with pytest.raises(ValueError):
        GOOD.flatten({"flag": True})


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {},
        {"parameters": 1, "return_type": RETURNED},
        abi(("x", FIELD, "databus")),
        abi(("x", {"kind": "string"}, "public")),
        abi(("x", {"kind": "integer", "sign": "signed", "width": 0}, "public")),
        abi(("x", {"kind": "array", "length": -1, "type": FIELD}, "public")),
        abi(("x", {"kind": "struct", "fields": [1]}, "public")),
        abi(("x", FIELD, "public"), returned=None),
        abi(("x", FIELD, "public"), returned={"abi_type": FIELD, "visibility": "public"}),
    ],
)
def test_an_abi_that_is_not_ours_is_malformed(broken: Any) -> None:
    with pytest.raises(AbiMalformedError):
        Abi.from_json(broken)


@pytest.mark.parametrize(
    "path",
    sorted((Path(__file__).parents[3] / "circuits").glob("*/artifact.json")),
    ids=lambda path: path.parent.name,
)
def test_every_committed_abi_is_read(path: Path) -> None:
    names = [
        parameter.name
        for parameter in Abi.from_json(json.loads(path.read_text())["abi"]).parameters
    ]

    assert names[0] == "binding"
    assert "salt" in names
