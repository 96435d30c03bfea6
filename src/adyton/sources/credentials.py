"""What an asker gives to fill a provider's placeholders, checked against what it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from adyton.errors import MalformedError
from adyton.sources.definition import RequestDefinition
from adyton.sources.placeholders import WINDOW_NAMES, names_in

__all__ = ["CredentialMalformedError", "Window", "fill", "placeholders_of"]

_MAX_CREDENTIAL: Final = 16 * 1024


class CredentialMalformedError(MalformedError):
    """A credential is missing, unknown, or cannot stand where its placeholder is."""

    code = "credential-malformed"

    def __init__(self, *, name: str, reason: str) -> None:
        super().__init__(f'the credential "{name[:64]}" {reason}')
        self.name, self.reason = name, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The days that a question looks back over, both included."""

    first_day: date
    last_day: date


def fill(
    request: RequestDefinition, credentials: Mapping[str, str], window: Window | None
) -> dict[str, str]:
    """Return the value of every placeholder: each credential that the request takes, and no other.

    Raises ``CredentialMalformedError``; ``ValueError`` if the request needs the window.
    """
    known = {item.name: item for item in request.credentials}
    for name, value in credentials.items():
        if name not in known:
            taken = ", ".join(known) or "none"
            reason = f"is not one that the provider takes, which are: {taken}"
            raise CredentialMalformedError(name=name, reason=reason)
        _check_text(name, value)
    for name, item in known.items():
        if name not in credentials and not item.optional:
            raise CredentialMalformedError(name=name, reason="is missing")
    values = {name: credentials.get(name, "") for name in known}
    if window is not None:
        values["first_day"] = window.first_day.isoformat()
        values["last_day"] = window.last_day.isoformat()
    elif placeholders_of(request) & WINDOW_NAMES:
        raise ValueError("this provider needs the window that the question looks back over")
    return values


def placeholders_of(request: RequestDefinition) -> frozenset[str]:
    """Return the names of all placeholders in the request."""
    headers = request.headers
    texts = [request.url, request.method, request.body_template or ""]
    texts += [headers] if isinstance(headers, str) else [value for _, value in headers]
    return frozenset[str]().union(*map(names_in, texts))


def _check_text(name: str, value: str) -> None:
    if len(value) > _MAX_CREDENTIAL:
        raise CredentialMalformedError(
            name=name, reason=f"has more than {_MAX_CREDENTIAL} characters"
        )
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise CredentialMalformedError(name=name, reason="holds a lone surrogate")
