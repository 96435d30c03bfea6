import json
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sources.definitions import built_in, changed, loaded, value_rule

from adyton.errors import UnavailableError
from adyton.model.value import Column, DataSource, FieldType
from adyton.sources import extract, load
from adyton.sources.conversion import (
    FieldAmbiguousError,
    FieldMissingError,
    FieldWrongTypeError,
    NumberNotExactError,
)
from adyton.sources.extraction import (
    MAX_ROWS,
    SourceIncompleteError,
    SourceMalformedError,
    SourceTooLargeError,
    SourceUnexpectedError,
)

ACCOUNTS = (
    b'{"accounts": [{"balance": 1.5, "currency": "USD"}, {"balance": -2, "currency": "EUR"}]}'
)


def test_a_row_stays_together() -> None:
    extracted = extract(ACCOUNTS, definition=loaded())
    assert extracted.source == DataSource(name="some-bank", institution="")
    assert extracted.columns == {
        "balance": Column(type=FieldType.DECIMAL, scale=2, values=(150, -200)),
        "currency": Column(type=FieldType.STRING, scale=0, values=("USD", "EUR")),
    }


def test_only_what_was_asked_for_is_taken() -> None:
    extracted = extract(ACCOUNTS, definition=loaded(), fields=["currency"])
    assert list(extracted.columns) == ["currency"]


def test_what_was_not_asked_for_may_be_broken() -> None:
    body = b'{"accounts": [{"balance": "x", "currency": "USD"}]}'
    assert extract(body, definition=loaded(), fields=["currency"]).columns["currency"].values


def test_by_default_a_circuit_gets_its_columns_and_no_others() -> None:
    body = b'{"tax_return": {"agi": 1.5, "filing_status": "single"}}'
    assert list(extract(body, definition=built_in("irs-income")).columns) == [
        "adjusted_gross_income"
    ]


def test_a_repr_shows_nothing_of_the_data() -> None:
    extracted = extract(ACCOUNTS, definition=loaded())
    assert "150" not in repr(extracted)
    assert "EUR" not in repr(extracted)


def test_no_rows_are_empty_columns() -> None:
    extracted = extract(b'{"accounts": []}', definition=loaded())
    assert extracted.columns["balance"].values == ()
    assert extracted.columns["currency"].values == ()


@pytest.mark.parametrize(
    "body", [b"{}", b'{"accounts": null}', b'{"accounts": "none"}', b"[]", b'"x"', b"1", b"null"]
)
def test_a_list_that_is_not_there_is_not_an_empty_one(body: bytes) -> None:
    with pytest.raises(SourceUnexpectedError, match=r"at \$\.accounts\[\*\]"):
        extract(body, definition=loaded())


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (b'{"currency": "USD"}', FieldMissingError),
        (b'{"balance": null, "currency": "USD"}', FieldMissingError),
        (b'{"balance": "a lot", "currency": "USD"}', FieldWrongTypeError),
        (b'{"balance": true, "currency": "USD"}', FieldWrongTypeError),
        (b'{"balance": 0.123, "currency": "USD"}', NumberNotExactError),
        (b'{"balance": 1, "currency": 840}', FieldWrongTypeError),
        (b'"text"', FieldMissingError),
        (b"null", FieldMissingError),
    ],
)
def test_one_bad_row_spoils_the_answer(row: bytes, error: type[UnavailableError]) -> None:
    body = b'{"accounts": [{"balance": 1, "currency": "USD"}, ' + row + b"]}"
    with pytest.raises(error):
        extract(body, definition=loaded())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not json"),
        (b"{", "not json"),
        (b"\xff", "not utf-8"),
        (b"\xef\xbb\xbf{}", "not json"),
        (b'{"a": 1, "a": 2}', "duplicate key"),
        (b'{"a": NaN}', "the number NaN"),
        (b'{"a": "\\ud800"}', "lone surrogate"),
        (b"[" * 100 + b"]" * 100, "nested deeper"),
        (b"1" * 500, "too long"),
    ],
)
def test_what_is_not_strict_json_is_malformed(body: bytes, reason: str) -> None:
    with pytest.raises(SourceMalformedError, match=reason):
        extract(body, definition=loaded())


def test_a_body_beyond_the_limit_is_refused() -> None:
    definition = loaded(changed("method: POST", "method: POST\n  limit_bytes: 20"))
    with pytest.raises(SourceTooLargeError, match="more than 20 bytes"):
        extract(ACCOUNTS, definition=definition)


def test_rows_beyond_the_limit_are_refused() -> None:
    row = b'{"balance":1,"currency":"USD"}'
    body = b'{"accounts": [' + b",".join([row] * (MAX_ROWS + 1)) + b"]}"
    with pytest.raises(SourceMalformedError, match="more than 10000 values"):
        extract(body, definition=loaded())


def test_values_that_make_too_many_rows_are_refused() -> None:
    owners = b'{"names": [' + b",".join([b'"x"'] * 5001) + b"]}"
    account = b'{"account_id": "1", "owners": [' + owners + b"]}"
    body = b'{"accounts": [' + account + b", " + account + b"]}"
    with pytest.raises(SourceTooLargeError, match="more than 10000 rows"):
        extract(body, definition=built_in("plaid-identity"))


def test_a_row_of_text_has_no_elements() -> None:
    text = changed('!JsonPath "$.accounts[*]"', '!XPath "//account/text()"')
    text = text.replace("response_type: Json", "response_type: Xml")
    text = text.replace('!JsonPath "$.balance"', '!XPath "balance"')
    text = text.replace('!JsonPath "$.currency"', '!XPath "@currency"')
    with pytest.raises(SourceMalformedError, match="holds no elements"):
        extract(b"<x><account>1</account></x>", definition=loaded(text))


def test_a_definition_that_is_open_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="still open"):
        extract(b"{}", definition=built_in("generic-http"))


def test_a_field_that_nobody_defined_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match='no field "other"'):
        extract(b"{}", definition=loaded(), fields=["other"])


class TestOneValue:
    def test_it_is_found(self) -> None:
        definition = value_rule('!JsonPath "$.a.b"', "Date")
        body = b'{"a": {"b": "2024-01-02"}}'
        values = extract(body, definition=definition).columns["value"].values
        assert values == (date(2024, 1, 2),)

    def test_several_are_rows_by_default_and_ambiguous_where_one_is_meant(self) -> None:
        body = b'{"a": ["x", "y"]}'
        rows = value_rule('!JsonPath "$.a[*]"')
        assert extract(body, definition=rows).columns["value"].values == ("x", "y")
        one = value_rule('!JsonPath "$.a[*]"', extra="      many: false")
        with pytest.raises(FieldAmbiguousError, match="several values"):
            extract(body, definition=one)

    def test_a_missing_one_is_missing(self) -> None:
        with pytest.raises(FieldMissingError):
            extract(b"{}", definition=value_rule('!JsonPath "$.a"'))
        optional = value_rule('!JsonPath "$.a"', extra="      optional: true")
        assert extract(b"{}", definition=optional).columns["value"].values == (None,)

    def test_an_empty_list_has_no_rows(self) -> None:
        definition = value_rule('!JsonPath "$.a[*]"')
        assert extract(b'{"a": []}', definition=definition).columns["value"].values == ()

    def test_rows_without_their_list_are_missing(self) -> None:
        with pytest.raises(FieldMissingError):
            extract(b"{}", definition=value_rule('!JsonPath "$.a[*]"'))

    def test_a_constant_is_itself(self) -> None:
        definition = value_rule("!Constant USD")
        assert extract(b"{}", definition=definition).columns["value"].values == ("USD",)

    def test_a_regex_reads_text(self) -> None:
        definition = value_rule(
            r"""!Regex 'balance:\s*([0-9.]+)'""", "!Decimal { scale: 2 }", response_type="Text"
        )
        body = b"balance: 12.30\n"
        assert extract(body, definition=definition).columns["value"].values == (1230,)

    def test_a_regex_that_matches_twice_is_ambiguous(self) -> None:
        definition = value_rule("!Regex '[0-9]+'", "Integer", response_type="Text")
        with pytest.raises(FieldAmbiguousError):
            extract(b"1 2", definition=definition)

    @pytest.mark.parametrize(
        ("rule", "response_type", "body"),
        [
            ('!XPath "//balance"', "Xml", b"<a><balance> 12.30 </balance></a>"),
            ('!XPath "//balance/text()"', "Xml", b"<a><balance>12.30</balance></a>"),
            ('!XPath "//a/@balance"', "Xml", b"<a balance='12.30'/>"),
            ('!XPath "//balance"', "Xml", b"<a><balance>12<b>.3</b>0</balance></a>"),
            ("!XPath \"//p[@class='b']\"", "Html", b"<title>Bank</title><p class=b>12.30"),
            ("!Regex '>([0-9.]+)<'", "Xml", b"<a>12.30</a>"),
        ],
    )
    def test_markup_is_read(self, rule: str, response_type: str, body: bytes) -> None:
        definition = value_rule(rule, "!Decimal { scale: 2 }", response_type=response_type)
        assert extract(body, definition=definition).columns["value"].values == (1230,)

    @pytest.mark.parametrize(
        ("response_type", "body", "reason"),
        [
            ("Xml", b"<a>", "not xml"),
            ("Xml", b"<!DOCTYPE a><a/>", "a document type"),
            ("Html", b"", "not html"),
            ("Xml", b"\xff", "not utf-8"),
        ],
    )
    def test_bad_markup_is_malformed(self, response_type: str, body: bytes, reason: str) -> None:
        definition = value_rule('!XPath "//a"', response_type=response_type)
        with pytest.raises(SourceMalformedError, match=reason):
            extract(body, definition=definition)

    def test_an_xpath_that_counts_is_malformed(self) -> None:
        definition = value_rule('!XPath "count(//a)"', "Integer", response_type="Xml")
        with pytest.raises(SourceMalformedError, match="not nodes or text"):
            extract(b"<a/>", definition=definition)


def test_rows_of_xml_stay_together() -> None:
    text = changed('!JsonPath "$.accounts[*]"', '!XPath "//account"')
    text = text.replace("response_type: Json", "response_type: Xml")
    text = text.replace('!JsonPath "$.balance"', '!XPath "balance"')
    text = text.replace('!JsonPath "$.currency"', '!XPath "@currency"')
    body = (
        b"<x><account currency='USD'><balance>1</balance></account>"
        b"<account currency='EUR'><balance>2</balance></account></x>"
    )
    columns = extract(body, definition=loaded(text)).columns
    assert columns["balance"].values == (100, 200)
    assert columns["currency"].values == ("USD", "EUR")


def test_rows_of_text_stay_together() -> None:
    text = changed('!JsonPath "$.accounts[*]"', "!Regex '(?m)^account .*$'")
    text = text.replace("response_type: Json", "response_type: Text")
    text = text.replace('!JsonPath "$.balance"', "!Regex '[0-9]+'")
    text = text.replace('!JsonPath "$.currency"', "!Regex '[A-Z]{3}'")
    body = b"account 1 USD\nother\naccount 2 EUR\n"
    columns = extract(body, definition=loaded(text)).columns
    assert columns["balance"].values == (100, 200)
    assert columns["currency"].values == ("USD", "EUR")


class TestOwners:
    """Several values in a row make several rows."""

    BODY = (
        b'{"accounts": [{"account_id": "1", "mask": "00", "owners": [{"names": ["A", "B"]}]},'
        b'{"account_id": "2", "mask": null, "owners": []}], "item": {"institution_id": "ins_1"}}'
    )

    def test_each_name_has_its_account_and_number(self) -> None:
        columns = extract(self.BODY, definition=built_in("plaid-identity")).columns
        assert columns["account"].values == ("1", "1", "2")
        assert columns["owner"].values == ("A", "B", None)
        assert columns["number"].values == ("00", "00", None)

    def test_accounts_are_one_row_each_where_names_are_not_asked_for(self) -> None:
        columns = extract(
            self.BODY, definition=built_in("plaid-identity"), fields=["account", "number"]
        ).columns
        assert columns["account"].values == ("1", "2")

    def test_the_institution_is_that_of_the_answer(self) -> None:
        source = extract(self.BODY, definition=built_in("plaid-identity")).source
        assert source == DataSource(name="plaid", institution="ins_1")

    @pytest.mark.parametrize("item", [b"{}", b'{"institution_id": null}', b"null"])
    def test_an_institution_may_be_unknown(self, item: bytes) -> None:
        body = b'{"accounts": [], "item": ' + item + b"}"
        assert extract(body, definition=built_in("plaid-identity")).source.institution == ""

    @pytest.mark.parametrize("institution", [b"1", b"[]", b'"' + b"x" * 257 + b'"'])
    def test_an_institution_is_short_text(self, institution: bytes) -> None:
        body = b'{"accounts": [], "item": {"institution_id": ' + institution + b"}}"
        with pytest.raises(FieldWrongTypeError):
            extract(body, definition=built_in("plaid-identity"))


class TestExpectations:
    @pytest.mark.parametrize(
        ("expect", "body", "good"),
        [
            ("equals: ok", b'{"s": "ok", "accounts": []}', True),
            ("equals: ok", b'{"s": "no", "accounts": []}', False),
            ("equals: ok", b'{"accounts": []}', False),
            ("equals: true", b'{"s": true, "accounts": []}', True),
            ("equals: true", b'{"s": 1, "accounts": []}', False),
            ("equals: 1", b'{"s": true, "accounts": []}', False),
            ("equals: 1", b'{"s": 1, "accounts": []}', True),
            ("absent: true", b'{"accounts": []}', True),
            ("absent: true", b'{"s": null, "accounts": []}', False),
        ],
    )
    def test_a_bad_answer_with_a_good_status_is_no_answer(
        self, expect: str, body: bytes, *, good: bool
    ) -> None:
        text = changed(
            "  fields:\n    - name: balance\n",
            f"  expect:\n    - {{method: !JsonPath '$.s', {expect}}}\n"
            "  fields:\n    - name: balance\n",
        )
        if good:
            assert extract(body, definition=loaded(text)).columns
            return
        with pytest.raises(SourceUnexpectedError, match=r"\$\.s"):
            extract(body, definition=loaded(text))

    @pytest.mark.parametrize(
        ("total", "error"),
        [
            (b"2", None),
            (b"3", SourceIncompleteError),
            (b"1", SourceIncompleteError),
            (b'"many"', FieldWrongTypeError),
            (b"null", FieldMissingError),
        ],
    )
    def test_a_page_is_not_the_whole(
        self, total: bytes, error: type[UnavailableError] | None
    ) -> None:
        text = changed(
            '  each: !JsonPath "$.accounts[*]"\n',
            '  each: !JsonPath "$.accounts[*]"\n  rows: !JsonPath "$.total"\n',
        )
        body = ACCOUNTS[:-1] + b', "total": ' + total + b"}"
        if error is None:
            assert extract(body, definition=loaded(text)).columns
            return
        with pytest.raises(error):
            extract(body, definition=loaded(text))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["accounts", "balance", "currency"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.binary(max_size=200))
def test_any_bytes_are_extracted_or_unavailable(body: bytes) -> None:
    with suppress(UnavailableError):
        extract(body, definition=loaded())
    with suppress(UnavailableError):
        extract(body, definition=built_in("transunion-credit"))


@given(JSON)
def test_any_json_is_extracted_or_unavailable(value: object) -> None:
    with suppress(UnavailableError):
        columns = extract(json.dumps(value).encode(), definition=loaded()).columns
        assert len({len(column.values) for column in columns.values()}) == 1


@given(
    st.lists(
        st.tuples(
            st.decimals(min_value=-(10**14), max_value=10**14, places=2),
            st.sampled_from(["USD", "EUR"]),
        ),
        max_size=20,
    )
)
def test_every_amount_comes_out_as_it_went_in(rows: list[tuple[object, str]]) -> None:
    accounts = ",".join(f'{{"balance": {amount:f}, "currency": "{c}"}}' for amount, c in rows)
    columns = extract(f'{{"accounts": [{accounts}]}}'.encode(), definition=loaded()).columns
    assert columns["balance"].values == tuple(int(amount * 100) for amount, _ in rows)  # type: ignore[operator]
    assert columns["currency"].values == tuple(currency for _, currency in rows)


def test_no_error_repeats_the_data() -> None:
    for row in (b'{"balance": "MARKER"}', b'{"balance": 1, "currency": ["MARKER"]}', b'"MARKER'):
        with pytest.raises(UnavailableError) as caught:
            extract(b'{"accounts": [' + row + b"]}", definition=loaded())
        assert "MARKER" not in str(caught.value)


def test_a_rule_of_another_kind_in_a_row_is_refused_when_it_is_loaded() -> None:
    text = changed('!JsonPath "$.balance"', '!Constant "1"')
    columns = extract(ACCOUNTS, definition=load(text.encode(), file="x")).columns
    assert columns["balance"].values == (100, 100)
