import pytest
from tests.unit.proofs.tables import BINDING, asked, facts, predicate, strings, table

from adyton.codec.json import Json, JsonObject
from adyton.crypto.hashing import FIELD_MODULUS, field_text, hash_to_field
from adyton.errors import MalformedError
from adyton.model.value import Extracted
from adyton.proofs.account_ownership import (
    OwnershipParameters,
    SaltRejectedError,
    name_hash,
    number_hash,
)
from adyton.proofs.columns import ColumnMissingError, TooManyValuesError
from adyton.proofs.predicates import PredicateMalformedError, PredicateUnknownError

SALT = "6d" * 16
ADA = field_text(name_hash(SALT, "Ada Lovelace"))
IBAN = field_text(number_hash(SALT, "DE02 1203"))
ROWS = table(
    account=strings("a", "a", "b"),
    owner=strings("Charles Babbage", "Ada Lovelace", "Mary Somerville"),
    number=strings("DE99", "DE99", "DE02-1203"),
)


def parameters(**hashes: str) -> OwnershipParameters:
    return OwnershipParameters.from_predicate(predicate("owns", **hashes), facts())


def answer(extracted: Extracted, **hashes: str) -> bool:
    private = parameters(**hashes).private_inputs(extracted, asked(salt=SALT))
    return private.evaluate(BINDING)


def test_names_are_compared_as_people_write_them() -> None:
    ada = hash_to_field("adyton/ownership/v1", SALT.encode(), b"ada lovelace")

    assert name_hash(SALT, "  ADA \t Lovelace\n") == ada
    assert name_hash(SALT, "\N{FULLWIDTH LATIN CAPITAL LETTER A}da Lovelace") == ada
    assert name_hash(SALT, "Ada King") != ada
    assert name_hash("7e" * 16, "Ada Lovelace") != ada


def test_of_numbers_only_letters_and_digits_matter() -> None:
    assert number_hash(SALT, "DE02 1203-0000.1") == number_hash(SALT, "de02120300001")
    assert number_hash(SALT, "DE02") != number_hash(SALT, "DE20")


def test_parameters_survive_a_statement() -> None:
    both = parameters(name_hash=ADA, number_hash=IBAN)

    assert OwnershipParameters.from_json(both.to_json()) == both
    assert both.to_json() == {"name_hash": ADA, "number_hash": IBAN}
    assert parameters(name_hash=ADA).to_json() == {"name_hash": ADA}
    assert parameters(number_hash=IBAN).values() == {
        "expected_name": 0,
        "expected_number": number_hash(SALT, "DE02 1203"),
    }


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (predicate("owned"), PredicateUnknownError),
        (predicate("owns"), PredicateMalformedError),
        (predicate("owns", name="Ada Lovelace"), PredicateMalformedError),
        (predicate("owns", name_hash=None), PredicateMalformedError),
        (predicate("owns", name_hash=5), PredicateMalformedError),
        (predicate("owns", name_hash=ADA[2:]), PredicateMalformedError),
        (predicate("owns", name_hash=ADA[:-1]), PredicateMalformedError),
        (predicate("owns", name_hash="0x" + ADA[2:].upper()), PredicateMalformedError),
        (predicate("owns", name_hash=field_text(0)), PredicateMalformedError),
        (predicate("owns", number_hash=field_text(FIELD_MODULUS)), PredicateMalformedError),
    ],
)
def test_other_predicates_are_refused(question: JsonObject, error: type[MalformedError]) -> None:
    with pytest.raises(error):
        OwnershipParameters.from_predicate(question, facts())


@pytest.mark.parametrize("record", [{}, {"name_hash": "x"}, {"name": ADA}])
def test_other_parameters_are_malformed(record: dict[str, Json]) -> None:
    with pytest.raises(MalformedError):
        OwnershipParameters.from_json(record)


def test_name_and_number_must_be_the_same_accounts() -> None:
    assert answer(ROWS, name_hash=ADA)
    assert answer(ROWS, number_hash=IBAN)
    assert not answer(ROWS, name_hash=ADA, number_hash=IBAN)
    mary = field_text(name_hash(SALT, "mary somerville"))
    assert answer(ROWS, name_hash=mary, number_hash=IBAN)
    assert not answer(ROWS, name_hash=field_text(name_hash(SALT, "Ada King")))


def test_without_an_account_column_each_row_is_an_account() -> None:
    extracted = table(owner=strings("Ada Lovelace", "B"), number=strings("DE99", "DE02 1203"))

    assert answer(extracted, name_hash=ADA)
    assert not answer(extracted, name_hash=ADA, number_hash=IBAN)


def test_an_account_with_many_owners_takes_several_places() -> None:
    owners = [f"Owner {number}" for number in range(4)]
    extracted = table(
        account=strings(*["a"] * 5),
        owner=strings(*owners, "Ada Lovelace"),
        number=strings(*["DE02 1203"] * 5),
    )

    private = parameters(name_hash=ADA, number_hash=IBAN).private_inputs(
        extracted, asked(salt=SALT)
    )
    assert len(private.accounts) == 2
    assert private.evaluate(BINDING)


def test_what_the_source_does_not_say_matches_nothing() -> None:
    extracted = table(owner=strings(None, "Ada Lovelace"), number=strings("DE02 1203", None))

    assert answer(extracted, name_hash=ADA)
    assert answer(extracted, number_hash=IBAN)
    assert not answer(extracted, name_hash=ADA, number_hash=IBAN)
    private = parameters(name_hash=ADA).private_inputs(extracted, asked(salt=SALT))
    assert private.values()["accounts"] == [
        {"owners": [0] * 4, "number": number_hash(SALT, "DE02 1203")},
        {"owners": [name_hash(SALT, "Ada Lovelace"), 0, 0, 0], "number": 0},
        *[{"owners": [0] * 4, "number": 0}] * 6,
    ]


@pytest.mark.parametrize("salt", [None, "", "guessable", "x" * 31])
def test_a_salt_that_could_be_guessed_is_refused(salt: str | None) -> None:
    with pytest.raises(SaltRejectedError):
        parameters(name_hash=ADA).private_inputs(ROWS, asked(salt=salt))


def test_data_that_do_not_fit_give_no_answer() -> None:
    with pytest.raises(ColumnMissingError):
        answer(table(number=strings("DE02")), name_hash=ADA)
    with pytest.raises(ColumnMissingError):
        answer(table(owner=strings("Ada")), number_hash=IBAN)
    with pytest.raises(TooManyValuesError):
        answer(table(owner=strings(*["Ada"] * 9)), name_hash=ADA)


def test_the_salt_is_not_shown() -> None:
    assert SALT not in repr(asked(salt=SALT))
