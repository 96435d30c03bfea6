from datetime import date

import pytest
from tests.unit.proofs.tables import booleans, days, decimals, integers, strings, table

from adyton.model.value import Column, FieldType
from adyton.proofs.columns import (
    I64,
    U16,
    ColumnMissingError,
    ColumnTypeError,
    NumberOutOfRangeError,
    TooManyValuesError,
    ValueMissingError,
    check_count,
    dates,
    day_number,
    find_column,
    numbers,
    optional_dates,
    optional_texts,
    required,
    texts,
)


def test_numbers_are_integers_or_decimals_in_their_smallest_unit() -> None:
    assert numbers(integers(1, None, -2), "x", I64) == (1, None, -2)
    assert numbers(decimals(30), "x", I64) == (30,)


@pytest.mark.parametrize(
    "column",
    [
        strings("1"),
        days(date(2026, 1, 1)),
        booleans(True),
        Column(type=FieldType.INTEGER, scale=0, values=(True,)),
        Column(type=FieldType.INTEGER, scale=0, values=("1",)),
    ],
)
def test_anything_else_is_no_number(column: Column) -> None:
    with pytest.raises(ColumnTypeError):
        numbers(column, "x", I64)


@pytest.mark.parametrize("number", [-1, 65_536])
def test_a_number_beyond_the_type_is_refused_and_not_shown(number: int) -> None:
    with pytest.raises(NumberOutOfRangeError) as caught:
        numbers(integers(number), "score", U16)
    assert str(number) not in str(caught.value)


@pytest.mark.parametrize("column", [integers(1), days(date(2026, 1, 1))])
def test_texts_are_texts(column: Column) -> None:
    assert texts(strings("a", None), "x") == ("a", None)
    with pytest.raises(ColumnTypeError):
        texts(column, "x")


@pytest.mark.parametrize("column", [integers(1), strings("2026-01-01")])
def test_dates_are_dates(column: Column) -> None:
    assert dates(days(date(2026, 1, 1), None), "x") == (date(2026, 1, 1), None)
    with pytest.raises(ColumnTypeError):
        dates(column, "x")


def test_what_must_be_there_is_asked_for() -> None:
    assert required((1, 0), "x") == (1, 0)
    with pytest.raises(ValueMissingError):
        required((1, None), "x")
    with pytest.raises(ColumnMissingError):
        find_column(table(a=integers(1)), "b")


def test_what_may_lack_lacks_in_each_row() -> None:
    extracted = table(name=strings("a", "b"), day=days(None, date(2026, 1, 1)))

    assert optional_texts(extracted, "name", rows=2) == ("a", "b")
    assert optional_texts(extracted, "other", rows=2) == (None, None)
    assert optional_dates(extracted, "day", rows=2) == (None, date(2026, 1, 1))
    assert optional_dates(extracted, "other", rows=2) == (None, None)


def test_more_values_than_places_are_refused_without_saying_how_many() -> None:
    check_count(16, "x", limit=16)
    with pytest.raises(TooManyValuesError) as caught:
        check_count(23, "x", limit=16)
    assert "23" not in str(caught.value)


def test_days_are_counted_from_1970() -> None:
    assert day_number(date(1970, 1, 1)) == 0
    assert day_number(date(1969, 12, 31)) == -1
    assert day_number(date(2026, 3, 15)) == 20_527
