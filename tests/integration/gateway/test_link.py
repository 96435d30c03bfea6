"""The link over a real socket: many calls at a time, and every way in which it can break."""

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.host import until

from adyton.adapters.frames import (
    MAX_FRAME_BYTES,
    Fields,
    FrameMalformedError,
    pack_frame,
    read_frame,
)
from adyton.adapters.link import (
    MAX_CALL_BYTES,
    Emit,
    Link,
    WorkerTimeoutError,
    WorkerUnavailableError,
)
from adyton.adapters.link_server import serve_link
from adyton.adapters.linked_errors import (
    LinkedMalformedError,
    LinkedRejectedError,
    LinkedUnavailableError,
)
from adyton.adapters.unix import SocketUnavailableError
from adyton.errors import MalformedError, RejectedError, UnavailableError

SOON = timedelta(seconds=5)


class Handler:
    """Echoes, fails, waits: as the call's name says."""

    def __init__(self) -> None:
        self.waiting = self.cancelled = 0

    async def __call__(self, name: str, fields: Fields, emit: Emit) -> dict[str, Any]:
        for event in fields.get("events", ()):
            emit(event)
        match name:
            case "wait":
                self.waiting += 1
                try:
                    await asyncio.sleep(fields.get("seconds", 3600))
                except asyncio.CancelledError:
                    self.cancelled += 1
                    raise
                finally:
                    self.waiting -= 1
                return {"n": fields.get("n")}
            case "malformed":
                raise MalformedError("not what it should be")
            case "rejected":
                raise RejectedError("no")
            case "unavailable":
                error = UnavailableError("later")
                error.retry_after = timedelta(seconds=3)  # type: ignore[attr-defined]  # as a leaf has it
                raise error
            case "broken":
                raise ValueError(fields["secret"])
            case "huge":
                return {"data": bytes(MAX_FRAME_BYTES)}
            case "odd":
                return {"data": object()}
            case _:
                return {"name": name, **fields}


@asynccontextmanager
async def linked(path: Path, **options: Any) -> AsyncIterator[tuple[Handler, Link]]:
    handler = Handler()
    server = await serve_link(path / "link", handler, **options)
    link = await Link.connect(path / "link")
    try:
        yield handler, link
    finally:
        await link.close()
        await server.close()


async def test_a_call_is_answered(tmp_path: Path) -> None:
    async with linked(tmp_path) as (_, link):
        answer = await link.call("ask", body=b"\0\xff", number=2**40, nested={"a": [1, None]})
        assert answer == {
            "name": "ask",
            "body": b"\0\xff",
            "number": 2**40,
            "nested": {"a": [1, None]},
        }


async def test_answers_find_their_calls_in_any_order(tmp_path: Path) -> None:
    async with linked(tmp_path) as (_, link):
        answers = await asyncio.gather(
            *(link.call("wait", seconds=(50 - n) / 1000, n=n) for n in range(50))
        )
        assert [answer["n"] for answer in answers] == list(range(50))


async def test_events_come_to_the_caller_of_their_call_and_before_the_answer(
    tmp_path: Path,
) -> None:
    async with linked(tmp_path) as (_, link):
        heard: dict[int, list[Any]] = {0: [], 1: []}
        await asyncio.gather(
            *(
                link.call("tell", on_event=heard[n].append, events=[{"phase": n}, {"phase": "b"}])
                for n in heard
            )
        )
        assert heard == {n: [{"phase": n}, {"phase": "b"}] for n in heard}


async def test_events_that_nobody_listens_to_are_dropped(tmp_path: Path) -> None:
    async with linked(tmp_path) as (_, link):
        assert await link.call("tell", events=[{"phase": "a"}])


async def test_a_call_may_be_larger_than_an_answer(tmp_path: Path) -> None:
    async with linked(tmp_path) as (_, link):
        await link.call("wait", seconds=0, body=bytes(8 * 1024 * 1024))


async def test_large_calls_pass_side_by_side(tmp_path: Path) -> None:
    async with linked(tmp_path) as (_, link):
        bodies = [bytes([n]) * 1_500_000 for n in range(8)]
        answers = await asyncio.gather(*(link.call("ask", body=body) for body in bodies))
        assert [answer["body"] for answer in answers] == bodies


@pytest.mark.parametrize(
    ("name", "family", "code", "message"),
    [
        ("malformed", LinkedMalformedError, "malformed", "not what it should be"),
        ("rejected", LinkedRejectedError, "rejected", "no"),
        ("unavailable", LinkedUnavailableError, "unavailable", "later"),
    ],
)
async def test_an_error_keeps_family_code_and_message(
    tmp_path: Path, name: str, family: type[Exception], code: str, message: str
) -> None:
    async with linked(tmp_path) as (_, link):
        with pytest.raises(family) as caught:
            await link.call(name)
        assert (caught.value.code, str(caught.value)) == (code, message)  # type: ignore[attr-defined]
        assert isinstance(caught.value, MalformedError | RejectedError | UnavailableError)


async def test_an_error_says_when_to_ask_again(tmp_path: Path) -> None:
    async with linked(tmp_path) as (_, link):
        with pytest.raises(LinkedUnavailableError) as caught:
            await link.call("unavailable")
        assert caught.value.retry_after == timedelta(seconds=3)


async def test_an_unforeseen_error_is_told_without_its_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with linked(tmp_path) as (_, link):
        with pytest.raises(LinkedUnavailableError) as caught:
            await link.call("broken", secret="marker-3a")  # a marker
        assert caught.value.code == "internal"
        assert "marker-3a" not in str(caught.value) + caplog.text
        assert await link.call("ask"), "the next call is not harmed"


@pytest.mark.parametrize("name", ["huge", "odd"])
async def test_an_answer_that_cannot_be_sent_is_our_fault_not_the_callers(
    tmp_path: Path, name: str
) -> None:
    async with linked(tmp_path) as (_, link):
        with pytest.raises(LinkedUnavailableError) as caught:
            await link.call(name)
        assert caught.value.code == "internal"


async def test_a_call_that_is_too_large_is_the_callers_fault(tmp_path: Path) -> None:
    async with linked(tmp_path) as (_, link):
        with pytest.raises(FrameMalformedError):
            await link.call("ask", body=bytes(MAX_CALL_BYTES))
        assert await link.call("ask")


async def test_a_caller_that_gives_up_stops_the_work(tmp_path: Path) -> None:
    async with linked(tmp_path) as (handler, link):
        call = asyncio.create_task(link.call("wait"))
        await until(lambda: handler.waiting)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await until(lambda: handler.cancelled)
        assert await link.call("ask")


async def test_a_deadline_stops_the_work(tmp_path: Path) -> None:
    async with linked(tmp_path) as (handler, link):
        with pytest.raises(WorkerTimeoutError):
            await link.call("wait", within=timedelta(milliseconds=20))
        await until(lambda: handler.cancelled)


async def test_a_caller_that_dies_stops_its_work(tmp_path: Path) -> None:
    async with linked(tmp_path) as (handler, link):
        call = asyncio.create_task(link.call("wait"))
        await until(lambda: handler.waiting)
        await link.close()
        with pytest.raises(WorkerUnavailableError):
            await call
        await until(lambda: handler.cancelled)


async def test_more_calls_than_a_worker_takes_are_refused(tmp_path: Path) -> None:
    async with linked(tmp_path, max_calls=2) as (handler, link):
        calls = [asyncio.create_task(link.call("wait")) for _ in range(2)]
        await until(lambda: handler.waiting == 2)
        with pytest.raises(LinkedUnavailableError) as caught:
            await link.call("ask")
        assert caught.value.code == "worker-busy"
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await until(lambda: handler.waiting == 0)
        assert await link.call("ask")


async def test_without_a_worker_a_call_fails_at_once(tmp_path: Path) -> None:
    link = await Link.connect(tmp_path / "link")
    with pytest.raises(WorkerUnavailableError):
        await link.call("ask")
    with pytest.raises(WorkerUnavailableError):
        await link.wait_until_up(within=timedelta(milliseconds=10))
    await link.close()


async def test_a_worker_that_goes_takes_its_calls_with_it_and_may_come_back(tmp_path: Path) -> None:
    handler, path = Handler(), tmp_path / "link"
    server = await serve_link(path, handler)
    link = await Link.connect(path)
    calls = [asyncio.create_task(link.call("wait")) for _ in range(3)]
    await until(lambda: handler.waiting == 3)
    await server.close()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [WorkerUnavailableError] * 3
    await until(lambda: not link.is_up)
    next_epoch = asyncio.create_task(link.next_epoch(link.epoch))
    server = await serve_link(path, handler)
    await link.wait_until_up(within=SOON)
    assert await next_epoch == link.epoch == 2
    assert await link.call("ask")
    await link.close()
    await server.close()


@asynccontextmanager
async def rogue(path: Path, reply: Any) -> AsyncIterator[Link]:
    """A link to a worker that answers each call with the bytes that ``reply`` makes of it."""

    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(FrameMalformedError, OSError):
            while (frame := await read_frame(reader)) is not None:
                writer.write(reply(frame))
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        ended.set()

    server = await asyncio.start_unix_server(serve, path / "link")
    link = await Link.connect(path / "link")
    try:
        yield link
    finally:
        await link.close()
        server.close()
        await ended.wait()


@pytest.mark.parametrize(
    "reply",
    [
        lambda _: b"\xff\xff\xff\xff",
        lambda _: b"\x01\x00\x00\x00\xc1",
        lambda _: b"GET / HTTP/1.1\r\n\r\n",
        lambda frame: pack_frame({"id": [frame["id"]], "answer": {}}),
        lambda frame: pack_frame({"id": frame["id"]}),
        lambda frame: pack_frame({"id": frame["id"], "answer": None}),
        lambda frame: pack_frame({"id": frame["id"], "answer": [1]}),
    ],
)
async def test_a_broken_answer_is_no_answer(tmp_path: Path, reply: Any) -> None:
    async with rogue(tmp_path, reply) as link:
        with pytest.raises(WorkerUnavailableError):
            await link.call("ask", within=SOON)


@pytest.mark.parametrize(
    ("error", "family", "code"),
    [
        ({}, LinkedUnavailableError, "internal"),
        ({"family": "malformed", "code": "a-b-1"}, LinkedMalformedError, "a-b-1"),
        ({"family": "rejected", "code": 'x"} forged'}, LinkedRejectedError, "internal"),
        ({"family": "rejected", "code": "x" * 65}, LinkedRejectedError, "internal"),
        ({"family": "accepted", "code": "x"}, LinkedUnavailableError, "x"),
        (
            {"family": 5, "code": 5, "retry_after": "x"},
            LinkedUnavailableError,
            "internal",
        ),
        ({"retry_after": -1, "message": "x" * 9999}, LinkedUnavailableError, "internal"),
        ({"retry_after": float("nan")}, LinkedUnavailableError, "internal"),
    ],
)
async def test_any_error_of_the_other_end_is_one_of_ours(
    tmp_path: Path, error: Fields, family: type[Exception], code: str
) -> None:
    async with rogue(
        tmp_path, lambda frame: pack_frame({"id": frame["id"], "error": error})
    ) as link:
        with pytest.raises(family) as caught:
            await link.call("ask", within=SOON)
        assert caught.value.code == code  # type: ignore[attr-defined]
        assert caught.value.retry_after is None  # type: ignore[attr-defined]
        assert len(str(caught.value)) <= 500


async def test_answers_that_nobody_waits_for_do_no_harm(tmp_path: Path) -> None:
    def reply(frame: Fields) -> bytes:
        stray = pack_frame({"id": 10**9, "answer": {"stray": True}})
        right = pack_frame({"id": frame["id"], "answer": {"right": True}})
        return stray + right + right

    async with rogue(tmp_path, reply) as link:
        for _ in range(3):
            assert await link.call("ask", within=SOON) == {"right": True}


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x00",
        b"\x01\x00\x00\x00\xc1",
        pack_frame({"id": "1", "call": "ask"}),
        pack_frame({"id": 1, "call": 5}),
        pack_frame({"id": 1, "call": "ask", "fields": []}),
        pack_frame({"id": 1, "call": "wait"}) * 2,
        pack_frame({}),
        b"\x10",
    ],
)
async def test_a_broken_caller_is_cut_off_and_nobody_else(tmp_path: Path, data: bytes) -> None:
    async with linked(tmp_path) as (handler, link):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "link")
        writer.write(data)
        writer.write_eof()
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        await until(lambda: handler.waiting == 0)
        assert await link.call("ask")


async def test_cancelling_a_call_that_is_not_there_does_nothing(tmp_path: Path) -> None:
    async with linked(tmp_path):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "link")
        writer.write(pack_frame({"id": 5, "call": "cancel"}) + pack_frame({"id": 6, "call": "ask"}))
        assert await read_frame(reader) == {"id": 6, "answer": {"name": "ask"}}
        writer.close()


async def test_the_socket_is_its_owners_only_and_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "link"
    async with linked(tmp_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_a_socket_that_a_dead_process_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "link"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(path))
    async with linked(tmp_path) as (_, link):
        assert await link.call("ask")


async def test_a_socket_that_somebody_answers_on_is_left_alone(tmp_path: Path) -> None:
    async with linked(tmp_path) as (_, link):
        with pytest.raises(SocketUnavailableError, match="another process"):
            await serve_link(tmp_path / "link", Handler())
        assert await link.call("ask")


async def test_a_file_in_the_sockets_place_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "link"
    path.write_text("precious")
    with pytest.raises(SocketUnavailableError, match="not a socket"):
        await serve_link(path, Handler())
    assert path.read_text() == "precious"


@pytest.mark.parametrize("name", ["x" * 200, "nowhere/link"])
async def test_a_path_that_cannot_be_listened_on_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(SocketUnavailableError):
        await serve_link(tmp_path / name, Handler())
