"""A host that does as it likes: with the network, with the bodies, with the worker's own socket."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from adyton.adapters.link import Link
from adyton.adapters.linked_errors import LinkedError
from adyton.codec.json import Json, JsonObject, canonical
from adyton.codec.text import to_base64
from adyton.crypto.hpke import SealSuite, seal
from adyton.model.question import SEALED_MARK, TOKEN_LOCATION, Endpoint, Question, seal_info

_CHUNK: Final = 64 * 1024
CREDENTIALS: Final = {"access_token": "sandbox-good", "client_id": "c", "secret": "s"}
GTE: Final[JsonObject] = {"type": "gte", "threshold": 100}


class Network:
    """What is between the host's relay and the data source: a proxy that somebody else runs.

    ``treat`` sees the bytes of each direction as they pass (``up`` is to the source) and returns
    what arrives instead; ``None`` cuts the connection. ``seen`` is how many bytes the last
    connection had each way.
    """

    def __init__(self) -> None:
        self.target = 0
        self.is_slow = 0.0
        self.seen = {"up": 0, "down": 0}
        self.treat: Callable[[str, bytes, int], bytes | None] = lambda _way, data, _at: data
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def slowly(self, pause: float) -> Callable[[str, bytes, int], bytes | None]:
        """Return what sends a byte at a time."""
        self.is_slow = pause
        return lambda _way, data, _at: data

    def be_honest(self) -> None:
        self.is_slow = 0.0
        self.seen = {"up": 0, "down": 0}
        self.treat = lambda _way, data, _at: data

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            for way, source, sink in (("up", near, far), ("down", far, near)):
                arguments = (way, source, sink)
                threading.Thread(target=self._pass, args=arguments, daemon=True).start()

    def _send(self, sink: socket.socket, data: bytes) -> None:
        if not self.is_slow:
            sink.sendall(data)
            return
        for byte in data:
            time.sleep(self.is_slow)
            sink.sendall(bytes([byte]))

    def _pass(self, way: str, source: socket.socket, sink: socket.socket) -> None:
        seen = 0
        with suppress(OSError):  # the other direction may have ended both
            while data := source.recv(_CHUNK):
                treated = self.treat(way, data, seen)
                if treated is None:
                    break
                seen += len(data)
                self.seen[way] = seen
                self._send(sink, treated)
        for end in (source, sink):
            _end(end)


def _end(end: socket.socket) -> None:
    with suppress(OSError):  # it may have ended already
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def cut_after(size: int, *, way: str = "down") -> Callable[[str, bytes, int], bytes | None]:
    """Return what cuts the connection after so many bytes of one direction."""

    def treat(found: str, data: bytes, seen: int) -> bytes | None:
        return None if found == way and seen + len(data) > size else data

    return treat


def flip_after(size: int, *, way: str = "down") -> Callable[[str, bytes, int], bytes | None]:
    """Return what flips one bit, so many bytes into one direction."""

    def treat(found: str, data: bytes, seen: int) -> bytes | None:
        if found != way or not seen <= size < seen + len(data):
            return data
        changed = bytearray(data)
        changed[size - seen] ^= 1
        return bytes(changed)

    return treat


def inject(extra: bytes, *, way: str = "down") -> Callable[[str, bytes, int], bytes | None]:
    """Return what puts bytes of its own in front of what comes after the handshake began."""
    return lambda found, data, seen: extra + data if found == way and seen else data


def dribble(pause: float) -> Callable[[str, bytes, int], bytes | None]:
    """Return what lets a little through at a time, for ever."""

    def treat(found: str, data: bytes, _seen: int) -> bytes | None:
        if found == "down":
            time.sleep(pause)
            return data[:0]
        return data

    return treat


class Attacker:
    """Whoever holds the worker's socket: calls it without a gateway."""

    def __init__(self, worker_socket: Any, sealing_key: bytes) -> None:
        self._socket, self.sealing_key = worker_socket, sealing_key

    def call(self, name: str, **fields: Any) -> Mapping[str, Any]:
        """Return the worker's answer, or raise its error."""

        async def work() -> Mapping[str, Any]:
            link = await Link.connect(self._socket)
            try:
                await link.wait_until_up(within=timedelta(seconds=5))
                return await link.call(name, **fields)
            finally:
                await link.close()

        return asyncio.run(work())

    def ask(self, endpoint: str, body: Json, *, challenge: Any = b"") -> Mapping[str, Any]:
        """Put a question to the worker."""
        data = json.dumps(body).encode()
        return self.call("ask", endpoint=endpoint, body=data, challenge=challenge)

    def code_of(self, endpoint: str, body: Json) -> str:
        """Return the code of the error that a question ends in; empty where it is answered."""
        try:
            self.ask(endpoint, body)
        except LinkedError as error:
            return error.code
        return ""

    def sealed(
        self,
        endpoint: str = "balance",
        body: JsonObject | None = None,
        *,
        value: Any = CREDENTIALS,
        plaintext: bytes | None = None,
        age: float = 0.0,
        key: bytes | None = None,
        location: str = TOKEN_LOCATION,
    ) -> JsonObject:
        """Return a question with its token sealed, rightly or in one way wrongly."""
        body = {"predicate": GTE, "nonce": "n", **(body or {}), TOKEN_LOCATION[1:]: SEALED_MARK}
        bound = Question.from_json(Endpoint(endpoint), body).bound
        box = self.box(bound, value=value, plaintext=plaintext, age=age, key=key, location=location)
        return {**body, TOKEN_LOCATION[1:]: to_base64(box)}

    def box(
        self,
        bound: bytes,
        *,
        value: Any = CREDENTIALS,
        plaintext: bytes | None = None,
        age: float = 0.0,
        key: bytes | None = None,
        location: str = TOKEN_LOCATION,
    ) -> bytes:
        """Return one sealed value for the question ``bound``."""
        issued = int(datetime.now(UTC).timestamp() - age)
        inner = canonical({"issued_at": issued, "value": value})
        return seal(
            key or self.sealing_key,
            inner if plaintext is None else plaintext,
            suite=SealSuite.X25519,
            info=seal_info(location, bound),
        )


class Rewriting(httpx.BaseTransport):
    """A gateway that changes what passes: the body of a request, or the answer."""

    def __init__(
        self,
        *,
        request: Callable[[str, dict[str, Any]], Any] | None = None,
        answer: Callable[[str, dict[str, Any]], Any] | None = None,
    ) -> None:
        self._inner = httpx.HTTPTransport()
        self._request, self._answer = request, answer
        self.posts: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "POST":
            self.posts.append(path)
            if self._request is not None:
                changed = json.dumps(self._request(path, json.loads(request.content))).encode()
                headers = {k: v for k, v in request.headers.items() if k != "content-length"}
                request = httpx.Request("POST", request.url, headers=headers, content=changed)
        response = self._inner.handle_request(request)
        response.read()
        if self._answer is None or response.status_code != httpx.codes.OK:
            return response
        changed = json.dumps(self._answer(path, json.loads(response.content))).encode()
        return httpx.Response(200, content=changed, headers={"content-type": "application/json"})

    def close(self) -> None:
        self._inner.close()
