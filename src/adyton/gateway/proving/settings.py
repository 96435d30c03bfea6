"""How much proving for others a gateway takes on, read once from the environment.

| variable | default | |
|---|---|---|
| ``ADYTON_PROVE_AT_ONCE`` | 2 | proofs that the worker is given at a time |
| ``ADYTON_PROVE_LINE`` | 64 | requests that wait with an open connection |
| ``ADYTON_PROVE_KEY_LINE`` | 16 | the same for one key |
| ``ADYTON_PROVE_DEADLINE_SECONDS`` | 900 | how long the worker may take for one |
| ``ADYTON_PROVE_BODIES_MIB`` | 256 | requests in memory, of all callers together |
| ``ADYTON_JOBS_PER_KEY`` | 16 | jobs of a key that have not ended |
| ``ADYTON_JOBS_MIB`` | 1024 | requests and receipts of jobs on the disk |
| ``ADYTON_JOB_MINUTES`` | 60 | how long a job is kept after its end |
| ``ADYTON_TEE_REX`` | ``on`` | TEE-Rex's paths, which take no key: ``on`` or ``off`` |
| ``ADYTON_TEE_REX_PER_HOUR`` | 10 | its proofs for one address |
| ``ADYTON_TEE_REX_ORIGINS`` | none | whose pages may use them in a browser here; or ``*`` |
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from adyton.adapters.environment import SettingMalformedError, read_choice, read_number
from adyton.adapters.store.jobs import JobLimits
from adyton.gateway.tee_rex.visitors import ANY_ORIGIN

__all__ = ["ProvingSettings", "Switch"]

_MIB: Final = 1024 * 1024
_MAX: Final = 1_000_000
# As browsers write it (RFC 6454): no path, and letters of a name are small ones.
_ORIGIN: Final = re.compile(
    r"[a-z][a-z0-9+.-]{0,31}://([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?"
)
_JOBS: Final = JobLimits(key_jobs=16, stored_bytes=1024 * _MIB)


class Switch(StrEnum):
    """Whether something is there."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvingSettings:
    """Everything that the gateway is told about delegated proofs."""

    at_once: int = 2
    waiting: int = 64
    key_waiting: int = 16
    deadline: timedelta = timedelta(minutes=15)
    memory_bytes: int = 256 * _MIB
    jobs: JobLimits = _JOBS
    kept: timedelta = timedelta(hours=1)
    tee_rex: Switch = Switch.ON
    tee_rex_per_hour: int = 10
    tee_rex_origins: frozenset[str] = frozenset()

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "ProvingSettings":
        """Return the settings in ``environ``, or raise ``SettingMalformedError``."""

        def number(name: str, value: int) -> int:
            return read_number(environ, name, value, low=1, high=_MAX)

        default = cls()
        deadline = int(default.deadline.total_seconds())
        kept = int(default.kept.total_seconds()) // 60
        return cls(
            at_once=number("ADYTON_PROVE_AT_ONCE", default.at_once),
            waiting=number("ADYTON_PROVE_LINE", default.waiting),
            key_waiting=number("ADYTON_PROVE_KEY_LINE", default.key_waiting),
            deadline=timedelta(seconds=number("ADYTON_PROVE_DEADLINE_SECONDS", deadline)),
            memory_bytes=_MIB * number("ADYTON_PROVE_BODIES_MIB", default.memory_bytes // _MIB),
            jobs=JobLimits(
                key_jobs=number("ADYTON_JOBS_PER_KEY", default.jobs.key_jobs),
                stored_bytes=_MIB * number("ADYTON_JOBS_MIB", default.jobs.stored_bytes // _MIB),
            ),
            kept=timedelta(minutes=number("ADYTON_JOB_MINUTES", kept)),
            tee_rex=read_choice(environ, "ADYTON_TEE_REX", Switch, default.tee_rex),
            tee_rex_per_hour=number("ADYTON_TEE_REX_PER_HOUR", default.tee_rex_per_hour),
            tee_rex_origins=_origins(environ, "ADYTON_TEE_REX_ORIGINS"),
        )


def _origins(environ: Mapping[str, str], name: str) -> frozenset[str]:
    found = frozenset(text.strip() for text in environ.get(name, "").split(",") if text.strip())
    if wrong := sorted(text for text in found - {ANY_ORIGIN} if not _ORIGIN.fullmatch(text)):
        reason = f"{wrong[0][:64]!r} is no origin as https://app.example or http://localhost:3000"
        raise SettingMalformedError(name=name, reason=reason)
    return found
