"""Secrets for a question: from files or stdin, never printed; on a command line under protest."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adyton.adapters.installation import find_installation
from adyton.adapters.library import load_providers
from adyton.cli.predicates import OptionMalformedError
from adyton.codec.json import loads
from adyton.errors import AdytonError, MalformedError
from adyton.model.question import SEALED_MARK, TOKEN_LOCATION
from adyton.sdk.files import FileUnreadableError

__all__ = ["Secrets", "read_api_key", "read_secrets"]

_LIMIT: Final = 64 * 1024
_STDIN: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What goes sealed: credentials by name, and values at places of the question of their own."""

    credentials: Mapping[str, str] = field(repr=False)
    places: Mapping[str, str] = field(repr=False)

    @property
    def marks(self) -> Mapping[str, str]:
        """What the question holds where a place of its own at the top is sealed."""
        return {place[1:]: SEALED_MARK for place in self.places if place == TOKEN_LOCATION}


def read_secrets(
    token_file: Path | None,
    options: Iterable[str],
    *,
    provider: str | None,
    warn: Callable[[str], None],
) -> Secrets:
    """Return the secrets of ``--token-file`` and of each ``--credential``.

    A token file holds one token, or a JSON object of credentials by name. A lone token is the
    provider's first sealed credential; beside others it needs its name, which is looked up among
    the built-in providers. ``warn`` is told of a secret that stood on the command line.
    """
    credentials: dict[str, str] = {}
    places: dict[str, str] = {}
    for option in options:
        name, separator, value = option.partition("=")
        if not separator or not name:
            # The text is not repeated: it may be the secret itself.
            raise OptionMalformedError("--credential is NAME=@FILE, or NAME=VALUE")
        if value.startswith("@"):
            value = _read(Path(value[1:]))
        elif _is_sealed(provider, name):
            warn(f"{name} stood on the command line, where others can read it; use {name}=@FILE")
        (places if name.startswith("/") else credentials)[name] = value
    token = None if token_file is None else _read(token_file)
    if token is not None and token.startswith("{"):
        credentials = {**_object(token), **credentials}
    elif token is not None and not credentials:
        places[TOKEN_LOCATION] = token
    elif token is not None:
        credentials[_first_sealed(provider)] = token
    return Secrets(credentials=credentials, places=places)


def read_api_key(path: Path | None) -> str:
    """Return the API key in the file, or in ``ADYTON_API_KEY``."""
    key = _read(path) if path is not None else os.environ.get("ADYTON_API_KEY", "")
    if not key:
        raise OptionMalformedError(
            "there is no API key: give --api-key-file, or set ADYTON_API_KEY; make one with"
            " adyton keys create --name NAME"
        )
    if not (key.isascii() and key.isprintable()):
        raise OptionMalformedError("the API key is not a line of text")
    return key


def _read(path: Path) -> str:
    try:
        if str(path) == _STDIN:
            data = sys.stdin.buffer.read(_LIMIT + 1)
        else:
            with path.open("rb") as file:
                data = file.read(_LIMIT + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileUnreadableError(path=path, reason=reason) from error
    if len(data) > _LIMIT:
        raise MalformedError(f"{path} has more than {_LIMIT} bytes")
    try:
        # The line's end is the editor's, not the secret's.
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise MalformedError(f"{path} is not text in UTF-8") from None
    if not text:
        raise MalformedError(f"{path} is empty")
    return text


def _object(text: str) -> dict[str, str]:
    try:
        value = loads(text.encode(), limit_bytes=_LIMIT)
    except MalformedError:
        # Without the cause: its text could quote the secret.
        raise MalformedError("the token file begins as a JSON object and is none") from None
    if not isinstance(value, dict):
        raise MalformedError("the token file is not a JSON object")
    found = {name: item for name, item in value.items() if isinstance(item, str)}
    if len(found) != len(value):
        raise MalformedError("the token file has a credential that is not a string")
    return found


def _first_sealed(provider: str | None) -> str:
    for name, is_sealed in _known(provider).items():
        if is_sealed:
            return name
    raise OptionMalformedError(
        "beside other credentials, the token needs its name: give --credential NAME=@FILE"
    )


def _is_sealed(provider: str | None, name: str) -> bool:
    # Of a provider that is not known here, everything is taken for secret.
    return _known(provider).get(name, True)


def _known(provider: str | None) -> Mapping[str, bool]:
    """Return whether each credential of a built-in provider is secret; empty if it is not known."""
    try:
        installation = find_installation(os.environ, home=Path.home())
        definition = load_providers([installation.providers]).get(provider or "")
    except AdytonError:
        return {}
    if definition is None:
        return {}
    return {item.name: item.encrypted for item in definition.request.credentials}
