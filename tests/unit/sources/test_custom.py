from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sources.definitions import built_in, loaded

from adyton.codec.json import Json, JsonObject
from adyton.errors import MalformedError
from adyton.model.question import Endpoint, Question
from adyton.model.value import FieldType
from adyton.sources import complete, extract, inline, render
from adyton.sources.definition import (
    DataType,
    FieldDefinition,
    PredicateKind,
    ResponseType,
    SelectorKind,
)
from adyton.sources.document import ProviderMalformedError

# RFC-0023's own examples.
STATUS: JsonObject = {"path": "$.employment.status", "type": "String"}
IS_ACTIVE: JsonObject = {"type": "eq", "expected": "active"}
PROVIDER: JsonObject = {
    "url": "https://api.example.com/data",
    "method": "GET",
    "headers": {"Authorization": "encrypted:"},
}
BALANCE: JsonObject = {"type": "jsonPath", "pattern": "$.data.balance"}
AT_LEAST: JsonObject = {"type": "gte", "field": "balance", "threshold": 1000}


class TestComplete:
    def test_the_question_says_what_to_take(self) -> None:
        definition = complete(built_in("generic-http"), extraction=STATUS, predicate=IS_ACTIVE)
        assert not definition.is_open
        body = b'{"employment": {"status": "active"}}'
        assert extract(body, definition=definition).columns["value"].values == ("active",)

    def test_what_is_taken_is_in_the_digest(self) -> None:
        generic = built_in("generic-http")
        one = complete(generic, extraction=STATUS, predicate=IS_ACTIVE)
        same = complete(generic, extraction=dict(STATUS), predicate=IS_ACTIVE)
        other = complete(
            generic, extraction=STATUS | {"path": "$.employment.note"}, predicate=IS_ACTIVE
        )
        assert one.digest() == same.digest()
        assert len({generic.digest(), one.digest(), other.digest()}) == 3

    @pytest.mark.parametrize(
        ("extraction", "data_type"),
        [
            ({"type": "Decimal", "scale": 4}, DataType(type=FieldType.DECIMAL, scale=4)),
            ({"type": "Decimal"}, DataType(type=FieldType.DECIMAL, scale=2)),
            ({"type": "Integer"}, DataType(type=FieldType.INTEGER)),
            ({"type": "Boolean"}, DataType(type=FieldType.BOOLEAN)),
            ({"type": "Date"}, DataType(type=FieldType.DATE)),
        ],
    )
    def test_every_type_can_be_taken(self, extraction: JsonObject, data_type: DataType) -> None:
        definition = complete(
            built_in("generic-http"), extraction=STATUS | extraction, predicate=IS_ACTIVE
        )
        (field,) = definition.extraction.fields
        assert isinstance(field, FieldDefinition)
        assert field.data_type == data_type

    def test_a_page_can_be_read(self) -> None:
        extraction = STATUS | {"path": "//p", "method": "xpath", "response_type": "Html"}
        definition = complete(built_in("generic-http"), extraction=extraction, predicate=IS_ACTIVE)
        body = b"<p>active"
        assert extract(body, definition=definition).columns["value"].values == ("active",)

    @pytest.mark.parametrize(
        "extraction",
        [
            None,
            {},
            {"path": "$.a"},
            {"type": "String"},
            STATUS | {"type": "Money"},
            STATUS | {"type": 1},
            STATUS | {"scale": 2},
            STATUS | {"type": "Decimal", "scale": 19},
            STATUS | {"type": "Decimal", "scale": -1},
            STATUS | {"path": "a"},
            STATUS | {"path": "$..a..b..c"},
            STATUS | {"method": "sql"},
            STATUS | {"method": "xpath"},
            STATUS | {"response_type": "Yaml"},
            STATUS | {"response_type": "Xml"},
            STATUS | {"foo": 1},
        ],
    )
    def test_a_rule_that_makes_no_sense_is_refused(self, extraction: JsonObject | None) -> None:
        with pytest.raises(ProviderMalformedError, match="the question's provider: "):
            complete(built_in("generic-http"), extraction=extraction, predicate=IS_ACTIVE)

    def test_a_definition_that_is_not_open_is_our_own_mistake(self) -> None:
        with pytest.raises(ValueError, match="is complete"):
            complete(loaded(), extraction=STATUS, predicate=IS_ACTIVE)


class TestInline:
    def test_a_sealed_header_becomes_a_credential(self) -> None:
        brought = inline(PROVIDER, extraction=BALANCE, predicate=AT_LEAST)
        assert brought.places == {"header_authorization": "/provider/headers/Authorization"}
        definition = brought.definition
        assert (definition.id, definition.source) == ("inline", "api.example.com")
        assert definition.endpoint is Endpoint.CUSTOM
        request = render(definition, {"header_authorization": "Bearer x"})
        assert request.host == "api.example.com"
        assert request.headers == (("Authorization", "Bearer x"),)

    def test_a_threshold_makes_the_value_money(self) -> None:
        definition = inline(PROVIDER, extraction=BALANCE, predicate=AT_LEAST).definition
        column = extract(b'{"data": {"balance": 1234.5}}', definition=definition).columns["balance"]
        assert (column.type, column.scale, column.values) == (FieldType.DECIMAL, 2, (123450,))

    def test_places_are_those_of_the_sealed_values_of_the_question(self) -> None:
        body: JsonObject = {
            "provider": {
                "url": "encrypted:AA==",
                "method": "POST",
                "headers": {"X~Z": "encrypted:AA==", "Accept": "*/*"},
                "body": {"a": ["encrypted:AA==", {"b/c": "encrypted:AA=="}], "c": 1, "d": None},
            },
            "response_extraction": BALANCE,
            "predicate": AT_LEAST,
            "nonce": "n",
        }
        question = Question.from_json(Endpoint.CUSTOM, body)
        assert isinstance(question.provider, dict)
        brought = inline(
            question.provider, extraction=question.extraction, predicate=question.predicate
        )
        assert sorted(brought.places.values()) == sorted(item.location for item in question.sealed)

    def test_a_body_is_json_around_its_sealed_values(self) -> None:
        provider = PROVIDER | {"method": "POST", "body": {"b": ["encrypted:", "x"], "a": True}}
        brought = inline(provider, extraction=BALANCE, predicate=AT_LEAST)
        assert brought.places["body_1"] == "/provider/body/b/0"
        request = render(brought.definition, {"header_authorization": "x", "body_1": '"'})
        assert request.body == b'{"a":true,"b":["\\"","x"]}'
        assert request.headers[0] == ("Content-Type", "application/json")

    def test_text_is_sent_as_it_is(self) -> None:
        provider: JsonObject = {"url": "https://a.example/", "method": "POST", "body": "a=b"}
        definition = inline(provider, extraction=BALANCE, predicate=AT_LEAST).definition
        assert render(definition, {}).body == b"a=b"

    def test_the_digest_does_not_depend_on_the_order_of_keys(self) -> None:
        one = PROVIDER | {"headers": {"A": "1", "B": "2"}}
        two = PROVIDER | {"headers": {"B": "2", "A": "1"}}
        digests = {
            inline(provider, extraction=BALANCE, predicate=AT_LEAST).definition.digest()
            for provider in (one, two)
        }
        assert len(digests) == 1

    def test_a_sealed_url_hides_the_source(self) -> None:
        provider = PROVIDER | {"url": "encrypted:"}
        brought = inline(provider, extraction=BALANCE, predicate=AT_LEAST)
        assert brought.definition.source == "inline"
        assert brought.places["url"] == "/provider/url"

    @pytest.mark.parametrize(
        ("predicate", "kind", "field_type", "optional"),
        [
            ({"type": "gte"}, PredicateKind.GREATER_THAN_OR_EQUAL, FieldType.DECIMAL, False),
            ({"type": "lte"}, PredicateKind.LESS_THAN_OR_EQUAL, FieldType.DECIMAL, False),
            ({"type": "range"}, PredicateKind.RANGE, FieldType.DECIMAL, False),
            ({"type": "eq", "expected": "x"}, PredicateKind.EQUAL, FieldType.STRING, False),
            ({"type": "eq", "expected": True}, PredicateKind.EQUAL, FieldType.BOOLEAN, False),
            ({"type": "eq", "expected": 5}, PredicateKind.EQUAL, FieldType.INTEGER, False),
            ({"type": "membership"}, PredicateKind.MEMBERSHIP, FieldType.STRING, False),
            ({"type": "exists"}, PredicateKind.EXISTS, FieldType.STRING, True),
        ],
    )
    def test_the_question_says_the_type_where_the_rule_does_not(
        self, predicate: JsonObject, kind: PredicateKind, field_type: FieldType, *, optional: bool
    ) -> None:
        definition = inline(PROVIDER, extraction=BALANCE, predicate=predicate).definition
        (field,) = definition.extraction.fields
        assert isinstance(field, FieldDefinition)
        assert (field.data_type.type, field.optional, field.many) == (field_type, optional, False)
        (asked,) = definition.predicates
        assert not isinstance(asked.predicate_type, str)
        assert asked.predicate_type.kind is kind

    @pytest.mark.parametrize(
        ("extraction", "kind", "response_type"),
        [
            ({"type": "xpath", "pattern": "//a"}, SelectorKind.X_PATH, ResponseType.XML),
            (
                {"type": "xpath", "pattern": "//a", "response_type": "Html"},
                SelectorKind.X_PATH,
                ResponseType.HTML,
            ),
            ({"type": "regex", "pattern": "a"}, SelectorKind.REGEX, ResponseType.TEXT),
            (
                {"type": "regex", "pattern": "a", "response_type": "Json"},
                SelectorKind.REGEX,
                ResponseType.JSON,
            ),
        ],
    )
    def test_every_method_can_be_used(
        self, extraction: JsonObject, kind: SelectorKind, response_type: ResponseType
    ) -> None:
        rules = inline(PROVIDER, extraction=extraction, predicate=AT_LEAST).definition.extraction
        (field,) = rules.fields
        assert isinstance(field, FieldDefinition)
        assert (field.method.kind, rules.response_type) == (kind, response_type)

    @pytest.mark.parametrize(
        "provider",
        [
            {},
            {"url": "https://a.example/"},
            {"method": "GET"},
            PROVIDER | {"foo": 1},
            PROVIDER | {"url": "http://a.example/"},
            PROVIDER | {"url": "https://{{x}}.example/"},
            PROVIDER | {"url": "https://a.example/{{x}}"},
            PROVIDER | {"url": 1},
            PROVIDER | {"method": "DELETE"},
            PROVIDER | {"method": "encrypted:"},
            PROVIDER | {"headers": []},
            PROVIDER | {"headers": {"A": 1}},
            PROVIDER | {"headers": {"A": "{{x}}"}},
            PROVIDER | {"headers": {"Host": "x"}},
            PROVIDER | {"headers": {"A": "x\r\nB: y"}},
            PROVIDER | {"headers": {"A b": "x"}},
            PROVIDER | {"headers": {"A": "x", "a": "y"}},
            PROVIDER | {"headers": {"A-B": "encrypted:", "A_B": "encrypted:"}},
            PROVIDER | {"headers": {f"X-{number}": "x" for number in range(40)}},
            PROVIDER | {"body": "x"},
            PROVIDER | {"method": "POST", "body": {"{{x}}": 1}},
            PROVIDER | {"method": "POST", "body": "{{x}}"},
            PROVIDER | {"method": "POST", "body": {"a": Decimal("1.5")}},
        ],
    )
    def test_a_provider_that_makes_no_sense_is_refused(self, provider: JsonObject) -> None:
        with pytest.raises(ProviderMalformedError, match="the question's provider: "):
            inline(provider, extraction=BALANCE, predicate=AT_LEAST)

    @pytest.mark.parametrize(
        "extraction",
        [None, {}, {"type": "jsonPath"}, BALANCE | {"type": "css"}, BALANCE | {"x": 1}],
    )
    def test_an_extraction_that_makes_no_sense_is_refused(
        self, extraction: JsonObject | None
    ) -> None:
        with pytest.raises(ProviderMalformedError):
            inline(PROVIDER, extraction=extraction, predicate=AT_LEAST)

    @pytest.mark.parametrize(
        "predicate",
        [
            {},
            {"type": "like"},
            {"type": 1},
            {"type": None},
            AT_LEAST | {"field": 1},
            AT_LEAST | {"field": "{{x}}"},
        ],
    )
    def test_a_predicate_that_nobody_knows_is_refused(self, predicate: JsonObject) -> None:
        with pytest.raises(ProviderMalformedError):
            inline(PROVIDER, extraction=BALANCE, predicate=predicate)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=12),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=6), inner, max_size=3)
            ),
            max_leaves=8,
        )
    )
    def test_any_body_is_a_template_or_malformed(self, body: Json) -> None:
        with suppress(MalformedError):
            provider: JsonObject = PROVIDER | {"method": "POST", "body": body}
            brought = inline(provider, extraction=BALANCE, predicate=AT_LEAST)
            render(brought.definition, dict.fromkeys(brought.places, "x"))
