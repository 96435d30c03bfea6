from datetime import timedelta
from decimal import Decimal

import pytest
from tests.unit.proofs.tables import (
    BINDING,
    TIME,
    TODAY,
    asked,
    days,
    decimals,
    facts,
    predicate,
    strings,
    table,
)

from adyton.codec.json import Json, JsonObject
from adyton.errors import MalformedError
from adyton.model.value import Extracted
from adyton.proofs.binding import text_hash
from adyton.proofs.circuit import Facts
from adyton.proofs.columns import (
    ColumnMissingError,
    TooManyValuesError,
    ValueMissingError,
    day_number,
)
from adyton.proofs.predicates import (
    PredicateMalformedError,
    PredicateUnknownError,
    ThresholdTooFineError,
)
from adyton.proofs.transaction_pattern import (
    GAMBLING,
    SUSPICIOUS,
    TransactionParameters,
    Transactions,
)

LAST_DAY = day_number(TODAY)
NONE_OF = predicate("none_of", categories=["bets", "7995"], lookbackDays=30)
REGULAR = predicate("regular_income", lookbackDays=90, minimum="2500.00")


def parameters(question: JsonObject) -> TransactionParameters:
    return TransactionParameters.from_predicate(question, facts())


def transactions(*rows: tuple[str | None, int, int]) -> Extracted:
    """Rows of a category, an amount in cents, and an age in days."""
    return table(
        category=strings(*[category for category, _, _ in rows]),
        amount=decimals(*[amount for _, amount, _ in rows]),
        date=days(*[TODAY - timedelta(days=age) for _, _, age in rows]),
    )


def answer(question: JsonObject, *rows: tuple[str | None, int, int]) -> bool:
    return parameters(question).private_inputs(transactions(*rows), asked()).evaluate(BINDING)


@pytest.mark.parametrize(
    ("type_", "categories"), [("no_gambling", GAMBLING), ("no_suspicious", SUSPICIOUS)]
)
def test_named_sets_are_public_lists(type_: str, categories: tuple[str, ...]) -> None:
    found = parameters(predicate(type_, lookbackDays=30))

    assert found.categories == categories
    assert found.required_periods == 0
    assert (found.first_day, found.last_day) == (LAST_DAY - 29, LAST_DAY)


def test_named_sets_fit_and_are_without_repetition() -> None:
    assert len(set(SUSPICIOUS)) == len(SUSPICIOUS) <= 16
    assert set(GAMBLING) < set(SUSPICIOUS)


@pytest.mark.parametrize(
    ("keys", "minimum", "periods", "currency"),
    [
        ({"lookbackDays": 90}, 1, 3, "USD"),
        ({"lookbackDays": 119}, 1, 3, "USD"),
        ({"lookback_days": 90, "periods": 2}, 1, 2, "USD"),
        ({"lookback_days": 30, "minimum": "2500.50", "currency": "EUR"}, 250_050, 1, "EUR"),
        ({"lookbackDays": 750}, 1, 25, "USD"),
    ],
)
def test_regular_income_asks_for_as_many_periods_as_fit(
    keys: dict[str, Json], minimum: int, periods: int, currency: str
) -> None:
    found = parameters(predicate("regular_income", **keys))

    assert found.categories == ()
    assert (found.minimum_credit, found.required_periods) == (minimum, periods)
    assert found.currency == currency


@pytest.mark.parametrize("question", [NONE_OF, REGULAR, predicate("no_gambling", lookbackDays=1)])
def test_parameters_survive_a_statement(question: JsonObject) -> None:
    found = parameters(question)

    assert TransactionParameters.from_json(found.to_json()) == found


def test_a_statement_names_categories_and_days() -> None:
    assert parameters(NONE_OF).to_json() == {
        "categories": ["bets", "7995"],
        "first_day": "2026-02-14",
        "last_day": "2026-03-15",
        "currency": "USD",
        "minimum_credit": "1",
        "required_periods": 0,
    }
    assert parameters(NONE_OF).values()["forbidden"] == [
        text_hash("bets"),
        text_hash("7995"),
        *[0] * 14,
    ]


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (predicate("some_of", lookbackDays=30), PredicateUnknownError),
        (predicate("no_gambling"), PredicateMalformedError),
        (predicate("no_gambling", lookbackDays=30, lookback_days=30), PredicateMalformedError),
        (predicate("no_gambling", lookbackDays=0), PredicateMalformedError),
        (predicate("no_gambling", lookbackDays=751), PredicateMalformedError),
        (predicate("no_gambling", lookbackDays="30"), PredicateMalformedError),
        (predicate("no_gambling", lookbackDays=30, categories=["x"]), PredicateMalformedError),
        (predicate("none_of", lookbackDays=30), PredicateMalformedError),
        (predicate("none_of", lookbackDays=30, categories=[]), PredicateMalformedError),
        (predicate("none_of", lookbackDays=30, categories="x"), PredicateMalformedError),
        (predicate("none_of", lookbackDays=30, categories=[""]), PredicateMalformedError),
        (predicate("none_of", lookbackDays=30, categories=[7995]), PredicateMalformedError),
        (predicate("none_of", lookbackDays=30, categories=["x" * 129]), PredicateMalformedError),
        (predicate("none_of", lookbackDays=30, categories=["x", "x"]), PredicateMalformedError),
        (
            predicate("none_of", lookbackDays=30, categories=[str(n) for n in range(17)]),
            PredicateMalformedError,
        ),
        (predicate("regular_income", lookbackDays=29), PredicateMalformedError),
        (predicate("regular_income", lookbackDays=90, periods=4), PredicateMalformedError),
        (predicate("regular_income", lookbackDays=90, periods=0), PredicateMalformedError),
        (predicate("regular_income", lookbackDays=90, minimum=0), PredicateMalformedError),
        (predicate("regular_income", lookbackDays=90, minimum=-5), PredicateMalformedError),
        (predicate("regular_income", lookbackDays=90, minimum="0.001"), ThresholdTooFineError),
        (predicate("regular_income", lookbackDays=90, minimum=Decimal(1)), PredicateMalformedError),
        (predicate("regular_income", lookbackDays=90, currency="usd"), PredicateMalformedError),
    ],
)
def test_other_predicates_are_refused(question: JsonObject, error: type[MalformedError]) -> None:
    with pytest.raises(error):
        parameters(question)


@pytest.mark.parametrize(
    "broken",
    [
        {"first_day": "2026-2-14"},
        {"first_day": "20260214"},
        {"first_day": "1969-12-31"},
        {"first_day": 20_000},
        {"last_day": "2026-02-30"},
        {"categories": ["x"] * 17},
        {"categories": "x"},
        {"minimum_credit": 1},
        {"minimum_credit": "18446744073709551616"},
        {"required_periods": 26},
        {"required_periods": "1"},
        {"currency": "DOLLARS"},
        {"more": 1},
    ],
)
def test_other_parameters_are_malformed(broken: dict[str, Json]) -> None:
    with pytest.raises(MalformedError):
        TransactionParameters.from_json({**parameters(NONE_OF).to_json(), **broken})


@pytest.mark.parametrize(
    ("rows", "clean"),
    [
        ([], True),
        ([("food", -100, 0), (None, 100, 29)], True),
        ([("food", -100, 0), ("bets", -100, 29)], False),
        ([("7995", 100, 0)], False),
        ([("Bets", -100, 0)], True),
        # The day before the window, and the day after the answer.
        ([("bets", -100, 30), ("bets", -100, -1)], True),
    ],
)
def test_a_forbidden_category_in_the_window_is_a_no(
    rows: list[tuple[str | None, int, int]], *, clean: bool
) -> None:
    assert answer(NONE_OF, *rows) is clean


@pytest.mark.parametrize(
    ("rows", "regular"),
    [
        ([(None, 250_000, 0), (None, 250_000, 59), (None, 250_000, 60)], True),
        ([(None, 250_000, 29), (None, 250_000, 30), (None, 250_000, 89)], True),
        ([(None, 250_000, 0), (None, 250_000, 1), (None, 250_000, 60)], False),
        ([(None, 250_000, 0), (None, 249_999, 30), (None, 250_000, 60)], False),
        ([(None, 250_000, 0), (None, -250_000, 30), (None, 250_000, 60)], False),
        # Small credits do not add up to a large one.
        (
            [(None, 250_000, 0), (None, 125_000, 30), (None, 125_000, 31), (None, 250_000, 60)],
            False,
        ),
        ([], False),
    ],
)
def test_each_period_needs_a_credit(
    rows: list[tuple[str | None, int, int]], *, regular: bool
) -> None:
    assert answer(REGULAR, *rows) is regular


@pytest.mark.parametrize(("currency", "regular"), [("USD", True), ("KRW", False), (None, False)])
def test_another_currency_is_no_income(currency: str | None, *, regular: bool) -> None:
    question = predicate("regular_income", lookbackDays=30)
    found = transactions((None, 999_999, 0))
    extracted = table(**found.columns, currency=strings(currency))

    assert parameters(question).private_inputs(extracted, asked()).evaluate(BINDING) is regular


def test_transactions_name_their_category_by_its_place() -> None:
    private = parameters(NONE_OF).private_inputs(
        transactions(("food", -100, 0), (None, 500, 29), ("rent", 0, 1), ("food", 7, 2)), asked()
    )
    values = private.values()

    assert values["categories"] == [text_hash("food"), text_hash("rent"), *[0] * 62]
    assert isinstance(values["transactions"], list)
    assert values["transactions"][:5] == [
        {"category": 1, "period": 0, "day": 0, "credit": 0},
        {"category": 0, "period": 0, "day": 29, "credit": 500},
        {"category": 2, "period": 0, "day": 1, "credit": 0},
        {"category": 1, "period": 0, "day": 2, "credit": 7},
        {"category": 0, "period": 0, "day": 0, "credit": 0},
    ]
    assert len(values["transactions"]) == 512


def test_data_that_do_not_fit_give_no_answer() -> None:
    def private(extracted: Extracted) -> Transactions:
        return parameters(NONE_OF).private_inputs(extracted, asked())

    with pytest.raises(TooManyValuesError):
        private(transactions(*[("food", 1, 0)] * 513))
    with pytest.raises(TooManyValuesError):
        private(transactions(*[(str(number), 1, 0) for number in range(65)]))
    with pytest.raises(ValueMissingError):
        private(table(category=strings("x"), amount=decimals(1), date=days(None)))
    with pytest.raises(ValueMissingError):
        private(table(category=strings("x"), amount=decimals(None), date=days(TODAY)))
    with pytest.raises(ColumnMissingError):
        private(table(category=strings("x"), amount=decimals(1)))


def test_what_is_outside_of_the_window_takes_no_place() -> None:
    many = transactions(*[("food", 1, 30)] * 600, ("food", 1, 0))

    assert len(parameters(NONE_OF).private_inputs(many, asked()).transactions) == 1


def test_the_window_ends_with_the_day_of_the_answer() -> None:
    early = Facts(scale=2, time=86_399)

    assert TransactionParameters.from_predicate(NONE_OF, early).first_day == 0
    assert TransactionParameters.from_predicate(NONE_OF, early).last_day == 0
    extracted = transactions(("x", 1, 0))
    assert TransactionParameters.facts(extracted, asked()) == Facts(scale=2, time=TIME)
