"""From a request to its answer: which vendor, which endpoint, which case."""

from collections.abc import Iterable
from typing import Final

from adyton.sandbox.cases import read_token
from adyton.sandbox.exchange import Answer, Received, Route, Vendor, json_answer
from adyton.sandbox.failures import disturbed

__all__ = ["Router"]

_MISDIRECTED: Final = json_answer({"error": "no vendor has this host name"}, status=421)


class Router:
    """The vendors by host name."""

    def __init__(self, vendors: Iterable[Vendor]) -> None:
        self._vendors = {vendor.host: vendor for vendor in vendors}

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host name that is played here."""
        return tuple(self._vendors)

    def answer(self, received: Received) -> Answer:
        """Return the answer, in the vendor's shape whatever it is."""
        vendor = self._vendors.get(received.host)
        if vendor is None:
            return _MISDIRECTED
        route = _route(vendor, received)
        if route is None:
            return vendor.error(404)
        token = read_token(route.token(received))
        if token is None:
            return vendor.error(vendor.unknown_token_status)
        return disturbed(token.case, lambda: route.answer(received, token), vendor.error)


def _route(vendor: Vendor, received: Received) -> Route | None:
    for route in vendor.routes:
        if route.method == received.method and _fits(route.path, received.path):
            return route
    return None


def _fits(pattern: str, path: str) -> bool:
    wanted, found = pattern.split("/"), path.split("/")
    return len(wanted) == len(found) and all(
        part in {"*", given} for part, given in zip(wanted, found, strict=True)
    )
