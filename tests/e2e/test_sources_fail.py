"""A data source that fails, in every way that the sandbox knows, and a network that disturbs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import pytest
from tests.e2e.hostile import CREDENTIALS, GTE, Network, cut_after, dribble, flip_after, inject
from tests.integration.flow.machinery import running_sandbox

from adyton.errors import AdytonError, RejectedError, UnavailableError
from adyton.sandbox.server import Certificate
from adyton.sdk.client import Client
from adyton.sdk.transport import GatewayError

pytestmark = pytest.mark.usefixtures("is_whole")

# Where the source says no, there is no use in asking again; where it fails, there may be.
FAILURES: Final[list[tuple[str, int, str, type[AdytonError]]]] = [
    ("unauthorized", 403, "source-refused", RejectedError),
    ("rate-limited", 503, "source-rate-limited", UnavailableError),
    ("broken", 503, "source-failed", UnavailableError),
    ("redirect", 503, "source-redirected", UnavailableError),
    ("dropped", 503, "source-unreachable", UnavailableError),
    ("truncated", 503, "source-unreachable", UnavailableError),
    ("slow", 503, "source-unreachable", UnavailableError),
    ("oversized", 503, "source-too-large", UnavailableError),
    ("malformed", 503, "source-malformed", UnavailableError),
    ("gzip", 503, "source-malformed", UnavailableError),
    ("error-200", 503, "source-unexpected", UnavailableError),
]


def refused(client: Client, token: str = "sandbox-good", **question: Any) -> GatewayError:
    """Ask, and return the error."""
    asked: dict[str, Any] = {"provider": "hasty", **question}
    with pytest.raises(GatewayError) as error:
        client.ask("custom", GTE, credentials={**CREDENTIALS, "access_token": token}, **asked)
    return error.value


@pytest.mark.parametrize(("case", "status", "code", "family"), FAILURES)
def test_a_source_that_fails_is_no_answer_and_says_why(
    client: Client, case: str, status: int, code: str, family: type[AdytonError]
) -> None:
    error = refused(client, f"sandbox-{case}")
    assert (error.status, error.code) == (status, code)
    assert isinstance(error, family)
    assert str(error).removesuffix(f"({code})").strip()


@pytest.mark.parametrize("case", ["missing-field", "wrong-type", "wrong-length"])
def test_an_answer_that_is_not_what_the_definition_says_is_no_answer(
    client: Client, case: str
) -> None:
    error = refused(client, f"sandbox-{case}")
    assert error.status in {403, 503}
    assert error.code in {"field-missing", "field-wrong-type", "source-malformed", "value-missing"}


def test_more_rows_than_there_is_room_for_are_no_answer(client: Client) -> None:
    # An answer about some of the accounts would be an answer to another question.
    error = refused(client, "sandbox-many")
    assert (error.status, error.code) == (403, "too-many-values")


@pytest.mark.parametrize(
    ("case", "answer"),
    [("empty", False), ("negative", False), ("float", False), ("huge", True), ("chunked", True)],
)
def test_an_odd_answer_is_an_answer(client: Client, case: str, *, answer: bool) -> None:
    credentials = {**CREDENTIALS, "access_token": f"sandbox-{case}"}
    assert client.ask("balance", GTE, credentials=credentials).answer is answer


def test_a_token_that_the_source_does_not_know_is_refused_by_it(client: Client) -> None:
    assert refused(client, "somebody else's").code == "source-refused"


def test_a_host_that_the_operator_does_not_allow_is_not_connected_to(client: Client) -> None:
    for host in ("internal.example", "api.example.com:8443"):
        with pytest.raises(GatewayError) as error:
            client.ask(
                "custom",
                GTE,
                provider={"url": f"https://{host}/", "method": "GET"},
                response_extraction={"type": "jsonPath", "pattern": "$.a"},
            )
        assert (error.value.status, error.value.code) == (403, "egress-refused")


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::1]", "2130706433", "0x7f.1"])
def test_an_address_is_no_host(client: Client, host: str) -> None:
    with pytest.raises(GatewayError) as error:
        client.ask(
            "custom",
            GTE,
            provider={"url": f"https://{host}/", "method": "GET"},
            response_extraction={"type": "jsonPath", "pattern": "$.a"},
        )
    assert error.value.status in {400, 403}
    assert error.value.code in {"provider-malformed", "egress-refused", "egress-address-refused"}


@contextmanager
def disturbed(network: Network, treat: Callable[[str, bytes, int], bytes | None]) -> Iterator[None]:
    network.treat = treat
    try:
        yield
    finally:
        network.be_honest()


def whole(client: Client, network: Network, way: str) -> int:
    """Return how many bytes an undisturbed exchange has."""
    client.ask("custom", GTE, provider="hasty", credentials=CREDENTIALS)
    return network.seen[way]


# The handshake comes first, then the answer; the last 24 bytes only say goodbye.
@pytest.mark.parametrize("size", [0, 5, 100, 1000, -600, -200, -30])
def test_a_relay_that_cuts_is_no_answer(client: Client, network: Network, size: int) -> None:
    place = size if size >= 0 else whole(client, network, "down") + size
    with disturbed(network, cut_after(place)):
        error = refused(client)
    assert (error.status, error.code) == (503, "source-unreachable")


def test_a_relay_that_cuts_the_request_is_no_answer(client: Client, network: Network) -> None:
    with disturbed(network, cut_after(600, way="up")):
        assert refused(client).code == "source-unreachable"


@pytest.mark.parametrize("size", [7, 60, 300, 900, -600, -200, -30])
def test_a_relay_that_changes_a_bit_is_found_out(
    client: Client, network: Network, size: int
) -> None:
    place = size if size >= 0 else whole(client, network, "down") + size
    with disturbed(network, flip_after(place)):
        assert refused(client).code in {"source-tls-refused", "source-unreachable"}


@pytest.mark.parametrize("size", [7, 60, 200, 700])
def test_a_relay_that_changes_a_bit_of_the_request_is_found_out(
    client: Client, network: Network, size: int
) -> None:
    with disturbed(network, flip_after(size, way="up")):
        assert refused(client).code in {"source-tls-refused", "source-unreachable"}


@pytest.mark.parametrize(
    "extra",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"\x17\x03\x03\x00\x20" + bytes(32),  # a record of application data
        b"\x15\x03\x03\x00\x02\x01\x00",  # a close in the clear
        bytes(64),
    ],
)
def test_a_relay_that_injects_is_found_out(client: Client, network: Network, extra: bytes) -> None:
    with disturbed(network, inject(extra)):
        assert refused(client).code in {"source-tls-refused", "source-unreachable"}


def test_a_relay_that_holds_everything_back_is_waited_for_no_longer_than_the_provider_may_take(
    client: Client, network: Network
) -> None:
    with disturbed(network, dribble(0.05)):
        error = refused(client)
    assert (error.status, error.code) == (503, "source-unreachable")
    assert "in time" in str(error)


def test_a_relay_that_lets_a_byte_through_at_a_time_is_waited_for_no_longer(
    client: Client, network: Network
) -> None:
    with disturbed(network, network.slowly(0.02)):
        error = refused(client)
    assert (error.status, error.code) == (503, "source-unreachable")
    assert "in time" in str(error)


@pytest.mark.parametrize("kind", [Certificate.WRONG_NAME, Certificate.EXPIRED, Certificate.FOREIGN])
def test_a_source_with_a_wrong_certificate_is_not_asked(
    client: Client, network: Network, kind: Certificate
) -> None:
    # The stack's worker trusts the stack's authority: for it, each of these is foreign as well.
    # Which of them fails for which reason is for tests/integration/flow/test_certificates.py.
    with running_sandbox(certificate=kind) as impostor:
        honest, network.target = network.target, impostor.port
        try:
            error = refused(client)
        finally:
            network.target = honest
        assert impostor.sandbox.requests.total() == 0
    assert (error.status, error.code) == (503, "source-tls-refused")
    assert "certificate" in str(error)


def test_a_source_that_is_down_is_no_answer(client: Client, network: Network) -> None:
    honest, network.target = network.target, 1
    try:
        assert refused(client).code == "source-unreachable"
    finally:
        network.target = honest


def test_a_caller_that_must_wait_is_told_how_long(client: Client) -> None:
    posts: list[httpx.Response] = []
    client._transport._http.event_hooks["response"] = [posts.append]
    try:
        refused(client, "sandbox-rate-limited")
    finally:
        client._transport._http.event_hooks["response"] = []
    assert int(posts[-1].headers["retry-after"]) >= 30
