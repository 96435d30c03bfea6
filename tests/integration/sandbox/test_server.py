import asyncio
import gzip
import json
import ssl
import time
from contextlib import suppress

import h11
import pytest
from tests.integration.sandbox.https import (
    TooLargeError,
    connected,
    exchange,
    send,
    trusting,
)

from adyton.sandbox import TOKENS, Certificate, Sandbox
from adyton.sandbox.cases import Case, read_token
from adyton.sources import Request

PLAID = "production.plaid.com"


def asking(case: str, *, host: str = PLAID, target: str = "/accounts/balance/get") -> Request:
    body = json.dumps({"access_token": f"sandbox-{case}"}).encode()
    return Request(method="POST", host=host, port=443, target=target, headers=(), body=body)


def test_a_good_answer_has_accounts(sandbox: Sandbox) -> None:
    response = send(sandbox, asking("good"))
    assert response.status == 200
    assert json.loads(response.body)["accounts"][0]["balances"]["current"] == 12345.67


def test_both_versions_of_tls_are_spoken(sandbox: Sandbox, old_sandbox: Sandbox) -> None:
    assert send(sandbox, asking("good")).protocol == "TLSv1.3"
    assert send(old_sandbox, asking("good")).protocol == "TLSv1.2"


def test_older_tls_is_refused(sandbox: Sandbox) -> None:
    context = trusting(sandbox)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        send(sandbox, asking("good"), context)


def test_a_client_that_does_not_know_the_authority_refuses(sandbox: Sandbox) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        send(sandbox, asking("good"), ssl.create_default_context())


def test_a_client_refuses_each_untrustworthy_certificate(
    untrustworthy: tuple[Certificate, Sandbox],
) -> None:
    kind, sandbox = untrustworthy
    reasons = {
        Certificate.WRONG_NAME: "Hostname mismatch",
        Certificate.EXPIRED: "has expired",
        Certificate.FOREIGN: "certificate verify failed",
    }
    with pytest.raises(ssl.SSLCertVerificationError, match=reasons[kind]):
        send(sandbox, asking("good"))
    assert not sandbox.requests


def test_every_vendor_has_its_name_in_the_certificate(sandbox: Sandbox) -> None:
    for host in sandbox.hosts:
        with connected(sandbox, host):
            pass


@pytest.mark.parametrize(
    ("case", "status"),
    [("unauthorized", 401), ("rate-limited", 429), ("broken", 500), ("redirect", 302)],
)
def test_a_status_is_one(sandbox: Sandbox, case: str, status: int) -> None:
    assert send(sandbox, asking(case)).status == status


def test_who_asks_too_often_is_told_when_to_come_back(sandbox: Sandbox) -> None:
    assert send(sandbox, asking("rate-limited")).headers["retry-after"] == "30"


def test_a_redirect_points_elsewhere(sandbox: Sandbox) -> None:
    location = send(sandbox, asking("redirect")).headers["location"]
    assert location == "https://elsewhere.example/"


def test_a_slow_answer_comes_late(sandbox: Sandbox) -> None:
    start = time.monotonic()
    assert send(sandbox, asking("slow")).status == 200
    assert time.monotonic() - start >= 0.5


def test_a_client_may_give_up_on_a_slow_answer(sandbox: Sandbox) -> None:
    with connected(sandbox, PLAID) as stream:
        stream.settimeout(0.05)
        with pytest.raises(TimeoutError):
            exchange(stream, asking("slow"))
    assert send(sandbox, asking("good")).status == 200


@pytest.mark.parametrize("case", ["dropped", "truncated"])
def test_a_connection_can_break(sandbox: Sandbox, case: str) -> None:
    with pytest.raises((h11.RemoteProtocolError, ConnectionResetError, ssl.SSLError)):
        send(sandbox, asking(case))


def test_an_oversized_answer_goes_on_and_on(sandbox: Sandbox) -> None:
    with pytest.raises(TooLargeError):
        send(sandbox, asking("oversized"))
    assert send(sandbox, asking("good")).status == 200


def test_a_wrong_length_cuts_the_body_short(sandbox: Sandbox) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(send(sandbox, asking("wrong-length")).body)


def test_malformed_bytes_are_no_json(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="decode"):
        json.loads(send(sandbox, asking("malformed")).body)


def test_chunks_make_the_same_answer(sandbox: Sandbox) -> None:
    response = send(sandbox, asking("chunked"))
    assert response.headers["transfer-encoding"] == "chunked"
    assert json.loads(response.body)["accounts"]


def test_a_compressed_answer_says_so(sandbox: Sandbox) -> None:
    response = send(sandbox, asking("gzip"))
    assert response.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(response.body))["accounts"]


def test_a_connection_can_be_used_again(sandbox: Sandbox) -> None:
    with connected(sandbox, PLAID) as stream:
        first, second = exchange(stream, asking("good")), exchange(stream, asking("low"))
    assert len(json.loads(first.body)["accounts"]) == 3
    assert len(json.loads(second.body)["accounts"]) == 2


def test_a_request_in_small_pieces_is_one_request(sandbox: Sandbox) -> None:
    body = asking("good").body
    head = f"POST /accounts/balance/get HTTP/1.1\r\nHost: {PLAID}\r\nContent-Length: {len(body)}"
    with connected(sandbox, PLAID) as stream:
        for byte in f"{head}\r\nConnection: close\r\n\r\n".encode() + body:
            stream.sendall(bytes([byte]))
        assert stream.recv(65536).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTX/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET /" + b"a" * 200_000,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000,
    ],
)
def test_what_is_not_a_request_is_hung_up_on(sandbox: Sandbox, data: bytes) -> None:
    hung_up = suppress(ConnectionResetError, BrokenPipeError, ssl.SSLEOFError)
    with connected(sandbox, PLAID) as stream, hung_up:
        stream.sendall(data)
        assert stream.recv(65536) == b""
    assert send(sandbox, asking("good")).status == 200


def test_a_host_that_nobody_plays_is_misdirected(sandbox: Sandbox) -> None:
    with connected(sandbox, PLAID) as stream:
        assert exchange(stream, asking("good", host="elsewhere.example")).status == 421


@pytest.mark.parametrize("target", ["/", "/accounts", "/accounts/balance/get/more"])
def test_a_path_that_nobody_serves_is_not_found(sandbox: Sandbox, target: str) -> None:
    response = send(sandbox, asking("good", target=target))
    assert response.status == 404
    assert json.loads(response.body)["error_code"] == "NOT_FOUND"


@pytest.mark.parametrize("token", ["", "good", "sandbox-", "sandbox-unheard-of", "access-1"])
def test_a_token_that_nobody_knows_is_invalid(sandbox: Sandbox, token: str) -> None:
    assert read_token(token) is None
    body = json.dumps({"access_token": token}).encode()
    request = Request(
        method="POST",
        host=PLAID,
        port=443,
        target="/accounts/balance/get",
        headers=(),
        body=body,
    )
    assert json.loads(send(sandbox, request).body)["error_code"] == "INVALID_ACCESS_TOKEN"


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b'{"access_token": 1}'])
def test_a_body_that_is_no_question_has_no_token(sandbox: Sandbox, body: bytes) -> None:
    request = Request(
        method="POST",
        host=PLAID,
        port=443,
        target="/accounts/balance/get",
        headers=(),
        body=body,
    )
    assert send(sandbox, request).status == 400


def test_requests_are_counted_and_not_kept(sandbox: Sandbox) -> None:
    before = sandbox.requests[PLAID, "/accounts/balance/get"]
    send(sandbox, asking("good.SECRETMARK"))
    assert sandbox.requests[PLAID, "/accounts/balance/get"] == before + 1
    assert "SECRETMARK" not in repr(vars(sandbox))


def test_every_case_has_a_token_and_a_meaning() -> None:
    assert {f"sandbox-{case}" for case in Case} == set(TOKENS)
    assert all(TOKENS.values())


def test_a_mark_is_planted_in_the_data(sandbox: Sandbox) -> None:
    assert b"Checking MARK77" in send(sandbox, asking("good.MARK77")).body
    assert b'"current":7654321' in send(sandbox, asking("good.7654321")).body


def test_a_sandbox_that_has_not_started_has_no_port() -> None:
    with pytest.raises(RuntimeError, match="has not been started"):
        _ = Sandbox().port


async def test_it_can_be_stopped_and_stops_what_is_open() -> None:
    async with Sandbox(slow_seconds=60) as sandbox:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", sandbox.port, ssl=trusting(sandbox), server_hostname=PLAID
        )
        body = asking("slow").body
        head = f"POST /accounts/balance/get HTTP/1.1\r\nHost: {PLAID}\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        while not sandbox.requests:  # noqa: ASYNC110  # a count has no event
            await asyncio.sleep(0.01)
    with suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    await sandbox.stop()
