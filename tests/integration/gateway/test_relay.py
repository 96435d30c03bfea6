"""The egress relay over real sockets: bytes as they are, to allowed places, within limits."""

import asyncio
import ipaddress
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.host import until

from adyton.adapters.egress import (
    Destination,
    EgressPolicy,
    EgressUnreachableError,
    Ip,
    NamePattern,
    override_from_text,
)
from adyton.adapters.frames import Fields, pack_frame, read_frame
from adyton.adapters.relay import Relay, RelayLimits

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
BANK: Fields = {"host": "bank.example", "port": 443}


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


class Provider:
    """A server on loopback, and the ends of its connections."""

    def __init__(self, serve: Callable[..., Awaitable[None]]) -> None:
        self._serve = serve
        self.connections: list[asyncio.Task[Any]] = []
        self.port = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections.append(task)
        with suppress(OSError):
            await self._serve(reader, writer)
        with suppress(OSError):
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def relaying(
    path: Path,
    serve: Callable[..., Awaitable[None]] = echo,
    *,
    policy: EgressPolicy | None = None,
    lookup: Any = None,
    **limits: Any,
) -> AsyncIterator[tuple[Relay, Provider]]:
    provider = Provider(serve)
    server = await asyncio.start_server(provider, "127.0.0.1", 0)
    provider.port = server.sockets[0].getsockname()[1]
    if policy is None:
        override = override_from_text(f"bank.example=127.0.0.1:{provider.port}")
        policy = EgressPolicy(overrides=dict([override]))
    options = {} if lookup is None else {"lookup": lookup}
    relay = Relay(path / "egress", policy, limits=RelayLimits(**limits), **options)
    await relay.start()
    try:
        yield relay, provider
    finally:
        await relay.close()
        server.close()
        await asyncio.wait_for(asyncio.gather(*provider.connections), 5)


async def connect(path: Path, request: Fields = BANK) -> tuple[Fields | None, Streams]:
    reader, writer = await asyncio.open_unix_connection(path / "egress")
    writer.write(pack_frame(request))
    async with asyncio.timeout(5):
        return await read_frame(reader), (reader, writer)


async def close(streams: Streams) -> None:
    streams[1].close()
    with suppress(OSError):
        await streams[1].wait_closed()


async def test_bytes_pass_both_ways_as_they_are(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    async with relaying(tmp_path) as (relay, _):
        answer, (reader, writer) = await connect(tmp_path)
        assert answer == {"ok": True}
        assert relay.meter.open == 1

        async def send() -> None:
            for start in range(0, len(data), 100_000):
                writer.write(data[start : start + 100_000])
                await writer.drain()
            writer.write_eof()

        sending = asyncio.create_task(send())
        received = await asyncio.wait_for(reader.read(-1), 10)
        await sending
        assert received == data
        assert relay.meter.bytes_out == relay.meter.bytes_in == len(data)
        await close((reader, writer))
        await until(lambda: relay.meter.open == 0)


async def test_what_is_sent_with_the_request_arrives(tmp_path: Path) -> None:
    async with relaying(tmp_path):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "egress")
        writer.write(pack_frame(BANK) + b"early")
        assert await read_frame(reader) == {"ok": True}
        assert await asyncio.wait_for(reader.readexactly(5), 5) == b"early"
        await close((reader, writer))


async def test_a_request_may_come_in_single_bytes(tmp_path: Path) -> None:
    async with relaying(tmp_path):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "egress")
        for byte in pack_frame(BANK):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        assert await asyncio.wait_for(read_frame(reader), 5) == {"ok": True}
        await close((reader, writer))


async def test_a_provider_that_speaks_first_is_heard_after_the_answer(tmp_path: Path) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"welcome")
        await reader.read()

    async with relaying(tmp_path, greet):
        answer, (reader, writer) = await connect(tmp_path)
        assert answer == {"ok": True}
        assert await asyncio.wait_for(reader.readexactly(7), 5) == b"welcome"
        await close((reader, writer))


async def test_a_provider_that_hangs_up_is_heard_to_the_end(tmp_path: Path) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(b"x" * 500_000)

    async with relaying(tmp_path, speak) as (relay, _):
        _, (reader, writer) = await connect(tmp_path)
        writer.write(b"?")
        assert len(await asyncio.wait_for(reader.read(-1), 5)) == 500_000
        await close((reader, writer))
        await until(lambda: relay.meter.open == 0)


async def test_a_cell_that_dies_takes_its_connection_with_it(tmp_path: Path) -> None:
    gone = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read()
        gone.set()

    async with relaying(tmp_path, wait) as (relay, _):
        _, streams = await connect(tmp_path)
        streams[1].transport.abort()
        await asyncio.wait_for(gone.wait(), 5)
        await until(lambda: relay.meter.open == 0)
        await close(streams)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"host": "other.example", "port": 443}, "egress-refused"),
        ({"host": "bank.example", "port": 80}, "egress-refused"),
        ({"host": "127.0.0.1", "port": 443}, "egress-address-refused"),
        ({"host": "[::1]", "port": 443}, "egress-address-refused"),
        ({"host": "0x7f.1", "port": 443}, "egress-address-refused"),
        ({"host": "", "port": 443}, "destination-malformed"),
        ({"host": "bank.example"}, "destination-malformed"),
        ({"host": "x" * 2000, "port": 443}, "frame-malformed"),
    ],
)
async def test_another_place_is_refused_with_its_code(
    tmp_path: Path, request_: Fields, code: str
) -> None:
    async with relaying(tmp_path) as (relay, provider):
        answer, (reader, writer) = await connect(tmp_path, request_)
        assert answer == {"error": code}
        with suppress(ConnectionError):
            assert await reader.read() == b""
        await close((reader, writer))
        assert relay.meter.refused == 1
        assert not provider.connections


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n", b"\1\0\0\0\xc1"])
async def test_what_is_no_request_is_refused(tmp_path: Path, data: bytes) -> None:
    async with relaying(tmp_path):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "egress")
        writer.write(data)
        assert await asyncio.wait_for(read_frame(reader), 5) == {"error": "frame-malformed"}
        await close((reader, writer))


async def test_a_public_name_that_leads_inside_is_refused(tmp_path: Path) -> None:
    async def lookup(host: str, port: int) -> tuple[Ip, ...]:
        return (ipaddress.ip_address("8.8.8.8"), ipaddress.ip_address("127.0.0.1"))

    policy = EgressPolicy(destinations=frozenset({Destination("bank.example", 443)}))
    async with relaying(tmp_path, policy=policy, lookup=lookup) as (_, provider):
        answer, streams = await connect(tmp_path)
        assert answer == {"error": "egress-address-refused"}
        assert not provider.connections
        await close(streams)


async def test_localhost_is_refused_even_where_any_name_is_allowed(tmp_path: Path) -> None:
    async with relaying(tmp_path, policy=EgressPolicy()) as (relay, provider):
        relay.policy = EgressPolicy(patterns=(NamePattern.from_text(f"*:{provider.port}"),))
        answer, streams = await connect(tmp_path, {"host": "localhost", "port": provider.port})
        assert answer == {"error": "egress-address-refused"}
        await close(streams)


async def test_the_next_address_is_tried(tmp_path: Path) -> None:
    async def lookup(host: str, port: int) -> tuple[Ip, ...]:
        return (ipaddress.ip_address("127.255.255.254"), ipaddress.ip_address("127.0.0.1"))

    async with relaying(tmp_path, lookup=lookup):
        answer, streams = await connect(tmp_path)
        assert answer == {"ok": True}
        await close(streams)


async def test_a_place_where_nobody_answers_is_unreachable(tmp_path: Path) -> None:
    policy = EgressPolicy(overrides=dict([override_from_text("bank.example=127.0.0.1:1")]))
    async with relaying(tmp_path, policy=policy):
        answer, streams = await connect(tmp_path)
        assert answer == {"error": "egress-unreachable"}
        await close(streams)


async def test_a_name_without_an_address_is_unreachable(tmp_path: Path) -> None:
    async def lookup(host: str, port: int) -> tuple[Ip, ...]:
        raise EgressUnreachableError

    policy = EgressPolicy(destinations=frozenset({Destination("bank.example", 443)}))
    async with relaying(tmp_path, policy=policy, lookup=lookup):
        answer, streams = await connect(tmp_path)
        assert answer == {"error": "egress-unreachable"}
        await close(streams)


async def test_a_look_up_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    async def lookup(host: str, port: int) -> tuple[Ip, ...]:
        await asyncio.sleep(3600)
        return ()

    policy = EgressPolicy(destinations=frozenset({Destination("bank.example", 443)}))
    limit = timedelta(milliseconds=20)
    async with relaying(tmp_path, policy=policy, lookup=lookup, connect=limit):
        answer, streams = await connect(tmp_path)
        assert answer == {"error": "egress-unreachable"}
        await close(streams)


async def test_a_cell_that_asks_nothing_is_dismissed(tmp_path: Path) -> None:
    async with relaying(tmp_path, request=timedelta(milliseconds=20)) as (relay, _):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "egress")
        assert await asyncio.wait_for(read_frame(reader), 5) == {"error": "frame-malformed"}
        await close((reader, writer))
        await until(lambda: relay.meter.open == 0)


async def test_an_idle_connection_is_cut(tmp_path: Path) -> None:
    async with relaying(tmp_path, idle=timedelta(milliseconds=50)):
        _, (reader, writer) = await connect(tmp_path)
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        await close((reader, writer))


async def test_a_connection_that_is_used_is_not_idle(tmp_path: Path) -> None:
    async with relaying(tmp_path, idle=timedelta(milliseconds=200)):
        _, (reader, writer) = await connect(tmp_path)
        for _ in range(10):
            writer.write(b"x")
            assert await asyncio.wait_for(reader.readexactly(1), 5) == b"x"
            await asyncio.sleep(0.04)
        await close((reader, writer))


async def test_a_connection_that_lasts_too_long_is_cut(tmp_path: Path) -> None:
    async with relaying(tmp_path, total=timedelta(milliseconds=100)):
        _, (reader, writer) = await connect(tmp_path)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            async with asyncio.timeout(5):
                while True:
                    writer.write(b"x")
                    await reader.readexactly(1)
                    await asyncio.sleep(0.01)
        await close((reader, writer))


@pytest.mark.parametrize("direction", ["out", "in"])
async def test_more_bytes_than_the_limit_are_cut(tmp_path: Path, direction: str) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if direction == "in":
            writer.write(b"x" * 300_000)
        await reader.read()

    async with relaying(tmp_path, flood, bytes_each_way=200_000) as (relay, _):
        _, (reader, writer) = await connect(tmp_path)
        if direction == "out":
            writer.write(b"x" * 300_000)
        received = b""
        with suppress(ConnectionError):
            while data := await asyncio.wait_for(reader.read(65_536), 5):
                received += data
        assert len(received) < 300_000
        await close((reader, writer))
        await until(lambda: relay.meter.open == 0)


async def test_more_connections_than_the_limit_are_told_so(tmp_path: Path) -> None:
    async with relaying(tmp_path, connections=2) as (relay, _):
        held = [(await connect(tmp_path))[1] for _ in range(2)]
        answer, refused = await connect(tmp_path)
        assert answer == {"error": "egress-busy"}
        await close(refused)
        await close(held.pop())
        await until(lambda: relay.meter.open == 1)
        answer, streams = await connect(tmp_path)
        assert answer == {"ok": True}
        await close(streams)
        await close(held.pop())


async def test_a_slow_reader_does_not_fill_the_relays_memory(tmp_path: Path) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(400):
            writer.write(b"x" * 100_000)
            await writer.drain()

    async with relaying(tmp_path, flood) as (relay, _):
        _, (reader, writer) = await connect(tmp_path)
        last = -1
        while last != relay.meter.bytes_in:
            last = relay.meter.bytes_in
            await asyncio.sleep(0.1)
        assert last < 5_000_000, "of forty million"
        total = 0
        while data := await asyncio.wait_for(reader.read(1_000_000), 5):
            total += len(data)
        assert total == 40_000_000
        await close((reader, writer))


async def test_a_new_policy_decides_about_the_next_request(tmp_path: Path) -> None:
    async with relaying(tmp_path) as (relay, _):
        answer, first = await connect(tmp_path)
        assert answer == {"ok": True}
        relay.policy = EgressPolicy()
        answer, second = await connect(tmp_path)
        assert answer == {"error": "egress-refused"}
        first[1].write(b"still here")
        assert await asyncio.wait_for(first[0].readexactly(10), 5) == b"still here"
        await close(first)
        await close(second)


async def test_the_relays_end_is_the_end_of_its_connections(tmp_path: Path) -> None:
    path = tmp_path / "egress"
    async with relaying(tmp_path) as (relay, _):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600  # a test
        _, (reader, writer) = await connect(tmp_path)
        await relay.close()
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        await close((reader, writer))
        assert not path.exists()  # a test
