"""A provider's YAML file to its definition: strictly, naming file and line of what is wrong.

A definition decides where credentials go and what an answer means, so nothing in it is ignored: a
misspelt ``optional`` must not silently mean that a value is required. The ``extraction`` part is
read by ``rules``.
"""

import re
from typing import Final

from adyton.errors import MalformedError
from adyton.model.question import Endpoint
from adyton.sources.bodies import check_body
from adyton.sources.columns import ALIASES, COLUMNS
from adyton.sources.credentials import placeholders_of
from adyton.sources.definition import (
    BodyKind,
    CredentialDefinition,
    ExtractionDefinition,
    FieldDefinition,
    PredicateDefinition,
    PredicateKind,
    PredicateType,
    ProviderDefinition,
    RequestDefinition,
)
from adyton.sources.document import MapNode, Node, ScalarNode, parse, shown
from adyton.sources.headers import check_headers
from adyton.sources.nodes import (
    as_boolean,
    as_choice,
    as_integer,
    as_map,
    as_name,
    as_sequence,
    as_text,
    checked,
)
from adyton.sources.placeholders import NAME, WINDOW_NAMES, names_in, whole
from adyton.sources.rules import read_extraction
from adyton.sources.template import METHODS, check_header_template, check_url_template

__all__ = ["DEFAULT_LIMIT_BYTES", "DEFAULT_TIMEOUT_SECONDS", "body_kind_of", "load"]

DEFAULT_TIMEOUT_SECONDS: Final = 15
MAX_TIMEOUT_SECONDS: Final = 60
DEFAULT_LIMIT_BYTES: Final = 1024 * 1024
MAX_LIMIT_BYTES: Final = 8 * 1024 * 1024

_ID: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PARAMETERS: Final = {
    PredicateKind.RANGE: ("min_field", "max_field"),
    PredicateKind.MEMBERSHIP: ("set_field",),
}
_MEDIA_TYPES: Final = {
    "application/json": BodyKind.JSON,
    "application/x-www-form-urlencoded": BodyKind.FORM,
    "application/xml": BodyKind.XML,
    "text/xml": BodyKind.XML,
}


def load(data: bytes, *, file: str) -> ProviderDefinition:
    """Return the definition in the YAML ``data``, or raise ``ProviderMalformedError``.

    1. every key, tag and type is one of ``docs/providers.md``;
    2. every expression compiles, and nothing in it backtracks;
    3. every placeholder names a credential, every credential is used, and no credential can be
       more than a value where it stands;
    4. the fields are those that the circuit reads, and each predicate names fields that exist.

    Whether the provider answers so is seen when it is asked. ``file`` is for messages only.
    """
    found = as_map(
        parse(data, file=file),
        "a provider",
        required=("id", "name", "request", "extraction", "predicates", "noir_circuit"),
        optional=("source", "endpoint"),
    )
    items = found.items
    identifier = as_name(items["id"], "id", _ID.fullmatch)
    written = as_text(items["noir_circuit"], "noir_circuit")
    circuit = ALIASES.get(written, written)
    if circuit not in COLUMNS:
        raise items["noir_circuit"].place.error(
            f'unknown circuit "{shown(circuit)}"; there are {", ".join(COLUMNS)}'
        )
    extraction = read_extraction(items["extraction"])
    _check_columns(items["noir_circuit"], circuit, extraction)
    return ProviderDefinition(
        id=identifier,
        name=as_text(items["name"], "name"),
        source=(
            as_name(items["source"], "source", _ID.fullmatch) if "source" in items else identifier
        ),
        endpoint=(
            as_choice(items["endpoint"], "endpoint", Endpoint)
            if "endpoint" in items
            else COLUMNS[circuit].endpoint
        ),
        request=_request(items["request"]),
        extraction=extraction,
        predicates=_predicates(items["predicates"], extraction),
        noir_circuit=circuit,
    )


def body_kind_of(template: str, headers: tuple[tuple[str, str], ...] | str) -> BodyKind:
    """Return the language that a body is written in, from its Content-Type."""
    if whole(template) is not None:
        return BodyKind.WHOLE
    for name, value in () if isinstance(headers, str) else headers:
        if name.lower() == "content-type":
            media_type = value.partition(";")[0].strip().lower()
            if media_type in _MEDIA_TYPES:
                return _MEDIA_TYPES[media_type]
            if media_type.endswith("+json"):
                return BodyKind.JSON
    raise MalformedError(f"a body needs a Content-Type of {', '.join(_MEDIA_TYPES)}")


def _request(node: Node) -> RequestDefinition:
    found = as_map(
        node,
        "request",
        required=("url", "method"),
        optional=("headers", "body_template", "credentials", "timeout_seconds", "limit_bytes"),
    )
    items = found.items
    url = as_text(items["url"], "url")
    checked(items["url"].place, check_url_template, url)
    headers = _headers(items["headers"]) if "headers" in items else ()
    body, kind = (
        _body(items["body_template"], headers)
        if "body_template" in items
        else (None, BodyKind.WHOLE)
    )
    request = RequestDefinition(
        url=url,
        method=_method(items["method"]),
        headers=headers,
        body_template=body,
        body_kind=kind,
        credentials=_credentials(items["credentials"]) if "credentials" in items else (),
        timeout_seconds=(
            as_integer(items["timeout_seconds"], "timeout_seconds", low=1, high=MAX_TIMEOUT_SECONDS)
            if "timeout_seconds" in items
            else DEFAULT_TIMEOUT_SECONDS
        ),
        limit_bytes=(
            as_integer(items["limit_bytes"], "limit_bytes", low=1, high=MAX_LIMIT_BYTES)
            if "limit_bytes" in items
            else DEFAULT_LIMIT_BYTES
        ),
    )
    if body is not None and request.method == "GET":
        raise found.places["body_template"].error("a GET has no body")
    _check_placeholders(found, request)
    return request


def _method(node: Node) -> str:
    text = as_text(node, "method")
    if text not in METHODS and checked(node.place, whole, text) is None:
        raise node.place.error(f"method is not one of {', '.join(sorted(METHODS))}")
    return text


def _headers(node: Node) -> tuple[tuple[str, str], ...] | str:
    if isinstance(node, ScalarNode):
        text = as_text(node, "headers")
        if checked(node.place, whole, text) is None:
            raise node.place.error("headers is neither a list of pairs nor one whole placeholder")
        return text
    headers = []
    for item in as_sequence(node, "headers"):
        pair = as_sequence(item, "a header")
        if len(pair) != 2:  # noqa: PLR2004  # a pair
            raise item.place.error("a header is not a pair of name and value")
        name, value = (as_text(part, "a header's part") for part in pair)
        checked(item.place, check_header_template, name, value)
        headers.append((name, value))
    checked(node.place, check_headers, tuple((name, "x") for name, _ in headers))
    return tuple(headers)


def _body(node: Node, headers: tuple[tuple[str, str], ...] | str) -> tuple[str, BodyKind]:
    # A block of YAML ends with a newline that nobody means to send.
    template = as_text(node, "body_template").rstrip("\n")
    kind = checked(node.place, body_kind_of, template, headers)
    checked(node.place, check_body, template, kind)
    return template, kind


def _credentials(node: Node) -> tuple[CredentialDefinition, ...]:
    credentials: dict[str, CredentialDefinition] = {}
    for item in as_sequence(node, "credentials"):
        found = as_map(
            item,
            "a credential",
            required=("name", "description", "encrypted"),
            optional=("optional",),
        ).items
        name = as_name(found["name"], "name", NAME.fullmatch)
        if name in credentials or name in WINDOW_NAMES:
            taken = "is there twice" if name in credentials else "is filled by the worker"
            raise item.place.error(f'the credential "{name}" {taken}')
        credentials[name] = CredentialDefinition(
            name=name,
            description=as_text(found["description"], "description"),
            encrypted=as_boolean(found["encrypted"], "encrypted"),
            optional=as_boolean(found["optional"], "optional") if "optional" in found else False,
        )
    return tuple(credentials.values())


def _check_placeholders(found: MapNode, request: RequestDefinition) -> None:
    """Step 3: a credential that nothing uses would be sent here for no reason."""
    items = found.items
    used = placeholders_of(request)
    known = {item.name for item in request.credentials}
    for key in ("url", "method", "headers", "body_template"):
        for place_node in _scalars(items[key]) if key in items else ():
            for name in sorted(names_in(place_node.text) - known - WINDOW_NAMES):
                raise place_node.place.error(f'unknown placeholder "{name}"')
    wholes = {
        whole(text) for text in (request.headers, request.body_template) if isinstance(text, str)
    }
    nodes = as_sequence(items["credentials"], "credentials") if "credentials" in items else ()
    for node, credential in zip(nodes, request.credentials, strict=True):
        if credential.name not in used:
            raise node.place.error(f'the credential "{credential.name}" is never used')
        if credential.optional and credential.name not in wholes:
            raise node.place.error(
                f'the optional credential "{credential.name}" is not all headers or all the body'
            )


def _scalars(node: Node) -> list[ScalarNode]:
    """Return the texts in a text or in nested lists of them, which is all that a request has."""
    if isinstance(node, ScalarNode):
        return [node]
    return [scalar for item in as_sequence(node, "a list") for scalar in _scalars(item)]


def _predicates(node: Node, extraction: ExtractionDefinition) -> tuple[PredicateDefinition, ...]:
    names = {field.name for field in extraction.fields}
    predicates: dict[str, PredicateDefinition] = {}
    for item in as_sequence(node, "predicates", least=1):
        found = as_map(item, "a predicate", required=("name", "predicate_type", "fields")).items
        name = as_name(found["name"], "name", NAME.fullmatch)
        if name in predicates:
            raise item.place.error(f'the predicate "{name}" is there twice')
        fields = []
        for part in as_sequence(found["fields"], "fields", least=1):
            fields.append(as_text(part, "a field's name"))
            if fields[-1] not in names:
                raise part.place.error(f'unknown field "{shown(fields[-1])}"')
        predicates[name] = PredicateDefinition(
            name=name,
            predicate_type=_predicate_type(found["predicate_type"]),
            fields=tuple(fields),
        )
    return tuple(predicates.values())


def _predicate_type(node: Node) -> PredicateType | str:
    if isinstance(node, ScalarNode) and node.tag is None and "{{" in node.text:
        if checked(node.place, whole, node.text) is None:
            raise node.place.error("predicate_type is not one whole placeholder")
        return node.text
    for kind, keys in _PARAMETERS.items():
        if node.tag == f"!{kind.value}":
            items = as_map(node, kind.value, required=keys, tag=node.tag).items
            return PredicateType(
                kind=kind,
                parameters=tuple(as_name(items[key], key, NAME.fullmatch) for key in keys),
            )
    kind = as_choice(node, "predicate_type", PredicateKind)
    if kind in _PARAMETERS:
        raise node.place.error(f"write {kind.value} as !{kind.value} with its parameters")
    return PredicateType(kind=kind)


def _check_columns(node: Node, circuit: str, extraction: ExtractionDefinition) -> None:
    """Step 4: a circuit reads its columns by name and type."""
    fields = {field.name: field for field in extraction.fields}
    for names in COLUMNS[circuit].required:
        if not any(name in fields for name in names):
            wanted = " or ".join(f'"{name}"' for name in names)
            raise node.place.error(f"the circuit {circuit} needs the field {wanted}")
    for name, types in (COLUMNS[circuit].types or {}).items():
        field = fields.get(name)
        if isinstance(field, FieldDefinition) and field.data_type.type not in types:
            wanted = " or ".join(sorted(types))
            raise node.place.error(f'the circuit {circuit} needs "{name}" as {wanted}')
