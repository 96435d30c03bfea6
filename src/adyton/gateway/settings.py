"""The gateway's settings, read once from the environment. What is wrong stops the start.

| variable | default | |
|---|---|---|
| ``ADYTON_HOST``, ``ADYTON_PORT`` | ``127.0.0.1``, ``8423`` | where HTTP is served |
| ``ADYTON_TLS_CERTIFICATE``, ``ADYTON_TLS_KEY`` | none | PEM files: HTTPS instead |
| ``ADYTON_STATE_DIR`` | ``$XDG_STATE_HOME/adyton`` | for what has no place of its own |
| ``ADYTON_WORKER_SOCKET`` | ``worker.sock`` there | where the worker listens |
| ``ADYTON_EGRESS_SOCKET`` | ``egress.sock`` there | where the relay listens |
| ``DATABASE_URL`` | ``adyton.db`` there | ``sqlite:///…`` or ``postgresql://…`` |
| ``ADYTON_EGRESS_ALLOW`` | none | more names to reach: ``name[:port]``, ``*.suffix``, ``*`` |
| ``ADYTON_EGRESS_OVERRIDE`` | none | where a name is instead: ``name[:port]=address:port`` |
| ``ADYTON_RETENTION_DAYS`` | 90 | how long the audit is kept |
| ``ADYTON_DEADLINE_SECONDS`` | 60 | how long a question may take |
| ``ADYTON_MAX_IN_FLIGHT`` | 64 | questions at a time |
| ``ADYTON_KEY_IN_FLIGHT`` | 32 | the same for one key |
| ``ADYTON_KEY_PER_MINUTE`` | 3000 | requests a minute for one key |

Lists are separated by commas. A key's own limits, where it has some, come before these. The
registry's settings are in ``registry.settings``, those of delegated proofs in ``proving.settings``,
those of commits in ``notary.settings``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from adyton.adapters.egress import (
    Destination,
    EgressPolicy,
    NamePattern,
    override_from_text,
)
from adyton.adapters.environment import (
    SettingMalformedError,
    read_number,
    read_path,
    read_socket,
    state_folder,
)
from adyton.adapters.store.database import DatabaseUrlMalformedError, check_url
from adyton.errors import AdytonError
from adyton.gateway.notary.settings import NotaryAccess
from adyton.gateway.proving.settings import ProvingSettings
from adyton.gateway.registry.settings import RegistrySettings

__all__ = ["GatewayLimits", "GatewaySettings"]

_MAX_PORT: Final = 65_535
_MAX_NUMBER: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLimits:
    """How much at a time, from all and from one key."""

    in_flight: int = 64
    key_in_flight: int = 32
    key_per_minute: int = 3000
    deadline: timedelta = timedelta(seconds=60)
    retention: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Everything that the gateway is told."""

    host: str
    port: int
    tls_certificate: Path | None
    tls_key: Path | None
    state_dir: Path
    worker_socket: Path
    egress_socket: Path
    database_url: str = field(repr=False)
    egress_patterns: tuple[NamePattern, ...]
    egress_overrides: Mapping[Destination, tuple[str, int]]
    limits: GatewayLimits
    registry: RegistrySettings
    proving: ProvingSettings
    notary: NotaryAccess

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "GatewaySettings":
        """Return the settings in ``environ``, or raise ``SettingMalformedError``."""
        state = state_folder(environ)
        certificate = _optional_file(environ, "ADYTON_TLS_CERTIFICATE")
        key = _optional_file(environ, "ADYTON_TLS_KEY")
        if (certificate is None) != (key is None):
            reason = "a certificate and a key come together"
            raise SettingMalformedError(name="ADYTON_TLS_CERTIFICATE", reason=reason)
        return cls(
            host=environ.get("ADYTON_HOST", "127.0.0.1"),
            port=read_number(environ, "ADYTON_PORT", 8423, low=0, high=_MAX_PORT),
            tls_certificate=certificate,
            tls_key=key,
            state_dir=state,
            worker_socket=read_socket(environ, "ADYTON_WORKER_SOCKET", state / "worker.sock"),
            egress_socket=read_socket(environ, "ADYTON_EGRESS_SOCKET", state / "egress.sock"),
            database_url=_database(environ, state),
            egress_patterns=_patterns(environ),
            egress_overrides=_overrides(environ),
            limits=_limits(environ),
            registry=RegistrySettings.from_environ(environ),
            proving=ProvingSettings.from_environ(environ),
            notary=NotaryAccess.from_environ(environ),
        )

    def egress_policy(self, destinations: frozenset[Destination]) -> EgressPolicy:
        """Return what the relay may reach when the providers need ``destinations``."""
        return EgressPolicy(
            destinations=destinations,
            patterns=self.egress_patterns,
            overrides=self.egress_overrides,
        )


def _optional_file(environ: Mapping[str, str], name: str) -> Path | None:
    if (path := read_path(environ, name)) is None:
        return None
    if not path.is_file():
        raise SettingMalformedError(name=name, reason=f"there is no file {path}")
    return path


def _database(environ: Mapping[str, str], state: Path) -> str:
    text = environ.get("DATABASE_URL") or f"sqlite:///{state / 'adyton.db'}"
    try:
        check_url(text)
    except DatabaseUrlMalformedError as error:
        raise SettingMalformedError(name="DATABASE_URL", reason=str(error)) from error
    return text


def _texts(environ: Mapping[str, str], name: str) -> list[str]:
    return [text.strip() for text in environ.get(name, "").split(",") if text.strip()]


def _patterns(environ: Mapping[str, str]) -> tuple[NamePattern, ...]:
    name = "ADYTON_EGRESS_ALLOW"
    try:
        return tuple(NamePattern.from_text(text) for text in _texts(environ, name))
    except AdytonError as error:
        raise SettingMalformedError(name=name, reason=str(error)) from error


def _overrides(environ: Mapping[str, str]) -> Mapping[Destination, tuple[str, int]]:
    name = "ADYTON_EGRESS_OVERRIDE"
    try:
        return dict(override_from_text(text) for text in _texts(environ, name))
    except AdytonError as error:
        raise SettingMalformedError(name=name, reason=str(error)) from error


def _limits(environ: Mapping[str, str]) -> GatewayLimits:
    default = GatewayLimits()

    def number(name: str, value: int) -> int:
        return read_number(environ, name, value, low=1, high=_MAX_NUMBER)

    deadline = number("ADYTON_DEADLINE_SECONDS", int(default.deadline.total_seconds()))
    return GatewayLimits(
        in_flight=number("ADYTON_MAX_IN_FLIGHT", default.in_flight),
        key_in_flight=number("ADYTON_KEY_IN_FLIGHT", default.key_in_flight),
        key_per_minute=number("ADYTON_KEY_PER_MINUTE", default.key_per_minute),
        deadline=timedelta(seconds=deadline),
        retention=timedelta(days=number("ADYTON_RETENTION_DAYS", default.retention.days)),
    )
