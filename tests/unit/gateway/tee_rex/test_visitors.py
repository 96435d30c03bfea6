"""Callers without a key: counted by where they connect from, whatever they write."""

import pytest
from starlette.requests import Request

from adyton.gateway.tee_rex.visitors import OriginRejectedError, TooManyVisitsError, Visitors


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def request(host: str, **headers: str) -> Request:
    lines = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return Request({"type": "http", "client": (host, 4711), "headers": lines})


def test_an_address_has_so_many_visits_an_hour() -> None:
    clock = Clock()
    visitors = Visitors(per_hour=2, monotonic=clock)
    visitors.admit(request("192.0.2.1"))
    clock.now = 600
    visitors.admit(request("192.0.2.1"))

    with pytest.raises(TooManyVisitsError) as caught:
        visitors.admit(request("192.0.2.1"))
    assert caught.value.retry_after.total_seconds() == 3000
    visitors.admit(request("192.0.2.2"))

    clock.now = 3600
    visitors.admit(request("192.0.2.1"))
    with pytest.raises(TooManyVisitsError):
        visitors.admit(request("192.0.2.1"))


@pytest.mark.parametrize("header", ["x_forwarded_for", "forwarded", "x_real_ip", "via"])
def test_no_header_makes_somebody_else_of_a_caller(header: str) -> None:
    visitors = Visitors(per_hour=1, monotonic=Clock())
    visitors.admit(request("192.0.2.1", **{header: "198.51.100.1"}))

    with pytest.raises(TooManyVisitsError):
        visitors.admit(request("192.0.2.1", **{header: "198.51.100.2"}))


def test_addresses_of_version_4_are_told_apart_where_version_6_listens_for_both() -> None:
    visitors = Visitors(per_hour=1, monotonic=Clock())
    visitors.admit(request("::ffff:192.0.2.1"))
    visitors.admit(request("::ffff:192.0.2.2"))

    with pytest.raises(TooManyVisitsError):
        visitors.admit(request("192.0.2.1"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_program_of_this_machine_is_not_counted(host: str) -> None:
    visitors = Visitors(per_hour=1, monotonic=Clock())

    for _ in range(20):
        visitors.admit(request(host))


def test_behind_a_proxy_on_this_machine_all_are_counted_as_one() -> None:
    visitors = Visitors(per_hour=1, monotonic=Clock())
    visitors.admit(request("127.0.0.1", x_forwarded_for="198.51.100.1"))

    with pytest.raises(TooManyVisitsError):
        visitors.admit(request("127.0.0.1", x_forwarded_for="198.51.100.2"))


def test_a_network_of_version_6_is_one_caller() -> None:
    visitors = Visitors(per_hour=1, monotonic=Clock())
    visitors.admit(request("2001:db8::1"))

    with pytest.raises(TooManyVisitsError):
        visitors.admit(request("2001:db8::ffff:1"))
    visitors.admit(request("2001:db8:0:1::1"))


def test_what_is_remembered_is_bounded() -> None:
    visitors = Visitors(per_hour=1, monotonic=Clock())

    for number in range(12_000):
        visitors.admit(request(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"))

    assert len(visitors._visits) == 10_000


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        # What a file or a sandboxed frame sends, and a page of a name that leads here by now.
        {"origin": "null"},
        {"origin": "http://evil.example:8423"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "same-origin"},
    ],
    ids=str,
)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_page_in_a_browser_here_is_none_of_our_programs(
    host: str, headers: dict[str, str]
) -> None:
    visitors = Visitors(per_hour=1, origins=frozenset({"https://app.example"}), monotonic=Clock())

    with pytest.raises(OriginRejectedError):
        visitors.admit(request(host, **headers))


@pytest.mark.parametrize("known", ["https://app.example", "*"])
def test_a_page_of_a_known_origin_is_counted_here_too(known: str) -> None:
    visitors = Visitors(per_hour=1, origins=frozenset({known}), monotonic=Clock())
    visitors.admit(request("127.0.0.1", origin="https://app.example", sec_fetch_site="cross-site"))

    with pytest.raises(TooManyVisitsError):
        visitors.admit(request("127.0.0.1", origin="https://app.example"))
    # Beside it, programs of this machine go on.
    visitors.admit(request("127.0.0.1"))
    visitors.admit(request("127.0.0.1", sec_fetch_site="none"))


@pytest.mark.parametrize("host", ["192.0.2.1", "127.0.0.1"])
def test_a_page_elsewhere_may_be_of_any_origin(host: str) -> None:
    visitors = Visitors(per_hour=1, monotonic=Clock())
    proxied = {"x_forwarded_for": "198.51.100.1"} if host == "127.0.0.1" else {}
    visitors.admit(request(host, origin="https://app.example", **proxied))

    with pytest.raises(TooManyVisitsError):
        visitors.admit(request(host, origin="https://other.example", **proxied))
