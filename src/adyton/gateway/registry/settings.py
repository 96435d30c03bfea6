"""The registry's settings, read once from the environment. What is wrong stops the start.

| variable | default | |
|---|---|---|
| ``ADYTON_REGISTRY_POLICY`` | none | the policy that workers' evidence is held against, a file |
| ``ADYTON_REGISTRY_UNATTESTED`` | ``refused`` | ``accepted``: workers without evidence, too |
| ``ADYTON_REGISTRY_HOURS`` | 24 | how long evidence counts |
| ``ADYTON_REGISTRY_VERIFY_MINUTES`` | 60 | how often it is verified again meanwhile |
| ``ADYTON_REGISTRY_WORKERS`` | 4096 | how many workers there may be |
| ``ADYTON_REGISTRY_KEY_WORKERS`` | 256 | the same for one key |

Without a policy no evidence is accepted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from adyton.adapters.environment import SettingMalformedError, read_choice, read_number, read_path
from adyton.appraisal.policy import Policy
from adyton.errors import MalformedError

__all__ = ["RegistrySettings", "Unattested"]

_MAX_HOURS: Final = 30 * 24
_MAX_MINUTES: Final = 7 * 24 * 60
_MAX_WORKERS: Final = 4096


class Unattested(StrEnum):
    """Whether workers are registered that bring no evidence."""

    REFUSED = "refused"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """What is accepted of workers, for how long, and of how many."""

    policy: Policy | None = None
    unattested: Unattested = Unattested.REFUSED
    lifetime: timedelta = timedelta(hours=24)
    verify_every: timedelta = timedelta(minutes=60)
    workers: int = _MAX_WORKERS
    key_workers: int = 256

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "RegistrySettings":
        """Return the settings in ``environ``, or raise ``SettingMalformedError``."""
        default = cls()
        hours = read_number(environ, "ADYTON_REGISTRY_HOURS", 24, low=1, high=_MAX_HOURS)
        minutes = read_number(
            environ, "ADYTON_REGISTRY_VERIFY_MINUTES", 60, low=1, high=_MAX_MINUTES
        )
        return cls(
            policy=_policy(environ, "ADYTON_REGISTRY_POLICY"),
            unattested=read_choice(
                environ, "ADYTON_REGISTRY_UNATTESTED", Unattested, default.unattested
            ),
            lifetime=timedelta(hours=hours),
            verify_every=timedelta(minutes=minutes),
            workers=read_number(
                environ, "ADYTON_REGISTRY_WORKERS", default.workers, low=1, high=_MAX_WORKERS
            ),
            key_workers=read_number(
                environ,
                "ADYTON_REGISTRY_KEY_WORKERS",
                default.key_workers,
                low=1,
                high=_MAX_WORKERS,
            ),
        )


def _policy(environ: Mapping[str, str], name: str) -> Policy | None:
    if (path := read_path(environ, name)) is None:
        return None
    try:
        return Policy.from_bytes(path.read_bytes())
    except OSError as error:
        raise SettingMalformedError(name=name, reason=f"{path} cannot be read") from error
    except MalformedError as error:
        raise SettingMalformedError(name=name, reason=str(error)) from error
