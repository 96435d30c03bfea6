"""A provider file's YAML as plain nodes that know their line: the small part of YAML that we allow.

Built from parser events, so that nothing is constructed from a tag and no alias is ever expanded.
What the nodes mean is ``loader``'s business; that they are unambiguous is settled here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import yaml
from yaml import events

from adyton.errors import MalformedError

__all__ = [
    "MAX_FILE_BYTES",
    "MapNode",
    "Node",
    "Place",
    "ProviderMalformedError",
    "ScalarNode",
    "SequenceNode",
    "parse",
    "shown",
]

MAX_FILE_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 16

# What YAML 1.1 or 1.2 readers take for something other than text when it is not quoted.
_NOT_TEXT: Final = re.compile(
    r"~|null|true|false|yes|no|on|off|y|n"
    r"|[-+]?(0x[0-9a-f]+|0o?[0-7]+|[0-9][0-9_]*)"
    r"|[-+]?([0-9][0-9_]*)?\.?[0-9_]*(e[-+]?[0-9]+)?|[-+]?\.inf|\.nan"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*",
    re.IGNORECASE,
)


class ProviderMalformedError(MalformedError):
    """A provider definition is not what ``docs/providers.md`` says; names the file and the line."""

    code = "provider-malformed"

    def __init__(self, reason: str, *, file: str, line: int | None = None) -> None:
        super().__init__(f"{file}:{line}: {reason}" if line is not None else f"{file}: {reason}")
        self.reason, self.file, self.line = reason, file, line


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands."""

    file: str
    line: int

    def error(self, reason: str) -> ProviderMalformedError:
        """Return the error for what is wrong here."""
        return ProviderMalformedError(reason, file=self.file, line=self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarNode:
    """One piece of text. ``plain`` means that it was written without quotes."""

    tag: str | None
    place: Place
    text: str
    plain: bool

    @property
    def is_text(self) -> bool:
        """Whether every reader takes this for text, rather than a number, a date or a boolean."""
        return not self.plain or _NOT_TEXT.fullmatch(self.text) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceNode:
    """A list."""

    tag: str | None
    place: Place
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapNode:
    """A mapping with text keys, none of them twice; ``places`` says where each key stands."""

    tag: str | None
    place: Place
    items: Mapping[str, "Node"]
    places: Mapping[str, Place]


Node: TypeAlias = ScalarNode | SequenceNode | MapNode


def parse(data: bytes, *, file: str) -> Node:
    """Return the one document in ``data``, or raise ``ProviderMalformedError``.

    Refused besides broken YAML: more than one document, anchors and aliases, directives, duplicate
    or non-text keys, merge keys, and depth or size without bound.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ProviderMalformedError(
            f"the file has {len(data)} bytes, the limit is {MAX_FILE_BYTES}", file=file
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProviderMalformedError("not utf-8", file=file, line=line) from error
    try:
        return _Reader(text, file).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line_of = mark.line + 1 if mark is not None else None
        raise ProviderMalformedError(
            f"not yaml: {error.problem or error.context}", file=file, line=line_of
        ) from error
    except yaml.YAMLError as error:
        raise ProviderMalformedError("not yaml", file=file) from error


class _Reader:
    """Turns the events of one document into nodes."""

    def __init__(self, text: str, file: str) -> None:
        self._events = yaml.parse(text, Loader=yaml.SafeLoader)
        self._file = file

    def document(self) -> Node:
        next(self._events)  # the stream's start
        start = next(self._events)
        if not isinstance(start, events.DocumentStartEvent):
            raise ProviderMalformedError("the file is empty", file=self._file, line=1)
        if start.version is not None or start.tags:
            raise self._error("a yaml directive is not allowed", start)
        node = self._node(next(self._events), depth=0)
        next(self._events)  # the document's end
        if not isinstance(after := next(self._events), events.StreamEndEvent):
            raise self._error("a second document is not allowed", after)
        return node

    def _node(self, event: events.Event, *, depth: int) -> Node:
        if isinstance(event, events.AliasEvent):
            raise self._error("an alias is not allowed", event)
        if isinstance(event, events.NodeEvent) and event.anchor is not None:
            raise self._error("an anchor is not allowed", event)
        if depth > MAX_DEPTH:
            raise self._error(f"nested deeper than {MAX_DEPTH}", event)
        place = self._place(event)
        match event:
            case events.ScalarEvent():
                plain = event.style is None
                return ScalarNode(tag=event.tag, place=place, text=event.value, plain=plain)
            case events.SequenceStartEvent():
                return SequenceNode(tag=event.tag, place=place, items=self._items(depth=depth))
            case events.MappingStartEvent():
                items, places = self._pairs(depth=depth)
                return MapNode(tag=event.tag, place=place, items=items, places=places)
            case _:  # pragma: no cover  # the parser has no other event where a node stands
                raise self._error("unexpected yaml", event)

    def _items(self, *, depth: int) -> tuple[Node, ...]:
        items = []
        while not isinstance(event := next(self._events), events.SequenceEndEvent):
            items.append(self._node(event, depth=depth + 1))
        return tuple(items)

    def _pairs(self, *, depth: int) -> tuple[dict[str, Node], dict[str, Place]]:
        items: dict[str, Node] = {}
        places: dict[str, Place] = {}
        while not isinstance(event := next(self._events), events.MappingEndEvent):
            key = self._node(event, depth=depth + 1)
            if not isinstance(key, ScalarNode) or key.tag is not None or key.text == "<<":
                raise self._error("a key is not text", event)
            if key.text in items:
                raise self._error(f'duplicate key "{shown(key.text)}"', event)
            items[key.text] = self._node(next(self._events), depth=depth + 1)
            places[key.text] = key.place
        return items, places

    def _place(self, event: events.Event) -> Place:
        mark = event.start_mark
        return Place(file=self._file, line=1 if mark is None else mark.line + 1)

    def _error(self, reason: str, event: events.Event) -> ProviderMalformedError:
        return self._place(event).error(reason)


def shown(text: str) -> str:
    """Return ``text`` fit for a message: short, on one line, printable."""
    return "".join(character if character.isprintable() else "?" for character in text[:64])
