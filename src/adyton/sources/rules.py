"""The ``extraction`` part of a provider file: what to take from an answer, and of what type."""

from typing import Final

from adyton.codec.json import MAX_SAFE_INTEGER
from adyton.model.value import FieldType
from adyton.sources.definition import (
    DataType,
    Expectation,
    ExtractionDefinition,
    FieldDefinition,
    OpenField,
    PartialDate,
    ResponseType,
    Rounding,
    Selector,
    SelectorKind,
)
from adyton.sources.document import MapNode, Node, ScalarNode, shown
from adyton.sources.nodes import (
    as_boolean,
    as_choice,
    as_integer,
    as_map,
    as_name,
    as_sequence,
    as_text,
    check_tag,
    checked,
)
from adyton.sources.paths import check_selector, has_many
from adyton.sources.placeholders import NAME, whole

__all__ = ["MAX_SCALE", "check_kind", "read_extraction"]

MAX_SCALE: Final = 18

_KINDS: Final = {f"!{kind.value}": kind for kind in SelectorKind}
# What each kind of answer can be searched with.
_ALLOWED: Final = {
    ResponseType.JSON: {SelectorKind.JSON_PATH, SelectorKind.REGEX},
    ResponseType.XML: {SelectorKind.X_PATH, SelectorKind.REGEX},
    ResponseType.HTML: {SelectorKind.X_PATH, SelectorKind.REGEX},
    ResponseType.TEXT: {SelectorKind.REGEX},
}
_PLAIN_TYPES: Final = {
    "Integer": FieldType.INTEGER,
    "String": FieldType.STRING,
    "Boolean": FieldType.BOOLEAN,
    "Date": FieldType.DATE,
}


def read_extraction(node: Node) -> ExtractionDefinition:
    """Return the extraction that ``node`` describes, or raise ``ProviderMalformedError``."""
    found = as_map(
        node,
        "extraction",
        required=("response_type", "fields"),
        optional=("each", "rows", "expect", "institution"),
    )
    items = found.items
    response_type = as_choice(items["response_type"], "response_type", ResponseType)
    each = _selector(items["each"], "each", response_type) if "each" in items else None
    fields = tuple(
        _field(item, response_type, each)
        for item in as_sequence(items["fields"], "fields", least=1)
    )
    _check_fields(found, fields, each)
    return ExtractionDefinition(
        response_type=response_type,
        fields=fields,
        each=each,
        rows=_selector(items["rows"], "rows", response_type) if "rows" in items else None,
        expect=tuple(
            _expectation(item, response_type)
            for item in (as_sequence(items["expect"], "expect") if "expect" in items else ())
        ),
        institution=(
            _selector(items["institution"], "institution", response_type)
            if "institution" in items
            else None
        ),
    )


def check_kind(kind: SelectorKind, response_type: ResponseType) -> str | None:
    """Return why ``kind`` cannot search such an answer, or ``None``."""
    if kind is SelectorKind.CONSTANT or kind in _ALLOWED[response_type]:
        return None
    return f"a {kind.value} cannot search {response_type.value}"


def _selector(node: Node, what: str, response_type: ResponseType) -> Selector:
    if node.tag is None:
        raise node.place.error(f"{what} needs one of the tags {', '.join(_KINDS)}")
    if node.tag not in _KINDS:
        raise node.place.error(f"unknown tag {shown(node.tag)}")
    kind = _KINDS[node.tag]
    selector = Selector(kind=kind, expression=as_text(node, what, tag=node.tag))
    if (reason := check_kind(kind, response_type)) is not None:
        raise node.place.error(reason)
    checked(node.place, check_selector, selector)
    return selector


def _field(
    node: Node, response_type: ResponseType, each: Selector | None
) -> FieldDefinition | OpenField:
    found = as_map(
        node,
        "a field",
        required=("name", "method", "data_type"),
        optional=("many", "optional", "negate", "between", "values"),
    )
    items = found.items
    name = as_name(items["name"], "name", NAME.fullmatch)
    method = items["method"]
    if method.tag is None and isinstance(method, ScalarNode) and "{{" in method.text:
        return _open_field(found, name)
    selector = _selector(method, "method", response_type)
    if each is not None and selector.kind not in {each.kind, SelectorKind.CONSTANT}:
        raise method.place.error(
            f"a field of a row is found by the row's method, {each.kind.value}"
        )
    data_type = _data_type(items["data_type"])
    field = FieldDefinition(
        name=name,
        method=selector,
        data_type=data_type,
        # RFC-0023 writes $.accounts[*].balance for a column, and has no word for rows.
        many=_flag(found, "many", default=each is None and has_many(selector)),
        optional=_flag(found, "optional", default=False),
        negate=_flag(found, "negate", default=False),
        between=_between(items["between"]) if "between" in items else None,
        values=_translations(items["values"]) if "values" in items else None,
    )
    if field.negate and data_type.type not in {FieldType.INTEGER, FieldType.DECIMAL}:
        raise found.places["negate"].error("only a number can be negated")
    if field.between is not None and data_type.type is not FieldType.INTEGER:
        raise found.places["between"].error("only an integer can be held between two")
    return field


def _open_field(found: MapNode, name: str) -> OpenField:
    for key in ("many", "optional", "negate", "between", "values"):
        if key in found.items:
            raise found.places[key].error(f'a field that is left open cannot have "{key}"')
    method, data_type = (as_text(found.items[key], key) for key in ("method", "data_type"))
    for key, text in (("method", method), ("data_type", data_type)):
        if checked(found.places[key], whole, text) is None:
            raise found.places[key].error(f"{key} is not one whole placeholder")
    return OpenField(name=name, method=method, data_type=data_type)


def _flag(found: MapNode, key: str, *, default: bool) -> bool:
    return as_boolean(found.items[key], key) if key in found.items else default


def _between(node: Node) -> tuple[int, int]:
    items = as_sequence(node, "between", least=2)
    low, high = (as_integer(item, "between", low=0, high=MAX_SAFE_INTEGER) for item in items[:2])
    if len(items) > 2 or low > high:  # noqa: PLR2004  # a pair
        raise node.place.error("between is not a list of the least and the greatest")
    return low, high


def _translations(node: Node) -> dict[str, str]:
    if not isinstance(node, MapNode):
        raise node.place.error("values is not a mapping")
    check_tag(node, None)
    translations = {}
    for key, item in node.items.items():
        if not isinstance(item, ScalarNode) or item.tag is not None:
            raise item.place.error("a translated value is not text")
        translations[key] = item.text
    return translations


def _data_type(node: Node) -> DataType:
    match node.tag:
        case "!Decimal":
            items = as_map(
                node, "!Decimal", required=("scale",), optional=("rounding",), tag="!Decimal"
            ).items
            return DataType(
                type=FieldType.DECIMAL,
                scale=as_integer(items["scale"], "scale", low=0, high=MAX_SCALE),
                rounding=(
                    as_choice(items["rounding"], "rounding", Rounding)
                    if "rounding" in items
                    else Rounding.NONE
                ),
            )
        case "!Date":
            items = as_map(node, "!Date", required=("partial",), tag="!Date").items
            partial = as_choice(items["partial"], "partial", PartialDate)
            return DataType(type=FieldType.DATE, partial=partial)
        case _:
            text = as_text(node, "data_type")
            if text not in _PLAIN_TYPES:
                names = ", ".join((*_PLAIN_TYPES, "!Decimal { scale: 2 }"))
                raise node.place.error(f"data_type is not one of {names}")
            return DataType(type=_PLAIN_TYPES[text])


def _expectation(node: Node, response_type: ResponseType) -> Expectation:
    found = as_map(node, "an expectation", required=("method",), optional=("equals", "absent"))
    items = found.items
    method = _selector(items["method"], "method", response_type)
    if ("equals" in items) == ("absent" in items):
        raise node.place.error("an expectation needs one of equals and absent")
    if "equals" in items:
        return Expectation(method=method, equals=_literal(items["equals"]))
    if not as_boolean(items["absent"], "absent"):
        raise items["absent"].place.error("absent can only be true")
    return Expectation(method=method, equals=None)


def _literal(node: Node) -> str | bool | int:
    if isinstance(node, ScalarNode) and node.plain and node.text in {"true", "false"}:
        return as_boolean(node, "equals")
    if isinstance(node, ScalarNode) and node.plain and node.text.isdigit():
        return as_integer(node, "equals", low=0, high=MAX_SAFE_INTEGER)
    return as_text(node, "equals")


def _check_fields(
    found: MapNode, fields: tuple[FieldDefinition | OpenField, ...], each: Selector | None
) -> None:
    nodes = as_sequence(found.items["fields"], "fields")
    names: set[str] = set()
    several: str | None = None
    for node, field in zip(nodes, fields, strict=True):
        if field.name in names:
            raise node.place.error(f'the field "{field.name}" is there twice')
        names.add(field.name)
        if isinstance(field, OpenField) or not field.many:
            continue
        if several is not None:
            hint = "" if each is not None else '; say with "each" what a row is'
            raise node.place.error(
                f'nothing aligns the many values of "{several}" and "{field.name}"{hint}'
            )
        several = field.name
