"""Regular expressions, all of them RE2: no input makes one backtrack."""

import functools
from collections.abc import Iterator
from typing import Any, Final

import re2  # type: ignore[import-untyped]  # it has no stubs

from adyton.errors import MalformedError

__all__ = ["compile_regex", "find_regex"]

_MAX_EXPRESSION: Final = 1024
_MAX_MEMORY_BYTES: Final = 1 << 20


@functools.lru_cache(maxsize=256)
def compile_regex(expression: str) -> Any:
    """Return a compiled expression with at most one group, or raise ``MalformedError``."""
    if len(expression) > _MAX_EXPRESSION:
        raise MalformedError(f"the regex has more than {_MAX_EXPRESSION} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY_BYTES
    try:
        compiled = re2.compile(expression, options)
    except re2.error as error:
        raise MalformedError("not a regex of RE2") from error
    if compiled.groups > 1:
        raise MalformedError("the regex has more than one group; write the others as (?:...)")
    return compiled


def find_regex(expression: str, text: str) -> Iterator[str | None]:
    """Yield the group of each match, or the whole match where the expression has no group."""
    compiled = compile_regex(expression)
    for match in compiled.finditer(text):
        yield match[compiled.groups]
