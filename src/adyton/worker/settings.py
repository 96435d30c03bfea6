"""A worker's settings, read once from the environment. What is wrong stops the start.

| variable | default | |
|---|---|---|
| ``ADYTON_STATE_DIR`` | ``$XDG_STATE_HOME/adyton`` | sockets, and the development root |
| ``ADYTON_WORKER_SOCKET`` | ``worker.sock`` there | where the worker listens |
| ``ADYTON_EGRESS_SOCKET`` | ``egress.sock`` there | where the gateway's relay listens |
| ``ADYTON_PLATFORM`` | ``insecure`` | what vouches for it: ``insecure``, ``nitro``, ``sgx`` |
| ``ADYTON_ISOLATION`` | ``request`` | how long a process lives that saw data, or ``pooled`` |
| ``ADYTON_CORES`` | all | proofs at a time |
| ``ADYTON_IN_FLIGHT`` | 4 a core | questions worked on at a time |
| ``ADYTON_WAITING`` | 64 | questions that wait beyond those |
| ``ADYTON_REQUEST_SECONDS`` | 50 | how long one question may take |
| ``ADYTON_PROVE_GATES`` | 4194304 | gates of the largest circuit that is proven for others |
| ``ADYTON_PROVE_SECONDS`` | 600 | how long one such proof may take |
| ``ADYTON_PROVE_MEMORY_MB`` | 4096 | how much memory its ``bb`` may write to |
| ``ADYTON_PROVE_CGROUP`` | none | a control group (version 2) in which each gets one |
| ``ADYTON_PROVE_WAITING`` | 16 | such requests that wait beyond those that are proven |
| ``ADYTON_PROVE_CIRCUITS_MB`` | 64 | registered circuits, all together |
| ``ADYTON_BUDGET`` | 20 | different questions a credential is asked in a window |
| ``ADYTON_BUDGET_HOURS`` | 24 | that window |
| ``ADYTON_PROVIDERS`` | none | a folder of definitions beside the built-in ones |
| ``ADYTON_ADDED_ROOTS`` | none | a PEM file of roots to trust beside Mozilla's |
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from adyton.adapters.environment import (
    read_choice,
    read_number,
    read_path,
    read_socket,
    state_folder,
)
from adyton.adapters.platforms import PlatformName
from adyton.model.isolation import Isolation

__all__ = ["ProvingLimits", "WorkerSettings"]

_MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvingLimits:
    """What one delegated proof may take, and how many requests wait for one.

    ``group`` is the control group that bounds the memory of each prover, too, if there is one;
    ``circuits_bytes`` bounds all registered circuits together.
    """

    gates: int
    seconds: int
    memory_bytes: int
    group: Path | None
    waiting: int
    circuits_bytes: int

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "ProvingLimits":
        """Return the limits in ``environ``, or raise ``SettingMalformedError``."""
        memory = read_number(environ, "ADYTON_PROVE_MEMORY_MB", 4096, low=16, high=1 << 20)
        circuits = read_number(environ, "ADYTON_PROVE_CIRCUITS_MB", 64, low=1, high=1 << 16)
        return cls(
            gates=read_number(environ, "ADYTON_PROVE_GATES", 1 << 22, low=2, high=1 << 28),
            seconds=read_number(environ, "ADYTON_PROVE_SECONDS", 600, low=1, high=86_400),
            memory_bytes=memory * _MEGABYTE,
            group=read_path(environ, "ADYTON_PROVE_CGROUP"),
            waiting=read_number(environ, "ADYTON_PROVE_WAITING", 16, low=0, high=1024),
            circuits_bytes=circuits * _MEGABYTE,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """Everything that the worker is told."""

    state: Path
    link: Path
    egress: Path
    platform: PlatformName
    isolation: Isolation
    cores: int
    in_flight: int
    waiting: int
    seconds: int
    proving: ProvingLimits
    budget: int
    budget_window: timedelta
    providers: Path | None
    added_roots: Path | None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "WorkerSettings":
        """Return the settings in ``environ``, or raise ``SettingMalformedError``."""
        state = state_folder(environ)
        cores = read_number(environ, "ADYTON_CORES", os.cpu_count() or 1, low=1, high=256)
        hours = read_number(environ, "ADYTON_BUDGET_HOURS", 24, low=1, high=24 * 365)
        return cls(
            state=state,
            link=read_socket(environ, "ADYTON_WORKER_SOCKET", state / "worker.sock"),
            egress=read_socket(environ, "ADYTON_EGRESS_SOCKET", state / "egress.sock"),
            platform=read_choice(environ, "ADYTON_PLATFORM", PlatformName, PlatformName.INSECURE),
            isolation=read_choice(environ, "ADYTON_ISOLATION", Isolation, Isolation.REQUEST),
            cores=cores,
            in_flight=read_number(environ, "ADYTON_IN_FLIGHT", 4 * cores, low=1, high=1024),
            waiting=read_number(environ, "ADYTON_WAITING", 64, low=0, high=4096),
            seconds=read_number(environ, "ADYTON_REQUEST_SECONDS", 50, low=1, high=3600),
            proving=ProvingLimits.from_environ(environ),
            budget=read_number(environ, "ADYTON_BUDGET", 20, low=1, high=1_000_000),
            budget_window=timedelta(hours=hours),
            providers=read_path(environ, "ADYTON_PROVIDERS"),
            added_roots=read_path(environ, "ADYTON_ADDED_ROOTS"),
        )
