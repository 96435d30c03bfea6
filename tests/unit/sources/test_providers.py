"""The definitions that come with the project."""

import pytest
from tests.unit.sources.definitions import PROVIDERS, built_in

from adyton.model.question import DEFAULT_PROVIDERS
from adyton.sources import ProviderDefinition, load
from adyton.sources.columns import COLUMNS
from adyton.sources.definition import FieldDefinition, SelectorKind

NAMES = (
    "adp-employment",
    "clearinghouse-education",
    "equifax-credit",
    "experian-credit",
    "generic-http",
    "gusto-payroll",
    "irs-income",
    "linkedin-employment",
    "plaid-balance",
    "plaid-identity",
    "plaid-income",
    "plaid-transactions",
    "state-dmv",
    "transunion-credit",
    "yodlee-balance",
)


@pytest.fixture(params=NAMES)
def definition(request: pytest.FixtureRequest) -> ProviderDefinition:
    return built_in(request.param)


def test_these_and_no_others_are_built_in() -> None:
    assert tuple(sorted(path.stem for path in PROVIDERS.iterdir())) == NAMES


def test_a_file_has_the_name_of_its_provider(definition: ProviderDefinition) -> None:
    assert (PROVIDERS / f"{definition.id}.yaml").is_file()


def test_loading_twice_gives_one_digest(definition: ProviderDefinition) -> None:
    assert built_in(definition.id).digest() == definition.digest()


def test_no_two_definitions_are_the_same() -> None:
    assert len({built_in(name).digest() for name in NAMES}) == len(NAMES)


def test_every_file_says_which_document_it_follows(definition: ProviderDefinition) -> None:
    first = (PROVIDERS / f"{definition.id}.yaml").read_text().splitlines()[0]
    assert first.startswith(("# Follows ", "# Illustrative", "# Hypothetical", "# Any API"))


def test_every_circuit_has_a_provider() -> None:
    assert {built_in(name).noir_circuit for name in NAMES} == set(COLUMNS)


def test_every_default_provider_is_there_and_answers_where_it_is_asked() -> None:
    for endpoint, name in DEFAULT_PROVIDERS.items():
        assert built_in(name).endpoint is endpoint


def test_the_token_is_the_first_credential(definition: ProviderDefinition) -> None:
    first = definition.request.credentials[0]
    if not definition.is_open:
        assert first.encrypted
        assert "token" in first.name or "password" in first.name


def test_personal_data_and_secrets_must_be_sealed(definition: ProviderDefinition) -> None:
    public = {
        "client_id",
        "client_reference_id",
        "industry_code",
        "method",
        "permissible_purpose",
        "system_id",
        "tax_year",
        "url",
    }
    assert {c.name for c in definition.request.credentials if not c.encrypted} <= public


@pytest.mark.parametrize("name", ["plaid-balance", "yodlee-balance", "plaid-income"])
def test_no_rounding_ever_shows_more_money(name: str) -> None:
    for field in built_in(name).extraction.fields:
        assert isinstance(field, FieldDefinition)
        if field.name in {"balance", "income"}:
            assert field.data_type.rounding.value == "floor"


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("-credit")])
def test_a_bureau_s_codes_are_not_scores(name: str) -> None:
    (score,) = built_in(name).extraction.fields
    assert isinstance(score, FieldDefinition)
    assert score.between is not None
    assert score.between[1] < 1000
    assert not score.many


def test_the_definition_of_the_rfc_for_a_tax_office_is_ours() -> None:
    text = (PROVIDERS / "irs-income.yaml").read_text()
    renamed = load(
        text.replace("noir_circuit: income", "noir_circuit: income_verification").encode(),
        file="irs-income.yaml",
    )
    assert renamed.digest() == built_in("irs-income").digest()


def test_a_page_of_transactions_is_held_against_their_number() -> None:
    rows = built_in("plaid-transactions").extraction.rows
    assert rows is not None
    assert (rows.kind, rows.expression) == (SelectorKind.JSON_PATH, "$.total_transactions")
