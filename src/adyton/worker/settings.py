"""A worker's configuration: read once, into a frozen value; a wrong setting stops the start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from adyton.errors import MalformedError
from adyton.model.isolation import Isolation

__all__ = ["PlatformName", "SettingMalformedError", "WorkerSettings"]


class SettingMalformedError(MalformedError):
    """A setting is missing or not what it must be."""

    code = "setting-malformed"

    def __init__(self, *, name: str, wanted: str) -> None:
        super().__init__(f"the setting {name} must be {wanted}")
        self.name = name


class PlatformName(StrEnum):
    """What vouches for a worker."""

    INSECURE = "insecure"
    NITRO = "nitro"


_STATE: Final = ".adyton"
_T = TypeVar("_T", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What a worker is started with.

    ``link`` and ``egress`` are unix sockets: the worker listens on the first, the gateway on the
    second. ``cores`` proofs are made at a time, ``in_flight`` questions are worked on, ``waiting``
    more wait. A credential may be asked ``budget`` different questions in ``budget_window``.
    """

    state: Path
    link: Path
    egress: Path
    platform: PlatformName
    isolation: Isolation
    cores: int
    in_flight: int
    waiting: int
    seconds: int
    budget: int
    budget_window: timedelta
    providers: Path | None
    added_roots: Path | None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "WorkerSettings":
        """Return the settings in ``environ``, or raise ``SettingMalformedError``."""
        state = Path(environ.get("ADYTON_STATE") or _STATE).absolute()
        cores = os.cpu_count() or 1
        return cls(
            state=state,
            link=Path(environ.get("ADYTON_WORKER_SOCKET") or state / "worker.sock"),
            egress=Path(environ.get("ADYTON_EGRESS_SOCKET") or state / "egress.sock"),
            platform=_choice(environ, "ADYTON_PLATFORM", PlatformName, PlatformName.INSECURE),
            isolation=_choice(environ, "ADYTON_ISOLATION", Isolation, Isolation.REQUEST),
            cores=_number(environ, "ADYTON_CORES", cores, low=1, high=256),
            in_flight=_number(environ, "ADYTON_IN_FLIGHT", 4 * cores, low=1, high=1024),
            waiting=_number(environ, "ADYTON_WAITING", 64, low=0, high=4096),
            seconds=_number(environ, "ADYTON_REQUEST_SECONDS", 60, low=1, high=3600),
            budget=_number(environ, "ADYTON_BUDGET", 10, low=1, high=1_000_000),
            budget_window=timedelta(
                hours=_number(environ, "ADYTON_BUDGET_HOURS", 24, low=1, high=24 * 365)
            ),
            providers=_path(environ, "ADYTON_PROVIDERS"),
            added_roots=_path(environ, "ADYTON_ADDED_ROOTS"),
        )


def _choice(environ: Mapping[str, str], name: str, kind: type[_T], default: _T) -> _T:
    text = environ.get(name) or default.value
    try:
        return kind(text)
    except ValueError as error:
        raise SettingMalformedError(name=name, wanted=" or ".join(kind)) from error


def _number(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SettingMalformedError(name=name, wanted=f"a number from {low} to {high}")
    return int(text)


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name)
    return Path(text).absolute() if text else None
