"""Where the relay may connect to: names on a list, at public addresses."""

import ipaddress
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.adapters.egress import (
    Destination,
    DestinationMalformedError,
    EgressAddressRefusedError,
    EgressPolicy,
    EgressRefusedError,
    EgressUnreachableError,
    Ip,
    NamePattern,
    is_public,
    override_from_text,
    resolve,
)
from adyton.errors import AdytonError

BANK = Destination("bank.example", 443)


def names(**addresses: str) -> Any:
    async def lookup(host: str, port: int) -> tuple[Ip, ...]:
        found = addresses.get(host.replace(".", "_"))
        if found is None:
            raise EgressUnreachableError
        return tuple(ipaddress.ip_address(text) for text in found.split(","))

    return lookup


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"host": "bank.example", "port": 443}, BANK),
        ({"host": "BANK.Example.", "port": 443}, BANK),
        ({"host": "xn--bcher-kva.example", "port": 1}, Destination("xn--bcher-kva.example", 1)),
        ({"host": "a_b.example", "port": 65535}, Destination("a_b.example", 65535)),
        ({"host": "localhost", "port": 443}, Destination("localhost", 443)),
    ],
)
def test_a_name_and_a_port_are_a_destination(fields: dict[str, Any], expected: Destination) -> None:
    assert Destination.from_fields(fields) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"host": "bank.example"},
        {"host": "bank.example", "port": 443, "more": 1},
        {"host": b"bank.example", "port": 443},
        {"host": "bank.example", "port": "443"},
        {"host": "bank.example", "port": True},
        {"host": "bank.example", "port": 0},
        {"host": "bank.example", "port": 65536},
        {"host": "", "port": 443},
        {"host": ".", "port": 443},
        {"host": "-bank.example", "port": 443},
        {"host": "bank..example", "port": 443},
        {"host": "bücher.example", "port": 443},
        {"host": "bank.example\r\n", "port": 443},
        {"host": "bank.example:80", "port": 443},
        {"host": "user@bank.example", "port": 443},
        {"host": "a" * 64 + ".example", "port": 443},
        {"host": ".".join(["a" * 60] * 5), "port": 443},
    ],
)
def test_what_is_no_name_is_malformed(fields: dict[str, Any]) -> None:
    with pytest.raises(DestinationMalformedError):
        Destination.from_fields(fields)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "8.8.8.8",
        "::1",
        "[::1]",
        "fe80::1%eth0",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0x7f000001",
        "0177.0.0.1",
        "bank.example.0",
        "1.2.3.4.",
    ],
)
def test_an_address_is_not_a_name_however_it_is_written(host: str) -> None:
    with pytest.raises(EgressAddressRefusedError):
        Destination.from_fields({"host": host, "port": 443})


@given(st.dictionaries(st.sampled_from(["host", "port"]), st.text() | st.integers() | st.none()))
def test_any_fields_are_a_destination_or_refused(fields: dict[str, Any]) -> None:
    with suppress(DestinationMalformedError, EgressAddressRefusedError):
        Destination.from_fields(fields)


@given(st.text(max_size=40))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    with suppress(DestinationMalformedError, EgressAddressRefusedError):
        NamePattern.from_text(text)
    with suppress(DestinationMalformedError, EgressAddressRefusedError):
        override_from_text(text)


@pytest.mark.parametrize(
    ("pattern", "host", "port", "fits"),
    [
        ("api.example.com", "api.example.com", 443, True),
        ("api.example.com", "api.example.com", 8443, False),
        ("api.example.com:8443", "api.example.com", 8443, True),
        ("API.example.com.", "api.example.com", 443, True),
        ("api.example.com", "api.example.com.evil.test", 443, False),
        ("api.example.com", "xapi.example.com", 443, False),
        ("*.example.com", "api.example.com", 443, True),
        ("*.example.com", "a.b.example.com", 443, True),
        ("*.example.com", "example.com", 443, False),
        ("*.example.com", "evilexample.com", 443, False),
        ("*", "anything.test", 443, True),
        ("*", "anything.test", 80, False),
        ("*:80", "anything.test", 80, True),
    ],
)
def test_a_pattern_matches_whole_labels_and_one_port(
    pattern: str, host: str, port: int, *, fits: bool
) -> None:
    assert NamePattern.from_text(pattern).matches(Destination(host, port)) is fits


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.2.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a00:1::1",
        # Python's tables have had these only since some patch release.
        "64:ff9b:1::7f00:1",
        "192.0.0.192",
        # Public by its number, and in every virtual network of Azure the host's own.
        "168.63.129.16",
        "::ffff:168.63.129.16",
    ],
)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_no_wrapping_makes_a_private_address_public(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for wrapped in (
        number,
        0xFFFF_0000_0000 + number,
        (0x64_FF9B << 96) + number,
        (0x2002 << 112) + (number << 80),
    ):
        made = ipaddress.ip_address(wrapped) if wrapped < 2**32 else ipaddress.IPv6Address(wrapped)
        assert not is_public(made)


async def test_an_allowed_name_leads_to_its_public_addresses() -> None:
    policy = EgressPolicy(destinations=frozenset({Destination("bank.example", 443)}))
    lookup = names(bank_example="8.8.8.8,2606:4700:4700::1111")
    assert await resolve(BANK, policy, lookup=lookup) == (
        ("8.8.8.8", 443),
        ("2606:4700:4700::1111", 443),
    )


@pytest.mark.parametrize(
    ("policy", "addresses", "reason"),
    [
        (EgressPolicy(), "8.8.8.8", EgressRefusedError),
        (
            EgressPolicy(destinations=frozenset({Destination("bank.example", 80)})),
            "8.8.8.8",
            EgressRefusedError,
        ),
        (EgressPolicy(destinations=frozenset({BANK})), "10.0.0.1", EgressAddressRefusedError),
        (
            EgressPolicy(destinations=frozenset({BANK})),
            "8.8.8.8,127.0.0.1",
            EgressAddressRefusedError,
        ),
        (
            EgressPolicy(patterns=(NamePattern.from_text("*"),)),
            "169.254.169.254",
            EgressAddressRefusedError,
        ),
    ],
)
async def test_each_broken_rule_is_refused(
    policy: EgressPolicy, addresses: str, reason: type[AdytonError]
) -> None:
    with pytest.raises(reason):
        await resolve(BANK, policy, lookup=names(bank_example=addresses))


async def test_a_name_that_is_not_allowed_is_not_even_looked_up() -> None:
    async def lookup(host: str, port: int) -> tuple[Ip, ...]:
        raise AssertionError("looked up")

    with pytest.raises(EgressRefusedError):
        await resolve(BANK, EgressPolicy(), lookup=lookup)


async def test_an_override_allows_and_leads_where_the_operator_says() -> None:
    policy = EgressPolicy(overrides=dict([override_from_text("bank.example=sandbox:8443")]))
    assert await resolve(BANK, policy, lookup=names(sandbox="127.0.0.1")) == (("127.0.0.1", 8443),)


async def test_an_override_of_one_port_says_nothing_of_another() -> None:
    policy = EgressPolicy(overrides=dict([override_from_text("bank.example:80=127.0.0.1:8080")]))
    with pytest.raises(EgressRefusedError):
        await resolve(BANK, policy, lookup=names())


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("bank.example=127.0.0.1:8443", ("127.0.0.1", 8443)),
        (" bank.example = 127.0.0.1:8443", ("127.0.0.1", 8443)),
        ("bank.example=[::1]:8443", ("::1", 8443)),
        ("bank.example=[::1]", ("::1", 443)),
        ("bank.example=sandbox", ("sandbox", 443)),
    ],
)
def test_an_override_is_read(text: str, target: tuple[str, int]) -> None:
    assert override_from_text(text) == (BANK, target)


@pytest.mark.parametrize("text", ["", "bank.example", "=127.0.0.1:1", "bank.example=", "a=b:0"])
def test_what_is_no_override_is_malformed(text: str) -> None:
    with pytest.raises(DestinationMalformedError):
        override_from_text(text)
