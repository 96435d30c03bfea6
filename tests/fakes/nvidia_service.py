"""A fake of NVIDIA's services, over real HTTP on the loopback interface."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.x509 import ocsp
from tests.fakes.nvidia import DEVICE, RIM, Answer, FakeNvidia


@dataclass(slots=True)
class FakeNvidiaService:
    """Golden values by their identifiers, and answers by certificate; both may be changed."""

    vendor: FakeNvidia
    rims: dict[str, bytes]
    recipes: dict[str, Answer] = field(default_factory=dict)
    status: int = 200
    body: bytes | None = None
    base: str = ""
    asked: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, vendor: FakeNvidia, *, driver: str | None, vbios: str) -> "FakeNvidiaService":
        """Return a service that knows the golden values of one device."""
        rims = {vbios: vendor.rim("vbios")}
        if driver is not None:
            rims[driver] = vendor.rim("driver")
        return cls(vendor=vendor, rims=rims)

    def rim(self, identifier: str) -> tuple[int, bytes]:
        self.asked.append(identifier)
        if identifier not in self.rims:
            return 404, b'{"message": "not found"}'
        text = base64.b64encode(self.rims[identifier]).decode()
        record = {"id": identifier, "rim": text, "rim_format": "TCG", "request_id": "1"}
        return self.status, json.dumps(record).encode() if self.body is None else self.body

    def answer(self, request: bytes) -> tuple[int, bytes]:
        serial = ocsp.load_der_ocsp_request(request).serial_number
        recipes = self.vendor.recipes
        role = next(role for role in (*DEVICE, *RIM) if recipes[role].serial == serial)
        self.asked.append(role)
        return 200, self.vendor.answer(role, self.recipes.get(role))


@contextmanager
def serving(service: FakeNvidiaService) -> Iterator[FakeNvidiaService]:
    """Run the service while the block runs, and say where in ``base``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*service.rim(self.path.removeprefix("/v1/rim/")))

        def do_POST(self) -> None:
            assert self.headers["content-type"] == "application/ocsp-request"
            self._send(*service.answer(self.rfile.read(int(self.headers["content-length"]))))

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", "/")
            self.end_headers()
            # Whoever has had enough goes away.
            with suppress(ConnectionError):
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    service.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
