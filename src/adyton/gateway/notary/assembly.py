"""The notary's part of a gateway, put together."""

from collections.abc import Callable
from dataclasses import replace

from adyton.gateway.authentication import Authentication
from adyton.gateway.door import Door
from adyton.gateway.limits import Limiter
from adyton.gateway.notary.checks import Checks
from adyton.gateway.notary.client import Notary
from adyton.gateway.notary.commits import Commits
from adyton.gateway.notary.log import Log
from adyton.gateway.notary.ranges import Ranges
from adyton.gateway.notary.settings import NotaryAccess
from adyton.gateway.ports import Caller, Usage
from adyton.gateway.routes import Capability
from adyton.gateway.settings import GatewayLimits

__all__ = ["notarized"]


def notarized(
    access: NotaryAccess,
    *,
    authentication: Authentication,
    limits: GatewayLimits,
    usage: Usage,
    caller: Caller,
    monotonic: Callable[[], float],
) -> tuple[Capability, ...]:
    """Return what commits, and what reads the log, over ``caller``."""
    # A commit costs a thousandth of a question: its callers are counted by themselves.
    own = replace(limits, key_per_minute=access.per_minute)
    limiter = Limiter(own, usage, monotonic=monotonic, anonymous_per_minute=access.per_minute)
    notary = Notary(caller)
    door = Door(authentication=authentication, limiter=limiter)
    return (
        Commits(door=door, notary=notary, access=access),
        Checks(limiter=limiter),
        Log(notary=notary, ranges=Ranges(notary=notary), limiter=limiter),
    )
