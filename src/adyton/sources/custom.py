"""Definitions that come with a question: RFC-0023's two forms of ``POST /v1/verify/custom``.

Both are made from the *bound* form of a question, in which each sealed value is ``encrypted:``: a
verifier makes the same definition from a statement, and compares its digest.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from adyton.codec.json import Json, JsonObject, as_integer, as_object, as_string, check_keys
from adyton.codec.url import read_url
from adyton.errors import MalformedError
from adyton.model.question import SEALED_MARK, Endpoint, member_location
from adyton.model.value import FieldType
from adyton.sources.bodies import check_body
from adyton.sources.definition import (
    BodyKind,
    CredentialDefinition,
    DataType,
    ExtractionDefinition,
    FieldDefinition,
    OpenField,
    PredicateDefinition,
    PredicateKind,
    PredicateType,
    ProviderDefinition,
    RequestDefinition,
    ResponseType,
    Selector,
    SelectorKind,
)
from adyton.sources.document import ProviderMalformedError
from adyton.sources.headers import check_headers
from adyton.sources.loader import DEFAULT_LIMIT_BYTES, DEFAULT_TIMEOUT_SECONDS
from adyton.sources.paths import check_selector
from adyton.sources.placeholders import NAME
from adyton.sources.rules import MAX_SCALE, check_kind
from adyton.sources.template import METHODS, check_header_template, check_url_template

__all__ = ["Inline", "complete", "inline"]

_FILE: Final = "the question's provider"
_VALUE: Final = "value"
_CIRCUIT: Final = "generic_predicate"
_DEFAULT_SCALE: Final = 2
_MAX_HEADERS: Final = 32
# Askers name the value as the API does, which may be in capitals.
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")

_PREDICATES: Final[Mapping[str, tuple[PredicateKind, tuple[str, ...]]]] = {
    "gte": (PredicateKind.GREATER_THAN_OR_EQUAL, ()),
    "lte": (PredicateKind.LESS_THAN_OR_EQUAL, ()),
    "eq": (PredicateKind.EQUAL, ()),
    "range": (PredicateKind.RANGE, ("min", "max")),
    "membership": (PredicateKind.MEMBERSHIP, ("set",)),
    "exists": (PredicateKind.EXISTS, ()),
}
_METHODS: Final[Mapping[str, tuple[SelectorKind, ResponseType]]] = {
    "jsonPath": (SelectorKind.JSON_PATH, ResponseType.JSON),
    "xpath": (SelectorKind.X_PATH, ResponseType.XML),
    "regex": (SelectorKind.REGEX, ResponseType.TEXT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """A definition that a question brought, and where each of its credentials is in the question.

    ``places`` has a JSON pointer (RFC 6901) by the name of the credential.
    """

    definition: ProviderDefinition
    places: Mapping[str, str]


def complete(
    definition: ProviderDefinition, *, extraction: JsonObject | None, predicate: JsonObject
) -> ProviderDefinition:
    """Return an open definition (RFC-0023's generic-http) with the question's rule filled in.

    ``extraction`` is ``{path, type, scale?, method?, response_type?}``. Raises
    ``ProviderMalformedError``; ``ValueError`` if the definition is not open.
    """
    if not definition.is_open:
        raise ValueError("the definition is complete")
    try:
        rules = _checked_extraction(
            extraction, required={"path", "type"}, optional={"scale", "method", "response_type"}
        )
        rule = _rule(
            method=as_string(rules.get("method", "jsonPath"), "extraction.method"),
            pattern=as_string(rules["path"], "extraction.path"),
            data_type=as_string(rules["type"], "extraction.type"),
            extraction=rules,
            predicate=predicate,
        )
        return _completed(definition, rule, predicate)
    except MalformedError as error:
        raise ProviderMalformedError(str(error), file=_FILE) from error


def inline(provider: JsonObject, *, extraction: JsonObject | None, predicate: JsonObject) -> Inline:
    """Return the definition that a question brought: RFC-0023's ``provider`` object.

    ``provider`` is ``{url, method, headers?, body?}``; a value in it that is ``encrypted:`` becomes
    a credential. ``extraction`` is ``{type, pattern, data_type?, scale?, response_type?}``. Raises
    ``ProviderMalformedError``.
    """
    try:
        rules = _checked_extraction(
            extraction,
            required={"type", "pattern"},
            optional={"data_type", "scale", "response_type"},
        )
        rule = _rule(
            method=as_string(rules["type"], "response_extraction.type"),
            pattern=as_string(rules["pattern"], "response_extraction.pattern"),
            data_type=as_string(rules.get("data_type", _default_type(predicate)), "data_type"),
            extraction=rules,
            predicate=predicate,
        )
        return _inline(provider, rule, predicate)
    except MalformedError as error:
        raise ProviderMalformedError(str(error), file=_FILE) from error


def _checked_extraction(
    extraction: JsonObject | None, *, required: set[str], optional: set[str]
) -> JsonObject:
    if extraction is None:
        raise MalformedError("the question lacks its extraction")
    check_keys(extraction, "extraction", required=frozenset(required), optional=frozenset(optional))
    return extraction


def _completed(
    definition: ProviderDefinition, rule: ExtractionDefinition, predicate: JsonObject
) -> ProviderDefinition:
    fields = tuple(
        rule.fields[0] if isinstance(field, OpenField) else field
        for field in definition.extraction.fields
    )
    return replace(
        definition,
        extraction=replace(definition.extraction, response_type=rule.response_type, fields=fields),
        predicates=(_predicate(predicate),),
    )


def _inline(provider: JsonObject, rule: ExtractionDefinition, predicate: JsonObject) -> Inline:
    check_keys(
        provider,
        "provider",
        required=frozenset({"url", "method"}),
        optional=frozenset({"headers", "body"}),
    )
    request, places = _Inlining(provider).request()
    definition = ProviderDefinition(
        id="inline",
        name="A provider that came with the question",
        source=_source(request.url),
        endpoint=Endpoint.CUSTOM,
        request=request,
        extraction=rule,
        predicates=(_predicate(predicate),),
        noir_circuit=_CIRCUIT,
    )
    return Inline(definition=definition, places=places)


class _Inlining:
    """Turns a ``provider`` object into a request, a credential for each sealed value."""

    def __init__(self, provider: JsonObject) -> None:
        self._provider = provider
        self._places: dict[str, str] = {}

    def request(self) -> tuple[RequestDefinition, Mapping[str, str]]:
        url = self._text(self._provider["url"], "url", "/provider/url")
        check_url_template(url)
        method = as_string(self._provider["method"], "provider.method", limit=16)
        if method not in METHODS:
            raise MalformedError(f"provider.method is not one of {', '.join(sorted(METHODS))}")
        headers = self._headers()
        body, kind = self._body()
        if body is not None and method == "GET":
            raise MalformedError("a GET has no body")
        if kind is BodyKind.JSON and "content-type" not in {name.lower() for name, _ in headers}:
            headers = (("Content-Type", "application/json"), *headers)
        check_headers(tuple((name, "x") for name, _ in headers))
        request = RequestDefinition(
            url=url,
            method=method,
            headers=headers,
            body_template=body,
            body_kind=kind,
            credentials=tuple(
                CredentialDefinition(name=name, description=place, encrypted=True)
                for name, place in self._places.items()
            ),
            timeout_seconds=DEFAULT_TIMEOUT_SECONDS,
            limit_bytes=DEFAULT_LIMIT_BYTES,
        )
        return request, self._places

    def _headers(self) -> tuple[tuple[str, str], ...]:
        record = as_object(self._provider.get("headers", {}), "provider.headers")
        if len(record) > _MAX_HEADERS:
            raise MalformedError(f"provider.headers has more than {_MAX_HEADERS} headers")
        headers = []
        # Sorted: a JSON object has no order, and the digest must not depend on one.
        for name, value in sorted(record.items()):
            label = "header_" + re.sub(r"[^a-z0-9]", "_", name.lower())[:48]
            text = self._text(value, label, member_location("/provider/headers", name))
            check_header_template(name, text)
            headers.append((name, text))
        return tuple(headers)

    def _body(self) -> tuple[str | None, BodyKind]:
        body = self._provider.get("body")
        if body is None:
            return None, BodyKind.WHOLE
        if isinstance(body, str):
            return self._text(body, "body", "/provider/body"), BodyKind.WHOLE
        template = json.dumps(
            self._template(body, "/provider/body"), sort_keys=True, separators=(",", ":")
        )
        check_body(template, BodyKind.JSON)
        return template, BodyKind.JSON

    def _template(self, value: Json, place: str) -> Json:
        match value:
            case dict():
                return {
                    _literal(key): self._template(item, member_location(place, key))
                    for key, item in sorted(value.items())
                }
            case list():
                return [self._template(item, f"{place}/{at}") for at, item in enumerate(value)]
            case str():
                return self._text(value, f"body_{len(self._places)}", place)
            case None | bool() | int():
                return value
            case _:
                raise MalformedError("provider.body has a fraction; write it as text")

    def _text(self, value: Json, name: str, place: str) -> str:
        """Return a literal, or the placeholder for what is sealed at ``place``."""
        text = as_string(value, place, limit=16 * 1024)
        if text != SEALED_MARK:
            return _literal(text)
        if name in self._places or NAME.fullmatch(name) is None:
            raise MalformedError(f"two sealed values are both called {name!r}")
        self._places[name] = place
        return "{{" + name + "}}"


def _literal(text: str) -> str:
    if "{{" in text:
        raise MalformedError("a provider in a question has no placeholders: seal the value itself")
    return text


def _source(url: str) -> str:
    return "inline" if url.startswith("{{") else read_url(url).host


def _rule(
    *,
    method: str,
    pattern: str,
    data_type: str,
    extraction: JsonObject,
    predicate: JsonObject,
) -> ExtractionDefinition:
    """Return the rule for the one value that a custom question is about."""
    if method not in _METHODS:
        raise MalformedError(f"the extraction's method is not one of {', '.join(_METHODS)}")
    kind, response_type = _METHODS[method]
    if "response_type" in extraction:
        response_type = _response_type(as_string(extraction["response_type"], "response_type"))
    if (reason := check_kind(kind, response_type)) is not None:
        raise MalformedError(reason)
    selector = Selector(kind=kind, expression=pattern)
    check_selector(selector)
    field = FieldDefinition(
        name=_field_name(predicate),
        method=selector,
        data_type=_data_type(data_type, extraction),
        # Without a value, "does it exist" has an answer, and every other question has none.
        optional=_predicate_kind(predicate)[0] is PredicateKind.EXISTS,
    )
    return ExtractionDefinition(response_type=response_type, fields=(field,))


def _response_type(text: str) -> ResponseType:
    for response_type in ResponseType:
        if response_type.value == text:
            return response_type
    raise MalformedError(f"response_type is not one of {', '.join(ResponseType)}")


def _data_type(text: str, extraction: JsonObject) -> DataType:
    try:
        type_ = FieldType(text.lower())
    except ValueError as error:
        names = ", ".join(item.value.capitalize() for item in FieldType)
        raise MalformedError(f"the data type is not one of {names}") from error
    if type_ is FieldType.DECIMAL:
        scale = as_integer(extraction.get("scale", _DEFAULT_SCALE), "scale", high=MAX_SCALE)
        return DataType(type=type_, scale=scale)
    if "scale" in extraction:
        raise MalformedError("only a Decimal has a scale")
    return DataType(type=type_)


def _default_type(predicate: JsonObject) -> str:
    """Return the type that fits the question: RFC-0023's second form names none."""
    match predicate.get("type"), predicate.get("expected"):
        case ("eq", bool()):
            return "Boolean"
        case ("eq", int()):
            return "Integer"
        case ("eq" | "membership" | "exists", _):
            return "String"
        case _:
            return "Decimal"


def _predicate_kind(predicate: JsonObject) -> tuple[PredicateKind, tuple[str, ...]]:
    name = as_string(predicate.get("type", ""), "predicate.type", limit=64)
    if name not in _PREDICATES:
        raise MalformedError(f"predicate.type is not one of {', '.join(_PREDICATES)}")
    return _PREDICATES[name]


def _predicate(predicate: JsonObject) -> PredicateDefinition:
    kind, parameters = _predicate_kind(predicate)
    return PredicateDefinition(
        name="custom",
        predicate_type=PredicateType(kind=kind, parameters=parameters),
        fields=(_field_name(predicate),),
    )


def _field_name(predicate: JsonObject) -> str:
    """Return what the question calls the one value."""
    name = as_string(predicate.get("field", _VALUE), "predicate.field")
    if _FIELD.fullmatch(name) is None:
        raise MalformedError("predicate.field is not a name of letters, digits, dots and hyphens")
    return name
