"""The registry's settings, read once from the environment. What is wrong stops the start.

| variable | default | |
|---|---|---|
| ``ADYTON_REGISTRY_POLICY`` | none | the policy that workers' evidence is held against, a file |
| ``ADYTON_REGISTRY_UNATTESTED`` | ``refused`` | ``accepted``: workers without evidence, too |
| ``ADYTON_REGISTRY_HOURS`` | 24 | how long evidence counts |
| ``ADYTON_REGISTRY_COLLATERAL`` | ``given`` | ``fetched``: vendors are asked for collateral |
| ``ADYTON_REGISTRY_VERIFY_MINUTES`` | 60 | how often it is verified again meanwhile |
| ``ADYTON_REGISTRY_WORKERS`` | 4096 | how many workers there may be |
| ``ADYTON_REGISTRY_KEY_WORKERS`` | 256 | the same for one key |
| ``ADYTON_REGISTRY_URL`` | none | a registry to keep this gateway's worker in |
| ``ADYTON_REGISTRY_KEY_FILE`` | | a file with an API key of that registry, scope ``register`` |
| ``ADYTON_REGISTRY_ENDPOINT`` | | the https address at which this gateway is reached |

Without a policy no evidence is accepted. The last three come together.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from adyton.adapters.environment import SettingMalformedError, read_choice, read_number, read_path
from adyton.adapters.store.records import Presented
from adyton.appraisal.policy import Policy
from adyton.codec.url import read_url
from adyton.errors import MalformedError

__all__ = ["CollateralOrigin", "Joining", "RegistrySettings", "Unattested"]

_MAX_HOURS: Final = 30 * 24
_MAX_MINUTES: Final = 7 * 24 * 60
_MAX_WORKERS: Final = 4096


class Unattested(StrEnum):
    """Whether workers are registered that bring no evidence."""

    REFUSED = "refused"
    ACCEPTED = "accepted"


class CollateralOrigin(StrEnum):
    """Where the collateral comes from that evidence is verified with."""

    GIVEN = "given"
    FETCHED = "fetched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """The registry that this gateway's worker is kept in, and the address that is told there."""

    url: str
    api_key: str = field(repr=False)
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """What is accepted of workers, for how long, and of how many."""

    policy: Policy | None = None
    unattested: Unattested = Unattested.REFUSED
    collateral: CollateralOrigin = CollateralOrigin.GIVEN
    lifetime: timedelta = timedelta(hours=24)
    verify_every: timedelta = timedelta(minutes=60)
    workers: int = _MAX_WORKERS
    key_workers: int = 256
    joining: Joining | None = None

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
            collateral=read_choice(
                environ, "ADYTON_REGISTRY_COLLATERAL", CollateralOrigin, default.collateral
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
            joining=_joining(environ),
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


def _joining(environ: Mapping[str, str]) -> Joining | None:
    given = [name for name in _JOINING if environ.get(name)]
    if not given:
        return None
    if missing := set(_JOINING) - set(given):
        raise SettingMalformedError(name=min(missing), reason=f"it comes with {given[0]}")
    url, file, endpoint = (environ[name] for name in _JOINING)
    if not _REGISTRY.fullmatch(url):
        # Over plain HTTP, everybody on the way would read the key.
        reason = "it is not https://, nor http:// to this machine"
        raise SettingMalformedError(name=_JOINING[0], reason=reason)
    try:
        read_url(endpoint)
    except MalformedError as error:
        raise SettingMalformedError(name=_JOINING[2], reason=str(error)) from error
    try:
        text = Path(file).read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise SettingMalformedError(name=_JOINING[1], reason="it cannot be read") from error
    if Presented.from_text(text) is None:
        raise SettingMalformedError(name=_JOINING[1], reason="it holds no api key")
    return Joining(url=url, api_key=text, endpoint=endpoint)


_JOINING: Final = ("ADYTON_REGISTRY_URL", "ADYTON_REGISTRY_KEY_FILE", "ADYTON_REGISTRY_ENDPOINT")
_REGISTRY: Final = re.compile(
    r"https://[a-zA-Z0-9._-]{1,253}(:[0-9]{1,5})?/?|http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?/?"
)
