"""Finding values in an answer: one door to JSONPath, XPath, regular expressions and constants."""

from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

from adyton.codec.json import Json
from adyton.errors import MalformedError
from adyton.sources.definition import Selector, SelectorKind
from adyton.sources.json_paths import compile_json_path
from adyton.sources.markup import Element, compile_x_path, find_x_path
from adyton.sources.regexes import compile_regex, find_regex

__all__ = ["MAX_MATCHES", "Document", "Match", "check_selector", "find", "has_many", "has_stem"]

MAX_MATCHES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Document:
    """An answer, or one row of it: as text, and as a value or a tree where its type has one."""

    text: str
    json: Json = None
    tree: Element | None = None


# A JSON value, an element, or text.
Match: TypeAlias = "Json | Element"


def check_selector(selector: Selector) -> None:
    """Raise ``MalformedError`` unless the expression compiles."""
    match selector.kind:
        case SelectorKind.JSON_PATH:
            compile_json_path(selector.expression)
        case SelectorKind.X_PATH:
            compile_x_path(selector.expression)
        case SelectorKind.REGEX:
            compile_regex(selector.expression)
        case SelectorKind.CONSTANT:
            return


def has_many(selector: Selector) -> bool:
    """Whether this is a JSONPath that can select more than one node (not a *singular query*)."""
    return (
        selector.kind is SelectorKind.JSON_PATH
        and not compile_json_path(selector.expression).is_singular
    )


def has_stem(selector: Selector, document: Document) -> bool:
    """Whether the thing that a JSONPath selects from is there; other selectors cannot tell."""
    if selector.kind is not SelectorKind.JSON_PATH:
        return True
    return compile_json_path(selector.expression).has_stem(document.json)


def find(selector: Selector, document: Document) -> list[Match]:
    """Return everything that ``selector`` finds in ``document``, in the document's order.

    Raises ``MalformedError`` where there is more than ``MAX_MATCHES``.
    """
    # One more than the limit is asked for, to see that it is passed.
    found: list[Match]
    match selector.kind:
        case SelectorKind.JSON_PATH:
            path = compile_json_path(selector.expression)
            found = list(path.find(document.json, limit=MAX_MATCHES + 1))
        case SelectorKind.X_PATH:
            if document.tree is None:
                raise MalformedError("an xpath row holds no elements")
            found = list(find_x_path(selector.expression, document.tree))
        case SelectorKind.REGEX:
            found = list(islice(find_regex(selector.expression, document.text), MAX_MATCHES + 1))
        case SelectorKind.CONSTANT:
            return [selector.expression]
    if len(found) > MAX_MATCHES:
        raise MalformedError(f"an expression finds more than {MAX_MATCHES} values")
    return found
