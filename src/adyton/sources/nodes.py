"""Reading nodes of a provider file as what they should be, or saying where they are not."""

from collections.abc import Callable
from enum import StrEnum
from typing import ParamSpec, TypeVar

from adyton.errors import MalformedError
from adyton.sources.document import MapNode, Node, Place, ScalarNode, SequenceNode, shown

__all__ = [
    "as_boolean",
    "as_choice",
    "as_integer",
    "as_map",
    "as_name",
    "as_sequence",
    "as_text",
    "check_tag",
    "checked",
]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_E = TypeVar("_E", bound=StrEnum)

_MAX_TEXT = 16 * 1024
_MAX_ITEMS = 128


def as_map(
    node: Node,
    what: str,
    *,
    required: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
    tag: str | None = None,
) -> MapNode:
    """Return ``node`` as a mapping with every required key and no unknown one."""
    check_tag(node, tag)
    if not isinstance(node, MapNode):
        raise node.place.error(f"{what} is not a mapping")
    for key, place in node.places.items():
        if key not in required and key not in optional:
            raise place.error(f'unknown key "{shown(key)}"')
    for key in required:
        if key not in node.items:
            raise node.place.error(f'{what} lacks the key "{key}"')
    return node


def as_sequence(node: Node, what: str, *, least: int = 0) -> tuple[Node, ...]:
    """Return the items of a list that has at least ``least`` of them."""
    check_tag(node, None)
    if not isinstance(node, SequenceNode):
        raise node.place.error(f"{what} is not a list")
    if not least <= len(node.items) <= _MAX_ITEMS:
        raise node.place.error(f"{what} does not have {least} to {_MAX_ITEMS} items")
    return node.items


def as_text(node: Node, what: str, *, tag: str | None = None) -> str:
    """Return text that nobody could take for a number, a date or a boolean, and is not empty."""
    scalar = _scalar(node, what, tag=tag)
    if not scalar.is_text:
        raise node.place.error(f"{what} is not text; put it into quotes")
    if not scalar.text or len(scalar.text) > _MAX_TEXT:
        raise node.place.error(f"{what} does not have 1 to {_MAX_TEXT} characters")
    return scalar.text


def as_integer(node: Node, what: str, *, low: int, high: int) -> int:
    """Return an integer in ``low..high``, written in decimal digits without quotes."""
    scalar = _scalar(node, what)
    if not (scalar.plain and scalar.text.isascii() and scalar.text.isdigit()):
        raise node.place.error(f"{what} is not an integer")
    if len(scalar.text) > len(str(high)) or not low <= int(scalar.text) <= high:
        raise node.place.error(f"{what} is not in {low}..{high}")
    return int(scalar.text)


def as_boolean(node: Node, what: str) -> bool:
    """Return a boolean: ``true`` or ``false``, without quotes."""
    scalar = _scalar(node, what)
    if not scalar.plain or scalar.text not in {"true", "false"}:
        raise node.place.error(f"{what} is not true or false")
    return scalar.text == "true"


def as_choice(node: Node, what: str, choices: type[_E]) -> _E:
    """Return the member of ``choices`` that the text names."""
    text = _scalar(node, what).text
    for choice in choices:
        if choice.value == text:
            return choice
    raise node.place.error(f"{what} is not one of {', '.join(choice.value for choice in choices)}")


def as_name(node: Node, what: str, pattern: Callable[[str], object]) -> str:
    """Return text that ``pattern`` matches."""
    text = as_text(node, what)
    if pattern(text) is None:
        raise node.place.error(f'{what} is not a name in lower case: "{shown(text)}"')
    return text


def check_tag(node: Node, wanted: str | None) -> None:
    """Raise unless the node has the tag ``wanted``."""
    if node.tag != wanted:
        raise node.place.error(f"unknown tag {shown(str(node.tag))}")


def checked(place: Place, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Return what ``function`` returns; what it calls malformed is wrong at ``place``."""
    try:
        return function(*args, **kwargs)
    except MalformedError as error:
        raise place.error(str(error)) from error


def _scalar(node: Node, what: str, *, tag: str | None = None) -> ScalarNode:
    check_tag(node, tag)
    if not isinstance(node, ScalarNode):
        raise node.place.error(f"{what} is not a single value")
    return node
