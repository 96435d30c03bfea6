"""``generic_predicate``: whether one value is there, lies within bounds, or is one of a set.

The column is the one that the predicate's ``field`` names, or ``value``, or the only one there is.
It has one row at most: which of several is meant is for the provider's definition to say.

| type | integer, decimal, date | string | boolean |
|---|---|---|---|
| ``gte`` and ``lte`` with ``threshold``, ``range`` with ``min``, ``max`` | yes | | |
| ``eq`` with ``expected`` | yes | yes | yes |
| ``membership`` with ``set`` | yes | yes | |
| ``exists`` | yes | yes | yes |
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar, Final, Self

from adyton.codec.json import Json, JsonObject, as_list, as_string, check_keys
from adyton.crypto.hashing import FIELD_MODULUS
from adyton.errors import MalformedError
from adyton.model.value import Column, Extracted, FieldType
from adyton.proofs.abi import AbiValue
from adyton.proofs.binding import Binding, text_hash
from adyton.proofs.circuit import Asked, Facts, Parameters, PrivateInputs
from adyton.proofs.columns import (
    I64,
    ColumnMissingError,
    ColumnTypeError,
    check_count,
    dates,
    day_number,
    numbers,
    texts,
)
from adyton.proofs.predicates import (
    Bounds,
    PredicateMalformedError,
    check_predicate_keys,
    predicate_type,
    read_bounds,
    read_integer,
    scaled,
)

__all__ = ["GenericParameters", "GenericValue", "Mode"]

SET_SIZE: Final = 16
_MAX_TEXT_CHARACTERS: Final = 256
_FIELD: Final = frozenset({"field"})
_TYPES: Final = frozenset({"gte", "lte", "range", "eq", "membership", "exists"})
_KINDS: Final[Mapping[FieldType, int]] = {
    FieldType.INTEGER: 0,
    FieldType.DECIMAL: 1,
    FieldType.DATE: 2,
    FieldType.STRING: 3,
    FieldType.BOOLEAN: 4,
}
_EVERYTHING: Final = Bounds(lower=I64.low, upper=I64.high)


class Mode(StrEnum):
    """What is asked of the value."""

    EXISTS = "exists"
    WITHIN = "within"
    ONE_OF = "one_of"


_MODES: Final[Mapping[Mode, int]] = {Mode.EXISTS: 0, Mode.WITHIN: 1, Mode.ONE_OF: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericParameters(Parameters):
    """The value's type and what is asked of it.

    ``bounds`` matter in ``WITHIN`` and ``elements`` in ``ONE_OF``: numbers (a date is its day from
    1970-01-01) or texts.
    """

    circuit: ClassVar[str] = "generic_predicate"

    type: FieldType
    mode: Mode
    bounds: Bounds
    elements: tuple[int | str, ...]

    @classmethod
    def from_predicate(cls, predicate: JsonObject, facts: Facts, /) -> Self:
        """Return the parameters of one of the predicates that this module's table lists."""
        if facts.type is None:
            raise ValueError("the facts lack the type of the value")
        _field_name(predicate)
        read = _READERS[facts.type](facts.scale)
        match predicate_type(predicate, _TYPES):
            case "exists":
                check_predicate_keys(predicate, required=frozenset(), optional=_FIELD)
                return cls._of(facts.type, mode=Mode.EXISTS)
            case "eq":
                check_predicate_keys(predicate, required=frozenset({"expected"}), optional=_FIELD)
                return cls._equal(facts.type, read(predicate["expected"], "predicate.expected"))
            case "membership":
                check_predicate_keys(predicate, required=frozenset({"set"}), optional=_FIELD)
                elements = _elements(predicate["set"], facts.type, read)
                return cls._of(facts.type, mode=Mode.ONE_OF, elements=elements)
            case comparison:
                bounds = _bounds(predicate, comparison, facts)
                return cls._of(facts.type, mode=Mode.WITHIN, bounds=bounds)

    @classmethod
    def from_json(cls, record: JsonObject) -> Self:
        """Return the parameters in a statement, or raise ``MalformedError``."""
        check_keys(record, "parameters", required=_KEYS, optional=frozenset())
        try:
            type_ = FieldType(as_string(record["type"], "parameters.type"))
            mode = Mode(as_string(record["mode"], "parameters.mode"))
        except ValueError as error:
            raise MalformedError("parameters.type or parameters.mode is unknown") from error
        elements = as_list(record["set"], "parameters.set", limit=SET_SIZE)
        return cls(
            type=type_,
            mode=mode,
            bounds=Bounds.from_json(record, I64),
            elements=tuple(
                as_string(item, "parameters.set")
                if type_ is FieldType.STRING
                else read_integer(item, "parameters.set", I64)
                for item in elements
            ),
        )

    def to_json(self) -> JsonObject:
        """Return what a statement holds: texts as they are, numbers as decimal strings."""
        return {
            "type": self.type.value,
            "mode": self.mode.value,
            **self.bounds.to_json(),
            "set": [str(element) for element in self.elements],
        }

    @classmethod
    def facts(cls, extracted: Extracted, asked: Asked, /) -> Facts:
        """Return the type and the scale of the value."""
        _, column = _column(extracted, asked.predicate)
        return Facts(scale=column.scale, time=asked.time, type=column.type)

    def stated_facts(self, asked: Asked, *, scale: int) -> Facts:
        """Return the facts: the type is among the parameters."""
        return Facts(scale=scale, time=asked.time, type=self.type)

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's public parameters."""
        elements = [_field_element(element) for element in self.elements]
        # Repeated instead of padded with zeros, so that a zero in the set always means zero.
        filling = elements[-1:] or [0]
        return {
            "kind": _KINDS[self.type],
            "mode": _MODES[self.mode],
            "lower": self.bounds.lower,
            "upper": self.bounds.upper,
            "set": [*elements, *filling * (SET_SIZE - len(elements))],
        }

    def private_inputs(self, extracted: Extracted, asked: Asked, /) -> "GenericValue":
        """Return the one value of ``extracted``, or that there is none."""
        name, column = _column(extracted, asked.predicate)
        return GenericValue(parameters=self, value=_value(column, name))

    @classmethod
    def _of(
        cls,
        type_: FieldType,
        *,
        mode: Mode,
        bounds: Bounds = _EVERYTHING,
        elements: tuple[int | str, ...] = (),
    ) -> Self:
        return cls(type=type_, mode=mode, bounds=bounds, elements=elements)

    @classmethod
    def _equal(cls, type_: FieldType, element: int | str) -> Self:
        if isinstance(element, str):
            return cls._of(type_, mode=Mode.ONE_OF, elements=(element,))
        return cls._of(type_, mode=Mode.WITHIN, bounds=Bounds(lower=element, upper=element))


_KEYS: Final = frozenset({"type", "mode", "lower", "upper", "set"})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class GenericValue(PrivateInputs):
    """One number or text; ``None`` where the source says nothing."""

    parameters: GenericParameters
    value: int | str | None

    def evaluate(self, _binding: Binding, /) -> bool:
        """Return whether the value is there and what was asked."""
        if self.value is None:
            return False
        match self.parameters.mode:
            case Mode.EXISTS:
                return True
            case Mode.WITHIN:
                return isinstance(self.value, int) and self.value in self.parameters.bounds
            case Mode.ONE_OF:
                return self.value in self.parameters.elements

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's private parameters."""
        return {
            "present": self.value is not None,
            "number": self.value if isinstance(self.value, int) else 0,
            "text": text_hash(self.value) if isinstance(self.value, str) else 0,
        }


def _field_element(element: int | str) -> int:
    # The circuit compares numbers with their sign: -1 is the field's -1.
    return text_hash(element) if isinstance(element, str) else element % FIELD_MODULUS


def _column(extracted: Extracted, predicate: JsonObject) -> tuple[str, Column]:
    only = next(iter(extracted.columns)) if len(extracted.columns) == 1 else "value"
    name = _field_name(predicate) or only
    if (column := extracted.columns.get(name)) is None:
        raise ColumnMissingError(column=name)
    return name, column


def _field_name(predicate: JsonObject) -> str | None:
    named = predicate.get("field")
    if named is not None and not isinstance(named, str):
        raise PredicateMalformedError("predicate.field is not a string")
    return named


def _value(column: Column, name: str) -> int | str | None:
    check_count(len(column.values), name, limit=1)
    if not column.values:
        return None
    match column.type:
        case FieldType.STRING:
            return texts(column, name)[0]
        case FieldType.DATE:
            day = dates(column, name)[0]
            return None if day is None else day_number(day)
        case FieldType.BOOLEAN:
            truth = column.values[0]
            if not isinstance(truth, bool | None):
                raise ColumnTypeError(column=name, expected="boolean")
            return None if truth is None else int(truth)
        case FieldType.INTEGER | FieldType.DECIMAL:
            return numbers(column, name, I64)[0]


def _bounds(predicate: JsonObject, comparison: str, facts: Facts) -> Bounds:
    match facts.type:
        case FieldType.INTEGER | FieldType.DECIMAL:
            read = scaled(scale=facts.scale, limits=I64)
        case FieldType.DATE:
            read = _read_date
        case _:
            raise PredicateMalformedError(f"a {facts.type} is not compared with {comparison}")
    return read_bounds(predicate, comparison=comparison, limits=I64, read=read, optional=_FIELD)


def _elements(
    value: Json, type_: FieldType, read: Callable[[Json, str], int | str]
) -> tuple[int | str, ...]:
    if type_ is FieldType.BOOLEAN:
        raise PredicateMalformedError("a boolean is compared with eq, not with membership")
    if not isinstance(value, list) or not 1 <= len(value) <= SET_SIZE:
        raise PredicateMalformedError(f"predicate.set is not an array of 1 to {SET_SIZE}")
    elements = tuple(read(item, "an element of predicate.set") for item in value)
    if len(set(elements)) != len(elements):
        raise PredicateMalformedError("predicate.set names one element twice")
    return elements


def _read_date(value: Json, name: str) -> int:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError as error:
        raise PredicateMalformedError(f"{name} is not a date as YYYY-MM-DD") from error
    if day is None or day.isoformat() != value:
        raise PredicateMalformedError(f"{name} is not a date as YYYY-MM-DD")
    return day_number(day)


def _read_text(value: Json, name: str) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT_CHARACTERS:
        raise PredicateMalformedError(
            f"{name} is not a string of at most {_MAX_TEXT_CHARACTERS} characters"
        )
    return value


def _read_boolean(value: Json, name: str) -> int:
    if not isinstance(value, bool):
        raise PredicateMalformedError(f"{name} is neither true nor false")
    return int(value)


# How a question writes a value of each type; numbers need the column's scale.
_READERS: Final[Mapping[FieldType, Callable[[int], Callable[[Json, str], int | str]]]] = {
    FieldType.INTEGER: lambda scale: scaled(scale=scale, limits=I64),
    FieldType.DECIMAL: lambda scale: scaled(scale=scale, limits=I64),
    FieldType.DATE: lambda _scale: _read_date,
    FieldType.STRING: lambda _scale: _read_text,
    FieldType.BOOLEAN: lambda _scale: _read_boolean,
}
