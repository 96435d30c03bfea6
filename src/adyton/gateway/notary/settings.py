"""The gateway's settings for commits, read once from the environment.

| variable | default | |
|---|---|---|
| ``ADYTON_NOTARY_SOCKET`` | ``notary.sock`` in the state folder | where the notary listens |
| ``ADYTON_COMMIT_CALLERS`` | ``keys`` | who may commit: holders of ``keys``, or ``anybody`` |
| ``ADYTON_COMMITS_PER_MINUTE`` | 1000000 | requests a minute for one key, or for all without |
| ``ADYTON_COMMITS_IN_FLIGHT`` | 1024 | requests at a time |
| ``ADYTON_STAMP_AUTHORITY`` | none | who stamps checkpoints with the time (RFC 3161): an address |
| ``ADYTON_STAMP_ROOTS`` | none | a PEM file: the roots that its stamps have to lead to |
| ``ADYTON_STAMP_EVERY_SECONDS`` | 3600 | how long from one stamp to the next, at the least |

Stamps are kept in ``stamps`` in the state folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from adyton.adapters.environment import (
    SettingMalformedError,
    read_choice,
    read_number,
    read_path,
    read_socket,
    state_folder,
)
from adyton.codec.pem import read_roots
from adyton.errors import MalformedError

__all__ = ["CommitCallers", "NotaryAccess", "TimeAuthority"]

_MOST_PER_MINUTE = 10_000_000
_MOST_IN_FLIGHT = 65_536
_MONTH_SECONDS = 31 * 24 * 3600


class CommitCallers(StrEnum):
    """Who may commit."""

    KEYS = "keys"
    ANYBODY = "anybody"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAuthority:
    """Who stamps checkpoints with the time, under which roots (DER), and how often it is asked."""

    url: str
    roots: tuple[bytes, ...] = field(repr=False)
    every: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class NotaryAccess:
    """Where the notary is, and who may have how much of it."""

    socket: Path
    callers: CommitCallers = CommitCallers.KEYS
    per_minute: int = 1_000_000
    in_flight: int = 1024
    stamps: Path
    time_authority: TimeAuthority | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "NotaryAccess":
        """Return the settings in ``environ``, or raise ``SettingMalformedError``."""

        def number(name: str, value: int, most: int) -> int:
            return read_number(environ, name, value, low=1, high=most)

        state = state_folder(environ)
        return cls(
            socket=read_socket(environ, "ADYTON_NOTARY_SOCKET", state / "notary.sock"),
            callers=read_choice(
                environ, "ADYTON_COMMIT_CALLERS", CommitCallers, CommitCallers.KEYS
            ),
            per_minute=number("ADYTON_COMMITS_PER_MINUTE", 1_000_000, _MOST_PER_MINUTE),
            in_flight=number("ADYTON_COMMITS_IN_FLIGHT", 1024, _MOST_IN_FLIGHT),
            stamps=state / "stamps",
            time_authority=_time_authority(environ),
        )


def _time_authority(environ: Mapping[str, str]) -> TimeAuthority | None:
    url = environ.get("ADYTON_STAMP_AUTHORITY", "")
    roots = read_path(environ, "ADYTON_STAMP_ROOTS")
    if not url and roots is None:
        return None
    if not _is_address(url):
        reason = "is not an address as http://time.example"
        raise SettingMalformedError(name="ADYTON_STAMP_AUTHORITY", reason=reason)
    if roots is None:
        reason = "is not set: a stamp that leads to nobody's root shows nothing"
        raise SettingMalformedError(name="ADYTON_STAMP_ROOTS", reason=reason)
    every = read_number(environ, "ADYTON_STAMP_EVERY_SECONDS", 3600, low=1, high=_MONTH_SECONDS)
    return TimeAuthority(url=url, roots=_roots(roots), every=timedelta(seconds=every))


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        # A port that is none, or half an address of version 6.
        return False


def _roots(path: Path) -> tuple[bytes, ...]:
    name = "ADYTON_STAMP_ROOTS"
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror or type(error).__name__}"
        raise SettingMalformedError(name=name, reason=reason) from error
    try:
        return read_roots(data, str(path))
    except MalformedError as error:
        raise SettingMalformedError(name=name, reason=str(error)) from error
