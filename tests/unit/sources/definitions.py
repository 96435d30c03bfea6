"""Definitions that tests start from, and change one thing in."""

import functools
from pathlib import Path
from typing import Final

from adyton.sources import ProviderDefinition, load

PROVIDERS: Final = Path(__file__).parents[3] / "providers"

GOOD: Final = """\
id: some-bank
name: Some bank
request:
  url: https://api.bank.example/v1/{{customer}}/accounts?page={{page}}
  method: POST
  headers:
    - ["Content-Type", "application/json"]
    - ["Authorization", "Bearer {{token}}"]
  body_template: |
    {"secret": "{{secret}}", "year": {{year}}}
  credentials:
    - {name: token, description: Token, encrypted: true}
    - {name: secret, description: Secret, encrypted: true}
    - {name: customer, description: Customer, encrypted: false}
    - {name: page, description: Page, encrypted: false}
    - {name: year, description: Year, encrypted: false}
extraction:
  response_type: Json
  each: !JsonPath "$.accounts[*]"
  fields:
    - name: balance
      method: !JsonPath "$.balance"
      data_type: !Decimal { scale: 2 }
    - name: currency
      method: !JsonPath "$.currency"
      data_type: String
predicates:
  - name: balance_gte
    predicate_type: GreaterThanOrEqual
    fields: [balance, currency]
noir_circuit: balance_threshold
"""

CREDENTIALS: Final = {"token": "t", "secret": "s", "customer": "c", "page": "1", "year": "2024"}


@functools.cache
def loaded(text: str = GOOD) -> ProviderDefinition:
    return load(text.encode(), file="some-bank.yaml")


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, f"{old!r} is there {GOOD.count(old)} times"
    return GOOD.replace(old, new)


@functools.cache
def built_in(name: str) -> ProviderDefinition:
    return load((PROVIDERS / f"{name}.yaml").read_bytes(), file=f"{name}.yaml")


def value_rule(
    rule: str, data_type: str = "String", extra: str = "", response_type: str = "Json"
) -> ProviderDefinition:
    """Return a definition that takes one value out of an answer."""
    return load(
        f"""\
id: one-value
name: One value
request: {{url: "https://api.example.com/", method: GET}}
extraction:
  response_type: {response_type}
  fields:
    - name: value
      method: {rule}
      data_type: {data_type}
{extra}
predicates: [{{name: custom, predicate_type: Equal, fields: [value]}}]
noir_circuit: generic_predicate
""".encode(),
        file="one-value.yaml",
    )
