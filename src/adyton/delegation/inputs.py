"""The inputs of any Noir program: JSON by name to witness values by index, as its ABI says.

Both are the sender's, and so is how much they hold: the number of values in their text and its
depth are bounded where it is read (``model.proving_job``), what becomes of them here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
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
    Parameter,
    StructType,
    TupleType,
    read_parameters,
)

__all__ = ["MAX_ELEMENTS", "InputsMalformedError", "witness_inputs"]

# More than that is for the sender to solve: a witness is packed, and text is not.
MAX_ELEMENTS: Final = 1 << 18
_PROBLEM_LIMIT: Final = 200
_SHOWN_NAMES: Final = 3
_NAME_LIMIT: Final = 24
# Hexadecimal digits of a field element, and some zeros before them.
_NUMBER_LIMIT: Final = 80
_NUMBER: Final = re.compile(r"(-?)(?:0[xX]([0-9a-fA-F]+)|([0-9]+))")


class InputsMalformedError(MalformedError):
    """Inputs are not those of the program, by name or by type."""

    code = "inputs-malformed"

    def __init__(self, problem: str) -> None:
        # Where it is, never what it is: inputs are the sender's secret. Names are the sender's too.
        shown = "".join(one if one.isprintable() else "?" for one in problem[:_PROBLEM_LIMIT])
        super().__init__(f"the inputs are not the program's: {shown}")


def witness_inputs(abi: JsonObject, values: JsonObject) -> Mapping[int, int]:
    """Return what the solver starts from: the parameters of ``main``, in order.

    Raises ``AbiMalformedError``, or ``InputsMalformedError`` for values that are not the ABI's.
    """
    parameters = read_parameters(abi)
    if problem := _other_names([parameter.name for parameter in parameters], values):
        raise InputsMalformedError(problem)
    try:
        found = dict(enumerate(islice(_elements(parameters, values), MAX_ELEMENTS + 1)))
    except ValueError as error:
        raise InputsMalformedError(str(error)) from None
    if len(found) > MAX_ELEMENTS:
        raise InputsMalformedError(f"they take more than {MAX_ELEMENTS} witnesses; send a witness")
    return found


def _other_names(wanted: Sequence[str], given: JsonObject) -> str:
    """Return in which names they differ, or nothing."""
    missing = [name for name in wanted if name not in given]
    unknown = [name for name in given if name not in wanted]
    found = {"missing": missing, "not its own": unknown}
    return "; ".join(f"{what}: {_few(names)}" for what, names in found.items() if names)


def _few(names: Sequence[str]) -> str:
    shown = [name[:_NAME_LIMIT] for name in names[:_SHOWN_NAMES]]
    left = len(names) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")


def _elements(parameters: Sequence[Parameter], values: JsonObject) -> Iterator[int]:
    for item in parameters:
        yield from item.type.flatten(_value(values[item.name], item.type), item.name)


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
