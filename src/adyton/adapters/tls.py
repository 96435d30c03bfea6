"""HTTPS that ends in this process: TLS over a memory buffer, every record counted and hashed.

The bytes travel through a relay on the host, which sees ciphertext only. Certificates are checked
against the roots this process was started with; redirects are not followed; a body has a limit, and
one deadline covers the whole exchange, so that a relay that dribbles can't hold a process for long.
Blocking, because the process that uses it serves one request. Follows RFC 9112 through ``h11``.
"""

import hashlib
import ssl
import time
from collections.abc import Iterable
from typing import Final, Protocol

import certifi
import h11

from adyton.errors import UnavailableError
from adyton.flow.ports import Exchange, HttpRequest
from adyton.sources.extraction import SourceTooLargeError

__all__ = ["HttpsClient", "SourceTlsError", "SourceUnreachableError", "Stream", "trust"]

_CHUNK: Final = 64 * 1024
_CERTIFICATE_LIMIT: Final = 16


class SourceUnreachableError(UnavailableError):
    """No answer came from the data source: no connection, cut off, too slow, or not HTTP."""

    code = "source-unreachable"


class SourceTlsError(UnavailableError):
    """The data source's certificate or handshake was refused: it may be somebody else."""

    code = "source-tls-refused"


class Stream(Protocol):
    """A connected byte stream with a timeout: a socket, or what a test puts in its place."""

    def settimeout(self, value: float | None, /) -> None:
        """Bound the next calls, in seconds."""
        ...

    def sendall(self, data: bytes, /) -> None:
        """Send all of ``data``."""
        ...

    def recv(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""
        ...

    def close(self) -> None:
        """Close the stream."""
        ...


class Connector(Protocol):
    """What makes a stream to a named server; raises ``SourceUnreachableError``."""

    def __call__(self, host: str, port: int, *, timeout: float) -> Stream: ...


def trust(added_roots: Iterable[str]) -> ssl.SSLContext:
    """Return a context with Mozilla's roots, as ``certifi`` has them, and ``added_roots`` (PEM).

    Not the system's: those are found through the environment, which the host may set, and nobody
    who looks at a worker from outside could tell which they are.
    """
    # Not ``create_default_context``: it writes every session's keys to a file, if the environment
    # names one in SSLKEYLOGFILE. This kind of context wants a certificate with the right name, too.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    for pem in added_roots:
        context.load_verify_locations(cadata=pem)
    return context


class HttpsClient:
    """Makes one request a connection, and hands back what a transcript is made of."""

    def __init__(self, context: ssl.SSLContext, connect: Connector) -> None:
        self._context, self._connect = context, connect

    def exchange(self, request: HttpRequest, *, limit_bytes: int, timeout: float) -> Exchange:
        """Return the answer to ``request``, whatever its status.

        Raises ``SourceUnreachableError``, ``SourceTlsError`` or ``SourceTooLargeError``.
        """
        deadline = time.monotonic() + timeout
        stream = self._connect(request.host, request.port, timeout=timeout)
        try:
            session = _Session(self._context, stream, request.host, deadline)
            session.handshake()
            return _converse(session, request, limit_bytes)
        finally:
            stream.close()


class _Session:
    """TLS over ``MemoryBIO``: the only place through which ciphertext passes."""

    def __init__(
        self, context: ssl.SSLContext, stream: Stream, server_name: str, deadline: float
    ) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._stream, self._deadline = stream, deadline
        self.sent, self.received = hashlib.sha256(), hashlib.sha256()

    def handshake(self) -> None:
        try:
            while True:
                try:
                    self._tls.do_handshake()
                except ssl.SSLWantReadError:
                    self._flush()
                    self._fill()
                else:
                    self._flush()
                    return
        except ssl.SSLCertVerificationError as error:
            reason = f"the data source's certificate is refused: {error.verify_message}"
            raise SourceTlsError(reason) from error
        except ssl.SSLError as error:
            raise SourceTlsError("the data source's tls handshake failed") from error

    def send(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def receive(self) -> bytes:
        """Return some plaintext, or nothing when the server said that it is done."""
        while True:
            try:
                return self._tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                # An injected or changed record: TLS noticed.
                raise SourceTlsError("a tls record of the data source is refused") from error

    @property
    def protocol(self) -> str:
        return self._tls.version() or ""

    @property
    def cipher(self) -> str:
        cipher = self._tls.cipher()
        return cipher[0] if cipher else ""

    def certificates(self) -> tuple[bytes, ...]:
        """Return the chain as the server sent it, DER, leaf first."""
        # Public from Python 3.13 on; before, the same call stands one level lower.
        chain = getattr(self._tls, "get_unverified_chain", None)
        if chain is not None:
            return tuple(chain()[:_CERTIFICATE_LIMIT])
        der = 2  # _ssl.ENCODING_DER
        lower = self._tls._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # noqa: SLF001
        return tuple(certificate.public_bytes(der) for certificate in lower[:_CERTIFICATE_LIMIT])

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self.sent.update(data)
            self._arm()
            try:
                self._stream.sendall(data)
            except OSError as error:
                raise SourceUnreachableError("the data source was cut off") from error

    def _fill(self) -> None:
        self._arm()
        try:
            data = self._stream.recv(_CHUNK)
        except TimeoutError as error:
            raise SourceUnreachableError("the data source did not answer in time") from error
        except OSError as error:
            raise SourceUnreachableError("the data source was cut off") from error
        if not data:
            # No close_notify: somebody cut the connection, and what came may be half of it.
            raise SourceUnreachableError("the data source was cut off")
        self.received.update(data)
        self._incoming.write(data)

    def _arm(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise SourceUnreachableError("the data source did not answer in time")
        self._stream.settimeout(left)


def _converse(session: _Session, request: HttpRequest, limit_bytes: int) -> Exchange:
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_CHUNK)
    plaintext = _encode(http, request)
    session.send(plaintext)
    try:
        head, body, answer = _read(http, session, limit_bytes)
    except h11.RemoteProtocolError as error:
        raise SourceUnreachableError("the data source's answer is not http") from error
    return Exchange(
        status=head.status_code,
        headers=tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers
        ),
        body=body,
        server_name=request.host,
        protocol=session.protocol,
        cipher=session.cipher,
        certificates=session.certificates(),
        plaintext_request=plaintext,
        plaintext_response=answer,
        sent=session.sent.digest(),
        received=session.received.digest(),
    )


def _encode(http: h11.Connection, request: HttpRequest) -> bytes:
    host = request.host if request.port == 443 else f"{request.host}:{request.port}"  # noqa: PLR2004
    headers = [
        ("Host", host),
        *request.headers,
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
    ]
    if request.body:
        headers.append(("Content-Length", str(len(request.body))))
    try:
        start = http.send(
            h11.Request(method=request.method, target=request.target, headers=headers)
        )
        data = http.send(h11.Data(data=request.body)) if request.body else b""
        end = http.send(h11.EndOfMessage())
    except h11.LocalProtocolError as error:
        raise SourceUnreachableError("the request to the data source is not http") from error
    return (start or b"") + (data or b"") + (end or b"")


def _read(
    http: h11.Connection, session: _Session, limit_bytes: int
) -> tuple[h11.Response, bytes, bytes]:
    head: h11.Response | None = None
    body, answer = bytearray(), bytearray()
    while True:
        event = http.next_event()
        match event:
            case h11.NEED_DATA:
                data = session.receive()
                answer += data
                if len(answer) > 2 * limit_bytes + _CHUNK:
                    # Heads without an end, or hardly anything in each chunk.
                    raise SourceTooLargeError(unit="bytes", limit=limit_bytes)
                http.receive_data(data)
            case h11.Response():
                head = event
            case h11.Data():
                body += event.data
                if len(body) > limit_bytes:
                    raise SourceTooLargeError(unit="bytes", limit=limit_bytes)
            case h11.EndOfMessage() if head is not None:
                return head, bytes(body), bytes(answer)
            case h11.InformationalResponse():
                continue
            case _:
                raise SourceUnreachableError("the data source was cut off")
