"""The egress relay: how a worker without a network reaches the providers.

A worker's cell connects to a unix socket, sends one frame ``{"host", "port"}``, and reads one frame
back: ``{"ok": true}`` or ``{"error": code}``. From then on the bytes of both directions pass as
they are: TLS ends in the worker, and the relay sees names, sizes and times. Nothing here protects
a worker from its host. What it does is keep whoever may ask from using the host as a way into
the networks behind it (see ``egress``), and keep one connection from taking everything.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, cast

from adyton.adapters.egress import (
    Destination,
    EgressPolicy,
    EgressUnreachableError,
    Lookup,
    look_up,
    resolve,
)
from adyton.adapters.frames import (
    HEADER_SIZE,
    FrameMalformedError,
    frame_size,
    pack_frame,
    unpack_frame,
)
from adyton.adapters.unix import listening_socket, remove_socket
from adyton.errors import AdytonError, UnavailableError

__all__ = ["EgressBusyError", "Relay", "RelayLimits", "RelayMeter"]

REQUEST_LIMIT: Final = 1024

_log = logging.getLogger(__name__)


class EgressBusyError(UnavailableError):
    """As many connections as the relay takes are open."""

    code = "egress-busy"

    def __init__(self) -> None:
        super().__init__("the egress relay has as many connections as it takes")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayLimits:
    """What one connection may take, and how many there may be."""

    connections: int = 256
    bytes_each_way: int = 64 * 1024 * 1024
    request: timedelta = timedelta(seconds=5)
    connect: timedelta = timedelta(seconds=10)
    idle: timedelta = timedelta(seconds=60)
    total: timedelta = timedelta(minutes=5)


@dataclass(slots=True, kw_only=True)
class RelayMeter:
    """What has passed so far: for the metrics."""

    open: int = 0
    opened: int = 0
    refused: int = 0
    bytes_out: int = 0
    bytes_in: int = 0


class Relay:
    """Listens until ``close``. Who replaces ``policy`` meanwhile decides about the next request."""

    def __init__(
        self,
        path: Path,
        policy: EgressPolicy,
        *,
        limits: RelayLimits,
        lookup: Lookup = look_up,
    ) -> None:
        self.policy, self.limits, self.meter = policy, limits, RelayMeter()
        self.lookup = lookup
        self._path = path
        self._inner: set[_Inner] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        listener = listening_socket(self._path)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Inner(self), sock=listener)

    async def close(self) -> None:
        """Stop listening, cut every connection, and remove the socket."""
        if self._server is None:
            return
        self._server.close()
        for inner in tuple(self._inner):
            inner.cut()
        await self._server.wait_closed()
        remove_socket(self._path)

    def admit(self, inner: "_Inner") -> None:
        """Count a connection, or raise ``EgressBusyError``."""
        if len(self._inner) >= self.limits.connections:
            raise EgressBusyError
        self._inner.add(inner)
        self.meter.open = len(self._inner)

    def dismiss(self, inner: "_Inner") -> None:
        """Count a connection no more."""
        self._inner.discard(inner)
        self.meter.open = len(self._inner)


class _Half(asyncio.Protocol):
    """One end of a relayed connection: what it receives, the other end sends.

    Each end reads only as fast as the other one writes, so that little is ever held in memory.
    """

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Half | None = None
        self.received = 0
        self.is_finished = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A stream socket's transport goes both ways; uvloop's does not say so by its class.
        self.transport = cast("asyncio.Transport", transport)

    def send(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        self.is_finished = True
        other = self.other
        if other is None or other.transport is None or other.is_finished:
            return False
        if not other.transport.is_closing():
            other.transport.write_eof()
        # The other direction goes on: a client may end its request before the answer begins.
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's name
        if self.other is not None and self.other.transport is not None:
            # What is already on its way still arrives.
            self.other.transport.close()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class _Outer(_Half):
    """The provider's end."""

    def __init__(self, inner: "_Inner") -> None:
        super().__init__()
        self.inner = inner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # Before any byte of the provider can arrive: the answer frame comes first.
        self.inner.joined(self)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self.inner.relay.meter.bytes_in += len(data)
        self.inner.passed(self)
        self.inner.send(data)


class _Inner(_Half):
    """The worker's end: reads the request, connects, and keeps the time and the limits."""

    def __init__(self, relay: Relay) -> None:
        super().__init__()
        self.relay = relay
        self._buffer = bytearray()
        self._connecting: asyncio.Task[None] | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._last = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        try:
            self.relay.admit(self)
        except EgressBusyError as error:
            self.refuse(error)
            return
        self._after(self.relay.limits.request, self._request_is_late)
        self._after(self.relay.limits.total, self.cut)

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._buffer += data
            self._read_request()
            return
        self._pass(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in self._timers:
            timer.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
        self.relay.dismiss(self)

    def joined(self, outer: _Outer) -> None:
        """Begin to relay: the provider's end is connected."""
        self.other, outer.other = outer, self
        self.relay.meter.opened += 1
        self._last = asyncio.get_running_loop().time()
        self._after(self.relay.limits.idle, self._cut_if_idle)
        self.send(pack_frame({"ok": True}))
        if self._buffer:
            self._pass(bytes(self._buffer))
            self._buffer.clear()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def passed(self, half: _Half) -> None:
        """Note that ``half`` received something, and cut where that is too much."""
        self._last = asyncio.get_running_loop().time()
        if half.received > self.relay.limits.bytes_each_way:
            _log.warning("egress-cut", extra={"code": "too-many-bytes"})
            self.cut()

    def cut(self) -> None:
        """End both connections now, whatever is on its way."""
        if self.other is not None:
            self.other.abort()
        self.abort()

    def refuse(self, error: AdytonError) -> None:
        """Answer with the error's code and close."""
        self.relay.meter.refused += 1
        _log.warning("egress-refused", extra={"code": error.code})
        self.send(pack_frame({"error": error.code}))
        if self.transport is not None:
            self.transport.close()

    def _pass(self, data: bytes) -> None:
        self.received += len(data)
        self.relay.meter.bytes_out += len(data)
        self.passed(self)
        if self.other is not None:
            self.other.send(data)

    def _read_request(self) -> None:
        if self._connecting is not None or len(self._buffer) < HEADER_SIZE:
            return
        try:
            end = HEADER_SIZE + frame_size(
                bytes(self._buffer[:HEADER_SIZE]), limit_bytes=REQUEST_LIMIT
            )
            if len(self._buffer) < end:
                return
            destination = Destination.from_fields(
                unpack_frame(bytes(self._buffer[HEADER_SIZE:end]))
            )
        except AdytonError as error:
            self.refuse(error)
            return
        del self._buffer[:end]
        if self.transport is not None:
            self.transport.pause_reading()
        self._connecting = asyncio.create_task(self._connect(destination), name="egress")

    async def _connect(self, destination: Destination) -> None:
        try:
            async with asyncio.timeout(self.relay.limits.connect.total_seconds()):
                addresses = await resolve(destination, self.relay.policy, lookup=self.relay.lookup)
                await self._connect_to_one_of(addresses)
        except AdytonError as error:
            self.refuse(error)
        except TimeoutError:
            self.refuse(EgressUnreachableError())

    async def _connect_to_one_of(self, addresses: tuple[tuple[str, int], ...]) -> None:
        loop = asyncio.get_running_loop()
        for address, port in addresses:
            try:
                await loop.create_connection(lambda: _Outer(self), address, port)
            except OSError:
                continue
            return
        raise EgressUnreachableError

    def _request_is_late(self) -> None:
        if self._connecting is None:
            self.refuse(FrameMalformedError("no request came in time"))

    def _cut_if_idle(self) -> None:
        idle = self.relay.limits.idle.total_seconds()
        rest = self._last + idle - asyncio.get_running_loop().time()
        if rest <= 0:
            _log.warning("egress-cut", extra={"code": "idle"})
            self.cut()
            return
        self._after(timedelta(seconds=rest), self._cut_if_idle)

    def _after(self, delay: timedelta, action: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(delay.total_seconds(), action))
