"""The members of a token's claims, each read as what it has to be.

Members that nobody asks for are passed over: services add some without a new version. One that is
``null`` is absent, which is how two of the services write it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from adyton.codec.json import (
    Json,
    JsonObject,
    as_boolean,
    as_integer,
    as_list,
    as_object,
    as_string,
)
from adyton.codec.text import from_base64
from adyton.errors import MalformedError
from adyton.model.window import LAST_SECOND

__all__ = ["Members"]

_MAX_ITEMS: Final = 256
_MAX_HELD_BYTES: Final = 16 * 1024
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_HEXADECIMAL: Final = re.compile(r"[0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True)
class Members:
    """The members of one object; ``where`` names it in errors.

    All methods raise ``MalformedError`` for a member of another kind. Those that return one value
    raise it for an absent one as well, unless they are called ``or_none``.
    """

    record: JsonObject
    where: str

    def has(self, name: str) -> bool:
        """Return whether the member is there, and not ``null``."""
        return self.record.get(name) is not None

    def text(self, name: str, *, limit: int = 1024) -> str:
        """Return a text."""
        return as_string(self._member(name), self._name(name), limit=limit)

    def text_or_none(self, name: str) -> str | None:
        """Return a text, or ``None`` where there is none."""
        return self.text(name) if self.has(name) else None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of an array, or of one that stands for it; none where it is absent."""
        if not self.has(name):
            return ()
        value = self.record[name]
        found = [value] if isinstance(value, str) else as_list(value, self._name(name), limit=256)
        return tuple(as_string(item, self._name(name), limit=1024) for item in found)

    def flag(self, name: str) -> bool:
        """Return ``true`` or ``false``."""
        return as_boolean(self._member(name), self._name(name))

    def flag_or_none(self, name: str) -> bool | None:
        """Return ``true`` or ``false``, or ``None`` where it is absent."""
        return self.flag(name) if self.has(name) else None

    def integer(self, name: str) -> int:
        """Return an integer that is not negative."""
        return as_integer(self._member(name), self._name(name))

    def numeric_date(self, name: str) -> datetime:
        """Return an instant that is written as seconds (RFC 7519, section 2), whole ones."""
        seconds = as_integer(self._member(name), self._name(name), high=LAST_SECOND)
        return datetime.fromtimestamp(seconds, tz=UTC)

    def instant_or_none(self, name: str) -> datetime | None:
        """Return an instant that is written out, or ``None`` where it is absent."""
        if not self.has(name):
            return None
        text = self.text(name)
        try:
            if _INSTANT.fullmatch(text):
                return datetime.fromisoformat(text)
        except ValueError as error:
            raise MalformedError(f"{self._name(name)} is not an instant in utc") from error
        raise MalformedError(f"{self._name(name)} is not an instant in utc")

    def hexadecimal(self, name: str, *, size: int) -> bytes:
        """Return ``size`` bytes, with digits in either case."""
        text = self.text(name)
        if len(text) != 2 * size or _HEXADECIMAL.fullmatch(text) is None:
            raise MalformedError(f"{self._name(name)} is not {size} bytes in hexadecimal")
        return bytes.fromhex(text)

    def hexadecimals(self, sizes: dict[str, tuple[str, int]]) -> dict[str, bytes]:
        """Return those that are there, by our names: the service's name and size of each."""
        return {
            ours: self.hexadecimal(theirs, size=size)
            for ours, (theirs, size) in sizes.items()
            if self.has(theirs)
        }

    def integers(self, names: dict[str, str]) -> dict[str, int]:
        """Return those that are there, by our names."""
        return {ours: self.integer(theirs) for ours, theirs in names.items() if self.has(theirs)}

    def facts(self, names: dict[str, str]) -> dict[str, str]:
        """Return the texts that are there, by our names."""
        return {ours: self.text(theirs) for ours, theirs in names.items() if self.has(theirs)}

    def base64_or_none(self, name: str) -> bytes | None:
        """Return what is written as base64, or ``None`` where it is absent."""
        if not self.has(name):
            return None
        text = self.text(name, limit=2 * _MAX_HELD_BYTES)
        return from_base64(text, self._name(name), limit_bytes=_MAX_HELD_BYTES)

    def inner(self, name: str) -> "Members":
        """Return the members of an object within; none where it is absent."""
        value: Json = self.record[name] if self.has(name) else {}
        found = as_object(value, self._name(name))
        if len(found) > _MAX_ITEMS:
            raise MalformedError(f"{self._name(name)} has {len(found)} members, limit {_MAX_ITEMS}")
        return Members(found, self._name(name))

    def _member(self, name: str) -> Json:
        if not self.has(name):
            raise MalformedError(f"{self._name(name)} is missing")
        return self.record[name]

    def _name(self, name: str) -> str:
        return f"{self.where}.{name}"
