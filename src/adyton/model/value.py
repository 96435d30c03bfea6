"""What was taken from a provider's answer: typed, exact values, in columns of equal length."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

__all__ = ["Column", "DataSource", "Extracted", "FieldType", "Value"]


class FieldType(StrEnum):
    """The types that RFC-0023 gives to an extracted field."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    STRING = "string"
    BOOLEAN = "boolean"
    DATE = "date"


# A decimal is an integer in units of 10^-scale: 12.34 at scale 2 is 1234. None is "not there".
Value = int | str | bool | date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The values of one field, a row each; ``scale`` is 0 for everything but a decimal."""

    type: FieldType
    scale: int
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """Who answered: the provider's own name, and the institution behind it where there is one."""

    name: str
    institution: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Extracted:
    """The columns by field name. Private data: hidden from ``repr``, gone after the proof."""

    source: DataSource
    columns: Mapping[str, Column]
