from datetime import date

import pytest
from tests.unit.proofs.tables import (
    BINDING,
    asked,
    days,
    decimals,
    facts,
    predicate,
    strings,
    table,
)

from adyton.codec.json import Json
from adyton.errors import MalformedError
from adyton.model.value import Extracted
from adyton.proofs.circuit import ParametersRejectedError
from adyton.proofs.columns import (
    ColumnMissingError,
    NumberOutOfRangeError,
    TooManyValuesError,
    ValueMissingError,
)
from adyton.proofs.currencies import CurrenciesMixedError
from adyton.proofs.income import IncomeParameters, MonthsRejectedError
from adyton.proofs.predicates import Bounds, PredicateUnknownError

# Pay days around the day of the answer, 2026-03-15.
PAID = table(
    income=decimals(100, 200, 300, 400, 500),
    date=days(
        date(2025, 3, 31), date(2025, 4, 1), date(2026, 1, 31), date(2026, 1, 1), date(2026, 3, 15)
    ),
)


def parameters(extracted: Extracted, *, months: int | None = None) -> IncomeParameters:
    question = predicate("annual_gte", threshold=1)
    found = IncomeParameters.facts(extracted, asked(months=months))
    return IncomeParameters.from_predicate(question, found)


def incomes(extracted: Extracted, *, months: int | None = None) -> tuple[int, ...]:
    found = parameters(extracted, months=months)
    return found.private_inputs(extracted, asked(months=months)).incomes


@pytest.mark.parametrize("prefix", ["", "annual_"])
def test_rfc_0023s_predicates_become_bounds_for_a_year(prefix: str) -> None:
    def bounds(type_: str, **keys: Json) -> Bounds:
        question = predicate(f"{prefix}{type_}", **keys)
        return IncomeParameters.from_predicate(question, facts(months=3)).bounds

    assert bounds("gte", threshold=50_000) == Bounds(lower=5_000_000, upper=2**63 - 1)
    assert bounds("lte", threshold="0.01") == Bounds(lower=-(2**63), upper=1)
    assert bounds("range", min=1, max=2) == Bounds(lower=100, upper=200)


def test_another_predicate_is_refused() -> None:
    with pytest.raises(PredicateUnknownError):
        IncomeParameters.from_predicate(predicate("monthly_gte", threshold=1), facts(months=1))


def test_parameters_without_months_are_our_own_mistake() -> None:
    with pytest.raises(ValueError):
        IncomeParameters.from_predicate(predicate("gte", threshold=1), facts())


def test_parameters_survive_a_statement() -> None:
    found = parameters(PAID)

    assert IncomeParameters.from_json(found.to_json()) == found
    assert found.to_json()["months"] == 12


@pytest.mark.parametrize("months", [0, 13, "3", True, None])
def test_months_in_a_statement_are_one_to_twelve(months: Json) -> None:
    with pytest.raises(MalformedError):
        IncomeParameters.from_json({**parameters(PAID).to_json(), "months": months})


def test_payments_are_added_up_by_calendar_month() -> None:
    # March of last year is out of the window; February and the other months had no payment.
    assert incomes(PAID) == (200, *[0] * 8, 700, 0, 500)
    assert incomes(PAID, months=3) == (700, 0, 500)
    assert incomes(PAID, months=1) == (500,)


def test_months_before_the_first_payment_do_not_count() -> None:
    begun = table(income=decimals(300, 500), date=days(date(2026, 1, 31), date(2026, 2, 28)))

    assert incomes(begun) == (300, 500)
    assert parameters(begun).months == 2


def test_without_dates_each_row_is_a_month() -> None:
    assert incomes(table(income=decimals(1, 2, 3))) == (1, 2, 3)
    with pytest.raises(TooManyValuesError):
        parameters(table(income=decimals(*range(13))))
    with pytest.raises(TooManyValuesError):
        parameters(table(income=decimals(1, 2, 3)), months=2)


@pytest.mark.parametrize("name", ["annual_income", "adjusted_gross_income"])
def test_a_yearly_figure_stands_for_twelve_months(name: str) -> None:
    extracted = table(**{name: decimals(7_000_000)})

    assert incomes(extracted) == (7_000_000,)
    assert parameters(extracted, months=12).months == 12
    with pytest.raises(MonthsRejectedError):
        parameters(extracted, months=6)
    with pytest.raises(TooManyValuesError):
        parameters(table(**{name: decimals(1, 2)}))


@pytest.mark.parametrize(
    ("months", "values", "answer"),
    [
        (12, (100,) * 12, True),
        (12, (100,) * 11 + (99,), False),
        (3, (100, 0, 200), True),
        (3, (100, 0, 199), False),
        # 1199.99... a year is not 1200: nothing is rounded.
        (7, (99, 100, 100, 100, 100, 100, 100), False),
        (7, (100,) * 7, True),
    ],
)
def test_a_year_is_twelve_times_the_mean_month_exactly(
    months: int, values: tuple[int, ...], *, answer: bool
) -> None:
    found = IncomeParameters(currency="USD", bounds=Bounds(lower=1200, upper=1200), months=months)
    private = found.private_inputs(table(income=decimals(*values)), asked())

    assert private.evaluate(BINDING) is answer
    assert private.values()["incomes"] == [*values, *[0] * (12 - months)]


def test_income_in_another_currency_is_a_no() -> None:
    found = IncomeParameters(currency="USD", bounds=Bounds(lower=0, upper=99), months=1)
    extracted = table(income=decimals(1), currency=strings("EUR"))

    assert not found.private_inputs(extracted, asked()).evaluate(BINDING)


def test_several_currencies_do_not_add_up() -> None:
    extracted = table(income=decimals(1, 2), currency=strings("EUR", "USD"))

    with pytest.raises(CurrenciesMixedError):
        parameters(extracted).private_inputs(extracted, asked())


def test_data_that_do_not_fit_give_no_answer() -> None:
    with pytest.raises(ValueMissingError):
        parameters(table(income=decimals()))
    with pytest.raises(ValueMissingError):
        parameters(table(income=decimals(1, None)))
    with pytest.raises(ValueMissingError):
        parameters(table(income=decimals(1), date=days(date(2020, 1, 1))))
    with pytest.raises(ValueMissingError):
        parameters(table(income=decimals(1), date=days(None)))
    with pytest.raises(ColumnMissingError):
        parameters(table(salary=decimals(1)))
    same_month = days(date(2026, 1, 1), date(2026, 1, 2))
    with pytest.raises(NumberOutOfRangeError):
        parameters(table(income=decimals(2**63 - 1, 1), date=same_month))


def test_data_of_another_length_are_our_own_mistake() -> None:
    with pytest.raises(ValueError):
        parameters(table(income=decimals(1, 2))).private_inputs(table(income=decimals(1)), asked())


def test_a_statement_covers_no_more_months_than_the_question() -> None:
    found = parameters(PAID, months=6)

    assert found.months == 3
    assert found.stated_facts(asked(months=3), scale=2).months == 3
    assert found.stated_facts(asked(), scale=2).months == 3
    with pytest.raises(ParametersRejectedError):
        found.stated_facts(asked(months=2), scale=2)
