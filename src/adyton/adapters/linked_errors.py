"""Errors that cross between our processes: family, code and message, and when to ask again.

Whoever receives one trusts none of it: an unknown family is "no answer", a malformed code a general
one.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from adyton.adapters.frames import Fields
from adyton.errors import AdytonError, MalformedError, RejectedError, UnavailableError

__all__ = [
    "INTERNAL",
    "LinkedError",
    "LinkedMalformedError",
    "LinkedRejectedError",
    "LinkedUnavailableError",
    "error_fields",
    "linked_error",
    "retry_after",
]

INTERNAL: Final = "internal"
_MESSAGE_LIMIT: Final = 500
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class LinkedError(AdytonError):
    """An error of the other end: the family is the subclass, code and message are its own."""

    def __init__(self, *, code: str, message: str, retry_after: timedelta | None) -> None:
        super().__init__(message)
        # The tree has a code per class; this leaf speaks for all classes of the other end.
        self.__dict__["code"] = code
        self.retry_after = retry_after


class LinkedMalformedError(LinkedError, MalformedError):
    """The other end could not read what it was given."""


class LinkedRejectedError(LinkedError, RejectedError):
    """The other end says no."""


class LinkedUnavailableError(LinkedError, UnavailableError):
    """The other end has no answer."""


_FAMILIES: Final[Mapping[str, type[LinkedError]]] = {
    "malformed": LinkedMalformedError,
    "rejected": LinkedRejectedError,
    "unavailable": LinkedUnavailableError,
}


def retry_after(error: BaseException) -> timedelta | None:
    """Return when it makes sense to ask again, for an error that says so (a number is seconds)."""
    pause = getattr(error, "retry_after", None)
    return pause if isinstance(pause, timedelta) else _pause(pause)


def error_fields(error: AdytonError) -> Fields:
    """Return ``error`` as it crosses between our processes: family, code and message."""
    match error:
        case MalformedError():
            family = "malformed"
        case RejectedError():
            family = "rejected"
        case _:
            family = "unavailable"
    fields: Fields = {"family": family, "code": error.code, "message": str(error)[:_MESSAGE_LIMIT]}
    if (pause := retry_after(error)) is not None:
        fields["retry_after"] = pause.total_seconds()
    return fields


def linked_error(fields: Fields) -> LinkedError:
    """Return the error that ``fields`` describe: of its family, with its code and message."""
    code, message = fields.get("code"), fields.get("message")
    pause = fields.get("retry_after")
    family = _FAMILIES.get(str(fields.get("family")), LinkedUnavailableError)
    return family(
        code=code if isinstance(code, str) and _CODE.fullmatch(code) else INTERNAL,
        message=message[:_MESSAGE_LIMIT] if isinstance(message, str) else "no reason is given",
        retry_after=_pause(pause),
    )


def _pause(seconds: object) -> timedelta | None:
    if isinstance(seconds, int | float) and 0 <= seconds <= timedelta(days=1).total_seconds():
        return timedelta(seconds=seconds)
    return None
