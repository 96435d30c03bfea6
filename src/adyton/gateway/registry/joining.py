"""Keeping this gateway's worker in a registry, its own or another's.

The worker signs; this carries what it signed, at the right times: a registration when the worker is
another one or half of its evidence's time is over, and a heartbeat every half a minute between.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import httpx

from adyton.adapters.registry import TIMEOUT, Membership, RegistryClient
from adyton.errors import AdytonError
from adyton.gateway.reach import Epochs
from adyton.gateway.registry.settings import Joining
from adyton.gateway.worker import Worker
from adyton.model.ports import Clock
from adyton.model.registry import Beat, State

__all__ = ["Joiner"]

_EVERY_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 5.0
_GOODBYE_SECONDS: Final = 3.0
# A worker without evidence comes again as often as one with.
_WITHOUT_EVIDENCE: Final = timedelta(hours=24)
# What only a new registration leads out of.
_LOST: Final = frozenset({State.UNTRUSTED, State.ATTESTATION_EXPIRED})

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Joined:
    """Where this worker stands: registered over which connection, and when it comes again."""

    membership: Membership
    epoch: int
    again: datetime


class Joiner:
    """Keeps the worker in the registry that ``settings`` name."""

    def __init__(
        self,
        worker: Worker,
        epochs: Epochs,
        settings: Joining,
        *,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._worker, self._epochs, self._settings = worker, epochs, settings
        self._clock, self._transport = clock, transport
        self._joined: _Joined | None = None

    async def keep(self) -> None:
        """Keep the worker registered, for ever; say goodbye at the end."""
        async with httpx.AsyncClient(timeout=TIMEOUT, transport=self._transport) as http:
            client = RegistryClient(http, url=self._settings.url, api_key=self._settings.api_key)
            try:
                # The worker comes later than its gateway.
                await self._epochs.next_epoch(0)
                while True:
                    pause = await self._step_or_note(client)
                    await asyncio.sleep(pause)
            finally:
                await self._leave(client)

    async def _step_or_note(self, client: RegistryClient) -> float:
        """Do what is due; return in how many seconds to look again."""
        try:
            await self.step(client)
        except AdytonError as error:
            _log.warning("registry-not-joined", extra={"code": error.code})
            return _RETRY_SECONDS
        return _EVERY_SECONDS

    async def step(self, client: RegistryClient) -> None:
        """Register or send a heartbeat, whichever is due."""
        joined = self._joined
        if joined is None or joined.epoch != self._epochs.epoch or self._clock() >= joined.again:
            await self._register(client)
            return
        name = joined.membership.id
        state = await client.beat(name, await self._worker.beat(Beat.ACTIVE))
        if state in _LOST:
            joined.again = self._clock()

    async def _register(self, client: RegistryClient) -> None:
        epoch, now = self._epochs.epoch, self._clock()
        challenge = await client.challenge()
        application = await self._worker.apply(challenge, endpoint=self._settings.endpoint)
        membership = await client.register(application)
        until = membership.until or now + _WITHOUT_EVIDENCE
        # After half of its time: so that a registry which is away for a while does no harm.
        self._joined = _Joined(membership=membership, epoch=epoch, again=now + (until - now) / 2)
        _log.info("registry-joined", extra={"worker": membership.id})

    async def _leave(self, client: RegistryClient) -> None:
        if self._joined is None or not self._worker.is_up:
            return
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                heartbeat = await self._worker.beat(Beat.OFFLINE)
                await client.beat(self._joined.membership.id, heartbeat)
        except (AdytonError, TimeoutError) as error:
            # It counts as offline in a minute anyway.
            _log.info("registry-not-left", extra={"error_type": type(error).__name__})
