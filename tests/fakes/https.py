"""A TLS server in memory: it plays a stream, and every byte passes through the test's hands."""

import hashlib
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import h11

from adyton.crypto.certificates import ServerCertificate, issue_tls_root
from adyton.crypto.issuing import Validity

HOST: Final = "api.example.com"
BODY: Final = b'{"a": 1}'
GOOD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n" + BODY
)
_NOW: Final = datetime.now(UTC).replace(microsecond=0)


def days(first: int, last: int) -> Validity:
    return Validity(first=_NOW + timedelta(days=first), last=_NOW + timedelta(days=last))


ROOT: Final = issue_tls_root("Fake root", validity=days(-10, 10))
CERTIFICATE: Final = ROOT.issue_server((HOST,), validity=days(-1, 1))


def server_context(
    certificate: ServerCertificate, *, maximum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = maximum
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "server.pem")
        path.write_bytes(certificate.key_pem + certificate.chain_pem.encode())
        context.load_cert_chain(path)
    return context


@dataclass(kw_only=True)
class FakeHttps:
    """Answers one request with ``response``, whatever it asks.

    ``endless`` is sent again and again after it. ``says_goodbye`` is TLS's own end of a
    connection; ``is_silent`` keeps the connection open instead of ending it. ``treat`` sees what
    goes to the client, with its offset, and may change or, with ``None``, end it.
    """

    response: bytes = GOOD
    endless: bytes = b""
    says_goodbye: bool = True
    is_silent: bool = False
    certificate: ServerCertificate = CERTIFICATE
    context: ssl.SSLContext | None = None
    treat: Callable[[bytes, int], bytes | None] = lambda data, _offset: data
    piece: int = 64 * 1024
    before_each: Callable[[], None] = lambda: None

    request: bytearray = field(default_factory=bytearray)
    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)
    timeouts: list[float | None] = field(default_factory=list)
    connected: list[tuple[str, int, float]] = field(default_factory=list)
    is_closed: bool = False

    def connect(self, host: str, port: int, *, timeout: float) -> "FakeHttps":
        self.connected.append((host, port, timeout))
        context = self.context or server_context(self.certificate)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._http = h11.Connection(h11.SERVER)
        self._ready = self._answered = self._cut = False
        return self

    @property
    def digests(self) -> tuple[bytes, bytes]:
        """SHA-256 of the ciphertext that the client sent, and of what it received."""
        return hashlib.sha256(self.received).digest(), hashlib.sha256(self.sent).digest()

    def settimeout(self, value: float | None, /) -> None:
        self.timeouts.append(value)

    def sendall(self, data: bytes, /) -> None:
        if self._cut:
            raise BrokenPipeError
        self.received += data
        self._in.write(data)
        self._advance()

    def recv(self, size: int, /) -> bytes:
        self.before_each()
        if self._answered and self.endless and not self._out.pending:
            self._tls.write(self.endless)
        data = b"" if self._cut else self._out.read(min(size, self.piece))
        if not data:
            if self.is_silent and not self._cut:
                raise TimeoutError
            return b""
        treated = self.treat(data, len(self.sent))
        if treated is None:
            self._cut = True
            return b""
        self.sent += treated
        return treated

    def close(self) -> None:
        self.is_closed = True

    def _advance(self) -> None:
        try:
            if not self._ready:
                self._tls.do_handshake()
                self._ready = True
            while not self._answered:
                data = self._tls.read(64 * 1024)
                self.request += data
                self._http.receive_data(data)
                while (event := self._http.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                    if isinstance(event, h11.EndOfMessage):
                        self._answer()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError:
            # The client refused us, and has said so: nothing more comes from here.
            self._answered = True

    def _answer(self) -> None:
        self._answered = True
        for start in range(0, len(self.response), 16 * 1024):
            self._tls.write(self.response[start : start + 16 * 1024])
        if self.says_goodbye and not self.endless:
            try:
                self._tls.unwrap()
            except ssl.SSLWantReadError:
                return
