"""What goes on in the registry without being asked: time passes, and evidence is verified again."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from adyton.adapters.store.registry import RegistryTable
from adyton.errors import AdytonError, UnavailableError
from adyton.gateway.metrics import Readings
from adyton.gateway.registry.admission import Admission
from adyton.model.ports import Clock
from adyton.model.registry import Exhibit, RegisteredWorker, State, UsedCollateral

__all__ = ["Keeper"]

_EVERY_SECONDS: Final = 15.0
# Verified one after the other: as much as fits between two looks, without holding up requests.
_AT_ONCE: Final = 32
# Far longer than any challenge lives: what is forgotten cannot come back as it was.
_FORGOTTEN: Final = timedelta(days=30)

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Keeper:
    """Keeps the registry true. Several gateways may do so at once, over one store."""

    registry: RegistryTable
    admission: Admission
    verify_every: timedelta
    clock: Clock
    verified: int = 0
    refused: int = 0
    forgotten: int = 0
    counts: dict[State, int] = field(default_factory=lambda: dict.fromkeys(State, 0))

    @property
    def gauges(self) -> Readings:
        """How many workers are in each state, when somebody looked last."""
        return {
            (
                f"adyton_registry_{state.value.replace('-', '_')}",
                f"Registered workers that are {state.value}",
            ): partial(self.counts.__getitem__, state)
            for state in State
        }

    @property
    def counters(self) -> Readings:
        """What was done here since the start."""
        return {
            ("adyton_registry_verified", "Evidence verified again"): lambda: self.verified,
            ("adyton_registry_refused", "Workers that lost trust so"): lambda: self.refused,
            ("adyton_registry_forgotten", "Workers that were silent for long"): lambda: (
                self.forgotten
            ),
        }

    async def keep(self) -> None:
        """Keep the registry, for ever."""
        while True:
            try:
                await self.tend(self.clock())
            except AdytonError as error:
                _log.warning("registry-not-kept", extra={"code": error.code})
            await asyncio.sleep(_EVERY_SECONDS)

    async def tend(self, now: datetime) -> None:
        """Do what is due at ``now``.

        1. what time has done to workers is written down;
        2. evidence that was not verified lately is verified again;
        3. what was silent for a month is forgotten.
        """
        # Step 1
        await self.registry.settle(now)
        # Step 2
        due = await self.registry.due(
            verified_before=now - self.verify_every, now=now, limit=_AT_ONCE
        )
        for worker, exhibit in due:
            await self._verify(worker, exhibit, now)
        # Step 3
        self.forgotten += await self.registry.purge(now - _FORGOTTEN, now=now)
        self.counts.update(dict.fromkeys(State, 0) | await self.registry.count(now))

    async def _verify(self, worker: RegisteredWorker, exhibit: Exhibit, now: datetime) -> None:
        if worker.attestation is None:
            return
        signed_sha256 = worker.attestation.signed_sha256
        used = UsedCollateral(
            file=exhibit.collateral, fetched=worker.attestation.collateral_fetched
        )
        try:
            verdict, used = await self.admission.verify_again(exhibit, used=used, now=now)
        except UnavailableError as error:
            # No answer is no reason to refuse, and none to call it verified: it stays due.
            _log.warning("evidence-not-verified", extra={"code": error.code, "worker": worker.id})
            return
        except AdytonError as error:
            # What was stored by an earlier version, and is not read by this one.
            reason: str | None = error.code
        else:
            reason = None if verdict.accepted else verdict.reasons[0].code
        self.verified += 1
        if reason is None:
            await self.registry.confirm(worker.id, signed_sha256, used=used, now=now)
        elif await self.registry.refuse(worker.id, signed_sha256, used=used, reason=reason):
            self.refused += 1
            _log.warning("worker-untrusted", extra={"code": reason, "worker": worker.id})
