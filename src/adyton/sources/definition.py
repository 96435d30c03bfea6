"""What a provider is: how to call it, what to take from its answer, which questions make sense.

The names are RFC-0023's (section 6 of part II); what we added is listed in ``docs/providers.md``.
``loader`` makes these values from files and ``custom`` from requests; ``template`` and
``extraction`` use them. A definition holds no secret: credentials are named here, never held.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import sha256

from adyton.codec.json import Json, JsonObject, canonical
from adyton.model.question import Endpoint
from adyton.model.value import FieldType

__all__ = [
    "BodyKind",
    "CredentialDefinition",
    "DataType",
    "Expectation",
    "ExtractionDefinition",
    "FieldDefinition",
    "OpenField",
    "PartialDate",
    "PredicateDefinition",
    "PredicateKind",
    "PredicateType",
    "ProviderDefinition",
    "RequestDefinition",
    "ResponseType",
    "Rounding",
    "Selector",
    "SelectorKind",
]


class ResponseType(StrEnum):
    """How an answer is parsed; ``Text`` is ours, for an answer that only a regex can read."""

    JSON = "Json"
    XML = "Xml"
    HTML = "Html"
    TEXT = "Text"


class SelectorKind(StrEnum):
    """How a value is found; ``Constant`` is ours, for what a provider's documents say once."""

    JSON_PATH = "JsonPath"
    X_PATH = "XPath"
    REGEX = "Regex"
    CONSTANT = "Constant"


class Rounding(StrEnum):
    """What happens to digits beyond the scale: an error, unless the definition says otherwise."""

    NONE = "none"
    FLOOR = "floor"


class PartialDate(StrEnum):
    """Which day a month without one stands for; an error, unless the definition says it."""

    NONE = "none"
    FIRST = "first"
    LAST = "last"


class BodyKind(StrEnum):
    """The language of a body template, from the request's Content-Type."""

    JSON = "json"
    FORM = "form"
    XML = "xml"
    WHOLE = "whole"  # one placeholder is the whole body


class PredicateKind(StrEnum):
    """RFC-0023's predicate types."""

    GREATER_THAN_OR_EQUAL = "GreaterThanOrEqual"
    LESS_THAN_OR_EQUAL = "LessThanOrEqual"
    EQUAL = "Equal"
    RANGE = "Range"
    MEMBERSHIP = "Membership"
    EXISTS = "Exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Where a value is: a JSONPath, an XPath, a regular expression, or the value itself."""

    kind: SelectorKind
    expression: str

    def to_json(self) -> JsonObject:
        """Return the canonical form."""
        return {self.kind.value: self.expression}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataType:
    """The type of a field; ``scale`` and ``rounding`` are a decimal's, ``partial`` is a date's."""

    type: FieldType
    scale: int = 0
    rounding: Rounding = Rounding.NONE
    partial: PartialDate = PartialDate.NONE

    def to_json(self) -> JsonObject:
        """Return the canonical form."""
        parameters: JsonObject = {}
        if self.type is FieldType.DECIMAL:
            parameters = {"scale": self.scale, "rounding": self.rounding.value}
        elif self.type is FieldType.DATE:
            parameters = {"partial": self.partial.value}
        return {self.type.value.capitalize(): parameters}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDefinition:
    """One column.

    ``many`` makes a row of each match (else a second match is an error); ``optional`` makes nothing
    found, or null, a ``None``; ``negate`` changes a number's sign; ``between`` is the least and the
    greatest integer that counts (a score of 9002 is a code for "none"); ``values`` translates what
    the provider writes. What is not between, or not listed, is of the wrong type.
    """

    name: str
    method: Selector
    data_type: DataType
    many: bool = False
    optional: bool = False
    negate: bool = False
    between: tuple[int, int] | None = None
    values: Mapping[str, str] | None = None

    def to_json(self) -> JsonObject:
        """Return the canonical form."""
        return {
            "name": self.name,
            "method": self.method.to_json(),
            "data_type": self.data_type.to_json(),
            "many": self.many,
            "optional": self.optional,
            "negate": self.negate,
            "between": None if self.between is None else list(self.between),
            "values": None if self.values is None else dict(self.values),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenField:
    """A field that each question completes: RFC-0023's generic-http leaves path and type open."""

    name: str
    method: str
    data_type: str

    def to_json(self) -> JsonObject:
        """Return the canonical form."""
        return {"name": self.name, "method": self.method, "data_type": self.data_type}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Something that must hold of an answer before anything is taken from it.

    ``equals`` is the JSON text of the one value; ``None`` means that nothing may be there.
    """

    method: Selector
    equals: str | bool | int | None

    def to_json(self) -> JsonObject:
        """Return the canonical form."""
        return {"method": self.method.to_json(), "equals": self.equals}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionDefinition:
    """How an answer becomes columns.

    ``each`` selects the rows that fields are relative to; ``rows`` a number that must equal how
    many there are, so that a first page is never taken for everything.
    """

    response_type: ResponseType
    fields: tuple[FieldDefinition | OpenField, ...]
    each: Selector | None = None
    rows: Selector | None = None
    expect: tuple[Expectation, ...] = ()
    institution: Selector | None = None

    def to_json(self) -> JsonObject:
        """Return the canonical form."""
        return {
            "response_type": self.response_type.value,
            "each": None if self.each is None else self.each.to_json(),
            "rows": None if self.rows is None else self.rows.to_json(),
            "expect": [item.to_json() for item in self.expect],
            "institution": None if self.institution is None else self.institution.to_json(),
            "fields": [item.to_json() for item in self.fields],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialDefinition:
    """A value that the asker gives; ``encrypted`` means that it must come sealed."""

    name: str
    description: str
    encrypted: bool
    optional: bool = False

    def to_json(self) -> JsonObject:
        """Return the canonical form."""
        return {
            "name": self.name,
            "description": self.description,
            "encrypted": self.encrypted,
            "optional": self.optional,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDefinition:
    """A request with placeholders. ``headers`` as text is one placeholder for all of them."""

    url: str
    method: str
    headers: tuple[tuple[str, str], ...] | str
    body_template: str | None
    body_kind: BodyKind
    credentials: tuple[CredentialDefinition, ...]
    timeout_seconds: int
    limit_bytes: int

    def to_json(self) -> JsonObject:
        """Return the canonical form."""
        headers: Json = (
            self.headers
            if isinstance(self.headers, str)
            else [[name, value] for name, value in self.headers]
        )
        return {
            "url": self.url,
            "method": self.method,
            "headers": headers,
            "body_template": self.body_template,
            "body_kind": self.body_kind.value,
            "credentials": [item.to_json() for item in self.credentials],
            "timeout_seconds": self.timeout_seconds,
            "limit_bytes": self.limit_bytes,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PredicateType:
    """A kind of question, and what its parameters are called where it has several."""

    kind: PredicateKind
    parameters: tuple[str, ...] = ()

    def to_json(self) -> JsonObject:
        """Return the canonical form."""
        return {self.kind.value: list(self.parameters)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PredicateDefinition:
    """A question that makes sense; a type as text is a placeholder that each question fills."""

    name: str
    predicate_type: PredicateType | str
    fields: tuple[str, ...]

    def to_json(self) -> JsonObject:
        """Return the canonical form."""
        type_ = self.predicate_type
        return {
            "name": self.name,
            "predicate_type": type_ if isinstance(type_, str) else type_.to_json(),
            "fields": list(self.fields),
        }


# No slots: it remembers its digest, which every question needs.
@dataclass(frozen=True, kw_only=True)
class ProviderDefinition:
    """A data source and everything that is asked of it. What two definitions share is in neither.

    ``source`` is the data source's name in statements; ``endpoint`` the path that asks it.
    """

    id: str
    name: str
    source: str
    endpoint: Endpoint
    request: RequestDefinition
    extraction: ExtractionDefinition
    predicates: tuple[PredicateDefinition, ...]
    noir_circuit: str

    @property
    def is_open(self) -> bool:
        """Whether a question must complete it (``custom.complete``) before it can be used."""
        return any(isinstance(item, OpenField) for item in self.extraction.fields)

    def to_json(self) -> JsonObject:
        """Return the canonical form: every field, defaults written out, no comments."""
        return {
            "id": self.id,
            "name": self.name,
            "source": self.source,
            "endpoint": self.endpoint.value,
            "request": self.request.to_json(),
            "extraction": self.extraction.to_json(),
            "predicates": [item.to_json() for item in self.predicates],
            "noir_circuit": self.noir_circuit,
        }

    def digest(self) -> bytes:
        """Return SHA-256 over the RFC 8785 bytes of the canonical form, 32 bytes.

        It changes with anything that can change an answer, and not with spelling or comments.
        """
        return self._digest

    @cached_property
    def _digest(self) -> bytes:
        return sha256(canonical(self.to_json())).digest()
