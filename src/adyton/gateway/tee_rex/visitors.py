"""Callers without a key, told apart by the address that their connection comes from.

No header is looked at to find out who it is: anybody could write one. Behind a proxy all callers
are one, so that a proxy that lets strangers in has limits of its own.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from starlette.requests import Request

from adyton.gateway.problems import TooManyRequestsError

__all__ = ["TooManyVisitsError", "Visitors"]

_WINDOW: Final = timedelta(hours=1)
_REMEMBERED: Final = 10_000
# Whoever has one address of such a network has all of it (RFC 6177).
_IPV6_PREFIX: Final = 64
_HERE: Final = "this machine"
# What a proxy on this machine adds: then loopback is not the caller.
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class TooManyVisitsError(TooManyRequestsError):
    """One address has had as many proofs made as it may without a key."""

    code = "too-many-visits"

    def __init__(self, *, limit: int, retry_after: timedelta) -> None:
        super().__init__(
            limit=f"{limit} proofs an hour without a key",
            retry_after=retry_after,
            whose="this address has reached its",
        )


class Visitors:
    """Lets ``per_hour`` requests of an address pass, in any hour; programs of this machine all."""

    def __init__(self, *, per_hour: int, monotonic: Callable[[], float]) -> None:
        self._limit, self._monotonic = per_hour, monotonic
        # Who came last is at the end; who came longest ago is forgotten first.
        self._visits: OrderedDict[str, deque[float]] = OrderedDict()

    def admit(self, request: Request) -> str:
        """Count one visit and return whose it is, or raise ``TooManyVisitsError``."""
        visitor = _visitor(request)
        if visitor is None:
            return _HERE
        now, window = self._monotonic(), _WINDOW.total_seconds()
        visits = self._visits.setdefault(visitor, deque())
        self._visits.move_to_end(visitor)
        if len(self._visits) > _REMEMBERED:
            self._visits.popitem(last=False)
        while visits and visits[0] <= now - window:
            visits.popleft()
        if len(visits) >= self._limit:
            pause = timedelta(seconds=visits[0] + window - now)
            raise TooManyVisitsError(limit=self._limit, retry_after=pause)
        visits.append(now)
        return visitor


def _visitor(request: Request) -> str | None:
    """Return who it is; ``None`` for a program of this machine."""
    # Over a unix socket there is no address: whoever may open it is of this machine.
    text = request.client.host if request.client is not None else "127.0.0.1"
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        # A socket of version 6 takes callers of version 4 too, all of them in one network.
        address = address.ipv4_mapped
    if address.is_loopback:
        is_proxied = any(name in request.headers for name in _FORWARDED)
        return "loopback" if is_proxied else None
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address)
