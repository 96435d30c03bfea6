"""Callers without a key, told apart by the address that their connection comes from.

No header is looked at to find out who it is: anybody could write one. Behind a proxy all callers
are one, so that a proxy that lets strangers in has limits of its own.

One thing on this machine is not of this machine: a page in its browser. It can send what a browser
sends without asking anybody, over loopback, and whoever wrote the page is a stranger. No page can
keep its browser from saying that it is one, in headers that scripts cannot set.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from starlette.requests import Request

from adyton.errors import RejectedError
from adyton.gateway.problems import TooManyRequestsError

__all__ = ["ANY_ORIGIN", "OriginRejectedError", "TooManyVisitsError", "Visitors"]

ANY_ORIGIN: Final = "*"

_WINDOW: Final = timedelta(hours=1)
_REMEMBERED: Final = 10_000
# Whoever has one address of such a network has all of it (RFC 6177).
_IPV6_PREFIX: Final = 64
_HERE: Final = "this machine"
# What a proxy on this machine adds: then loopback is not the caller.
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_PROXY, _BROWSER = "loopback", "a browser here"


class OriginRejectedError(RejectedError):
    """A page in a browser on this machine, of an origin that the operator has not named."""

    code = "origin-rejected"

    def __init__(self) -> None:
        super().__init__(
            "a page on the gateway's own machine has to be of an origin in ADYTON_TEE_REX_ORIGINS"
        )


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
    """Lets ``per_hour`` requests of an address pass, in any hour; programs of this machine all.

    Pages in its browser pass if they are of one of ``origins``, and are counted.
    """

    def __init__(
        self,
        *,
        per_hour: int,
        origins: frozenset[str] = frozenset(),
        monotonic: Callable[[], float],
    ) -> None:
        self._limit, self._origins, self._monotonic = per_hour, origins, monotonic
        # Who came last is at the end; who came longest ago is forgotten first.
        self._visits: OrderedDict[str, deque[float]] = OrderedDict()

    def check_origin(self, request: Request) -> str | None:
        """Return who is to be counted, ``None`` for a program on this machine.

        Raises ``OriginRejectedError`` for a page on this machine whose origin is not known.

        A page elsewhere may be of any: it has to reach the gateway, and its address is counted.
        """
        visitor = _visitor(request)
        if visitor != _BROWSER or ANY_ORIGIN in self._origins:
            return visitor
        if request.headers.get("origin") not in self._origins:
            raise OriginRejectedError
        return visitor

    def admit(self, request: Request) -> str:
        """Count one visit and return whose it is.

        Raises ``OriginRejectedError`` or ``TooManyVisitsError``.
        """
        visitor = self.check_origin(request)
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
        return _on_loopback(request)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address)


def _on_loopback(request: Request) -> str | None:
    if any(name in request.headers for name in _FORWARDED):
        return _PROXY
    # A browser names a page's origin with every POST, and the site with what a page just loads.
    is_page = "origin" in request.headers or (
        request.headers.get("sec-fetch-site", "none").lower() != "none"
    )
    return _BROWSER if is_page else None
