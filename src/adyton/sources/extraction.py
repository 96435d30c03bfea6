"""A provider's answer to typed columns, by the rules of its definition.

Who sent the bytes, and over which connection, was settled before. What comes out is exactly what
the answer says, of the fields that were asked for and no others; an answer that says it in no
usable way is an error, and never an empty or a shortened list.
"""

from collections.abc import Collection, Iterator
from itertools import islice, product
from typing import Final

from adyton.codec.json import loads
from adyton.errors import MalformedError
from adyton.model.value import Column, DataSource, Extracted, FieldType, Value
from adyton.sources.columns import COLUMNS
from adyton.sources.conversion import (
    FieldAmbiguousError,
    FieldMissingError,
    FieldWrongTypeError,
    SourceError,
    convert,
)
from adyton.sources.definition import (
    DataType,
    Expectation,
    ExtractionDefinition,
    FieldDefinition,
    ProviderDefinition,
    ResponseType,
    Selector,
)
from adyton.sources.markup import Element, parse_html, parse_xml
from adyton.sources.paths import Document, Match, find, has_stem

__all__ = [
    "MAX_ROWS",
    "SourceIncompleteError",
    "SourceMalformedError",
    "SourceTooLargeError",
    "SourceUnexpectedError",
    "extract",
]

MAX_ROWS: Final = 10_000
_MAX_INSTITUTION: Final = 256


class SourceMalformedError(SourceError):
    """The answer is not JSON, XML, HTML or text in UTF-8, as the definition says."""

    code = "source-malformed"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the source's answer cannot be read: {reason}")
        self.reason = reason


class SourceTooLargeError(SourceError):
    """The answer has more bytes or rows than a limit allows."""

    code = "source-too-large"

    def __init__(self, *, unit: str, limit: int) -> None:
        super().__init__(f"the source's answer has more than {limit} {unit}")
        self.unit, self.limit = unit, limit


class SourceUnexpectedError(SourceError):
    """The answer lacks something that the definition expects of every good answer."""

    code = "source-unexpected"

    def __init__(self, *, expression: str) -> None:
        super().__init__(f"the source's answer is not as expected at {expression[:128]}")
        self.expression = expression


class SourceIncompleteError(SourceError):
    """The answer holds fewer rows than the provider says that there are."""

    code = "source-incomplete"

    def __init__(self) -> None:
        super().__init__("the source's answer is only a part of what the source has")


def extract(
    body: bytes, *, definition: ProviderDefinition, fields: Collection[str] | None = None
) -> Extracted:
    """Return the columns ``fields`` of ``body``, all of one length; by default all that are read.

    1. the body is no longer than the definition allows, and is what it says;
    2. everything that the definition expects of a good answer holds;
    3. the rows are all the rows that the provider says it has;
    4. each field has exactly one value of its type in each row, or none where it is optional.

    Raises ``SourceError``. ``ValueError`` if the definition has no such field, or is still open.
    """
    rules = definition.extraction
    if fields is None:
        # Not the others: they would be private data for nothing, and could fail for nothing.
        columns = COLUMNS[definition.noir_circuit]
        fields = [field.name for field in rules.fields if columns.reads(field.name)]
    wanted = [_closed(rules, name) for name in fields]
    # Step 1
    if len(body) > definition.request.limit_bytes:
        raise SourceTooLargeError(unit="bytes", limit=definition.request.limit_bytes)
    try:
        document = _parse(body, rules.response_type)
        # Step 2
        for expectation in rules.expect:
            _check_expectation(expectation, document)
        groups = _groups(rules.each, document)
        # Step 3
        if rules.rows is not None:
            _check_complete(rules.rows, document, found=len(groups))
        # Step 4
        rows = list(islice(_rows(wanted, groups, is_whole=rules.each is None), MAX_ROWS + 1))
        institution = _institution(rules.institution, document)
    except MalformedError as error:
        raise SourceMalformedError(str(error)) from error
    if len(rows) > MAX_ROWS:
        raise SourceTooLargeError(unit="rows", limit=MAX_ROWS)
    return Extracted(
        source=DataSource(name=definition.source, institution=institution),
        columns={
            field.name: Column(
                type=field.data_type.type,
                scale=field.data_type.scale,
                values=tuple(row[index] for row in rows),
            )
            for index, field in enumerate(wanted)
        },
    )


def _closed(rules: ExtractionDefinition, name: str) -> FieldDefinition:
    for field in rules.fields:
        if field.name == name:
            if isinstance(field, FieldDefinition):
                return field
            raise ValueError(f'the field "{name}" is still open')
    raise ValueError(f'the definition has no field "{name}"')


def _parse(body: bytes, response_type: ResponseType) -> Document:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("not utf-8") from error
    match response_type:
        case ResponseType.JSON:
            return Document(text=text, json=loads(body, limit_bytes=len(body)))
        case ResponseType.XML:
            return Document(text=text, tree=parse_xml(body))
        case ResponseType.HTML:
            return Document(text=text, tree=parse_html(body))
        case ResponseType.TEXT:
            return Document(text=text)


def _check_expectation(expectation: Expectation, document: Document) -> None:
    found = [_plain(match) for match in find(expectation.method, document)]
    wanted = [] if expectation.equals is None else [expectation.equals]
    # Python has 1 == True: the types are compared too.
    if [(type(item), item) for item in found] != [(type(item), item) for item in wanted]:
        raise SourceUnexpectedError(expression=expectation.method.expression)


def _check_complete(selector: Selector, document: Document, *, found: int) -> None:
    field = FieldDefinition(
        name="rows", method=selector, data_type=DataType(type=FieldType.INTEGER)
    )
    if _one(field, document) != found:
        raise SourceIncompleteError


def _groups(each: Selector | None, document: Document) -> list[Document]:
    """Return the parts that fields are relative to: the whole answer, where nothing selects any."""
    if each is None:
        return [document]
    if not has_stem(each, document):
        raise SourceUnexpectedError(expression=each.expression)
    return [_part(match) for match in find(each, document)]


def _part(match: Match) -> Document:
    if isinstance(match, Element):
        return Document(text=_text_of(match), tree=match)
    return Document(text=match if isinstance(match, str) else "", json=match)


def _rows(
    fields: list[FieldDefinition], groups: list[Document], *, is_whole: bool
) -> Iterator[tuple[Value, ...]]:
    """Yield the rows of each group: one, unless a field has many values in it."""
    for group in groups:
        columns = (
            _many(field, group, is_whole=is_whole) if field.many else [_one(field, group)]
            for field in fields
        )
        yield from product(*columns)


def _one(field: FieldDefinition, group: Document) -> Value:
    values = _values(field, group)
    if len(values) > 1:
        raise FieldAmbiguousError(field=field.name)
    return values[0] if values else convert(None, field=field)


def _many(field: FieldDefinition, group: Document, *, is_whole: bool) -> list[Value]:
    """Return every value: with none, one row without it where it is optional.

    In a whole answer the values are the rows, and there may be none: an empty account. The list
    that they come from has to be there all the same.
    """
    if values := _values(field, group):
        return values
    if field.optional:
        return [None]
    if is_whole and has_stem(field.method, group):
        return []
    raise FieldMissingError(field=field.name)


def _values(field: FieldDefinition, group: Document) -> list[Value]:
    return [convert(_plain(match), field=field) for match in find(field.method, group)]


def _plain(match: Match) -> object:
    if isinstance(match, Element):
        return _text_of(match).strip()
    return match


def _text_of(element: Element) -> str:
    return "".join(str(text) for text in element.itertext(with_tail=False))


def _institution(selector: Selector | None, document: Document) -> str:
    """Return the institution behind the provider; empty where the provider names none."""
    if selector is None:
        return ""
    field = FieldDefinition(
        name="institution",
        method=selector,
        data_type=DataType(type=FieldType.STRING),
        optional=True,
    )
    value = _one(field, document)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _MAX_INSTITUTION:
        raise FieldWrongTypeError(field="institution", wanted="short text")
    return value
