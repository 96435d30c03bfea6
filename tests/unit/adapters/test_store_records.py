"""Keys as they are shown, presented and stored, and URLs of databases."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.adapters.store.administration import new_key
from adyton.adapters.store.database import DatabaseUrlMalformedError, check_url
from adyton.adapters.store.records import (
    KeyLimits,
    KeyMalformedError,
    Presented,
    Scope,
    key_digest,
)

NOW = datetime(2026, 2, 3, tzinfo=UTC)


def test_a_new_key_opens_with_its_text_and_no_other() -> None:
    made, other = (new_key(name="n", scopes=[Scope.ASK], now=NOW) for _ in range(2))
    presented = Presented.from_text(made.text)
    assert presented is not None
    assert presented.id == made.key.id
    assert presented.is_secret_of(made.key)
    assert not presented.is_secret_of(other.key)


def test_what_is_stored_is_not_the_secret() -> None:
    made = new_key(name="n", scopes=[Scope.ASK], now=NOW)
    presented = Presented.from_text(made.text)
    assert presented is not None
    assert made.key.digest == key_digest(presented.secret) != presented.secret
    assert presented.secret not in made.key.digest


@given(st.binary(min_size=32, max_size=32), st.integers(0, 255))
def test_any_flipped_bit_is_another_secret(secret: bytes, bit: int) -> None:
    flipped = bytearray(secret)
    flipped[bit // 8] ^= 1 << bit % 8
    assert key_digest(secret) != key_digest(bytes(flipped))


def test_a_key_lives_as_long_as_it_is_told() -> None:
    key = new_key(name="n", scopes=[Scope.ASK], now=NOW, lifetime=timedelta(days=1)).key
    assert key.is_usable(NOW + timedelta(days=1, microseconds=-1))
    assert not key.is_usable(NOW + timedelta(days=1))


@pytest.mark.parametrize("name", ["", "x" * 129, "two\nlines", "nul\0"])
def test_a_key_without_a_decent_name_is_refused(name: str) -> None:
    with pytest.raises(KeyMalformedError):
        new_key(name=name, scopes=[Scope.ASK], now=NOW)


def test_a_key_that_may_do_nothing_is_refused() -> None:
    with pytest.raises(KeyMalformedError):
        new_key(name="n", scopes=[], now=NOW)


@pytest.mark.parametrize("limit", [0, -1, 2**31])
def test_a_limit_that_locks_out_or_wraps_is_refused(limit: int) -> None:
    for name in ("per_minute", "in_flight", "per_day"):
        with pytest.raises(KeyMalformedError):
            KeyLimits(**{name: limit})


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("sqlite:///adyton.db", "sqlite+aiosqlite"),
        ("sqlite:////var/lib/adyton.db", "sqlite+aiosqlite"),
        ("postgres://u:p@h/d", "postgresql+asyncpg"),
        ("postgresql://u:p@h:5432/d", "postgresql+asyncpg"),
        ("postgresql+asyncpg://u@/d?host=/run/postgresql", "postgresql+asyncpg"),
    ],
)
def test_a_url_gets_the_driver_we_use(text: str, driver: str) -> None:
    assert check_url(text).drivername == driver


def test_libpqs_word_for_tls_is_understood() -> None:
    assert check_url("postgresql://h/d?sslmode=verify-full").query == {"ssl": "verify-full"}


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "mysql://u:secret@h/d", "postgresql+psycopg://h/d", "sqlite://relative.db"],
)
def test_another_url_is_malformed_and_not_quoted(text: str) -> None:
    with pytest.raises(DatabaseUrlMalformedError) as caught:
        check_url(text)
    assert "secret" not in str(caught.value)
