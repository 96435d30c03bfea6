"""What a connection may keep a gateway waiting for."""

import asyncio
import socket
from contextlib import suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from adyton.gateway import connections
from adyton.gateway.connections import HttpConnection


async def test_a_peer_that_stops_reading_its_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    # Else a stranger begins answers that never end, and keeps what is bound to them.
    monkeypatch.setattr(connections, "READING_SECONDS", 0.2)
    is_cut = asyncio.Event()

    async def endless(_scope: Scope, receive: Receive, send: Send) -> None:
        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                continue
            is_cut.set()

        watching = asyncio.create_task(watch())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not is_cut.is_set():
            await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
        await watching

    config = uvicorn.Config(endless, http=HttpConnection, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        port = listener.getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        try:
            async with asyncio.timeout(20):
                await is_cut.wait()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        del reader
    finally:
        server.should_exit = True
        await serving
