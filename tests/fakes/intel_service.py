"""A fake of Intel's collateral service, over real HTTP on the loopback interface."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from tests.fakes.intel import FMSPC, FakeIntel


@dataclass(slots=True)
class Answer:
    """What the service answers to a path: a status, headers and a body."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class FakeService:
    """A service with the collateral of one vendor. ``answers`` may be changed while it runs."""

    answers: dict[str, Answer]
    base: str = ""
    asked: list[str] = field(default_factory=list)


def answers_of(vendor: FakeIntel, tee: Any = "tdx") -> dict[str, Answer]:
    """Return what Intel's service would answer about a family of platforms."""
    record = json.loads(vendor.collateral(tee))

    def signed(name: str, inner: str, header: str) -> Answer:
        text, signature = record[name], record[f"{name}_signature"]
        body = f'{{"{inner}":{text},"signature":"{signature}"}}'
        return Answer(body.encode(), headers={header: quote(record[f"{name}_issuer_chain"])})

    return {
        f"/{tee}/certification/v4/tcb": signed("tcb_info", "tcbInfo", "TCB-Info-Issuer-Chain"),
        f"/{tee}/certification/v4/qe/identity": signed(
            "qe_identity", "enclaveIdentity", "SGX-Enclave-Identity-Issuer-Chain"
        ),
        "/sgx/certification/v4/pckcrl": Answer(
            bytes.fromhex(record["pck_crl"]),
            headers={"SGX-PCK-CRL-Issuer-Chain": quote(record["pck_crl_issuer_chain"])},
        ),
        "/IntelSGXRootCA.der": Answer(bytes.fromhex(record["root_ca_crl"])),
    }


@contextmanager
def serving(service: FakeService) -> Iterator[FakeService]:
    """Run the service while the block runs, and say where in ``base``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append(self.path)
            parts = urlsplit(self.path)
            found = service.answers.get(parts.path, Answer(b"", status=404))
            parameters = parse_qs(parts.query)
            if parts.path.endswith("/tcb") and parameters.get("fmspc") != [FMSPC.hex()]:
                found = Answer(b"", status=404)
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            # Whoever has had enough goes away.
            with suppress(ConnectionError):
                self.wfile.write(found.body)

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
