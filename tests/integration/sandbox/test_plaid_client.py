# mypy: disable-error-code="import-untyped"
"""Plaid's own client reads the sandbox's answers: a real client that we did not write."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import plaid
import pytest
from plaid.api.plaid_api import PlaidApi
from plaid.model.accounts_balance_get_request import AccountsBalanceGetRequest
from plaid.model.credit_bank_income_get_request import CreditBankIncomeGetRequest
from plaid.model.identity_get_request import IdentityGetRequest
from plaid.model.transactions_get_request import TransactionsGetRequest
from plaid.model.transactions_sync_request import TransactionsSyncRequest

from adyton.sandbox import Sandbox

HOST = "production.plaid.com"
TODAY = datetime.now(UTC).date()


@pytest.fixture
def client(sandbox: Sandbox, tmp_path: Path) -> Iterator[Any]:
    path = tmp_path / "ca.pem"
    path.write_text(sandbox.ca_pem)
    configuration = plaid.Configuration(
        host=f"https://127.0.0.1:{sandbox.port}",
        api_key={"clientId": "client", "secret": "secret"},
        ssl_ca_cert=str(path),
    )
    # The certificate must bear Plaid's name, wherever the connection goes.
    configuration.assert_hostname = HOST
    with plaid.ApiClient(configuration) as api_client:
        api_client.set_default_header("Host", HOST)
        yield PlaidApi(api_client)
        api_client.rest_client.pool_manager.clear()


def test_balances_parse(client: Any) -> None:
    response = client.accounts_balance_get(AccountsBalanceGetRequest(access_token="sandbox-good"))
    checking, retirement, card = response.accounts
    assert checking.balances.current == 12345.67
    assert checking.balances.iso_currency_code == "USD"
    assert str(checking.type) == "depository"
    assert str(retirement.subtype) == "401k"
    assert str(card.type) == "credit"
    assert response.item.institution_id == "ins_109508"
    assert response.request_id


@pytest.mark.parametrize(
    ("token", "balances"),
    [
        ("sandbox-empty", []),
        ("sandbox-negative", [-250.55]),
        ("sandbox-float", [0.1 + 0.2]),
        ("sandbox-huge", [1e15]),
    ],
)
def test_odd_balances_parse(client: Any, token: str, balances: list[float]) -> None:
    response = client.accounts_balance_get(AccountsBalanceGetRequest(access_token=token))
    assert [float(account.balances.current) for account in response.accounts] == balances


def test_each_answer_has_an_identifier_of_its_own(client: Any) -> None:
    request = AccountsBalanceGetRequest(access_token="sandbox-good")
    one, two = client.accounts_balance_get(request), client.accounts_balance_get(request)
    assert one.request_id != two.request_id


def test_transactions_parse_page_by_page(client: Any) -> None:
    window = {"start_date": TODAY - timedelta(days=60), "end_date": TODAY}
    request = TransactionsGetRequest(access_token="sandbox-flagged", **window)
    response = client.transactions_get(request)
    assert response.total_transactions == len(response.transactions) > 0
    for transaction in response.transactions:
        assert isinstance(transaction.date, date)
        assert window["start_date"] <= transaction.date <= window["end_date"]
    categories = {str(item.personal_finance_category.detailed) for item in response.transactions}
    assert "ENTERTAINMENT_CASINOS_AND_GAMBLING" in categories


def test_transactions_can_be_followed_to_their_end(client: Any) -> None:
    cursor, found = "", 0
    while True:
        request = TransactionsSyncRequest(access_token="sandbox-good", cursor=cursor, count=100)
        response = client.transactions_sync(request)
        found += len(response.added)
        cursor = response.next_cursor
        if not response.has_more:
            break
    assert found > 100


def test_owners_parse(client: Any) -> None:
    response = client.identity_get(IdentityGetRequest(access_token="sandbox-good"))
    owners = response.accounts[0].owners
    assert [list(owner.names) for owner in owners] == [
        ["Alberta Bobbeth Charleson", "A. B. Charleson"],
        ["Robert Charleson"],
    ]
    assert response.accounts[0].mask == "0001"


def test_income_parses(client: Any) -> None:
    response = client.credit_bank_income_get(CreditBankIncomeGetRequest(user_token="sandbox-good"))
    months = response.bank_income[0].bank_income_summary.historical_summary
    assert len(months) == 12
    assert months[0].total_amounts[0].amount == 5416.67
    assert months[-1].end_date == TODAY


@pytest.mark.parametrize(
    ("token", "status", "code", "kind"),
    [
        ("sandbox-unauthorized", 401, "INVALID_API_KEYS", "INVALID_INPUT"),
        ("sandbox-rate-limited", 429, "BALANCE_LIMIT", "RATE_LIMIT_EXCEEDED"),
        ("sandbox-broken", 500, "INTERNAL_SERVER_ERROR", "API_ERROR"),
        ("no-such-token", 400, "INVALID_ACCESS_TOKEN", "INVALID_INPUT"),
    ],
)
def test_errors_are_those_that_plaid_s_client_knows(
    client: Any, token: str, status: int, code: str, kind: str
) -> None:
    with pytest.raises(plaid.ApiException) as caught:
        client.accounts_balance_get(AccountsBalanceGetRequest(access_token=token))
    assert caught.value.status == status
    error = plaid.ApiClient().deserialize(
        _Body(caught.value.body), (plaid.model.plaid_error.PlaidError,), _check_type=True
    )
    assert (error.error_code, str(error.error_type), error.display_message) == (code, kind, None)


class _Body:
    """What the client's own parser takes: an object with the text of a body."""

    def __init__(self, data: str) -> None:
        self.data = data
