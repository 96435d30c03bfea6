"""The sandbox as a server: its own authority, one certificate for every vendor, one port."""

import asyncio
import ssl
import tempfile
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from adyton.crypto.certificates import ServerCertificate, TlsAuthority, issue_tls_root
from adyton.crypto.issuing import Validity
from adyton.sandbox.connection import Connection
from adyton.sandbox.exchange import Answer, Received, Vendor
from adyton.sandbox.routing import Router
from adyton.sandbox.vendors import VENDORS

__all__ = ["Certificate", "Sandbox"]

_LIFETIME: Final = timedelta(days=30)
_SLOW_SECONDS: Final = 300.0


class Certificate(Enum):
    """Which certificate the server shows: a client should accept the first kind only."""

    GOOD = auto()
    WRONG_NAME = auto()
    EXPIRED = auto()
    FOREIGN = auto()


class Sandbox:
    """Every built-in provider on one port of this machine.

    ``ca_pem`` is what a client must trust, and ``hosts`` the names that it must send here.
    ``requests`` counts what came by host and path; nothing else is kept of a request.
    """

    def __init__(
        self,
        *,
        vendors: Iterable[Vendor] = VENDORS,
        certificate: Certificate = Certificate.GOOD,
        maximum_tls: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        slow_seconds: float = _SLOW_SECONDS,
    ) -> None:
        self._router = Router(vendors)
        self._slow_seconds = slow_seconds
        now = datetime.now(UTC).replace(microsecond=0)
        root = _root(now)
        self.ca_pem = root.pem
        self._context = _context(
            _certificate(certificate, root, self._router.hosts, now), maximum_tls
        )
        self._server: asyncio.Server | None = None
        self._open: set[Connection] = set()
        self.requests: Counter[tuple[str, str]] = Counter()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of the vendors that are played here."""
        return self._router.hosts

    @property
    def port(self) -> int:
        """The port, once started."""
        if self._server is None:
            raise RuntimeError("the sandbox has not been started")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; with port 0, on one that is free."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._answer, self._slow_seconds, self._open),
            host,
            port,
            ssl=self._context,
            # A client that never completes its handshake holds nothing for long.
            ssl_handshake_timeout=10,
        )

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._open):
            connection.close()
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def _answer(self, received: Received) -> Answer:
        self.requests[received.host, received.path] += 1
        return self._router.answer(received)


def _root(now: datetime) -> TlsAuthority:
    return issue_tls_root("Adyton sandbox authority", validity=_validity(now))


def _validity(now: datetime) -> Validity:
    # From yesterday: the clock of a client may be behind.
    return Validity(first=now - timedelta(days=1), last=now + _LIFETIME)


def _certificate(
    kind: Certificate, root: TlsAuthority, hosts: tuple[str, ...], now: datetime
) -> ServerCertificate:
    match kind:
        case Certificate.GOOD:
            return root.issue_server(hosts, validity=_validity(now))
        case Certificate.WRONG_NAME:
            return root.issue_server(("elsewhere.example",), validity=_validity(now))
        case Certificate.EXPIRED:
            past = Validity(first=now - timedelta(days=20), last=now - timedelta(days=10))
            return root.issue_server(hosts, validity=past)
        case Certificate.FOREIGN:
            return _root(now).issue_server(hosts, validity=_validity(now))


def _context(certificate: ServerCertificate, maximum_tls: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = maximum_tls
    context.set_alpn_protocols(["http/1.1"])
    # Nobody comes back for a session, and each ticket costs a signature's time.
    context.num_tickets = 0
    # The ssl module reads keys from files only.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "server.pem")
        path.touch(mode=0o600)
        path.write_bytes(certificate.key_pem + certificate.chain_pem.encode())
        context.load_cert_chain(path)
    return context
