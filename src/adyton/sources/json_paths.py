"""JSONPath as RFC 9535 writes it, without any extension, and bounded in what it may cost.

A path is untrusted: a question may bring its own. The library is in its strict mode, its regular
expressions (which backtrack) and its numbers (which are floats) are replaced, and paths that could
visit an answer many times over are refused.
"""

import functools
import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, Final

import jsonpath
from jsonpath.filter import FilterExpressionLiteral
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.parse import Parser
from jsonpath.segments import JSONPathRecursiveDescentSegment
from jsonpath.selectors import IndexSelector, NameSelector
from jsonpath.stream import TokenStream

from adyton.codec.json import Json
from adyton.errors import MalformedError
from adyton.sources.regexes import compile_regex

__all__ = ["JsonPath", "compile_json_path"]

_MAX_EXPRESSION: Final = 1024
_QUOTED: Final = re.compile(r"'(\\.|[^'\\])*'" r'|"(\\.|[^"\\])*"')
_MAX_DESCENTS: Final = 2
_MAX_ROOTS: Final = 2
_MAX_SELECTORS: Final = 64
# RFC 9535, section 2.3.5.1.
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_ORDERS: Final = {"<": None, ">": None, "<=": "==", ">=": "=="}


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonPath:
    """A compiled path. ``stem`` is what it goes through before it can select more than one node."""

    stem: tuple[str | int, ...]
    is_singular: bool
    path: jsonpath.JSONPath

    def find(self, value: Json, *, limit: int) -> list[Json]:
        """Return at most ``limit`` selected values, in order."""
        if self.is_singular:
            return _walk(value, self.stem)
        if isinstance(value, str):
            # The library would take the text for a document still to be parsed.
            return []
        try:
            # The library takes any value, and its types name only those of the json module.
            data: Any = value
            found: list[Any] = [match.obj for match in islice(self.path.finditer(data), limit)]
        except jsonpath.JSONPathError as error:
            raise MalformedError("the jsonpath cannot be evaluated") from error
        return found

    def has_stem(self, value: Json) -> bool:
        """Whether ``value`` has the array or object that the path selects from.

        Without it "nothing selected" would mean "nothing there": an error that came as a 200, or
        a changed API, would be read as an empty account.
        """
        found = _walk(value, self.stem)
        return bool(found) and isinstance(found[0], list | dict)


@functools.lru_cache(maxsize=256)
def compile_json_path(expression: str) -> JsonPath:
    """Return the compiled path, or raise ``MalformedError``."""
    if len(expression) > _MAX_EXPRESSION:
        raise MalformedError(f"the jsonpath has more than {_MAX_EXPRESSION} characters")
    try:
        path = _ENVIRONMENT.compile(expression)
    except (jsonpath.JSONPathError, RecursionError, ValueError) as error:
        # ValueError, for an index with an exponent, which the library takes for an integer.
        raise MalformedError("not a jsonpath of RFC 9535") from error
    if not isinstance(path, jsonpath.JSONPath):  # pragma: no cover  # a union, which strict refuses
        raise MalformedError("not a jsonpath of RFC 9535")
    _check_cost(expression, path)
    return JsonPath(stem=_stem(path), is_singular=path.singular_query(), path=path)


def _check_cost(expression: str, path: jsonpath.JSONPath) -> None:
    # Counted in the text, so that those in the filters of filters count as well.
    unquoted = _QUOTED.sub("", expression)
    if unquoted.count("..") > _MAX_DESCENTS:
        # Each visits everything below every node of the one before.
        raise MalformedError(f'the jsonpath has ".." more than {_MAX_DESCENTS} times')
    if unquoted.count("$") > _MAX_ROOTS:
        # Each, in a filter, visits the whole answer for every node that is filtered.
        raise MalformedError(f'the jsonpath has "$" more than {_MAX_ROOTS} times')
    if math.prod(len(part.selectors) for part in path.segments) > _MAX_SELECTORS:
        # $[0,0][0,0][0,0]... doubles at each step, on any data.
        raise MalformedError(f"the jsonpath has more than {_MAX_SELECTORS} ways through its lists")


def _stem(path: jsonpath.JSONPath) -> tuple[str | int, ...]:
    keys: list[str | int] = []
    for part in path.segments:
        match (isinstance(part, JSONPathRecursiveDescentSegment), part.selectors):
            case (False, (NameSelector(name=str(key)),)):
                keys.append(key)
            case (False, (IndexSelector(index=int(key)),)):
                keys.append(key)
            case _:
                break
    return tuple(keys)


def _walk(value: Json, keys: tuple[str | int, ...]) -> list[Json]:
    """Return the one value below ``keys``, or nothing: RFC 9535, sections 2.3.1 and 2.3.3."""
    for key in keys:
        match value:
            case dict() if isinstance(key, str) and key in value:
                value = value[key]
            case list() if isinstance(key, int) and -len(value) <= key < len(value):
                value = value[key]
            case _:
                return []
    return [value]


class _RegexFunction(FilterFunction):
    """RFC 9535's ``match`` and ``search`` (sections 2.4.6 and 2.4.7), over RE2.

    The library's own use a backtracking engine: one filter could hold a processor for years.
    """

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012  # the library's way
    return_type = ExpressionType.LOGICAL

    def __init__(self, *, anchored: bool) -> None:
        self._anchored = anchored

    def __call__(self, value: object, pattern: object) -> bool:
        """Return whether text matches; anything but text, and no pattern, does not."""
        if not isinstance(value, str) or not isinstance(pattern, str):
            return False
        try:
            compiled = compile_regex(pattern)
        except MalformedError:
            # The RFC has a bad pattern match nothing.
            return False
        found = compiled.fullmatch(value) if self._anchored else compiled.search(value)
        return found is not None


class _ExactParser(Parser):
    """Reads numbers as they are written.

    The library takes each through a float: a condition ``@.id == 9007199254740993`` would select
    the account 9007199254740992, and ``@ == 0.1`` would not find 0.1.
    """

    def parse_integer_literal(self, stream: TokenStream) -> FilterExpressionLiteral[Decimal]:
        """Return the number at the stream's place."""
        token = stream.next()
        try:
            if _NUMBER.fullmatch(token.value) is not None:
                # Not an int, also of a whole number: 1e999999999 is one, and would fill memory.
                return FilterExpressionLiteral(value=Decimal(token.value))
        except InvalidOperation as error:
            raise jsonpath.JSONPathSyntaxError("a number is too large", token=token) from error
        raise jsonpath.JSONPathSyntaxError("not a number", token=token)

    parse_float_literal = parse_integer_literal


class _Environment(jsonpath.JSONPathEnvironment):
    """Compares as the RFC does: to Python, a truth value is a number."""

    parser_class = _ExactParser

    def compare(self, left: object, operator: str, right: object) -> bool:
        """Return whether ``left`` stands to ``right`` as ``operator`` says."""
        if operator in _ORDERS and (isinstance(left, bool) or isinstance(right, bool)):
            equality = _ORDERS[operator]
            return equality is not None and super().compare(left, equality, right)
        return super().compare(left, operator, right)


def _environment() -> jsonpath.JSONPathEnvironment:
    environment = _Environment(strict=True)
    environment.function_extensions["match"] = _RegexFunction(anchored=True)
    environment.function_extensions["search"] = _RegexFunction(anchored=False)
    return environment


_ENVIRONMENT: Final = _environment()
