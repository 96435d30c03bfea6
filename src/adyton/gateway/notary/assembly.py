"""The notary's part of a gateway, put together."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from adyton.adapters.stamps import StampFolder
from adyton.gateway.authentication import Authentication
from adyton.gateway.door import Door
from adyton.gateway.limits import Limiter
from adyton.gateway.metrics import Readings
from adyton.gateway.notary.checks import Checks
from adyton.gateway.notary.client import Notary
from adyton.gateway.notary.commits import Commits
from adyton.gateway.notary.log import Log
from adyton.gateway.notary.ranges import Ranges
from adyton.gateway.notary.settings import NotaryAccess
from adyton.gateway.notary.stamps import Stamps
from adyton.gateway.ports import Caller, Usage
from adyton.gateway.routes import Capability
from adyton.gateway.settings import GatewayLimits
from adyton.model.ports import Clock

__all__ = ["Notarized", "notarized"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notarized:
    """What commits and what reads the log; the work beside it, and what is metered of that."""

    capabilities: tuple[Capability, ...]
    background: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = ()
    gauges: Readings = field(default_factory=dict)
    counters: Readings = field(default_factory=dict)


def notarized(
    access: NotaryAccess,
    *,
    authentication: Authentication,
    limits: GatewayLimits,
    usage: Usage,
    caller: Caller,
    clock: Clock,
    monotonic: Callable[[], float],
) -> Notarized:
    """Return the notary's part, over ``caller``."""
    # A commit costs a thousandth of a question: its callers are counted by themselves.
    own = replace(limits, key_per_minute=access.per_minute)
    limiter = Limiter(own, usage, monotonic=monotonic, anonymous_per_minute=access.per_minute)
    notary = Notary(caller)
    door = Door(authentication=authentication, limiter=limiter)
    stamps = Stamps(notary=notary, folder=StampFolder(access.stamps))
    capabilities = (
        Commits(door=door, notary=notary, access=access),
        Checks(limiter=limiter),
        Log(
            notary=notary,
            ranges=Ranges(notary=notary),
            stamps=stamps,
            has_authority=access.time_authority is not None,
            limiter=limiter,
        ),
    )
    if access.time_authority is None:
        return Notarized(capabilities=capabilities)
    # Most gateways have no authority, and do without what asks one and reads its answers.
    from adyton.adapters.time_authority import ask_time  # noqa: PLC0415
    from adyton.gateway.notary.stamping import Stamper  # noqa: PLC0415

    stamper = Stamper(stamps=stamps, authority=access.time_authority, ask=ask_time, clock=clock)
    return Notarized(
        capabilities=capabilities,
        background=(stamper.keep,),
        gauges={("adyton_stamped_size", "Proofs under a time stamp"): lambda: stamper.size},
        counters={
            ("adyton_stamps_made", "Checkpoints stamped"): lambda: stamper.made,
            ("adyton_stamps_failed", "Time stamps not had"): lambda: stamper.failed,
        },
    )
