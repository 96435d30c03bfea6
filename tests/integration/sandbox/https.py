"""A small HTTPS client that finds every host at one address, as the egress override does."""

import socket
import ssl
from dataclasses import dataclass

import h11

from adyton.sandbox import Sandbox
from adyton.sources import Request

LIMIT_BYTES = 8 * 1024 * 1024


class TooLargeError(Exception):
    """The answer goes on and on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes
    protocol: str | None


def trusting(sandbox: Sandbox) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=sandbox.ca_pem)


def connected(sandbox: Sandbox, host: str, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", sandbox.port), timeout=5)
    try:
        return (context or trusting(sandbox)).wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def send(sandbox: Sandbox, request: Request, context: ssl.SSLContext | None = None) -> Response:
    """Return the answer to ``request``, read as strictly as ``h11`` does."""
    with connected(sandbox, request.host, context) as stream:
        return exchange(stream, request)


def exchange(stream: ssl.SSLSocket, request: Request) -> Response:
    http = h11.Connection(h11.CLIENT)
    stream.sendall(
        http.send(
            h11.Request(
                method=request.method,
                target=request.target,
                headers=[
                    ("Host", request.host),
                    *request.headers,
                    ("Content-Length", str(len(request.body))),
                ],
            )
        )
    )
    stream.sendall(http.send(h11.Data(data=request.body)) + http.send(h11.EndOfMessage()))
    status, headers, body = 0, dict[str, str](), bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(stream.recv(65536))
        elif isinstance(event, h11.Response):
            status = event.status_code
            headers = {name.decode(): value.decode() for name, value in event.headers}
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LIMIT_BYTES:
                raise TooLargeError
        elif isinstance(event, h11.EndOfMessage):
            return Response(
                status=status, headers=headers, body=bytes(body), protocol=stream.version()
            )
