"""HTTPS that ends in this process, against a server in memory: no socket is opened here."""

import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.https import BODY, GOOD, HOST, ROOT, FakeHttps, days, server_context

from adyton.adapters.tls import (
    HttpsClient,
    SourceTlsError,
    SourceUnreachableError,
    trust,
)
from adyton.crypto.certificates import KeyType, ServerCertificate, issue_tls_root
from adyton.errors import UnavailableError
from adyton.flow.ports import Exchange
from adyton.sources.extraction import SourceTooLargeError

LIMIT = 100_000
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
TRUST = trust([ROOT.pem])


@dataclass(frozen=True, kw_only=True)
class Get:
    method: str = "GET"
    host: str = HOST
    port: int = 443
    target: str = "/data?a=1"
    headers: tuple[tuple[str, str], ...] = (("Authorization", "Bearer t"),)
    body: bytes = b""


def exchange(
    server: FakeHttps,
    request: Get = Get(),
    *,
    limit: int = LIMIT,
    timeout: float = 5,
) -> Exchange:
    client = HttpsClient(TRUST, server.connect)
    return client.exchange(request, limit_bytes=limit, timeout=timeout)


def test_a_request_is_answered() -> None:
    server = FakeHttps()
    found = exchange(server)
    assert (found.status, found.body) == (200, BODY)
    assert dict(found.headers)["content-type"] == "application/json"
    assert (found.server_name, found.protocol) == (HOST, "TLSv1.3")
    assert found.cipher.startswith("TLS_")
    assert server.connected == [(HOST, 443, 5)]
    assert server.is_closed


def test_the_request_is_what_was_asked_for() -> None:
    server = FakeHttps()
    found = exchange(server, Get(method="POST", body=b'{"b": 2}'))
    assert bytes(server.request) == (
        b"POST /data?a=1 HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer t\r\n"
        b"Accept-Encoding: identity\r\nConnection: close\r\nContent-Length: 8\r\n\r\n"
        b'{"b": 2}'
    )
    assert found.plaintext_request == bytes(server.request)


def test_another_port_is_in_the_host_header() -> None:
    server = FakeHttps()
    exchange(server, Get(port=8443))
    assert b"\r\nHost: api.example.com:8443\r\n" in server.request


def test_the_digests_are_of_every_byte_that_passed() -> None:
    server = FakeHttps()
    found = exchange(server)
    assert (found.sent, found.received) == server.digests
    # It is ciphertext: the token is not among it.
    assert b"Bearer" not in server.received
    assert found.plaintext_response == GOOD


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_bytes_may_come_in_any_pieces(piece: int) -> None:
    assert exchange(FakeHttps(piece=piece)).body == BODY


@pytest.mark.parametrize("key_type", KeyType)
@pytest.mark.parametrize("maximum", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_every_kind_of_key_and_both_good_versions_are_taken(
    key_type: KeyType, maximum: ssl.TLSVersion
) -> None:
    certificate = ROOT.issue_server((HOST,), validity=days(-1, 1), key_type=key_type)
    found = exchange(FakeHttps(context=server_context(certificate, maximum=maximum)))
    assert found.protocol == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[maximum.name]


def test_an_older_version_is_refused() -> None:
    assert TRUST.minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_chain_is_as_the_server_sent_it_leaf_first() -> None:
    between = ROOT.issue_authority("Between", validity=days(-5, 5))
    certificate = between.issue_server((HOST,), validity=days(-1, 1))
    found = exchange(FakeHttps(certificate=certificate))
    pems = certificate.chain_pem.split("-----END CERTIFICATE-----\n")
    sent = [ssl.PEM_cert_to_DER_cert(pem + "-----END CERTIFICATE-----\n") for pem in pems[:-1]]
    assert list(found.certificates) == sent
    assert len(sent) == 2


OTHER_ROOT = issue_tls_root("Somebody else", validity=days(-10, 10))
OLD_ROOT = issue_tls_root("Fake root", validity=days(-10, -5))


def without_intermediate() -> ServerCertificate:
    between = ROOT.issue_authority("Between", validity=days(-5, 5))
    whole = between.issue_server((HOST,), validity=days(-1, 1))
    end = "-----END CERTIFICATE-----\n"
    leaf = whole.chain_pem.split(end)[0] + end
    return ServerCertificate(chain_pem=leaf, key_pem=whole.key_pem)


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        (ROOT.issue_server(("elsewhere.example",), validity=days(-1, 1)), "mismatch"),
        (ROOT.issue_server(("example.com",), validity=days(-1, 1)), "mismatch"),
        (ROOT.issue_server(("*.api.example.com",), validity=days(-1, 1)), "mismatch"),
        (ROOT.issue_server((HOST,), validity=days(-3, -1)), "expired"),
        (ROOT.issue_server((HOST,), validity=days(1, 3)), "not yet valid"),
        (OTHER_ROOT.issue_server((HOST,), validity=days(-1, 1)), "issuer"),
        (OLD_ROOT.issue_server((HOST,), validity=days(-9, -6)), "issuer"),
        (without_intermediate(), "issuer"),
        (
            ServerCertificate(chain_pem=OTHER_ROOT.pem, key_pem=OTHER_ROOT.key_pem),
            "self-signed",
        ),
    ],
)
def test_a_certificate_that_is_not_the_servers_is_refused(
    certificate: ServerCertificate, reason: str
) -> None:
    server = FakeHttps(certificate=certificate)
    with pytest.raises(SourceTlsError, match=reason):
        exchange(server)
    # Nothing of the request was sent.
    assert server.request == b""
    assert server.is_closed


def test_without_the_added_root_the_server_is_a_stranger() -> None:
    client = HttpsClient(trust([]), FakeHttps().connect)
    with pytest.raises(SourceTlsError, match="certificate"):
        client.exchange(Get(), limit_bytes=LIMIT, timeout=5)


def test_what_the_environment_says_of_roots_and_keys_counts_for_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Whoever starts the worker may be the host: a log of session keys would give him every secret,
    # and a root of his own every source.
    keys, roots = tmp_path / "keys.log", tmp_path / "roots.pem"
    roots.write_text(ROOT.pem)
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    strict = trust([])
    with pytest.raises(SourceTlsError):
        HttpsClient(strict, FakeHttps().connect).exchange(Get(), limit_bytes=LIMIT, timeout=5)
    HttpsClient(trust([ROOT.pem]), FakeHttps().connect).exchange(
        Get(), limit_bytes=LIMIT, timeout=5
    )
    assert not keys.exists()


@pytest.mark.parametrize(
    "response",
    [
        GOOD,
        HEAD + b"\r\n" + BODY,
        CHUNKED + b"8\r\n" + BODY + b"\r\n0\r\n\r\n",
        CHUNKED + b"3\r\n" + BODY[:3] + b"\r\n5\r\n" + BODY[3:] + b"\r\n0\r\nTrailer: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD,
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    ],
)
def test_a_body_may_be_framed_in_any_way_of_http(response: bytes) -> None:
    assert exchange(FakeHttps(response=response)).body == BODY


def test_a_body_with_a_length_needs_no_goodbye() -> None:
    assert exchange(FakeHttps(says_goodbye=False)).body == BODY


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        HEAD + b"Content-Length: 9\r\n\r\n" + BODY,
        HEAD + b"Content-Length: 9\r\n\r\n",
        CHUNKED + b"8\r\n" + BODY[:4],
        CHUNKED + b"8\r\n" + BODY + b"\r\n",
        # Its end is the end of the connection: without TLS's goodbye, anybody may have ended it.
        HEAD + b"\r\n" + BODY,
        HEAD + b"\r\n",
    ],
)
def test_an_answer_that_was_cut_is_no_answer(response: bytes) -> None:
    server = FakeHttps(response=response, says_goodbye=False)
    with pytest.raises(SourceUnreachableError):
        exchange(server)
    assert server.is_closed


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        HEAD + b"Content-Length: 9\r\n\r\n" + BODY,
        CHUNKED + b"8\r\n" + BODY[:4],
        CHUNKED + b"8\r\n" + BODY + b"\r\n",
    ],
)
def test_an_answer_that_ends_too_early_is_no_answer_even_with_a_goodbye(response: bytes) -> None:
    with pytest.raises(SourceUnreachableError):
        exchange(FakeHttps(response=response))


@pytest.mark.parametrize(
    "response",
    [
        b"<html>",
        b"\x00" * 100,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nNo colon\r\n\r\n",
        HEAD + b"Content-Length: eight\r\n\r\n" + BODY,
        HEAD + b"Content-Length: -8\r\n\r\n" + BODY,
        # Two readers would see two bodies.
        HEAD + b"Content-Length: 8\r\nContent-Length: 4\r\n\r\n" + BODY,
        CHUNKED + b"what\r\n" + BODY,
        HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
def test_what_is_not_http_is_no_answer(response: bytes) -> None:
    with pytest.raises(SourceUnreachableError):
        exchange(FakeHttps(response=response))


def test_what_follows_the_body_is_not_part_of_it() -> None:
    assert exchange(FakeHttps(response=GOOD + b"HTTP/1.1 500 No\r\n\r\n")).body == BODY


@pytest.mark.parametrize(
    "response",
    [
        HEAD + b"Content-Length: 100001\r\n\r\n" + b"x" * 100_001,
        CHUNKED + b"186a1\r\n" + b"x" * 100_001 + b"\r\n0\r\n\r\n",
        HEAD + b"\r\n" + b"x" * 100_001,
    ],
)
def test_an_answer_beyond_the_limit_is_no_answer(response: bytes) -> None:
    with pytest.raises(SourceTooLargeError, match=str(LIMIT)):
        exchange(FakeHttps(response=response))


def test_an_answer_at_the_limit_is_one() -> None:
    body = b"x" * LIMIT
    response = HEAD + b"Content-Length: 100000\r\n\r\n" + body
    assert exchange(FakeHttps(response=response)).body == body


@pytest.mark.parametrize(
    ("response", "endless"),
    [
        (HEAD + b"\r\n", b"x" * 16_000),
        (CHUNKED, b"3e80\r\n" + b"x" * 16_000 + b"\r\n"),
        # What has no body, or hardly one, fills memory as well.
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500),
        (CHUNKED, b"1;" + b"e" * 1000 + b"\r\nx\r\n"),
        (CHUNKED + b"0\r\n", b"T: railer\r\n" * 1000),
        (HEAD, b"X: header\r\n" * 1000),
    ],
)
def test_an_endless_answer_is_given_up_soon(response: bytes, endless: bytes) -> None:
    server = FakeHttps(response=response, endless=endless)
    with pytest.raises((SourceTooLargeError, SourceUnreachableError)):
        exchange(server, timeout=30)
    assert len(server.sent) < 10 * LIMIT


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: 1", "/a\n", ""])
def test_a_request_that_would_be_two_is_not_sent(target: str) -> None:
    server = FakeHttps()
    with pytest.raises(SourceUnreachableError):
        exchange(server, Get(target=target))
    assert server.request == b""


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\0b"])
def test_a_header_that_would_be_two_is_not_sent(value: str) -> None:
    server = FakeHttps()
    with pytest.raises(SourceUnreachableError):
        exchange(server, Get(headers=(("X-Token", value),)))
    assert server.request == b""


def total() -> int:
    server = FakeHttps()
    exchange(server)
    return len(server.sent)


def flip(place: int) -> Callable[[bytes, int], bytes]:
    def treat(data: bytes, offset: int) -> bytes:
        if not offset <= place < offset + len(data):
            return data
        changed = bytearray(data)
        changed[place - offset] ^= 0x10
        return bytes(changed)

    return treat


def cut(place: int) -> Callable[[bytes, int], bytes | None]:
    return lambda data, offset: None if offset + len(data) > place else data


# What is before it belongs to the handshake or to the answer; the last record is a goodbye. The
# signature in a handshake has some bytes more or less.
GOODBYE = 24 + 8


@settings(max_examples=60, deadline=None)
@given(st.integers(0, total() - GOODBYE - 1))
def test_a_flipped_bit_anywhere_is_no_answer_or_no_change(place: int) -> None:
    # Of a record in the clear, TLS ignores the version, which says nothing any more.
    with suppress(SourceTlsError, SourceUnreachableError):
        found = exchange(FakeHttps(treat=flip(place), piece=100))
        assert place < 100
        assert found.plaintext_response == GOOD


@settings(max_examples=40, deadline=None)
@given(st.integers(0, total() - GOODBYE - 1))
def test_a_connection_that_is_cut_anywhere_is_no_answer(place: int) -> None:
    with pytest.raises((SourceTlsError, SourceUnreachableError)):
        exchange(FakeHttps(treat=cut(place), piece=50))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, total() - GOODBYE - 1), st.binary(min_size=1, max_size=64))
def test_bytes_that_are_put_in_anywhere_are_no_answer(place: int, extra: bytes) -> None:
    def treat(data: bytes, offset: int) -> bytes:
        if not offset <= place < offset + len(data):
            return data
        return data[: place - offset] + extra + data[place - offset :]

    with pytest.raises((SourceTlsError, SourceUnreachableError)):
        exchange(FakeHttps(treat=treat, is_silent=True))


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with pytest.raises(SourceUnreachableError, match="in time"):
        exchange(FakeHttps(response=b"", says_goodbye=False, is_silent=True))


def test_no_wait_is_longer_than_what_is_left_of_the_deadline() -> None:
    server = FakeHttps(piece=500)
    exchange(server, timeout=3)
    assert server.timeouts
    assert all(value is not None and 0 < value <= 3 for value in server.timeouts)
    assert server.timeouts == sorted(server.timeouts, key=lambda value: -(value or 0))


def test_a_server_that_dribbles_is_not_waited_for() -> None:
    # Each byte comes in time, and all of them together do not.
    server = FakeHttps(piece=1, before_each=lambda: time.sleep(0.005))
    start = time.monotonic()
    with pytest.raises(SourceUnreachableError, match="in time"):
        exchange(server, timeout=0.1)
    assert time.monotonic() - start < 2
    assert server.is_closed


@pytest.mark.parametrize("error", [ConnectionResetError(), OSError(5, "i/o"), BrokenPipeError()])
def test_a_stream_that_breaks_is_no_answer(error: OSError) -> None:
    server = FakeHttps()

    def broken(*_arguments: Any) -> bytes:
        raise error

    server.before_each = broken  # type: ignore[assignment]  # it never returns
    with pytest.raises(SourceUnreachableError, match="cut off"):
        exchange(server)


def test_a_stream_that_does_not_take_the_request_is_no_answer() -> None:
    server = FakeHttps(treat=lambda _data, _offset: None)
    with pytest.raises(SourceUnreachableError):
        exchange(server)


def test_a_connection_that_is_not_made_is_no_answer() -> None:
    def nobody(host: str, port: int, *, timeout: float) -> FakeHttps:
        raise SourceUnreachableError("the host's relay cannot be reached")

    with pytest.raises(UnavailableError, match="relay"):
        HttpsClient(TRUST, nobody).exchange(Get(), limit_bytes=LIMIT, timeout=1)


def test_two_exchanges_share_nothing() -> None:
    first, second = FakeHttps(), FakeHttps()
    one, two = exchange(first), exchange(second)
    assert one.received != two.received
    assert sha256(one.plaintext_response).digest() == sha256(two.plaintext_response).digest()


def test_nothing_private_is_in_the_text_of_an_exchange() -> None:
    server = FakeHttps(response=HEAD + b"X-Name: PLANTED\r\nContent-Length: 7\r\n\r\nPLANTED")
    found = exchange(server, Get(headers=(("Authorization", "Bearer PLANTED"),)))
    assert "PLANTED" not in repr(found)
