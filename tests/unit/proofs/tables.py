"""Extracted data as a test writes them down."""

from datetime import date

from adyton.codec.json import Json, JsonObject
from adyton.model.value import Column, DataSource, Extracted, FieldType, Value
from adyton.proofs.binding import SECONDS_PER_DAY, Binding
from adyton.proofs.circuit import Asked, Facts
from adyton.proofs.columns import day_number

SOURCE = DataSource(name="plaid", institution="ins_109508")
TODAY = date(2026, 3, 15)
TIME = day_number(TODAY) * SECONDS_PER_DAY + 3600
BINDING = Binding.of(nonce="n", audience="", source=SOURCE, provider_digest=bytes(32), time=TIME)


def table(**columns: Column) -> Extracted:
    return Extracted(source=SOURCE, columns=columns)


def decimals(*values: Value, scale: int = 2) -> Column:
    return Column(type=FieldType.DECIMAL, scale=scale, values=values)


def integers(*values: Value) -> Column:
    return Column(type=FieldType.INTEGER, scale=0, values=values)


def strings(*values: Value) -> Column:
    return Column(type=FieldType.STRING, scale=0, values=values)


def booleans(*values: Value) -> Column:
    return Column(type=FieldType.BOOLEAN, scale=0, values=values)


def days(*values: Value) -> Column:
    return Column(type=FieldType.DATE, scale=0, values=values)


def predicate(type_: str, **keys: Json) -> JsonObject:
    return {"type": type_, **keys}


def facts(*, scale: int = 2, months: int | None = None, type_: FieldType | None = None) -> Facts:
    return Facts(scale=scale, time=TIME, months=months, type=type_)


def asked(
    question: JsonObject | None = None, *, months: int | None = None, salt: str | None = None
) -> Asked:
    return Asked(predicate=question or {}, time=TIME, months=months, salt=salt)
