"""The gateway's settings for commits, read once from the environment.

| variable | default | |
|---|---|---|
| ``ADYTON_NOTARY_SOCKET`` | ``notary.sock`` in the state folder | where the notary listens |
| ``ADYTON_COMMIT_CALLERS`` | ``keys`` | who may commit: holders of ``keys``, or ``anybody`` |
| ``ADYTON_COMMITS_PER_MINUTE`` | 1000000 | requests a minute for one key, or for all without |
| ``ADYTON_COMMITS_IN_FLIGHT`` | 1024 | requests at a time |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from adyton.adapters.environment import read_choice, read_number, read_socket, state_folder

__all__ = ["CommitCallers", "NotaryAccess"]

_MOST_PER_MINUTE = 10_000_000
_MOST_IN_FLIGHT = 65_536


class CommitCallers(StrEnum):
    """Who may commit."""

    KEYS = "keys"
    ANYBODY = "anybody"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotaryAccess:
    """Where the notary is, and who may have how much of it."""

    socket: Path
    callers: CommitCallers = CommitCallers.KEYS
    per_minute: int = 1_000_000
    in_flight: int = 1024

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "NotaryAccess":
        """Return the settings in ``environ``, or raise ``SettingMalformedError``."""

        def number(name: str, value: int, most: int) -> int:
            return read_number(environ, name, value, low=1, high=most)

        default = state_folder(environ) / "notary.sock"
        return cls(
            socket=read_socket(environ, "ADYTON_NOTARY_SOCKET", default),
            callers=read_choice(
                environ, "ADYTON_COMMIT_CALLERS", CommitCallers, CommitCallers.KEYS
            ),
            per_minute=number("ADYTON_COMMITS_PER_MINUTE", 1_000_000, _MOST_PER_MINUTE),
            in_flight=number("ADYTON_COMMITS_IN_FLIGHT", 1024, _MOST_IN_FLIGHT),
        )
