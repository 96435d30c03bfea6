"""Time stamps: what one shows, and each way in which it does not."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.timestamps import NOW, FakeAuthority
from tests.properties.mutation import flipped

from adyton.crypto.timestamp import (
    MAX_TIMESTAMP_BYTES,
    TimestampRejectedError,
    read_timestamp,
    timestamp_request,
)
from adyton.errors import MalformedError

MESSAGE = b"a checkpoint"
AUTHORITY = FakeAuthority()
STAMP = AUTHORITY.answer(timestamp_request(MESSAGE))


def test_a_stamp_says_when_the_message_was_seen() -> None:
    found = read_timestamp(STAMP, message=MESSAGE, authorities=[AUTHORITY.root])
    assert found == NOW


def test_one_accepted_authority_of_several_is_enough() -> None:
    roots = [FakeAuthority().root, AUTHORITY.root]
    assert read_timestamp(STAMP, message=MESSAGE, authorities=roots) == NOW


def test_a_request_tells_the_digest_and_nothing_else() -> None:
    request = timestamp_request(MESSAGE)
    assert hashlib.sha256(MESSAGE).digest() in request
    assert len(request) < 64
    assert request == timestamp_request(MESSAGE)


@pytest.mark.parametrize(
    "made",
    [
        lambda: AUTHORITY.stamp(hashlib.sha256(b"another").digest()),
        lambda: AUTHORITY.stamp(hashlib.sha256(MESSAGE).digest(), status=1),
        lambda: AUTHORITY.stamp(hashlib.sha256(MESSAGE).digest(), at=NOW - timedelta(days=2)),
        lambda: AUTHORITY.stamp(hashlib.sha256(MESSAGE).digest(), at=NOW + timedelta(days=400)),
        lambda: FakeAuthority().stamp(hashlib.sha256(MESSAGE).digest()),
    ],
)
def test_each_stamp_that_does_not_hold_is_refused(made: Callable[[], bytes]) -> None:
    with pytest.raises(TimestampRejectedError):
        read_timestamp(made(), message=MESSAGE, authorities=[AUTHORITY.root])


def test_a_certificate_for_something_else_stamps_nothing() -> None:
    server = FakeAuthority(usage=ExtendedKeyUsageOID.SERVER_AUTH)
    stamp = server.stamp(hashlib.sha256(MESSAGE).digest())
    with pytest.raises(TimestampRejectedError):
        read_timestamp(stamp, message=MESSAGE, authorities=[server.root])


def test_without_accepted_authorities_nothing_holds() -> None:
    with pytest.raises(TimestampRejectedError):
        read_timestamp(STAMP, message=MESSAGE, authorities=[])


def test_a_root_that_is_no_certificate_is_refused() -> None:
    with pytest.raises(MalformedError):
        read_timestamp(STAMP, message=MESSAGE, authorities=[b"root"])


def test_more_bytes_than_the_limit_are_refused() -> None:
    with pytest.raises(MalformedError):
        read_timestamp(
            bytes(MAX_TIMESTAMP_BYTES + 1), message=MESSAGE, authorities=[AUTHORITY.root]
        )


@given(st.integers(0, len(STAMP) * 8 - 1))
def test_a_flipped_bit_changes_nothing_or_is_refused(bit: int) -> None:
    with suppress(MalformedError, TimestampRejectedError):
        found = read_timestamp(flipped(STAMP, bit), message=MESSAGE, authorities=[AUTHORITY.root])
        assert found == NOW


@given(st.binary(max_size=300))
def test_any_bytes_are_a_stamp_or_refused(data: bytes) -> None:
    with suppress(MalformedError, TimestampRejectedError):
        read_timestamp(data, message=MESSAGE, authorities=[AUTHORITY.root])
