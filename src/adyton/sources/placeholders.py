"""Placeholders in templates: ``{{name}}``, found in text and nothing more.

How a value is encoded for where its placeholder stands is ``template``'s business.
"""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from adyton.errors import MalformedError

__all__ = ["NAME", "WINDOW_NAMES", "Piece", "Placeholder", "names_in", "pieces_of", "whole"]

# Names of credentials, fields and predicates, and so of placeholders.
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Filled by the worker from the question's lookback window, never by a credential: an asker who
# could choose them would have a shorter window fetched than the one that is proven.
WINDOW_NAMES: Final = frozenset({"first_day", "last_day"})

_MARK: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A place for the value called ``name``."""

    name: str


Piece: TypeAlias = str | Placeholder


def pieces_of(text: str) -> tuple[Piece, ...]:
    """Return ``text`` as literals and placeholders in turn, empty literals left out.

    Raises ``MalformedError`` where braces are doubled and no name stands between them.
    """
    pieces: list[Piece] = []
    for index, part in enumerate(_MARK.split(text)):
        if index % 2 == 1:
            if NAME.fullmatch(part) is None:
                raise MalformedError("a placeholder is not {{name}} in lower case letters")
            pieces.append(Placeholder(part))
        elif "{{" in part:
            # "}}" alone is how nested JSON ends.
            raise MalformedError("a placeholder is not {{name}}")
        elif part:
            pieces.append(part)
    return tuple(pieces)


def names_in(text: str) -> frozenset[str]:
    """Return the names of the placeholders in ``text``."""
    return frozenset(piece.name for piece in pieces_of(text) if isinstance(piece, Placeholder))


def whole(text: str) -> str | None:
    """Return the name if ``text`` is one placeholder and nothing else."""
    match pieces_of(text):
        case (Placeholder(name=name),):
            return name
        case _:
            return None
