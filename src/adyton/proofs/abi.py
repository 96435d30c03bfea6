"""A circuit's ABI, as Noir's compiler writes it: named, typed values to witness values by index.

The parameters of ``main`` take the first witnesses, in order, a field element each: a structure is
its fields, an array its elements, a negative number its two's complement. Range checks are the
circuit's, too; here they catch our own mistakes before a solver says only "unsatisfied".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

from adyton.codec.json import (
    Json,
    JsonObject,
    as_integer,
    as_list,
    as_object,
    as_string,
)
from adyton.crypto.hashing import FIELD_MODULUS
from adyton.errors import MalformedError

__all__ = [
    "Abi",
    "AbiMalformedError",
    "AbiType",
    "AbiValue",
    "ArrayType",
    "BooleanType",
    "ElementType",
    "IntegerType",
    "Parameter",
    "StructType",
    "TextType",
    "TupleType",
    "read_parameters",
]

AbiValue: TypeAlias = "int | bool | str | Sequence[AbiValue] | Mapping[str, AbiValue]"

_MAX_ITEMS = 4096
_MAX_LENGTH = 1 << 20


class AbiMalformedError(MalformedError):
    """An artifact describes its parameters in a way that we do not read."""

    code = "abi-malformed"


@dataclass(frozen=True, slots=True)
class ElementType:
    """A field element."""

    def flatten(self, value: AbiValue, name: str) -> Iterator[int]:
        """Yield the element; ``ValueError`` if it is none."""
        yield _within(value, name, 0, FIELD_MODULUS - 1)

    def labels(self, name: str) -> Iterator[str]:
        """Yield a label for each witness."""
        yield name


@dataclass(frozen=True, slots=True)
class BooleanType:
    """A truth value."""

    def flatten(self, value: AbiValue, name: str) -> Iterator[int]:
        """Yield 0 or 1; ``ValueError`` for anything but a truth value."""
        if value is not True and value is not False:
            raise ValueError(f"{name} is not a boolean")
        yield int(value)

    def labels(self, name: str) -> Iterator[str]:
        """Yield a label for each witness."""
        yield name


@dataclass(frozen=True, slots=True)
class IntegerType:
    """An integer of ``width`` bits."""

    signed: bool
    width: int

    def flatten(self, value: AbiValue, name: str) -> Iterator[int]:
        """Yield the integer, a negative one in two's complement; ``ValueError`` out of range."""
        low, high = (
            (-(1 << (self.width - 1)), (1 << (self.width - 1)) - 1)
            if self.signed
            else (0, (1 << self.width) - 1)
        )
        yield _within(value, name, low, high) % (1 << self.width)

    def labels(self, name: str) -> Iterator[str]:
        """Yield a label for each witness."""
        yield name


@dataclass(frozen=True, slots=True)
class ArrayType:
    """As many values of one type as ``length`` says."""

    length: int
    item: "AbiType"

    def flatten(self, value: AbiValue, name: str) -> Iterator[int]:
        """Yield the elements' witnesses; ``ValueError`` for another length."""
        if not _is_list(value) or len(value) != self.length:
            raise ValueError(f"{name} is not a sequence of {self.length}")
        for index, item in enumerate(value):
            yield from self.item.flatten(item, f"{name}[{index}]")

    def labels(self, name: str) -> Iterator[str]:
        """Yield a label for each witness."""
        for index in range(self.length):
            yield from self.item.labels(f"{name}[{index}]")


@dataclass(frozen=True, slots=True)
class StructType:
    """Named values, in order."""

    fields: tuple[tuple[str, "AbiType"], ...]

    def flatten(self, value: AbiValue, name: str) -> Iterator[int]:
        """Yield the fields' witnesses; ``ValueError`` if one lacks or is too many."""
        if not isinstance(value, Mapping) or value.keys() != {field for field, _ in self.fields}:
            raise ValueError(f"{name} has other fields than the circuit's")
        for field, type_ in self.fields:
            yield from type_.flatten(value[field], f"{name}.{field}")

    def labels(self, name: str) -> Iterator[str]:
        """Yield a label for each witness."""
        for field, type_ in self.fields:
            yield from type_.labels(f"{name}.{field}")


@dataclass(frozen=True, slots=True)
class TupleType:
    """Values without names, in order."""

    items: tuple["AbiType", ...]

    def flatten(self, value: AbiValue, name: str) -> Iterator[int]:
        """Yield the values' witnesses; ``ValueError`` for another number of values."""
        if not _is_list(value) or len(value) != len(self.items):
            raise ValueError(f"{name} is not a sequence of {len(self.items)}")
        for index, (type_, item) in enumerate(zip(self.items, value, strict=True)):
            yield from type_.flatten(item, f"{name}.{index}")

    def labels(self, name: str) -> Iterator[str]:
        """Yield a label for each witness."""
        for index, type_ in enumerate(self.items):
            yield from type_.labels(f"{name}.{index}")


@dataclass(frozen=True, slots=True)
class TextType:
    """Text that has as many bytes in UTF-8 as ``length`` says; each is a witness."""

    length: int

    def flatten(self, value: AbiValue, name: str) -> Iterator[int]:
        """Yield the bytes; ``ValueError`` for text of another length."""
        if not isinstance(value, str) or len(data := value.encode()) != self.length:
            raise ValueError(f"{name} is not text of {self.length} bytes")
        yield from data

    def labels(self, name: str) -> Iterator[str]:
        """Yield a label for each witness."""
        for index in range(self.length):
            yield f"{name}[{index}]"


AbiType: TypeAlias = (
    ElementType | BooleanType | IntegerType | ArrayType | StructType | TupleType | TextType
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of ``main``."""

    name: str
    type: AbiType
    public: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Abi:
    """The parameters of ``main``, in order."""

    parameters: tuple[Parameter, ...]

    @classmethod
    def from_json(cls, value: Json) -> "Abi":
        """Return the ABI of an artifact, or raise ``AbiMalformedError``.

        The returned value must be a public pair of a field element (the commitment) and a truth
        value: that is what makes a circuit one of ours.
        """
        abi = cls(parameters=read_parameters(value))
        if as_object(value, "abi").get("return_type") != _RETURNED:
            raise AbiMalformedError("the circuit does not return a commitment and an answer")
        return abi

    def flatten(self, values: Mapping[str, AbiValue]) -> dict[int, int]:
        """Return the witness value of every parameter by index; ``ValueError`` if one lacks."""
        if values.keys() != {parameter.name for parameter in self.parameters}:
            raise ValueError("these are other parameters than the circuit's")
        flat = [
            element
            for parameter in self.parameters
            for element in parameter.type.flatten(values[parameter.name], parameter.name)
        ]
        return dict(enumerate(flat))

    def flatten_public(self, values: Mapping[str, AbiValue]) -> tuple[int, ...]:
        """Return the public parameters, in the order of a proof's public inputs."""
        return tuple(
            element
            for parameter in self.parameters
            if parameter.public
            for element in parameter.type.flatten(values[parameter.name], parameter.name)
        )

    def public_labels(self) -> tuple[str, ...]:
        """Return a label for each public parameter, in the same order."""
        return tuple(
            label
            for parameter in self.parameters
            if parameter.public
            for label in parameter.type.labels(parameter.name)
        )


def read_parameters(value: Json) -> tuple[Parameter, ...]:
    """Return the parameters in the ABI of any program, or raise ``AbiMalformedError``."""
    try:
        record = as_object(value, "abi")
        parameters = as_list(record.get("parameters"), "parameters", limit=_MAX_ITEMS)
        return tuple(_parameter(item) for item in parameters)
    except MalformedError as error:
        raise AbiMalformedError(f"abi: {error}") from error


_RETURNED: Json = {
    "abi_type": {"kind": "tuple", "fields": [{"kind": "field"}, {"kind": "boolean"}]},
    "visibility": "public",
}


def _parameter(value: Json) -> Parameter:
    record = as_object(value, "parameter")
    visibility = record.get("visibility")
    if visibility not in ("public", "private"):
        raise MalformedError("a parameter is neither public nor private")
    return Parameter(
        name=as_string(record.get("name"), "name", limit=128),
        type=_type(record.get("type")),
        public=visibility == "public",
    )


def _type(value: Json) -> AbiType:
    record = as_object(value, "type")
    match record.get("kind"):
        case "field":
            return ElementType()
        case "boolean":
            return BooleanType()
        case "integer":
            return IntegerType(
                signed=as_string(record.get("sign"), "sign") == "signed",
                width=as_integer(record.get("width"), "width", low=1, high=128),
            )
        case "string":
            return TextType(as_integer(record.get("length"), "length", high=_MAX_LENGTH))
        case _:
            return _composite(record)


def _composite(record: JsonObject) -> AbiType:
    match record.get("kind"):
        case "array":
            length = as_integer(record.get("length"), "length", high=_MAX_LENGTH)
            return ArrayType(length, _type(record.get("type")))
        case "tuple":
            items = as_list(record.get("fields"), "fields", limit=_MAX_ITEMS)
            return TupleType(tuple(_type(item) for item in items))
        case "struct":
            fields = as_list(record.get("fields"), "fields", limit=_MAX_ITEMS)
            return StructType(tuple(_field(item) for item in fields))
        case _:
            raise MalformedError("a parameter has a type that we do not read")


def _field(value: Json) -> tuple[str, AbiType]:
    record = as_object(value, "field")
    return as_string(record.get("name"), "name", limit=128), _type(record.get("type"))


def _is_list(value: AbiValue) -> TypeGuard[Sequence[AbiValue]]:
    # Text is a sequence to Python, and no array to anybody else.
    return isinstance(value, Sequence) and not isinstance(value, str)


def _within(value: AbiValue, name: str, low: int, high: int) -> int:
    # A private value must not end up in a message: say only where it was.
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name} is out of the range of its type")
    return value
