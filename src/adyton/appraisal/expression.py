"""One expression over claims, for what a policy's plain document cannot say: CEL.

The Common Expression Language (github.com/google/cel-spec) has no loops but those over lists that
are there, no assignments and no functions of its own making. A policy may come from a stranger all
the same, and an expression runs to its end once it began: what it may cost is bounded by what it
may say, before it is compiled.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

from adyton.codec.json import Json, JsonObject
from adyton.errors import MalformedError
from adyton.model.verdict import Finding, finding

if TYPE_CHECKING:
    import cel

__all__ = ["MAX_EXPRESSION", "Expression"]

MAX_EXPRESSION: Final = 1024
# With two loops, one within the other: what is inside runs for every pair.
_MAX_NESTED: Final = 512
_MAX_ITEMS: Final = 100
# A loop may join and search texts ten thousand times.
_MAX_LOOPED_TEXT: Final = 1024
# Counted wherever they stand, also in texts and comments: CEL's macros are these words and no
# others, and there is no other way to write them.
_LOOPS: Final = re.compile(r"\b(?:all|exists|exists_one|map|filter)\b")
# They copy what they have at every step.
_BUILDERS: Final = re.compile(r"\b(?:map|filter)\b")
_MATCHES: Final = re.compile(r"\bmatches\b")
_MAX_LOOPS: Final = 2
# A pattern is compiled at every use, which may take a twentieth of a second.
_MAX_MATCHES: Final = 2
# What CEL has no exact number for.
_LOWEST: Final = -(2**63)
_HIGHEST: Final = 2**64 - 1
# All that the library raises when an expression cannot be evaluated.
_FAILURES: Final = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
_Sized = TypeVar("_Sized", list[Json], JsonObject)


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that compiles, and that is over in a fraction of a second.

    It sees ``claims``, in the form of ``Claims.to_json`` (bytes in hexadecimal, instants as texts
    that ``timestamp()`` reads), and the instant ``at``.
    """

    text: str
    _program: "cel.Program" = field(compare=False, repr=False)

    @classmethod
    def from_text(cls, text: str, *, where: str) -> "Expression":
        """Return the expression in ``text``, or raise ``MalformedError``; ``where`` names it."""
        # Few policies have an expression, and with the library comes its command line: 15 MB.
        import cel  # noqa: PLC0415

        _check_cost(text, where)
        try:
            program = cel.compile(text)
        except ValueError as error:
            raise MalformedError(f"{where} is not an expression: {_first_line(error)}") from error
        return cls(text, program)

    def __reduce__(self) -> tuple[Callable[[str], "Expression"], tuple[str]]:
        # A program is of its process; another one compiles the text again.
        return _again, (self.text,)

    def check(self, claims: JsonObject, *, at: datetime) -> Finding | None:
        """Return why ``claims`` do not satisfy the expression, or ``None`` where they do.

        Only ``true`` does. An expression that cannot be evaluated (a name that is not there, other
        types than it thought), or comes to something else, is not satisfied.
        """
        try:
            longest = _MAX_LOOPED_TEXT if _LOOPS.search(self.text) else sys.maxsize
            seen = {"claims": _seen(claims, longest), "at": at}
            found = self._program.execute(seen)
        except _FAILURES as error:
            text = f"the policy's expression cannot be evaluated: {_first_line(error)}"
            return finding("expression-failed", text)
        # By identity: CEL has numbers and texts that Python takes for true.
        if found is True:
            return None
        if found is False:
            return finding("expression-rejected", f"the policy wants {self.text}")
        return finding("expression-failed", "the policy's expression is no yes or no")


def _again(text: str) -> Expression:
    return Expression.from_text(text, where="the expression")


def _check_cost(text: str, where: str) -> None:
    """Raise ``MalformedError`` for an expression that may take long.

    1. It has at most 1,024 characters, and 512 with two loops: this bounds its depth as well, with
       the library's own limit.
    2. It has at most two loops, and with one that builds a list no other.
    3. It has at most two regular expressions, and none in loops.
    """
    loops, builders = len(_LOOPS.findall(text)), len(_BUILDERS.findall(text))
    matches = len(_MATCHES.findall(text))
    # Step 1
    limit = _MAX_NESTED if loops > 1 else MAX_EXPRESSION
    if len(text) > limit:
        raise MalformedError(f"{where} has {len(text)} characters, the limit is {limit}")
    # Step 2
    if loops > _MAX_LOOPS or (builders and loops > 1):
        raise MalformedError(f"{where} has more than two loops, or one beside map or filter")
    # Step 3
    if matches > _MAX_MATCHES or (matches and loops):
        raise MalformedError(f"{where} has more than two regular expressions, or one and a loop")


def _seen(value: Json, longest: int) -> object:
    """Return ``value`` as an expression sees it, or raise ``ValueError`` for what is too much."""
    match value:
        case bool() | None:
            return value
        case str():
            if len(value) > longest:
                raise ValueError(
                    f"the claims have a text of {len(value)} characters, the limit beside a loop"
                    f" is {longest}"
                )
            return value
        case int():
            if not _LOWEST <= value <= _HIGHEST:
                # The library would make it a fraction, which is equal to its neighbours.
                raise ValueError("the claims have an integer of more than 64 bits")
            return value
        case Decimal():
            return str(value)
        case list():
            return [_seen(item, longest) for item in _bounded(value)]
        case dict():
            return {name: _seen(value[name], longest) for name in _bounded(value)}


def _bounded(value: _Sized) -> _Sized:
    if len(value) > _MAX_ITEMS:
        raise ValueError(f"the claims have a list of {len(value)} items, the limit is {_MAX_ITEMS}")
    return value


def _first_line(error: Exception) -> str:
    # What the library says below it quotes the expression, with a mark where it stopped.
    return str(error).partition("\n")[0][:200]
