"""The gateway as a process: opens what it needs, serves, and closes it in the opposite order."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import (
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from adyton.adapters.evidence_pool import EvidencePool
from adyton.adapters.link import Link
from adyton.adapters.relay import Relay, RelayLimits
from adyton.adapters.store.database import open_store
from adyton.adapters.store.writer import AuditWriter
from adyton.errors import UnavailableError
from adyton.gateway.assembly import assemble
from adyton.gateway.connections import HttpConnection
from adyton.gateway.logs import place_of
from adyton.gateway.settings import GatewaySettings

__all__ = ["AddressUnavailableError", "Gateway", "running"]

_GRACE: Final = timedelta(seconds=15)
_KEEP_ALIVE_SECONDS: Final = 30
# Started when somebody asks: most of what a gateway does is not verifying, and this process has
# nothing of what does.
_VERIFYING_PROCESSES: Final = 2
_MAX_CONNECTIONS: Final = 1024
_MAX_HEAD_BYTES: Final = 32 * 1024

_log = logging.getLogger(__name__)


class AddressUnavailableError(UnavailableError):
    """HTTP cannot be served where the settings say."""

    code = "address-unavailable"

    def __init__(self, *, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"cannot listen on {host} port {port}: {reason}; ADYTON_PORT names another port"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A running gateway: where it listens, and how to end it."""

    host: str
    port: int
    server: uvicorn.Server
    task: asyncio.Task[None]

    def stop(self) -> None:
        """Take no more requests, finish those in work, and end."""
        self.server.should_exit = True


class _Server(uvicorn.Server):
    """Says when it listens, and leaves signals to whoever runs the process.

    Uvicorn repeats a signal at its own end: the process would be gone before anything else is
    closed.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # any context
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def running(settings: GatewaySettings) -> AsyncIterator[Gateway]:
    """Yield a gateway that serves; who leaves this block ends it.

    Raises ``StoreUnavailableError``, ``SocketUnavailableError`` or ``AddressUnavailableError``. A
    worker that is not there yet is waited for: until then, questions are answered 503.
    """
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listener(settings))
        store = await stack.enter_async_context(open_store(settings.database_url))
        audit = AuditWriter(store.audit)
        stack.push_async_callback(audit.close)
        relay = Relay(
            settings.egress_socket, settings.egress_policy(frozenset()), limits=RelayLimits()
        )
        await relay.start()
        stack.push_async_callback(relay.close)
        link = await Link.connect(settings.worker_socket)
        stack.push_async_callback(link.close)
        notary = await Link.connect(settings.notary.socket)
        stack.push_async_callback(notary.close)
        pool = stack.enter_context(EvidencePool(processes=_VERIFYING_PROCESSES))
        assembly = assemble(
            settings,
            verifier=pool,
            appraiser=pool,
            store=store,
            audit=audit,
            relay=relay,
            link=link,
            notary=notary,
        )
        for work in assembly.background:
            await stack.enter_async_context(_background(work()))
        server = _Server(_config(settings, assembly.app))
        task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
        task.add_done_callback(lambda _: server.listening.set())
        try:
            # What is announced can be connected to.
            await server.listening.wait()
            host, port = listener.getsockname()[:2]
            _log.info("serving", extra={"host": host, "port": port})
            yield Gateway(host=host, port=port, server=server, task=task)
        finally:
            server.should_exit = True
            await task


def _config(settings: GatewaySettings, app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=HttpConnection,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        # The caller's address is not used for anything: no header about it is believed.
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(_GRACE.total_seconds()),
        limit_concurrency=_MAX_CONNECTIONS,
        h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )


def _listener(settings: GatewaySettings) -> socket.socket:
    host, port = settings.host, settings.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise AddressUnavailableError(host=host, port=port, reason=reason) from error
    return listener


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    task.add_done_callback(_note_end)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _note_end(task: asyncio.Task[None]) -> None:
    # Background work has no end of its own: whatever ended it was not foreseen.
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error(
            "background-failed",
            extra={"error_type": type(error).__name__, "place": place_of(error)},
        )
