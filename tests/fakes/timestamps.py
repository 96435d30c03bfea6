"""An authority that stamps digests with the time (RFC 3161), written with DER by hand.

One changed argument makes a stamp wrong in that one way.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 2, 3, 12, 0, 0, tzinfo=UTC)
_SHA256 = "2.16.840.1.101.3.4.2.1"
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_POLICY = "1.3.6.1.4.1.55555.1"


class FakeAuthority:
    """A root and the stamping certificate below it."""

    def __init__(
        self,
        *,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING,
        first: datetime = NOW - timedelta(days=1),
        last: datetime = NOW + timedelta(days=365),
    ) -> None:
        root_key = ec.generate_private_key(ec.SECP256R1())
        self._key = rsa.generate_private_key(65537, 2048)
        root_name, name = _name("fake time root"), _name("fake time authority")
        self._root = (
            _builder(root_name, root_name, first=first, last=last)
            .public_key(root_key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(root_key, SHA256())
        )
        self._signer = (
            _builder(name, root_name, first=first, last=last)
            .public_key(self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
            .sign(root_key, SHA256())
        )

    @property
    def root(self) -> bytes:
        return self._root.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self._root.public_bytes(Encoding.PEM)

    def answer(self, request: bytes, *, at: datetime = NOW) -> bytes:
        """Return the response to a request; the digest is found by its place in the DER."""
        start = request.index(b"\x04\x20") + 2
        return self.stamp(request[start : start + 32], at=at)

    def stamp(self, digest: bytes, *, at: datetime = NOW, status: int = 0) -> bytes:
        info = _tst_info(digest, at)
        return _sequence(_sequence(_integer(status)), self._token(info))

    def _token(self, info: bytes) -> bytes:
        certificate = self._signer.public_bytes(Encoding.DER)
        certificate_id = _sequence(_octets(hashlib.sha256(certificate).digest()))
        attributes = sorted(
            [
                _sequence(_oid(_CONTENT_TYPE), _set(_oid(_TST_INFO))),
                _sequence(_oid(_MESSAGE_DIGEST), _set(_octets(hashlib.sha256(info).digest()))),
                _sequence(
                    _oid(_SIGNING_CERTIFICATE_V2), _set(_sequence(_sequence(certificate_id)))
                ),
            ]
        )
        signature = self._key.sign(_set(*attributes), padding.PKCS1v15(), SHA256())
        signer = _sequence(
            _integer(1),
            _sequence(
                self._signer.issuer.public_bytes(),
                _integer(self._signer.serial_number),
            ),
            _algorithm(_SHA256),
            _der(0xA0, b"".join(attributes)),
            _algorithm(_RSA_ENCRYPTION),
            _octets(signature),
        )
        signed = _sequence(
            _integer(3),
            _set(_algorithm(_SHA256)),
            _sequence(_oid(_TST_INFO), _der(0xA0, _octets(info))),
            _der(0xA0, certificate),
            _set(signer),
        )
        return _sequence(_oid(_SIGNED_DATA), _der(0xA0, signed))


class StampServer:
    """For ``with``: an authority over HTTP, which ``respond`` may make lie or stay silent."""

    def __init__(self, authority: FakeAuthority | None = None) -> None:
        self.authority = authority or FakeAuthority()
        self.respond: Callable[[bytes], bytes | None] = self.authority.answer
        self.asked = 0
        serving = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                serving.asked += 1
                body = serving.respond(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200 if body is not None else 503)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Answers)
        self._thread = Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _tst_info(digest: bytes, at: datetime) -> bytes:
    return _sequence(
        _integer(1),
        _oid(_POLICY),
        _sequence(_algorithm(_SHA256), _octets(digest)),
        _integer(7),
        _der(0x18, f"{at:%Y%m%d%H%M%SZ}".encode()),
    )


def _builder(
    name: x509.Name, issuer: x509.Name, *, first: datetime, last: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _sequence(*parts: bytes) -> bytes:
    return _der(0x30, b"".join(parts))


def _set(*parts: bytes) -> bytes:
    return _der(0x31, b"".join(parts))


def _octets(data: bytes) -> bytes:
    return _der(0x04, data)


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _algorithm(name: str) -> bytes:
    return _sequence(_oid(name), _der(0x05, b""))


def _oid(name: str) -> bytes:
    first, second, *others = map(int, name.split("."))
    content = bytearray([40 * first + second])
    for number in others:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.insert(0, 0x80 | (number & 0x7F))
        content += bytes(groups)
    return _der(0x06, bytes(content))
