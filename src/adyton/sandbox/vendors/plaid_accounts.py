"""Plaid's items, accounts, balances and owners."""

from typing import Any, Final

from adyton.sandbox.cases import Case, Token

__all__ = ["accounts", "item", "owned_accounts"]

_Json = dict[str, Any]

_SUBTYPES: Final = {"depository": "checking", "investment": "401k", "credit": "credit card"}
# The one balance of the cases that are about a number.
_BALANCES: Final[dict[Case, object]] = {
    Case.NEGATIVE: -250.55,
    Case.FLOAT: 0.1 + 0.2,
    Case.HUGE: 10**15,
    Case.WRONG_TYPE: "a lot",
}


def item() -> _Json:
    """Return the login at an institution that everything belongs to."""
    return {
        "available_products": ["assets", "signal"],
        "billed_products": ["auth", "balance", "identity", "transactions"],
        "consent_expiration_time": None,
        "error": None,
        "institution_id": "ins_109508",
        "institution_name": "First Platypus Bank",
        "item_id": "DWVAAPWq4RHGlEaNyGKRTAnPLaEmo8Cvq7na6",
        "update_type": "background",
        "webhook": "https://www.example.com/webhook",
    }


def accounts(token: Token) -> list[_Json]:
    """Return the accounts with their balances: by default two of one's own, and a debt."""
    name = f"Checking {token.mark}" if token.mark else ""
    good = [
        _account(1, token.amount(12345.67), name=name),
        _account(2, 23631.9805, kind="investment"),
        _account(3, 410.0, kind="credit"),
    ]
    match token.case:
        case case if case in _BALANCES:
            return [_account(1, _BALANCES[case], name=name)]
        case Case.EMPTY:
            return []
        case Case.LOW:
            # The debt is larger than most thresholds, and is nobody's balance.
            return [_account(1, 110.0, name=name), _account(2, 56302.06, kind="credit")]
        case Case.MANY:
            return [_account(number, 100.0 + number) for number in range(1, 18)]
        case Case.NOT_EXACT:
            return good[1:2]
        case Case.MISSING_FIELD:
            del good[0]["balances"]["current"]
    return good


def owned_accounts(token: Token) -> list[_Json]:
    """Return the accounts with their owners: by default a joint one, and one of a single owner."""
    first = f"Alberta {token.mark or 'Bobbeth'} Charleson"
    names = [[first, "A. B. Charleson"], ["Robert Charleson"]]
    match token.case:
        case Case.EMPTY:
            return []
        case Case.LOW:
            names = [["Someone Else"]]
        case Case.MANY:
            names = [[f"Owner {number}"] for number in range(1, 11)]
        case Case.MISSING_FIELD:
            names = []
    good = [
        _account(1, 100.0) | {"owners": [_owner(owned) for owned in names]},
        _account(2, 200.0) | {"owners": [_owner(["Alberta Bobbeth Charleson"])]},
    ]
    if token.case is Case.WRONG_TYPE:
        good[0]["mask"] = 1
    if token.case is Case.MISSING_FIELD:
        del good[0]["account_id"]
    return good


def _account(number: int, balance: object, *, kind: str = "depository", name: str = "") -> _Json:
    return {
        "account_id": f"BxBXxLj1m4HMXBm9WZZmCWVbPjX16EHwv{number:04}",
        "balances": {
            "available": balance if kind == "depository" else None,
            "current": balance,
            "iso_currency_code": "USD",
            "limit": 2000 if kind == "credit" else None,
            "unofficial_currency_code": None,
        },
        "holder_category": "personal",
        "mask": f"{number:04}",
        "name": name or f"Plaid account {number}",
        "official_name": "Plaid Gold Standard 0% Interest Checking",
        "subtype": _SUBTYPES[kind],
        "type": kind,
    }


def _owner(names: list[str]) -> _Json:
    address = {
        "city": "Malakoff",
        "country": "US",
        "postal_code": "14236",
        "region": "NY",
        "street": "2992 Cameron Road",
    }
    return {
        "addresses": [{"data": address, "primary": True}],
        "emails": [{"data": "accountholder0@example.com", "primary": True, "type": "primary"}],
        "names": names,
        "phone_numbers": [{"data": "1112223333", "primary": False, "type": "home"}],
    }
