"""Keeps what the relay may reach in step with the providers of the worker that is connected."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

from adyton.adapters.egress import Destination, EgressPolicy
from adyton.codec.json import Json
from adyton.errors import AdytonError
from adyton.gateway.worker import Worker

__all__ = ["Epochs", "Reach"]

_PAUSE_SECONDS: Final = 0.5

_log = logging.getLogger(__name__)


class Gate(Protocol):
    """What holds the policy: ``adapters.relay.Relay``."""

    policy: EgressPolicy


class Epochs(Protocol):
    """What knows when the worker's connection changes: ``adapters.link.Link``."""

    @property
    def epoch(self) -> int:
        """Which connection this is."""
        ...

    async def next_epoch(self, seen: int) -> int:
        """Return the number of a later connection, once there is one."""
        ...


class Reach:
    """Gives ``gate`` the policy for each worker that connects."""

    def __init__(
        self,
        worker: Worker,
        epochs: Epochs,
        gate: Gate,
        policy: Callable[[frozenset[Destination]], EgressPolicy],
    ) -> None:
        self._worker, self._epochs, self._gate, self._policy = worker, epochs, gate, policy
        self._done = 0

    @property
    def is_current(self) -> bool:
        """Whether the worker that is connected can reach its providers already."""
        return self._worker.is_up and self._done == self._epochs.epoch

    async def follow(self) -> None:
        """Follow the connections, for ever."""
        while True:
            epoch = await self._epochs.next_epoch(self._done)
            try:
                providers = await self._worker.providers()
            except AdytonError as error:
                _log.warning("providers-unknown", extra={"code": error.code})
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            self._gate.policy = self._policy(_destinations(providers))
            self._done = epoch


def _destinations(providers: list[Json]) -> frozenset[Destination]:
    found: set[Destination] = set()
    for provider in providers:
        hosts = provider.get("hosts") if isinstance(provider, dict) else None
        for host in hosts if isinstance(hosts, list) else []:
            try:
                found.add(Destination.from_text(host if isinstance(host, str) else ""))
            except AdytonError as error:
                # A generic provider's host is the asker's: the operator allows names for it.
                _log.info("host-not-fixed", extra={"code": error.code})
    return frozenset(found)
