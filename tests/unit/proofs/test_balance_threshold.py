import pytest
from tests.unit.proofs.tables import (
    BINDING,
    asked,
    decimals,
    facts,
    integers,
    predicate,
    strings,
    table,
)

from adyton.codec.json import Json
from adyton.errors import MalformedError
from adyton.proofs.balance_threshold import BalanceParameters
from adyton.proofs.binding import text_hash
from adyton.proofs.columns import (
    ColumnMissingError,
    NumberOutOfRangeError,
    TooManyValuesError,
    ValueMissingError,
)
from adyton.proofs.predicates import Bounds, PredicateMalformedError, PredicateUnknownError

PARAMETERS = BalanceParameters(currency="USD", bounds=Bounds(lower=1_000_000, upper=2**63 - 1))


def test_rfc_0023s_predicate_becomes_bounds_in_cents() -> None:
    found = BalanceParameters.from_predicate(predicate("gte", threshold=10_000), facts())

    assert found == PARAMETERS
    assert found.to_json() == {
        "currency": "USD",
        "lower": "1000000",
        "upper": "9223372036854775807",
    }
    assert BalanceParameters.from_json(found.to_json()) == found
    assert found.values()["currency"] == text_hash("USD")


def test_a_range_in_another_currency_and_scale() -> None:
    question = predicate("range", min="-0.001", max=1, currency="KWD")

    assert BalanceParameters.from_predicate(question, facts(scale=3)) == BalanceParameters(
        currency="KWD", bounds=Bounds(lower=-1, upper=1000)
    )


@pytest.mark.parametrize(
    ("type_", "keys", "error"),
    [
        ("annual_gte", {"threshold": 1}, PredicateUnknownError),
        ("gte", {"threshold": 1, "currency": "usd"}, PredicateMalformedError),
        ("gte", {"threshold": 1, "field": "balance"}, PredicateMalformedError),
    ],
)
def test_other_predicates_are_refused(
    type_: str, keys: dict[str, Json], error: type[MalformedError]
) -> None:
    with pytest.raises(error):
        BalanceParameters.from_predicate(predicate(type_, **keys), facts())


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"lower": 1000000},
        {"lower": "1e6"},
        {"upper": "9223372036854775808"},
        {"currency": 840},
        {"more": 1},
    ],
)
def test_other_parameters_are_malformed(broken: dict[str, Json]) -> None:
    record = {**PARAMETERS.to_json(), **broken} if broken else {}

    with pytest.raises(MalformedError):
        BalanceParameters.from_json(record)


@pytest.mark.parametrize(
    ("balances", "currencies", "answer"),
    [
        ((1_000_000,), ("USD",), True),
        ((999_999,), ("USD",), False),
        ((5_000_000,), ("EUR",), False),
        ((-1, 2_000_000), ("USD", "USD"), True),
        # Balances are not added up, and not taken from another currency's account.
        ((600_000, 600_000), ("USD", "USD"), False),
        ((0, 2_000_000), ("USD", "EUR"), False),
        ((), (), False),
    ],
)
def test_any_account_of_the_currency_answers(
    balances: tuple[int, ...], currencies: tuple[str, ...], *, answer: bool
) -> None:
    extracted = table(balance=decimals(*balances), currency=strings(*currencies))

    assert PARAMETERS.private_inputs(extracted, asked()).evaluate(BINDING) is answer


def test_without_a_currency_column_balances_are_us_dollars() -> None:
    extracted = table(balance=decimals(1_000_000))

    assert PARAMETERS.private_inputs(extracted, asked()).evaluate(BINDING)


def test_places_that_are_not_used_are_zero() -> None:
    extracted = table(balance=decimals(-5), currency=strings("USD"))

    assert PARAMETERS.private_inputs(extracted, asked()).values() == {
        "count": 1,
        "balances": [-5, *[0] * 15],
        "currencies": [text_hash("USD"), *[0] * 15],
    }


def test_the_scale_is_the_columns() -> None:
    assert BalanceParameters.facts(table(balance=decimals(1, scale=4)), asked()).scale == 4
    assert BalanceParameters.facts(table(balance=integers(1)), asked()).scale == 0


def test_data_that_do_not_fit_give_no_answer() -> None:
    with pytest.raises(TooManyValuesError):
        PARAMETERS.private_inputs(table(balance=decimals(*range(17))), asked())
    with pytest.raises(NumberOutOfRangeError):
        PARAMETERS.private_inputs(table(balance=decimals(2**63)), asked())
    with pytest.raises(ValueMissingError):
        PARAMETERS.private_inputs(table(balance=decimals(1, None)), asked())
    with pytest.raises(ValueMissingError):
        PARAMETERS.private_inputs(table(balance=decimals(1), currency=strings(None)), asked())
    with pytest.raises(ColumnMissingError):
        PARAMETERS.private_inputs(table(currency=strings("USD")), asked())


def test_private_data_are_not_shown() -> None:
    private = PARAMETERS.private_inputs(table(balance=decimals(77_131)), asked())

    assert "77131" not in repr(private)
