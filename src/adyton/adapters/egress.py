"""Where the egress relay may connect to: names on a list, at addresses of the public internet.

A caller may bring a provider of its own, so a name is the caller's choice. Without these rules the
host would connect to its own loopback, its neighbours, or its cloud's metadata service for whoever
asks. A name is checked first, then every address it resolves to, and the connection goes to a
checked address: a second look-up could answer differently.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from adyton.adapters.frames import Fields
from adyton.errors import MalformedError, RejectedError, UnavailableError

__all__ = [
    "HTTPS_PORT",
    "Destination",
    "DestinationMalformedError",
    "EgressAddressRefusedError",
    "EgressPolicy",
    "EgressRefusedError",
    "EgressUnreachableError",
    "Lookup",
    "NamePattern",
    "is_public",
    "look_up",
    "override_from_text",
    "resolve",
]

HTTPS_PORT: Final = 443
_MAX_PORT: Final = 65_535
_MAX_NAME: Final = 253
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# What an address parser would take for an IPv4 address: 127.1, 2130706433, 0x7f.0.0.1.
_NUMERIC_END: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
# RFC 6052: the IPv4 address is in the last 32 bits, and the network translates it.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# Python's own tables lack these, or have had them only since some patch release. 168.63.129.16 is
# public by its number, and the host's own in every virtual network of Azure.
_NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48")
)

Ip: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup: TypeAlias = Callable[[str, int], Awaitable[tuple[Ip, ...]]]


class DestinationMalformedError(MalformedError):
    """A destination is not a host name (or a pattern of one) and a port."""

    code = "destination-malformed"


class EgressRefusedError(RejectedError):
    """The name and port are not on the list."""

    code = "egress-refused"

    def __init__(self) -> None:
        super().__init__("the host does not allow connections to this name and port")


class EgressAddressRefusedError(RejectedError):
    """The name leads to an address that is not of the public internet, or is an address itself."""

    code = "egress-address-refused"

    def __init__(self) -> None:
        super().__init__("the name does not lead to a public address")


class EgressUnreachableError(UnavailableError):
    """The name has no address now, or nobody answers there."""

    code = "egress-unreachable"

    def __init__(self) -> None:
        super().__init__("the destination cannot be reached")


@dataclass(frozen=True, slots=True)
class Destination:
    """A host name in lower case and a port. An address is not a name."""

    host: str
    port: int

    def __post_init__(self) -> None:
        """Refuse what is not a name of the DNS."""
        if len(self.host) > _MAX_NAME or not _NAME.fullmatch(self.host):
            raise DestinationMalformedError("the host is not a name in lower-case ascii")
        if _NUMERIC_END.fullmatch(self.host):
            raise EgressAddressRefusedError
        if not 0 < self.port <= _MAX_PORT:
            raise DestinationMalformedError(f"the port is not in 1..{_MAX_PORT}")

    @classmethod
    def from_fields(cls, fields: Fields) -> "Destination":
        """Return the destination that a frame asks for, or raise."""
        host, port = fields.get("host"), fields.get("port")
        if fields.keys() != {"host", "port"} or not isinstance(host, str):
            raise DestinationMalformedError("the request is not a host and a port")
        if not isinstance(port, int) or isinstance(port, bool):
            raise DestinationMalformedError("the port is not an integer")
        if _is_address(host):
            raise EgressAddressRefusedError
        return cls(host.lower().removesuffix("."), port)

    @classmethod
    def from_text(cls, text: str) -> "Destination":
        """Return the destination in ``name`` (port 443) or ``name:port``, or raise."""
        host, port = _split_port(text, default=HTTPS_PORT)
        return cls.from_fields({"host": host, "port": port})


@dataclass(frozen=True, slots=True)
class NamePattern:
    """``name``, ``*.suffix`` (any depth, not the suffix itself) or ``*``, at one port."""

    suffix: str
    is_wild: bool
    port: int

    @classmethod
    def from_text(cls, text: str) -> "NamePattern":
        """Return the pattern in ``pattern`` (port 443) or ``pattern:port``, or raise."""
        host, port = _split_port(text, default=HTTPS_PORT)
        if host == "*":
            return cls("", is_wild=True, port=port)
        is_wild = host.startswith("*.")
        name = Destination.from_fields({"host": host.removeprefix("*."), "port": port}).host
        return cls(f".{name}" if is_wild else name, is_wild=is_wild, port=port)

    def matches(self, destination: Destination) -> bool:
        """Whether ``destination`` fits."""
        if destination.port != self.port:
            return False
        if self.is_wild:
            return destination.host.endswith(self.suffix)
        return destination.host == self.suffix


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressPolicy:
    """What the operator allows.

    ``destinations`` are those of the worker's providers, ``patterns`` the operator's additions.
    ``overrides`` say where a name is to be found instead; naming one is the operator's consent, so
    that such a name is allowed and its address is not asked about.
    """

    destinations: frozenset[Destination] = frozenset()
    patterns: tuple[NamePattern, ...] = ()
    overrides: Mapping[Destination, tuple[str, int]] = field(default_factory=dict)

    def check(self, destination: Destination) -> None:
        """Raise ``EgressRefusedError`` unless ``destination`` is allowed."""
        if destination in self.destinations or destination in self.overrides:
            return
        if not any(pattern.matches(destination) for pattern in self.patterns):
            raise EgressRefusedError


async def resolve(
    destination: Destination, policy: EgressPolicy, *, lookup: Lookup
) -> tuple[tuple[str, int], ...]:
    """Return the addresses to connect to for an allowed ``destination``.

    1. the policy allows the name and port;
    2. every address of the name is public. One that is not spoils all: a name of the public
       internet has no business in a private network, and which one gets used is luck.

    An override is taken as it is. Raises ``EgressRefusedError``, ``EgressAddressRefusedError`` or
    ``EgressUnreachableError``.
    """
    # Step 1
    policy.check(destination)
    if (override := policy.overrides.get(destination)) is not None:
        return tuple((str(address), override[1]) for address in await lookup(*override))
    # Step 2
    addresses = await lookup(destination.host, destination.port)
    if not all(is_public(address) for address in addresses):
        raise EgressAddressRefusedError
    return tuple((str(address), destination.port) for address in addresses)


def is_public(address: Ip) -> bool:
    """Whether ``address`` is one host of the public internet, whatever it is wrapped in."""
    if isinstance(address, ipaddress.IPv6Address):
        if (inner := _embedded(address)) is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not (
        any(address in network for network in _NOT_PUBLIC)
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_loopback
        or address.is_link_local
    )


def _split_port(text: str, *, default: int) -> tuple[str, int]:
    """Return host and port of ``host``, ``host:port`` or ``[address]:port``, or raise."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or port.endswith("]"):
        host, port = text.strip(), str(default)
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= _MAX_PORT):
        raise DestinationMalformedError(f"the port of {text[:64]!r} is not in 1..{_MAX_PORT}")
    host = host.removeprefix("[").removesuffix("]")
    if not host:
        raise DestinationMalformedError(f"there is no host in {text[:64]!r}")
    return host, int(port)


def override_from_text(text: str) -> tuple[Destination, tuple[str, int]]:
    """Return what ``name[:port]=address:port`` says, or raise."""
    name, equals, target = text.strip().partition("=")
    if not equals:
        raise DestinationMalformedError(f"{text[:64]!r} is not name=address:port")
    return Destination.from_text(name), _split_port(target, default=HTTPS_PORT)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


async def look_up(host: str, port: int) -> tuple[Ip, ...]:
    """Return the addresses that the system knows for ``host``, or raise."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise EgressUnreachableError from error
    # A scoped IPv6 address ("fe80::1%eth0") is link-local: ip_address keeps the scope and says so.
    return tuple(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))
