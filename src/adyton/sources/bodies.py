"""Bodies with placeholders: JSON, form and XML, each value encoded so that it is only a value.

``check_body`` refuses a template where that could not be promised: it is read with a mark in each
place, and every mark must come out as the text of one value, never in a key or a name.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from adyton.codec.json import Json, loads
from adyton.errors import MalformedError
from adyton.sources.credentials import CredentialMalformedError
from adyton.sources.definition import BodyKind
from adyton.sources.markup import Element, parse_xml
from adyton.sources.placeholders import Piece, Placeholder, pieces_of

__all__ = ["check_body", "render_body"]

_MAX_TEMPLATE: Final = 64 * 1024
_JSON_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?")
_FORM_LITERAL: Final = re.compile(r"([A-Za-z0-9*._~+&=-]|%[0-9A-Fa-f]{2})*")
# What XML 1.0 (section 2.2) has no way to write.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML_ESCAPES: Final = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "'": "&apos;",
        # Readers turn bare ones into spaces or newlines.
        "\t": "&#9;",
        "\n": "&#10;",
        "\r": "&#13;",
    }
)


def render_body(template: str, kind: BodyKind, values: Mapping[str, str]) -> bytes:
    """Return the body with every placeholder replaced; the template has passed ``check_body``.

    Raises ``CredentialMalformedError`` where a value has no form in its place.
    """
    match kind:
        case BodyKind.JSON:
            return "".join(_json_pieces(template, values)).encode()
        case BodyKind.XML:
            return _joined(template, {name: _xml(name, text) for name, text in values.items()})
        case BodyKind.FORM:
            return _joined(template, {name: quote(text, safe="") for name, text in values.items()})
        case BodyKind.WHOLE:
            return _joined(template, values)


def check_body(template: str, kind: BodyKind) -> None:
    """Raise ``MalformedError`` unless every placeholder is in a place for values."""
    match kind:
        case BodyKind.JSON:
            _check_json(template)
        case BodyKind.XML:
            _check_xml(template)
        case BodyKind.FORM:
            _check_form(template)
        case BodyKind.WHOLE:
            return


def _joined(template: str, values: Mapping[str, str]) -> bytes:
    return "".join(
        piece if isinstance(piece, str) else values[piece.name] for piece in pieces_of(template)
    ).encode()


def _json_pieces(template: str, values: Mapping[str, str]) -> Iterator[str]:
    for piece, quoted in _with_quotes(template):
        if isinstance(piece, str):
            yield piece
        elif quoted:
            yield json.dumps(values[piece.name])[1:-1]
        else:
            yield _json_number(piece.name, values[piece.name])


def _json_number(name: str, value: str) -> str:
    if _JSON_NUMBER.fullmatch(value) is None:
        raise CredentialMalformedError(name=name, reason="is not a number")
    return value


def _with_quotes(template: str) -> Iterator[tuple[Piece, bool]]:
    """Yield each piece, and whether it begins inside of a JSON string."""
    quoted = escaped = False
    for piece in pieces_of(template):
        yield piece, quoted
        for character in piece if isinstance(piece, str) else "":
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = quoted
            elif character == '"':
                quoted = not quoted


def _check_json(template: str) -> None:
    marks: list[str] = []
    marked: list[str] = []
    for piece, quoted in _with_quotes(template):
        if isinstance(piece, str):
            marked.append(piece)
        elif quoted:
            # No hexadecimal digits: it must not complete an escape.
            marks.append(f"x{len(marks)}x")
            marked.append(marks[-1])
        else:
            marked.append("0")
    _check_bare_places(template)
    try:
        value = loads("".join(marked).encode(), limit_bytes=_MAX_TEMPLATE * 2)
    except MalformedError as error:
        raise MalformedError(f"the body is not json around its placeholders: {error}") from error
    _check_marks(marks, list(_json_texts(value)))


def _check_bare_places(template: str) -> None:
    """Raise unless each bare placeholder is a whole JSON value: ``1{{x}}`` is a number as well."""
    around = re.compile(r"(?:^|[\s:,\[])\Z"), re.compile(r"\A(?:$|[\s,\]}])")
    pieces = [("", False), *_with_quotes(template), ("", False)]
    for before, (piece, quoted), after in zip(pieces, pieces[1:], pieces[2:], strict=False):
        if isinstance(piece, str) or quoted:
            continue
        if not (
            isinstance(before[0], str)
            and isinstance(after[0], str)
            and around[0].search(before[0])
            and around[1].search(after[0])
        ):
            raise MalformedError("a placeholder without quotes is not a whole json value")


def _json_texts(value: Json) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _json_texts(item)
        case dict():
            # Keys are left out: a value must not become one.
            for item in value.values():
                yield from _json_texts(item)
        case _:
            return


def _check_xml(template: str) -> None:
    if "<![CDATA[" in template:
        raise MalformedError("a cdata section would show escapes as text")
    marks: list[str] = []
    marked: list[str] = []
    for piece in pieces_of(template):
        if isinstance(piece, Placeholder):
            marks.append(f"x{len(marks)}x")
        marked.append(piece if isinstance(piece, str) else marks[-1])
    try:
        root = parse_xml("".join(marked).encode())
    except MalformedError as error:
        raise MalformedError(f"the body is not xml around its placeholders: {error}") from error
    _check_marks(marks, list(_xml_texts(root)))


def _xml_texts(root: Element) -> Iterator[str]:
    for element in root.iter():
        yield from (text for text in (element.text, element.tail) if text)
        yield from (str(text) for text in element.attrib.values())


def _xml(name: str, value: str) -> str:
    if _NOT_XML.search(value) is not None:
        raise CredentialMalformedError(name=name, reason="holds a character that xml has not")
    return value.translate(_XML_ESCAPES)


def _check_form(template: str) -> None:
    for piece in pieces_of(template):
        if isinstance(piece, str) and _FORM_LITERAL.fullmatch(piece) is None:
            raise MalformedError("the body is not a form around its placeholders")


def _check_marks(marks: list[str], texts: list[str]) -> None:
    if any(sum(mark in text for text in texts) != 1 for mark in marks):
        raise MalformedError("a placeholder stands where the body has no value")
