"""The inputs of any Noir program: JSON by name to witness values by index, as its ABI says."""

import re
from collections.abc import Mapping
from typing import Final

from adyton.codec.json import Json, JsonObject
from adyton.crypto.hashing import FIELD_MODULUS
from adyton.errors import MalformedError
from adyton.proofs.abi import (
    AbiType,
    AbiValue,
    ArrayType,
    ElementType,
    IntegerType,
    StructType,
    TupleType,
    read_parameters,
)

__all__ = ["InputsMalformedError", "witness_inputs"]

# Hexadecimal digits of a field element, and some zeros before them.
_NUMBER_LIMIT: Final = 80
_NUMBER: Final = re.compile(r"(-?)(?:0[xX]([0-9a-fA-F]+)|([0-9]+))")


class InputsMalformedError(MalformedError):
    """Inputs are not those of the program, by name or by type."""

    code = "inputs-malformed"

    def __init__(self, problem: str) -> None:
        # Where it is, never what it is: inputs are the sender's secret.
        super().__init__(f"the inputs are not the program's: {problem}")


def witness_inputs(abi: JsonObject, values: JsonObject) -> Mapping[int, int]:
    """Return what the solver starts from: the parameters of ``main``, in order.

    Raises ``AbiMalformedError``, or ``InputsMalformedError`` for values that are not the ABI's.
    """
    parameters = read_parameters(abi)
    if values.keys() != {parameter.name for parameter in parameters}:
        raise InputsMalformedError("their names differ")
    try:
        return dict(
            enumerate(
                element
                for item in parameters
                for element in item.type.flatten(_value(values[item.name], item.type), item.name)
            )
        )
    except ValueError as error:
        raise InputsMalformedError(str(error)) from None


def _value(value: Json, type_: AbiType) -> AbiValue:
    """Return ``value`` as the type takes it; what does not fit is left for ``flatten`` to name."""
    match type_, value:
        case ((ElementType() | IntegerType()), str()):
            number = _number(value)
            # As everywhere in Noir, a field element may be written as a negative number.
            return number % FIELD_MODULUS if isinstance(type_, ElementType) else number
        case ArrayType(item=item), list():
            return [_value(each, item) for each in value]
        case TupleType(items=items), list():
            if len(items) != len(value):
                raise ValueError("a tuple has another number of values")
            return [_value(each, item) for each, item in zip(value, items, strict=True)]
        case StructType(fields=fields), dict():
            types = dict(fields)
            if types.keys() != value.keys():
                raise ValueError("a structure has other fields")
            return {name: _value(each, types[name]) for name, each in value.items()}
        case _, (bool() | int() | str()):
            return value
        case _:
            raise ValueError("a value is of another type")


def _number(text: str) -> int:
    if len(text) > _NUMBER_LIMIT or (found := _NUMBER.fullmatch(text)) is None:
        raise ValueError("a number is neither decimal nor hexadecimal, or too long")
    sign, hexadecimal, decimal = found.groups()
    number = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return -number if sign else number
