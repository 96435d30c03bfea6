"""Every built-in provider against every case of the sandbox: the request that the definition makes
gets there, and what comes back is taken as the definition says, or refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.integration.sandbox.https import send

from adyton.errors import UnavailableError
from adyton.model.value import Extracted
from adyton.sandbox import Sandbox
from adyton.sandbox.cases import Case
from adyton.sources import ProviderDefinition, Window, complete, extract, inline, load, render

PROVIDERS = Path(__file__).parents[3] / "providers"
TODAY = datetime.now(UTC).date()
WINDOW = Window(first_day=TODAY - timedelta(days=90), last_day=TODAY)

# Cases that say nothing about a provider's own data.
TRANSPORT = {
    Case.SLOW,
    Case.DROPPED,
    Case.OVERSIZED,
    Case.REDIRECT,
    Case.TRUNCATED,
    Case.WRONG_LENGTH,
    Case.GZIP,
    Case.UNAUTHORIZED,
    Case.RATE_LIMITED,
    Case.BROKEN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a provider's answers give: a column of the good one, and the errors of bad ones."""

    column: str
    good: tuple[object, ...]
    low: tuple[object, ...]
    errors: Mapping[Case, str]


MISSING = {Case.MISSING_FIELD: "field-missing", Case.WRONG_TYPE: "field-wrong-type"}
UNEXPECTED = {Case.ERROR_200: "source-unexpected"}
LACKING = {Case.ERROR_200: "field-missing"}
UNROUNDED = {Case.FLOAT: "number-not-exact", Case.NOT_EXACT: "number-not-exact"}
NO_SCORE = {
    Case.EMPTY: "field-missing",
    Case.MANY: "field-ambiguous",
    Case.PARTIAL: "field-wrong-type",
}

EXPECTED: Mapping[str, Expected] = {
    "plaid-balance": Expected(
        column="balance", good=(1234567, 2363198), low=(11000,), errors=MISSING | UNEXPECTED
    ),
    "yodlee-balance": Expected(
        column="balance", good=(904478,), low=(4478,), errors=MISSING | UNEXPECTED
    ),
    "plaid-income": Expected(
        column="income", good=(541667,) * 12, low=(80000,) * 12, errors=MISSING | UNEXPECTED
    ),
    "gusto-payroll": Expected(
        column="income",
        good=(250000,) * 26,
        low=(40000,) * 26,
        errors=MISSING | LACKING | UNROUNDED,
    ),
    "irs-income": Expected(
        column="adjusted_gross_income",
        good=(8420050,),
        low=(960000,),
        errors=MISSING | LACKING | UNROUNDED | {Case.EMPTY: "field-missing"},
    ),
    "plaid-identity": Expected(
        column="owner",
        good=(
            "Alberta Bobbeth Charleson",
            "A. B. Charleson",
            "Robert Charleson",
            "Alberta Bobbeth Charleson",
        ),
        low=("Someone Else", "Alberta Bobbeth Charleson"),
        errors=MISSING | UNEXPECTED,
    ),
    "adp-employment": Expected(
        column="start",
        good=(date(2019, 3, 4),),
        low=(TODAY - timedelta(days=40),),
        errors=MISSING | UNEXPECTED,
    ),
    "linkedin-employment": Expected(
        column="end",
        good=(None, date(2019, 2, 1)),
        low=(None, date(2019, 2, 1)),
        errors=MISSING | UNEXPECTED,
    ),
    "clearinghouse-education": Expected(
        column="level", good=("bachelors",), low=("certificate",), errors=MISSING | UNEXPECTED
    ),
    "state-dmv": Expected(
        column="expires", good=(TODAY + timedelta(days=900),), low=(), errors=MISSING | UNEXPECTED
    ),
    "experian-credit": Expected(
        column="score", good=(783,), low=(512,), errors=MISSING | LACKING | NO_SCORE
    ),
    "equifax-credit": Expected(
        column="score", good=(783,), low=(512,), errors=MISSING | UNEXPECTED | NO_SCORE
    ),
    "transunion-credit": Expected(
        column="score", good=(783,), low=(512,), errors=MISSING | UNEXPECTED | NO_SCORE
    ),
}
NAMES = [*EXPECTED, "plaid-transactions"]


def definition_of(name: str) -> ProviderDefinition:
    return load((PROVIDERS / f"{name}.yaml").read_bytes(), file=f"{name}.yaml")


def asked(sandbox: Sandbox, name: str, token: str) -> Extracted:
    definition = definition_of(name)
    names = [item.name for item in definition.request.credentials]
    credentials = dict.fromkeys(names, "1234") | {names[0]: token}
    response = send(sandbox, render(definition, credentials, window=WINDOW))
    assert response.status == 200
    return extract(response.body, definition=definition)


def test_every_built_in_provider_is_played() -> None:
    assert {path.stem for path in PROVIDERS.iterdir()} == {*NAMES, "generic-http"}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_good_and_a_low_answer_are_taken(sandbox: Sandbox, name: str) -> None:
    expected = EXPECTED[name]
    good = asked(sandbox, name, "sandbox-good").columns[expected.column]
    low = asked(sandbox, name, "sandbox-low").columns[expected.column]
    assert (good.values, low.values) == (expected.good, expected.low)


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("case", [case for case in Case if case not in TRANSPORT])
def test_each_case_is_taken_or_refused_for_its_reason(
    sandbox: Sandbox, name: str, case: Case
) -> None:
    code = {Case.MALFORMED: "source-malformed", **EXPECTED[name].errors}.get(case)
    if code is None:
        columns = asked(sandbox, name, f"sandbox-{case}").columns
        assert len({len(column.values) for column in columns.values()}) == 1
        return
    with pytest.raises(UnavailableError) as caught:
        asked(sandbox, name, f"sandbox-{case}")
    assert caught.value.code == code


@pytest.mark.parametrize("name", NAMES)
def test_a_mark_never_shows_in_an_error(sandbox: Sandbox, name: str) -> None:
    for case in (Case.MISSING_FIELD, Case.WRONG_TYPE, Case.MALFORMED, Case.ERROR_200):
        with pytest.raises(UnavailableError) as caught:
            asked(sandbox, name, f"sandbox-{case}.MARKER")
        assert "MARKER" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("case", "status"), [("unauthorized", 401), ("rate-limited", 429), ("broken", 500)]
)
def test_every_vendor_fails_in_its_own_words(
    sandbox: Sandbox, name: str, case: str, status: int
) -> None:
    definition = definition_of(name)
    names = [item.name for item in definition.request.credentials]
    credentials = dict.fromkeys(names, "1") | {names[0]: f"sandbox-{case}"}
    response = send(sandbox, render(definition, credentials, window=WINDOW))
    assert response.status == status
    assert response.body


@pytest.mark.parametrize("name", ["plaid-balance", "yodlee-balance"])
@pytest.mark.parametrize(
    ("case", "cents"),
    [("negative", -25055), ("float", 30), ("huge", 10**17)],
)
def test_odd_balances_are_exact(sandbox: Sandbox, name: str, case: str, cents: int) -> None:
    assert asked(sandbox, name, f"sandbox-{case}").columns["balance"].values == (cents,)


class TestTransactions:
    NAME = "plaid-transactions"

    def test_a_quarter_is_complete_and_in_the_window(self, sandbox: Sandbox) -> None:
        columns = asked(sandbox, self.NAME, "sandbox-good").columns
        days = [day for day in columns["date"].values if isinstance(day, date)]
        assert len(days) == len(columns["date"].values) > 20
        assert WINDOW.first_day <= min(days)
        assert max(days) == WINDOW.last_day

    def test_money_that_comes_in_is_positive(self, sandbox: Sandbox) -> None:
        columns = asked(sandbox, self.NAME, "sandbox-good").columns
        amounts = dict(zip(columns["category"].values, columns["amount"].values, strict=True))
        assert amounts["INCOME_WAGES"] == 250000
        assert amounts["RENT_AND_UTILITIES_RENT"] == -140000

    def test_a_casino_is_seen(self, sandbox: Sandbox) -> None:
        casino = "ENTERTAINMENT_CASINOS_AND_GAMBLING"
        assert casino in asked(sandbox, self.NAME, "sandbox-flagged").columns["category"].values
        assert casino not in asked(sandbox, self.NAME, "sandbox-good").columns["category"].values

    def test_no_transactions_are_no_rows(self, sandbox: Sandbox) -> None:
        assert asked(sandbox, self.NAME, "sandbox-empty").columns["date"].values == ()

    @pytest.mark.parametrize(
        ("case", "code"),
        [
            ("many", "source-incomplete"),
            ("partial", "source-incomplete"),
            ("missing-field", "field-missing"),
            ("wrong-type", "field-wrong-type"),
            ("error-200", "source-unexpected"),
            ("malformed", "source-malformed"),
        ],
    )
    def test_less_than_everything_is_no_answer(
        self, sandbox: Sandbox, case: str, code: str
    ) -> None:
        with pytest.raises(UnavailableError) as caught:
            asked(sandbox, self.NAME, f"sandbox-{case}")
        assert caught.value.code == code


class TestQuestionsThatBringTheirProvider:
    """RFC-0023's two examples of custom questions, end to end."""

    def test_the_generic_provider(self, sandbox: Sandbox) -> None:
        definition = complete(
            definition_of("generic-http"),
            extraction={"path": "$.employment.status", "type": "String"},
            predicate={"type": "eq", "expected": "active"},
        )
        credentials = {
            "url": "https://api.example.com/employee/status",
            "method": "GET",
            "headers": '{"Authorization": "Bearer sandbox-good"}',
        }
        body = send(sandbox, render(definition, credentials)).body
        assert extract(body, definition=definition).columns["value"].values == ("active",)

    @pytest.mark.parametrize(
        ("path", "extraction"),
        [
            ("data", {"type": "jsonPath", "pattern": "$.data.balance"}),
            ("data.xml", {"type": "xpath", "pattern": "/data/balance"}),
            (
                "page.html",
                {"type": "xpath", "pattern": "//p[@class='balance']", "response_type": "Html"},
            ),
            ("data.txt", {"type": "regex", "pattern": "balance: ([0-9.]+)"}),
        ],
    )
    def test_an_inline_provider(
        self, sandbox: Sandbox, path: str, extraction: dict[str, object]
    ) -> None:
        brought = inline(
            {
                "url": f"https://api.example.com/{path}",
                "method": "GET",
                "headers": {"Authorization": "encrypted:"},
            },
            extraction=extraction,  # type: ignore[arg-type]  # texts are JSON
            predicate={"type": "gte", "field": "balance", "threshold": 1000},
        )
        request = render(brought.definition, {"header_authorization": "Bearer sandbox-good"})
        body = send(sandbox, request).body
        assert extract(body, definition=brought.definition).columns["balance"].values == (123456,)
