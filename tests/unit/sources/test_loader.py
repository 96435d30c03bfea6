from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sources.definitions import GOOD, changed, loaded

from adyton.errors import MalformedError
from adyton.model.question import Endpoint
from adyton.model.value import FieldType
from adyton.sources import load
from adyton.sources.definition import (
    BodyKind,
    DataType,
    FieldDefinition,
    PredicateKind,
    PredicateType,
    Rounding,
    Selector,
    SelectorKind,
)
from adyton.sources.document import MAX_FILE_BYTES, ProviderMalformedError

PREDICATE = "{name: p, predicate_type: Equal, fields: [balance]}"
MANY = "{name: value, method: !JsonPath '$.a[*]', data_type: String}"

# RFC-0023 writes its example like this, without a word of ours.
RFC_STYLE = """\
id: rfc-bank
name: A bank in RFC-0023's words
request:
  url: https://bank.example/accounts/balance/get
  method: POST
  headers:
    - ["Content-Type", "application/json"]
    - ["X-SECRET", "{{secret}}"]
  body_template: |
    {"access_token": "{{access_token}}"}
  credentials:
    - name: access_token
      description: Access token
      encrypted: true
    - name: secret
      description: Secret
      encrypted: true

extraction:
  response_type: Json
  fields:
    - name: balance
      method: !JsonPath "$.accounts[*].balances.current"
      data_type: !Decimal { scale: 2 }
    - name: institution_id
      method: !JsonPath "$.item.institution_id"
      data_type: String

predicates:
  - name: balance_gte
    predicate_type: GreaterThanOrEqual
    fields: [balance]
  - name: balance_range
    predicate_type: !Range { min_field: min, max_field: max }
    fields: [balance]

noir_circuit: balance_threshold
"""


def test_a_definition_has_what_its_file_says() -> None:
    definition = loaded()
    assert (definition.id, definition.name, definition.source) == (
        "some-bank",
        "Some bank",
        "some-bank",
    )
    assert definition.endpoint is Endpoint.BALANCE
    assert definition.request.method == "POST"
    assert definition.request.body_kind is BodyKind.JSON
    assert definition.request.body_template == '{"secret": "{{secret}}", "year": {{year}}}'
    assert [item.name for item in definition.request.credentials] == [
        "token",
        "secret",
        "customer",
        "page",
        "year",
    ]
    assert definition.extraction.each == Selector(
        kind=SelectorKind.JSON_PATH, expression="$.accounts[*]"
    )
    assert definition.extraction.fields[0] == FieldDefinition(
        name="balance",
        method=Selector(kind=SelectorKind.JSON_PATH, expression="$.balance"),
        data_type=DataType(type=FieldType.DECIMAL, scale=2, rounding=Rounding.NONE),
    )
    assert definition.predicates[0].predicate_type == PredicateType(
        kind=PredicateKind.GREATER_THAN_OR_EQUAL
    )
    assert not definition.is_open


def test_a_definition_in_the_words_of_the_rfc_alone_loads() -> None:
    definition = load(RFC_STYLE.encode(), file="rfc-bank.yaml")
    balance, institution = definition.extraction.fields
    assert isinstance(balance, FieldDefinition)
    assert balance.many
    assert isinstance(institution, FieldDefinition)
    assert not institution.many
    assert definition.predicates[1].predicate_type == PredicateType(
        kind=PredicateKind.RANGE, parameters=("min", "max")
    )


def test_the_circuit_may_have_its_name_from_the_rfc() -> None:
    text = changed("noir_circuit: balance_threshold", "noir_circuit: income_verification")
    text = text.replace("name: balance\n", "name: income\n").replace(
        "[balance, currency]", "[income]"
    )
    assert loaded(text).noir_circuit == "income"


def test_the_digest_is_that_of_the_meaning_and_not_of_the_spelling() -> None:
    respelt = changed('"Bearer {{token}}"', "'Bearer {{token}}'") + "# a comment\n"
    assert loaded(respelt).digest() == loaded().digest()
    explicit = changed("name: Some bank\n", "name: Some bank\nsource: some-bank\n")
    assert loaded(explicit).digest() == loaded().digest()
    assert len(loaded().digest()) == 32


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("api.bank.example", "api.thief.example"),
        ("scale: 2", "scale: 3"),
        ('"$.balance"', '"$.limit"'),
        ("Bearer {{token}}", "Basic {{token}}"),
        (
            "{name: token, description: Token, encrypted: true}",
            "{name: token, description: Token, encrypted: false}",
        ),
        ("id: some-bank", "id: other-bank"),
        ("$.accounts[*]", "$.accounts[0:1]"),
    ],
)
def test_whatever_changes_an_answer_changes_the_digest(old: str, new: str) -> None:
    assert loaded(changed(old, new)).digest() != loaded().digest()


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("name: Some bank\n", "name: Some bank\nfoo: 1\n", 3, 'unknown key "foo"'),
        ("name: Some bank\n", "name: Some bank\nname: Again\n", 3, 'duplicate key "name"'),
        ("name: Some bank\n", "", 1, 'a provider lacks the key "name"'),
        ("name: Some bank\n", "name: 12\n", 2, "name is not text; put it into quotes"),
        ("name: Some bank\n", "name: yes\n", 2, "name is not text; put it into quotes"),
        ("name: Some bank\n", "name: 2024-01-01\n", 2, "name is not text; put it into quotes"),
        ("name: Some bank\n", "name: ''\n", 2, "name does not have 1 to"),
        ("name: Some bank\n", "name: [a]\n", 2, "name is not a single value"),
        ("name: Some bank\n", "name: !!python/name:os.system x\n", 2, "unknown tag"),
        ("name: Some bank\n", "name: &a Some bank\n", 2, "an anchor is not allowed"),
        ("name: Some bank\n", "name: Some bank\n<<: {}\n", 3, "a key is not text"),
        ("id: some-bank", "id: Some Bank", 1, "id is not a name in lower case"),
        ("method: POST", "method: DELETE", 5, "method is not one of GET, PATCH, POST, PUT"),
        ("method: POST", "method: GET", 9, "a GET has no body"),
        ("https://api.bank", "http://api.bank", 4, "the url does not begin with https://"),
        ("api.bank.example", "{{customer}}.example", 4, "in the url's host part"),
        ("api.bank.example", "user@bank.example", 4, "authority is not a host"),
        ("api.bank.example", "bänk.example", 4, "not a name in ascii"),
        ("?page={{page}}", "?page={{page}}#x", 4, "the url has a fragment"),
        ("?page={{page}}", "?page={{ page }}", 4, "a placeholder is not {{name}}"),
        ("?page={{page}}", "?page={{page}", 4, "a placeholder is not {{name}}"),
        ("?page={{page}}", "?page={{nobody}}", 4, 'unknown placeholder "nobody"'),
        ("?page={{page}}", "?page=1", 15, 'the credential "page" is never used'),
        ('["Content-Type", "application/json"]', '["Content-Type"]', 7, "is not a pair"),
        ('"Content-Type"', '"Content Type"', 7, "a header's name is not a token"),
        ('"Content-Type"', '"Content-Length"', 7, "is not one that may be set"),
        ('"Authorization"', '"Host"', 8, '"Host" is not one that may be set'),
        ('"Authorization"', '"content-type"', 7, "a header is there twice"),
        ('"Bearer {{token}}"', '"Bearer\\n {{token}}"', 8, "holds other than visible ascii"),
        ('"application/json"', '"text/plain"', 9, "a body needs a Content-Type"),
        ('"secret": "{{secret}}"', '"{{secret}}": 1', 9, "where the body has no value"),
        ('"secret": "{{secret}}"', '"secret": 1{{secret}}', 9, "not a whole json value"),
        ('"secret": "{{secret}}"', '"secret": "\\u00{{secret}}"', 9, "not json around"),
        ('"secret": "{{secret}}"', '"secret": {"{{secret}}"}', 9, "not json around"),
        (
            "encrypted: true}\n    - {name: secret",
            "encrypted: 1}\n    - {name: secret",
            12,
            "true or",
        ),
        ("name: secret,", "name: token,", 13, 'the credential "token" is there twice'),
        ("name: secret,", "name: first_day,", 13, "is filled by the worker"),
        ("name: secret,", "name: Secret,", 13, "name is not a name in lower case"),
        ("response_type: Json", "response_type: Yaml", 18, "one of Json, Xml, Html, Text"),
        ('!JsonPath "$.accounts[*]"', '"$.accounts[*]"', 19, "each needs one of the tags"),
        ('!JsonPath "$.accounts[*]"', '!Sql "select"', 19, "unknown tag !Sql"),
        ('!JsonPath "$.accounts[*]"', '!JsonPath "accounts"', 19, "not a jsonpath of RFC 9535"),
        ('!JsonPath "$.accounts[*]"', '!XPath "//a"', 19, "a XPath cannot search Json"),
        ('!JsonPath "$.balance"', '!Regex "balance"', 22, "found by the row's method, JsonPath"),
        ('!JsonPath "$.balance"', '!JsonPath "$..a..b..c"', 22, '".." more than 2 times'),
        ("!Decimal { scale: 2 }", "!Decimal { scale: 19 }", 23, "scale is not in 0..18"),
        ("!Decimal { scale: 2 }", "!Decimal { scale: x }", 23, "scale is not an integer"),
        ("!Decimal { scale: 2 }", "!Decimal { scale: 2, foo: 1 }", 23, 'unknown key "foo"'),
        ("!Decimal { scale: 2 }", "Decimal", 23, "data_type is not one of"),
        ("!Decimal { scale: 2 }", "Boolean", 31, 'needs "balance" as decimal or integer'),
        ("name: currency\n", "name: balance\n", 24, 'the field "balance" is there twice'),
        ("[balance, currency]", "[balance, amount]", 30, 'unknown field "amount"'),
        ("[balance, currency]", "[]", 30, "fields does not have 1 to"),
        ("GreaterThanOrEqual", "MoreThan", 29, "predicate_type is not one of"),
        ("GreaterThanOrEqual", "Range", 29, "write Range as !Range with its parameters"),
        ("GreaterThanOrEqual", "!Range { min_field: a }", 29, 'lacks the key "max_field"'),
        ("noir_circuit: balance_threshold", "noir_circuit: magic", 31, "unknown circuit"),
        ("noir_circuit: balance_threshold", "noir_circuit: credit_score", 31, 'field "score"'),
    ],
)
def test_each_mistake_is_named_with_its_file_and_line(
    old: str, new: str, line: int, reason: str
) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(ProviderMalformedError) as caught:
        loaded(text)
    assert caught.value.code == "provider-malformed"
    assert reason in str(caught.value)
    assert str(caught.value).startswith("some-bank.yaml:")
    assert caught.value.line == line


@pytest.mark.parametrize("value", ["{a: b}", "x", "'{{secret}} {{year}}'", "[x]"])
def test_headers_are_pairs_or_one_placeholder(value: str) -> None:
    block = GOOD[GOOD.index("  headers:") : GOOD.index("  body_template")]
    with pytest.raises(ProviderMalformedError):
        loaded(changed(block, f"  headers: {value}\n"))


@pytest.mark.parametrize(
    "predicates",
    [
        "[]",
        "x",
        "[{name: p, predicate_type: 'x {{p}}', fields: [balance]}]",
        "[&p {name: p, predicate_type: Equal, fields: [balance]}, *p]",
        f"[{PREDICATE}, {PREDICATE}]",
        "[{name: p, predicate_type: Equal, fields: [other]}]",
        "[{name: p, predicate_type: Equal, fields: [balance], x: y}]",
        "[{name: P, predicate_type: Equal, fields: [balance]}]",
    ],
)
def test_predicates_are_read_strictly(predicates: str) -> None:
    block = GOOD[GOOD.index("predicates:") : GOOD.index("noir_circuit")]
    with pytest.raises(ProviderMalformedError):
        loaded(changed(block, f"predicates: {predicates}\n"))


def test_a_body_may_be_any_kind_of_json() -> None:
    text = changed('"application/json"', '"application/vnd.bank+json; charset=utf-8"')
    assert loaded(text).request.body_kind is BodyKind.JSON


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"a: b\n---\nc: d\n", "a second document"),
        (b"%YAML 1.2\n---\na: b\n", "a yaml directive"),
        (b"a: *b\n", "an alias is not allowed"),
        (b"a: [1\n", "not yaml"),
        (b"\xff", "not utf-8"),
        (b"a: \x00", "not yaml"),
        (b"? [a]\n: b\n", "a key is not text"),
        (b"- a\n", "a provider is not a mapping"),
        (b"[" * 100, "nested deeper"),
        (b" " * (MAX_FILE_BYTES + 1), "the limit is"),
    ],
)
def test_what_is_not_one_plain_document_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ProviderMalformedError, match=reason):
        load(data, file="x.yaml")


def test_a_laughing_alias_is_refused_before_it_is_expanded() -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    with pytest.raises(ProviderMalformedError, match="anchor"):
        load("\n".join(lines).encode(), file="x.yaml")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ("{name: value, method: !JsonPath '$.a', data_type: Integer, negate: true}", None),
        ("{name: value, method: !JsonPath '$.a', data_type: String, negate: true}", "negated"),
        ("{name: value, method: !JsonPath '$.a', data_type: Integer, between: [1, 2]}", None),
        ("{name: value, method: !JsonPath '$.a', data_type: Integer, between: [2, 1]}", "between"),
        ("{name: value, method: !JsonPath '$.a', data_type: Integer, between: [1]}", "between"),
        ("{name: value, method: !JsonPath '$.a', data_type: String, between: [1, 2]}", "between"),
        ("{name: value, method: !JsonPath '$.a', data_type: String, values: {a: b}}", None),
        ("{name: value, method: !JsonPath '$.a', data_type: String, values: [a]}", "a mapping"),
        ("{name: value, method: !JsonPath '$.a', data_type: String, values: {a: [b]}}", "not text"),
        ("{name: value, method: !JsonPath '$.a', data_type: !Date {partial: last}}", None),
        ("{name: value, method: !JsonPath '$.a', data_type: !Date {partial: x}}", "one of none"),
        ("{name: value, method: !Constant x, data_type: String}", None),
        ("{name: value, method: '{{path}}', data_type: '{{type}}'}", None),
        ("{name: value, method: '{{path}}', data_type: String}", "not one whole placeholder"),
        ("{name: value, method: 'x {{path}}', data_type: '{{type}}'}", "not one whole placeholder"),
        ("{name: value, method: '{{path}}', data_type: '{{type}}', many: true}", "left open"),
        (
            f"{MANY}, {{name: other, method: !JsonPath '$.b[*]', data_type: String}}",
            "nothing aligns the many values",
        ),
        (
            f"{MANY}, {{name: other, method: !JsonPath '$.b[*]', data_type: String, many: false}}",
            None,
        ),
    ],
)
def test_fields_are_read_strictly(fields: str, reason: str | None) -> None:
    text = f"""\
id: x
name: X
request: {{url: "https://x.example/", method: GET}}
extraction: {{response_type: Json, fields: [{fields}]}}
predicates: [{{name: p, predicate_type: Equal, fields: [value]}}]
noir_circuit: generic_predicate
"""
    if reason is None:
        assert load(text.encode(), file="x.yaml").extraction.fields[0].name == "value"
        return
    with pytest.raises(ProviderMalformedError, match=reason):
        load(text.encode(), file="x.yaml")


@pytest.mark.parametrize(
    ("expect", "equals"),
    [
        ("equals: ok", "ok"),
        ("equals: true", True),
        ("equals: 'true'", "true"),
        ("equals: 0", 0),
        ("absent: true", None),
    ],
)
def test_an_expectation_is_a_value_or_nothing(expect: str, equals: object) -> None:
    text = changed(
        "  fields:\n    - name: balance\n",
        f"  expect:\n    - {{method: !JsonPath '$.s', {expect}}}\n  fields:\n    - name: balance\n",
    )
    (expectation,) = loaded(text).extraction.expect
    assert expectation.equals == equals
    assert type(expectation.equals) is type(equals)


@pytest.mark.parametrize("expect", ["absent: false", "absent: true, equals: x", "equals: []"])
def test_a_half_expectation_is_refused(expect: str) -> None:
    text = changed(
        "  fields:\n    - name: balance\n",
        f"  expect:\n    - {{method: !JsonPath '$.s', {expect}}}\n  fields:\n    - name: balance\n",
    )
    with pytest.raises(ProviderMalformedError):
        loaded(text)


@pytest.mark.parametrize(
    ("key", "good", "bad"), [("timeout_seconds", 60, 61), ("limit_bytes", 8388608, 8388609)]
)
def test_limits_have_limits(key: str, good: int, bad: int) -> None:
    assert getattr(loaded(changed("method: POST", f"method: POST\n  {key}: {good}")).request, key)
    with pytest.raises(ProviderMalformedError, match=f"{key} is not in"):
        loaded(changed("method: POST", f"method: POST\n  {key}: {bad}"))


def test_a_credential_is_optional_only_where_nothing_else_depends_on_it() -> None:
    text = changed(
        "{name: secret, description: Secret, encrypted: true}",
        "{name: secret, description: Secret, encrypted: true, optional: true}",
    )
    with pytest.raises(ProviderMalformedError, match="the optional credential"):
        loaded(text)


@given(st.binary(max_size=512))
def test_any_bytes_load_or_are_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        load(data, file="x.yaml")


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 12), st.text(max_size=6))
def test_any_edit_loads_or_is_malformed(at: int, cut: int, inserted: str) -> None:
    text = GOOD[:at] + inserted + GOOD[at + cut :]
    with suppress(MalformedError):
        load(text.encode("utf-8", "surrogatepass"), file="x.yaml")
