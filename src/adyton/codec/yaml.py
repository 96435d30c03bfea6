"""Strict YAML, as the small part of it that means the same to every reader, to plain values.

Built from parser events: nothing is made from a tag, no alias is expanded, and no key appears
twice. A scalar without quotes is text, a decimal integer, ``true``, ``false`` or ``null``. What
YAML 1.1 and 1.2 read differently (``yes``, ``1e3``, ``0x10``, dates) is refused: in quotes it is
text.
"""

import re
from typing import Final

import yaml
from yaml import events

from adyton.codec.json import Json, JsonObject
from adyton.errors import MalformedError

__all__ = ["MAX_DEPTH", "loads"]

MAX_DEPTH: Final = 16

_CONSTANTS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")
_AMBIGUOUS: Final = re.compile(
    r"~|null|true|false|yes|no|on|off|y|n"
    r"|[-+]?[0-9][0-9_,:]*|[-+]?0[xob][0-9a-f_]+"
    r"|[-+]?[0-9_]*\.?[0-9_]*(e[-+]?[0-9]+)?|[-+]?\.inf|\.nan"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*",
    re.IGNORECASE,
)


def loads(data: bytes, *, limit_bytes: int) -> Json:
    """Return the one document in ``data``, or raise ``MalformedError`` naming the line."""
    if len(data) > limit_bytes:
        raise MalformedError(f"yaml has {len(data)} bytes, the limit is {limit_bytes}")
    try:
        return _Composer(data.decode("utf-8")).document()
    except UnicodeDecodeError as error:
        raise MalformedError("yaml is not utf-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" in line {mark.line + 1}" if mark is not None else ""
        raise MalformedError(f"not yaml{line}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise MalformedError("not yaml") from error


class _Composer:
    """Turns the events of one document into a value."""

    def __init__(self, text: str) -> None:
        self._events = yaml.parse(text, Loader=yaml.SafeLoader)

    def document(self) -> Json:
        self._expect(events.StreamStartEvent)
        start = self._expect(events.DocumentStartEvent)
        if getattr(start, "version", None) or getattr(start, "tags", None):
            raise _malformed(start, "has a directive")
        value = self._value(next(self._events), depth=0)
        self._expect(events.DocumentEndEvent)
        self._expect(events.StreamEndEvent)
        return value

    def _expect(self, kind: type[events.Event]) -> events.Event:
        event = next(self._events)
        if not isinstance(event, kind):
            raise _malformed(event, "is not one document")
        return event

    def _value(self, event: events.Event, *, depth: int) -> Json:
        if depth > MAX_DEPTH:
            raise _malformed(event, f"is nested deeper than {MAX_DEPTH}")
        if isinstance(event, events.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _malformed(event, "has an anchor or an alias")
        if getattr(event, "tag", None) is not None:
            raise _malformed(event, "has a tag")
        if isinstance(event, events.ScalarEvent):
            return _scalar(event)
        if isinstance(event, events.SequenceStartEvent):
            return self._sequence(depth=depth + 1)
        # A node is an alias, a scalar, a list or a map: the parser gives nothing else here.
        return self._mapping(depth=depth + 1)

    def _sequence(self, *, depth: int) -> list[Json]:
        items: list[Json] = []
        while not isinstance(event := next(self._events), events.SequenceEndEvent):
            items.append(self._value(event, depth=depth))
        return items

    def _mapping(self, *, depth: int) -> JsonObject:
        items: JsonObject = {}
        while not isinstance(event := next(self._events), events.MappingEndEvent):
            key = self._value(event, depth=depth)
            if not isinstance(key, str):
                raise _malformed(event, "has a key that is not text")
            if key in items:
                raise _malformed(event, f"has the key {key[:64]!r} twice")
            items[key] = self._value(next(self._events), depth=depth)
        return items


def _scalar(event: events.ScalarEvent) -> Json:
    text: str = event.value
    if event.style is not None:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if not text or text == "<<" or _AMBIGUOUS.fullmatch(text):
        raise _malformed(event, f"has {text[:64]!r}, which readers disagree about: use quotes")
    return text


def _malformed(event: events.Event, reason: str) -> MalformedError:
    mark = event.start_mark
    return MalformedError(f"yaml {reason} (line {mark.line + 1})" if mark else f"yaml {reason}")
