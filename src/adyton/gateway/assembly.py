"""The parts of a gateway, put together: which capability gets what.

Whoever adds a capability adds it here: its routes, what runs beside the requests, what is metered.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.types import ASGIApp

from adyton.adapters.link import Link
from adyton.adapters.relay import Relay
from adyton.adapters.store.database import Store
from adyton.adapters.store.writer import AuditWriter
from adyton.errors import AdytonError
from adyton.gateway.app import VERSION, create_app
from adyton.gateway.authentication import Authentication
from adyton.gateway.door import Door
from adyton.gateway.evidence import EvidenceVerifications
from adyton.gateway.health import Health
from adyton.gateway.limits import Limiter
from adyton.gateway.metrics import Metrics
from adyton.gateway.notary.assembly import Notarized, notarized
from adyton.gateway.ports import Appraiser, Verifier
from adyton.gateway.proving.assembly import delegated
from adyton.gateway.questions import Questions
from adyton.gateway.reach import Reach
from adyton.gateway.readings import Readings
from adyton.gateway.registry.admission import Admission
from adyton.gateway.registry.endorsements import Endorsements
from adyton.gateway.registry.keeping import Keeper
from adyton.gateway.registry.service import Registry
from adyton.gateway.registry.settings import CollateralOrigin, RegistrySettings
from adyton.gateway.routes import Capability
from adyton.gateway.settings import GatewaySettings
from adyton.gateway.tenzro import Tenzro
from adyton.gateway.verifications import Verifications
from adyton.gateway.worker import Worker

__all__ = ["Assembly", "assemble"]

Work = Callable[[], Coroutine[Any, Any, None]]

_PURGE_EVERY: Final = timedelta(hours=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The application, and the work that goes on beside its requests, for ever."""

    app: ASGIApp
    background: tuple[Work, ...]


def assemble(
    settings: GatewaySettings,
    *,
    verifier: Verifier,
    appraiser: Appraiser,
    store: Store,
    audit: AuditWriter,
    relay: Relay,
    link: Link,
    notary: Link,
) -> Assembly:
    """Return the gateway that ``settings`` describe, around what has been opened for it."""
    limits = settings.limits
    limiter = Limiter(limits, store.usage, monotonic=time.monotonic)
    authentication = Authentication(store.keys, clock=_now, monotonic=time.monotonic)
    door = Door(authentication=authentication, limiter=limiter)
    worker = Worker(link, monotonic=time.monotonic)
    reach = Reach(worker, link, relay, settings.egress_policy)
    admission = Admission(
        registry=store.registry,
        appraiser=appraiser,
        endorsements=_endorsements(settings.registry),
        settings=settings.registry,
    )
    keeper = Keeper(
        registry=store.registry,
        admission=admission,
        verify_every=settings.registry.verify_every,
        clock=_now,
    )
    commits = notarized(
        settings.notary,
        authentication=authentication,
        limits=limits,
        usage=store.usage,
        caller=notary,
        clock=_now,
        monotonic=time.monotonic,
    )
    metrics = _metrics(
        limiter=limiter,
        worker=worker,
        audit=audit,
        relay=relay,
        link=link,
        keeper=keeper,
        commits=commits,
    )
    proofs = delegated(
        settings.proving,
        door=door,
        worker=worker,
        jobs=store.jobs,
        audit=audit,
        metrics=metrics,
        clock=_now,
        monotonic=time.monotonic,
    )
    capabilities: tuple[Capability, ...] = (
        # First: paths are compared in this order, and nothing is asked as often as a commit.
        *commits.capabilities,
        Questions(
            door=door,
            worker=worker,
            reach=reach,
            audit=audit,
            metrics=metrics,
            clock=_now,
            deadline=limits.deadline,
        ),
        Verifications(door=door, verifier=verifier, clock=_now, deadline=limits.deadline),
        EvidenceVerifications(
            door=door, appraiser=appraiser, clock=_now, folder=settings.state_dir
        ),
        Tenzro(door=door, appraiser=appraiser, clock=_now),
        Registry(
            door=door,
            limiter=limiter,
            registry=store.registry,
            admission=admission,
            clock=_now,
        ),
        Readings(
            worker=worker,
            health=Health(worker, reach, store, monotonic=time.monotonic),
            limiter=limiter,
            metrics=metrics,
            version=VERSION,
        ),
        *proofs.capabilities,
    )
    return Assembly(
        app=create_app(capabilities, metrics=metrics, monotonic=time.monotonic),
        background=(
            reach.follow,
            proofs.keep,
            keeper.keep,
            *commits.background,
            *_joining(settings, worker, link),
            lambda: _purge(store, limits.retention),
        ),
    )


def _endorsements(settings: RegistrySettings) -> Endorsements:
    if settings.policy is None or settings.collateral is CollateralOrigin.GIVEN:
        return Endorsements(source=None)
    # Most registries take what workers bring, and do without a client for vendors.
    from adyton.gateway.registry.vendors import Vendors  # noqa: PLC0415

    return Endorsements(source=Vendors.under(settings.policy))


def _joining(settings: GatewaySettings, worker: Worker, link: Link) -> tuple[Work, ...]:
    if (joining := settings.registry.joining) is None:
        return ()
    # Most gateways are in no registry, and do without a client for one.
    from adyton.gateway.registry.joining import Joiner  # noqa: PLC0415

    return (Joiner(worker, link, joining, clock=_now).keep,)


def _metrics(
    *,
    limiter: Limiter,
    worker: Worker,
    audit: AuditWriter,
    relay: Relay,
    link: Link,
    keeper: Keeper,
    commits: Notarized,
) -> Metrics:
    meter = relay.meter
    return Metrics(
        gauges={
            ("adyton_in_flight", "Requests in work"): lambda: limiter.in_flight,
            ("adyton_worker_up", "Whether the worker is connected"): lambda: link.is_up,
            ("adyton_worker_queue", "Questions that wait in the worker"): lambda: worker.queue,
            ("adyton_egress_open", "Connections through the relay"): lambda: meter.open,
            **keeper.gauges,
            **commits.gauges,
        },
        counters={
            ("adyton_worker_connections", "Times the worker connected"): lambda: link.epoch,
            ("adyton_egress_opened", "Connections the relay made"): lambda: meter.opened,
            ("adyton_egress_refused", "Connections the relay refused"): lambda: meter.refused,
            ("adyton_egress_sent_bytes", "Bytes to providers"): lambda: meter.bytes_out,
            ("adyton_egress_received_bytes", "Bytes from providers"): lambda: meter.bytes_in,
            ("adyton_audit_written", "Audit entries written"): lambda: audit.written,
            ("adyton_audit_failed", "Audit entries not written"): lambda: audit.failed,
            **keeper.counters,
            **commits.counters,
        },
    )


async def _purge(store: Store, retention: timedelta) -> None:
    """Delete what is older than ``retention``, every hour."""
    while True:
        now = _now()
        try:
            purged = await store.audit.purge(now - retention)
            await store.usage.purge((now - timedelta(days=1)).date())
        except AdytonError as error:
            _log.warning("purge-failed", extra={"code": error.code})
        else:
            if purged:
                _log.info("purged", extra={"entries": purged})
        await asyncio.sleep(_PURGE_EVERY.total_seconds())


def _now() -> datetime:
    return datetime.now(UTC)
