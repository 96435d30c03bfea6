"""Settings in the environment: read once, strictly; what is wrong stops the start."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from adyton.adapters.unix import MAX_PATH_BYTES
from adyton.errors import MalformedError

__all__ = [
    "SettingMalformedError",
    "read_choice",
    "read_number",
    "read_path",
    "read_socket",
    "state_folder",
]

_T = TypeVar("_T", bound=StrEnum)


class SettingMalformedError(MalformedError):
    """A setting is not usable. The message names it, and quotes nothing that may be secret."""

    code = "setting-malformed"

    def __init__(self, *, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name


def state_folder(environ: Mapping[str, str]) -> Path:
    """Return where state is kept: ``ADYTON_STATE_DIR``, or the user's folder for it."""
    if text := environ.get("ADYTON_STATE_DIR"):
        return Path(text).absolute()
    if text := environ.get("XDG_STATE_HOME"):
        return Path(text).absolute() / "adyton"
    if text := environ.get("HOME"):
        return Path(text).absolute() / ".local" / "state" / "adyton"
    raise SettingMalformedError(name="ADYTON_STATE_DIR", reason="is not set, and there is no HOME")


def read_choice(environ: Mapping[str, str], name: str, kind: type[_T], default: _T) -> _T:
    """Return one of the words of ``kind``."""
    try:
        return kind(environ.get(name) or default.value)
    except ValueError as error:
        reason = f"is not one of {', '.join(kind)}"
        raise SettingMalformedError(name=name, reason=reason) from error


def read_number(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    """Return a number in ``low..high``."""
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and low <= int(text[:12]) <= high):
        raise SettingMalformedError(name=name, reason=f"is not a number in {low}..{high}")
    return int(text)


def read_path(environ: Mapping[str, str], name: str) -> Path | None:
    """Return a path, or ``None`` where the setting is empty."""
    text = environ.get(name)
    return Path(text).absolute() if text else None


def read_socket(environ: Mapping[str, str], name: str, default: Path) -> Path:
    """Return the path of a unix socket, which the system bounds."""
    path = Path(environ.get(name) or default).absolute()
    if len(str(path).encode()) > MAX_PATH_BYTES:
        reason = f"a socket's path has at most {MAX_PATH_BYTES} bytes: {path}"
        raise SettingMalformedError(name=name, reason=reason)
    return path
